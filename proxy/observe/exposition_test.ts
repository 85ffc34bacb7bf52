import { assertEquals } from "@std/assert";
import { addUp, exposition } from "./exposition.ts";
import type { Sample } from "./metrics.ts";

Deno.test("exposition() describes each family once, before its samples", () => {
  const samples: Sample[] = [
    ["pingress_request_duration_seconds_bucket", 'le="1"', 1],
    ["pingress_workers", "", 2],
    ["pingress_requests_total", 'code="200"', 3],
    ["pingress_request_duration_seconds_sum", "", 0.25],
    ["pingress_requests_total", 'code="404"', 4],
    ["pingress_request_duration_seconds_count", "", 5],
  ];
  assertEquals(
    exposition(samples),
    `# HELP pingress_requests_total Requests by class of host, method and status.
# TYPE pingress_requests_total counter
pingress_requests_total{code="200"} 3
pingress_requests_total{code="404"} 4
# HELP pingress_request_duration_seconds Time from a request's head to the end of its response.
# TYPE pingress_request_duration_seconds histogram
pingress_request_duration_seconds_bucket{le="1"} 1
pingress_request_duration_seconds_sum 0.25
pingress_request_duration_seconds_count 5
# HELP pingress_workers Workers that serve.
# TYPE pingress_workers gauge
pingress_workers 2
`,
  );
});

Deno.test("exposition() is empty where there is nothing", () => {
  assertEquals(exposition([]), "");
});

Deno.test("addUp() adds what has the same name and labels", () => {
  const samples: Sample[] = [
    ["a", "", 1],
    ["a", 'x="1"', 2],
    ["b", "", 3],
    ["a", "", 4],
    ["a", 'x="1"', 5],
  ];
  const before = structuredClone(samples);
  assertEquals(addUp(samples), [["a", "", 5], ["a", 'x="1"', 7], ["b", "", 3]]);
  assertEquals(samples, before);
  assertEquals(addUp([]), []);
});
