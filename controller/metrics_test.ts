import { assertEquals } from "@std/assert";
import { Metrics } from "./metrics.ts";
import { Store } from "./store.ts";

function samplesOf(metrics: Metrics): string[] {
  return metrics.text().split("\n").filter((line) =>
    line !== "" && !line.startsWith("#") && !/_bucket/.test(line)
  );
}

Deno.test("Metrics counts and shows what there is now", () => {
  const metrics = new Metrics();
  const store = new Store();
  store.set("Service", { metadata: { name: "a", namespace: "b" } });
  metrics.setObjects(store.snapshot());
  metrics.countApiRequest("GET", 200);
  metrics.countApiRequest("GET", 200);
  metrics.countApiRequest("PATCH", undefined);
  metrics.countWatchRestart("Ingress");
  metrics.countReconcile(0.5, { succeeded: true });
  metrics.countReconcile(0.25, { succeeded: false });
  metrics.countChange(1);
  metrics.setProblems([
    { reason: "InvalidHost", ingress: "a/b", field: "x", message: "one" },
    { reason: "InvalidHost", ingress: "a/c", field: "x", message: "other" },
  ]);
  metrics.setShard("ConfigMap/pingress-config", 1234);
  metrics.setShard("ConfigMap/pingress-config-1", 1);
  metrics.setShard("ConfigMap/pingress-config-1", undefined);
  metrics.isLeader = false;
  const samples = samplesOf(metrics);
  assertEquals(samples.filter((line) => !/kind=/.test(line)), [
    "pingress_controller_leader 0",
    'pingress_controller_reconciles_total{result="success"} 1',
    'pingress_controller_reconciles_total{result="failure"} 1',
    "pingress_controller_reconcile_duration_seconds_sum 0.75",
    "pingress_controller_reconcile_duration_seconds_count 2",
    "pingress_controller_change_to_applied_seconds_sum 1",
    "pingress_controller_change_to_applied_seconds_count 1",
    'pingress_controller_problems{reason="InvalidHost"} 2',
    'pingress_controller_api_requests_total{method="GET",code="200"} 2',
    'pingress_controller_api_requests_total{method="PATCH",code="none"} 1',
    'pingress_controller_shard_bytes{object="ConfigMap/pingress-config"} 1234',
  ]);
  assertEquals(samples.includes('pingress_controller_objects{kind="Service"} 1'), true);
  assertEquals(samples.includes('pingress_controller_watch_restarts_total{kind="Ingress"} 1'), true);
});
