/**
 * The monitoring manifests with Prometheus itself: `promtool`, and a Prometheus that scrapes the real programs
 * while they have all kinds of traffic.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { dump } from "js-yaml";
import { freeAddress, isInstalled, run, RunningProgram } from "../../programs.ts";
import { pause, TempDir } from "../../testing.ts";
import {
  FAMILIES,
  MANIFESTS,
  parseYaml,
  queriesOf,
  readAlerts,
  readDashboard,
  readText,
} from "../manifests.ts";
import { Site } from "./site.ts";

const ignore = !isInstalled("prometheus") || !isInstalled("promtool");
const WHY = ignore ? " (ignored: it needs apt-get install prometheus)" : "";

/** What panels ask about, where Grafana would put in what somebody has chosen. */
const VARIABLES: Record<string, string> = {
  "$namespace": "pingress-.*",
  "$instance": "proxy-.*",
  "$__rate_interval": "1m",
};

Deno.test({
  name: `promtool accepts the alerts, and each fires when it should${WHY}`,
  ignore,
  fn: async () => {
    await run("promtool", "check", "rules", new URL("alerts.yaml", MANIFESTS).pathname);
    await run("promtool", "test", "rules", new URL("../alerts.test.yaml", import.meta.url).pathname);
  },
});

Deno.test({
  name: `Prometheus finds data for every panel and every alert in what the programs say${WHY}`,
  ignore,
  fn: async (t) => {
    await using site = await Site.start();
    await using directory = await TempDir.make();
    await using prometheus = await Prometheus.start(site, directory);
    // counters are known to Prometheus before they rise
    await prometheus.hasScraped(2);
    await site.change();
    for (let round = 0; round < 60; round++) {
      assertEquals(await site.haveTraffic(), ["200", "502", "503", "404", "200"]);
      if (round % 15 === 14) await prometheus.hasScraped(1);
    }
    await site.breakEndpoints();
    await prometheus.hasScraped(3);

    await t.step("what is scraped has the labels of the families", async () => {
      for (const [name, { type, labels = [] }] of Object.entries(FAMILIES)) {
        const series = await prometheus.series(type === "histogram" ? `${name}_count` : name);
        assert(series.length > 0, `There is no ${name}`);
        const own = series.map((labels) => Object.keys(labels).filter((label) => !ADDED.includes(label)));
        assertEquals(new Set(own.flat()), new Set(labels), name);
      }
    });

    for (const { title, expr } of queriesOf(await readDashboard())) {
      await t.step(`${title}: ${expr}`, async () => {
        const query = expr.replaceAll(
          /\$(?:namespace|instance|__rate_interval)/g,
          (name) => VARIABLES[name]!,
        );
        const values = await prometheus.query(query);
        assert(values.some((value) => Number.isFinite(value)), `no data: ${values}`);
      });
    }

    await t.step("alerts are evaluated", async () => {
      const rules = await prometheus.rules();
      assertEquals(rules.map(({ name }) => name), (await readAlerts()).map(({ alert }) => alert));
      for (const { name, health, lastError } of rules) {
        assertEquals([health, lastError], ["ok", undefined], name);
      }
      const active = rules.filter(({ state }) => state !== "inactive").map(({ name }) => name);
      // a file is broken, three of five answers are errors, a backend is dead, two controllers write
      const expected = [
        "PingressReloadFails",
        "PingressServerErrors",
        "PingressEndpointPassedOver",
        "PingressTwoLeaders",
      ];
      for (const name of expected) assert(active.includes(name), `${name} is not among ${active}`);
      assert(!active.includes("PingressTargetDown"), `${active}`);
      assert(!active.includes("PingressCertificateExpires"), `${active}`);
    });
  },
});

/** Labels that do not come from Pingress. */
const ADDED = ["__name__", "job", "instance", "namespace", "component", "node"];

/** A rule, as Prometheus has it. */
interface RuleState {
  name: string;
  health: string;
  lastError?: string;
  state: string;
}

/** A Prometheus that works by our manifests, but for how it finds what to scrape. */
class Prometheus implements AsyncDisposable {
  readonly #address: string;
  readonly #program: RunningProgram;

  private constructor(address: string, program: RunningProgram) {
    this.#address = address;
    this.#program = program;
  }

  static async start({ admin }: Site, directory: TempDir): Promise<Prometheus> {
    const { scrape_configs: [job], rule_files } = parseYaml(await readText("prometheus.yaml"));
    // Debian's Prometheus cannot ask Kubernetes; what Kubernetes would say is the same
    delete job.kubernetes_sd_configs;
    const config = await directory.write(
      "prometheus.yaml",
      dump({
        global: { scrape_interval: "1s", evaluation_interval: "1s" },
        scrape_configs: [{ ...job, static_configs: targetsOf(admin) }],
        rule_files: rule_files.map((file: string) => new URL(file, MANIFESTS).pathname),
      }),
    );
    const address = freeAddress();
    const program = await RunningProgram.start({
      command: "prometheus",
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${directory.path}/data`,
        `--web.listen-address=${address}`,
      ],
      until: /Server is ready to receive web requests/,
    });
    return new Prometheus(address, program);
  }

  /** The values that a query has now. */
  async query(query: string): Promise<number[]> {
    const { result } = await this.#ask(`query?query=${encodeURIComponent(query)}`);
    return result.map(({ value }: { value: [number, string] }) => Number(value[1]));
  }

  /** The labels of all series of a metric. */
  async series(name: string): Promise<Record<string, string>[]> {
    return await this.#ask(`series?match[]=${name}`);
  }

  /** All rules. */
  async rules(): Promise<RuleState[]> {
    const { groups } = await this.#ask("rules");
    return groups.flatMap(({ rules }: { rules: RuleState[] }) => rules);
  }

  /** Waits until all that there is was scraped so many times more. */
  async hasScraped(times: number): Promise<void> {
    const count = async () => (await this.query("min(count_over_time(up[1h])) and min(up) == 1"))[0] ?? 0;
    const enough = await count() + times;
    for (let tries = 0; await count() < enough; tries++) {
      if (tries > 300) {
        throw new Error(`Prometheus does not scrape all: ${JSON.stringify(await this.#ask("targets"))}`);
      }
      await pause(100);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }

  // deno-lint-ignore no-explicit-any -- a test fails well enough where a member is not there
  async #ask(path: string): Promise<any> {
    const answer = await (await fetch(`http://${this.#address}/api/v1/${path}`)).json();
    if (answer.status !== "success") throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  }
}

/** Where to scrape, with what Kubernetes says of Pods and their ports; one is no admin port. */
function targetsOf(admin: Site["admin"]) {
  const target = (address: string, name: string, component: string, port = "admin") => ({
    targets: [address],
    labels: {
      __meta_kubernetes_namespace: "pingress-system",
      __meta_kubernetes_pod_name: name,
      __meta_kubernetes_pod_node_name: "node-1",
      __meta_kubernetes_pod_phase: "Running",
      __meta_kubernetes_pod_label_app_kubernetes_io_name: "pingress",
      __meta_kubernetes_pod_label_app_kubernetes_io_component: component,
      __meta_kubernetes_pod_container_port_name: port,
    },
  });
  return [
    target(admin.controller, "controller-1", "controller"),
    target(admin.leader, "controller-2", "controller"),
    target(admin.proxy, "proxy-1", "proxy"),
    target(admin.otherProxy, "proxy-2", "proxy"),
    target("127.0.0.1:1", "proxy-1", "proxy", "http"),
  ];
}
