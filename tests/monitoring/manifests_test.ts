import { assert, assertEquals } from "@std/assert";
import { PROXY_LABELS } from "../../controller/render/names.ts";
import {
  type Alert,
  FAMILIES,
  familiesIn,
  MANIFESTS,
  parseYaml,
  queriesOf,
  readAlerts,
  readDashboard,
  readText,
} from "./manifests.ts";

/** Labels that Prometheus and the relabelling of the manifests add. */
const TARGET_LABELS = ["namespace", "job", "instance", "component", "node"];

/** The panels that Grafana has without plugins, as far as they are used. */
const PANEL_TYPES = ["row", "stat", "timeseries", "table"];

Deno.test("every query names metrics and labels that there are", async () => {
  const queries = [
    ...queriesOf(await readDashboard()),
    ...(await readAlerts()).map(({ alert, expr }) => ({ title: alert, expr })),
  ];
  for (const { title, expr } of queries) {
    const families = familiesIn(expr);
    for (const name of families) assert(name in FAMILIES, `${title}: there is no metric ${name}`);
    const known = [...TARGET_LABELS, "le", ...families.flatMap((name) => FAMILIES[name]?.labels ?? [])];
    for (const label of labelsIn(expr)) {
      assert(known.includes(label), `${title}: ${families} have no label ${label}`);
    }
  }
});

Deno.test("every metric is shown", async () => {
  const shown = new Set(queriesOf(await readDashboard()).flatMap(({ expr }) => familiesIn(expr)));
  assertEquals(Object.keys(FAMILIES).filter((name) => !shown.has(name)), []);
});

Deno.test("the dashboard asks the data source that is chosen, with panels that Grafana has", async () => {
  const { panels, templating, schemaVersion } = await readDashboard();
  assertEquals(schemaVersion, 39, "Grafana 10.4 and 11");
  assertEquals(templating.list.map(({ name, type }) => [name, type]), [
    ["datasource", "datasource"],
    ["namespace", "query"],
    ["instance", "query"],
  ]);
  for (const { title, type, targets = [], description } of panels) {
    assert(PANEL_TYPES.includes(type), `${title} is a ${type}`);
    assertEquals(targets.length > 0 && description !== undefined, type !== "row", title);
    for (const { datasource } of targets) assertEquals(datasource.uid, "${datasource}", title);
    assertEquals(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
  }
});

Deno.test("no panel of the dashboard lies on another", async () => {
  const { panels } = await readDashboard();
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert(x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const cell = `${column},${line}`;
        assertEquals(taken.get(cell), undefined, `${title} lies on ${taken.get(cell)}`);
        taken.set(cell, title);
      }
    }
  }
});

Deno.test("every alert is tested, in both ways, and explained", async () => {
  const { tests } = parseYaml(
    await Deno.readTextFile(new URL("alerts.test.yaml", import.meta.url)),
  ) as { tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[] }[] };
  const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
  const page = await Deno.readTextFile(new URL("../../docs/how_to/monitoring.md", import.meta.url));
  for (const { alert, labels, annotations } of await readAlerts()) {
    const outcomes = cases.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) =>
      exp_alerts !== undefined
    );
    assertEquals([outcomes.includes(true), outcomes.includes(false)], [true, true], alert);
    assert(["warning", "critical"].includes(labels.severity ?? ""), alert);
    assertEquals(Object.keys(annotations), ["summary", "description"], alert);
    assert(page.includes(`**${alert}**`), `docs/how_to/monitoring.md says nothing of ${alert}`);
  }
});

Deno.test("the PrometheusRule has the alerts (deno task test:update writes it)", async () => {
  const url = new URL("prometheus_rule.yaml", MANIFESTS);
  const text = prometheusRule(await readText("alerts.yaml"));
  if (Deno.env.get("PINGRESS_UPDATE") === "1") await Deno.writeTextFile(url, text);
  assertEquals(text, await Deno.readTextFile(url));
  const { spec } = parseYaml(text) as { spec: { groups: { rules: Alert[] }[] } };
  assertEquals(spec.groups.flatMap(({ rules }) => rules), await readAlerts());
});

Deno.test("the Pods of controllers and proxies have the labels and the port that are looked for", async () => {
  const { spec } = parseYaml(await readText("pod_monitors.yaml"));
  const controller = parseYaml(
    await Deno.readTextFile(new URL("../../manifests/4_controller.yaml", import.meta.url)),
  ).spec.template;
  const proxy = parseYaml(
    await Deno.readTextFile(
      new URL("../../controller/render/testdata/daemon_set.out.yaml", import.meta.url),
    ),
  ).spec.template;
  const [[label, value] = []] = Object.entries<string>(spec.selector.matchLabels);
  assertEquals(PROXY_LABELS[label ?? ""], value);
  for (const { metadata, spec: { containers: [container] } } of [controller, proxy]) {
    assertEquals(metadata.labels[label ?? ""], value);
    assert(container.ports.some(({ name }: { name: string }) => name === spec.podMetricsEndpoints[0].port));
  }
  const [job] = parseYaml(await readText("prometheus.yaml")).scrape_configs;
  assertEquals(
    job.relabel_configs.map((config: Record<string, unknown>) => config.regex).filter(Boolean).slice(0, 2),
    [value, spec.podMetricsEndpoints[0].port],
  );
});

/** The labels that a query asks for or groups by. */
function labelsIn(query: string): Set<string> {
  const made: string[] = query.match(/(?<=label_replace\(.*, ")\w+/g) ?? [];
  const selected = [...query.matchAll(/\{([^}]*)\}/g)].flatMap(([, selector = ""]) =>
    [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label)
  );
  const grouped = [...query.matchAll(/\b(?:by|on|ignoring|without)\s*\(([^)]*)\)/g)].flatMap((
    [, labels = ""],
  ) => labels.split(",").map((label) => label.trim()));
  return new Set([...selected, ...grouped].filter((label) => !made.includes(label)));
}

/** The same alerts for the Prometheus operator. */
function prometheusRule(alerts: string): string {
  const groups = alerts.slice(alerts.indexOf("groups:"));
  return `# For the Prometheus operator: kubectl apply -f. Written by \`deno task test:update\` from alerts.yaml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pingress
  namespace: pingress-system
  labels:
    app.kubernetes.io/name: pingress
    app.kubernetes.io/part-of: pingress
spec:
${groups.replaceAll(/^(?=.)/gm, "  ")}`;
}
