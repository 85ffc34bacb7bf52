import { assert, assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import { type Address, serveAdmin, SILENT_LOG } from "@pingress/config";
import { Controller } from "../controller/controller.ts";
import type { BackendView, Overview, Page, ProxyView, RouteView } from "../controller/dashboard/api.ts";
import { Dashboard } from "../controller/dashboard/dashboard.ts";
import { ProxyFigures } from "../controller/dashboard/proxy_figures.ts";
import { dashboardHandler } from "../controller/dashboard/server.ts";
import { outcomeOf } from "../controller/dashboard/testing.ts";
import { StandaloneOutput } from "../controller/outputs/standalone.ts";
import { renderConfigFiles } from "../controller/render/config_files.ts";
import { ManifestsSource } from "../controller/sources/manifests_source.ts";
import { ConfigurationLoader } from "../proxy/configuration.ts";
import { Proxy } from "../proxy/proxy.ts";
import { Peer, RawServer } from "./peers.ts";
import { TEST_SERVER } from "./test_proxy.ts";
import { recordingLog, TempDir, within } from "./testing.ts";

function yaml(...hosts: string[]): string {
  const rules = hosts.map((host) =>
    `{ host: ${host}, http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] } }`
  );
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: default }
spec: { ingressClassName: pingress, rules: [${rules.join(", ")}] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { ports: [{ port: 80 }] }
`;
}

/** The controller with its dashboard and a proxy, wired as the demo wires them. */
class Setup implements AsyncDisposable {
  readonly #proxyLog = recordingLog();
  readonly #manifests: TempDir;
  readonly #output: TempDir;
  readonly #controller: Controller;
  readonly #dashboard: Dashboard;
  readonly #proxy: Proxy;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(manifests: TempDir, output: TempDir) {
    this.#manifests = manifests;
    this.#output = output;
    const log = SILENT_LOG;
    const standalone = new StandaloneOutput({ directory: output.path, log });
    const find = () => Promise.resolve([{ name: "proxy", admin: this.#proxy.addresses.admin as Address }]);
    this.#dashboard = new Dashboard({
      isLeader: () => true,
      chooseShards: standalone.chooseShards,
      figures: new ProxyFigures({ finder: { find, close: () => Promise.resolve() }, interval: 50 }),
      log,
    });
    this.#controller = new Controller({
      source: new ManifestsSource({ directory: manifests.path, log }),
      output: standalone,
      observe: (outcome) => this.#dashboard.see(outcome),
      log,
      pace: { interval: 1 },
    });
    this.#proxy = new Proxy({
      configFile: `${output.path}/proxy.json`,
      watchDirectory: output.path,
      listenAdmin: { hostname: "127.0.0.1", port: 0 },
      server: TEST_SERVER,
      workers: 0,
      shutdownDelay: 0,
      drainTimeout: 5000,
      accessLog: { write: (bytes) => Promise.resolve(bytes.length) },
      log: this.#proxyLog.log,
    });
    this.#server = serveAdmin({ hostname: "127.0.0.1", port: 0 }, {
      isReady: () => true,
      others: dashboardHandler({ dashboard: this.#dashboard, assets: new Map(), log }),
    });
  }

  static async start(text: string): Promise<Setup> {
    const setup = new Setup(await TempDir.make(), await TempDir.make());
    await setup.#manifests.write("web.yaml", text);
    await setup.#controller.start();
    await setup.#proxy.start();
    return setup;
  }

  /** Writes the YAML and waits until the proxy has loaded what came of it. */
  async edit(text: string): Promise<void> {
    const from = this.#proxyLog.lines.length;
    await this.#manifests.write("web.yaml", text);
    await this.#proxyLog.has("Configuration loaded", from);
  }

  /** @returns the status line. */
  async request(host: string): Promise<string> {
    using client = await Peer.connect(this.#proxy.addresses.http);
    return (await client.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).start;
  }

  async get<T>(path: string): Promise<T> {
    return await (await fetch(`http://127.0.0.1:${this.#server.addr.port}/api/${path}`)).json();
  }

  /** Follows the overviews until one of them is as wanted. */
  async overview(what: string, isWanted: (overview: Overview) => boolean): Promise<Overview> {
    const response = await fetch(`http://127.0.0.1:${this.#server.addr.port}/api/live`);
    const reader = response.body!.getReader();
    const find = async () => {
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The stream has ended");
        text += new TextDecoder().decode(value);
        const events = text.split("\n\n");
        text = events.pop() ?? "";
        for (const event of events) {
          const [, data] = /^event: overview\ndata: (.*)$/.exec(event) ?? [];
          if (data === undefined) continue;
          const overview: Overview = JSON.parse(data);
          if (isWanted(overview)) return overview;
        }
      }
    };
    try {
      return await within(find(), what);
    } finally {
      await reader.cancel();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dashboard.close();
    await this.#server.shutdown();
    await this.#controller.stop();
    await this.#proxy.stop();
    await this.#manifests[Symbol.asyncDispose]();
    await this.#output[Symbol.asyncDispose]();
  }
}

Deno.test("the dashboard shows that the proxies serve what the controller wrote, and what they do", async () => {
  await using setup = await Setup.start(yaml("a.test"));
  const first = await setup.overview("a proxy that is ready", ({ counts }) => counts.readyProxies === 1);
  assertEquals([first.counts.routes, first.isLeader], [1, true]);
  const [proxy] = await setup.get<ProxyView[]>("proxies");
  assertEquals([proxy?.revision, proxy?.lag, proxy?.isReady], [first.revision, 0, true]);

  await setup.edit(yaml("a.test", "b.test"));
  const second = await setup.overview(
    "the next revision",
    ({ revision, counts }) => revision !== first.revision && counts.readyProxies === 1,
  );
  assertEquals(second.counts.routes, 2);
  assertGreater(second.changedAt, first.changedAt);

  // the Service has no endpoint
  const isBusy = setup.overview("traffic", ({ traffic }) => (traffic?.rate ?? 0) > 0);
  let isSeen = false;
  const requests = async () => {
    while (!isSeen) assertEquals(await setup.request("a.test"), "HTTP/1.1 503 Service Unavailable");
  };
  const [{ traffic, history }] = await Promise.all([isBusy.finally(() => isSeen = true), requests()]);
  assertEquals(traffic?.errorShare, 1);
  assertGreater(traffic?.p99 ?? 0, 0);
  assert(history.length > 0);
});

Deno.test("the dashboard shows which endpoints the proxies pass over, until they reach them", async () => {
  using gone = new RawServer(() => Promise.resolve());
  gone[Symbol.dispose]();
  await using setup = await Setup.start(`${yaml("a.test")}---
apiVersion: v1
kind: Endpoints
metadata: { name: web, namespace: default }
subsets: [{ addresses: [{ ip: 127.0.0.1 }], ports: [{ port: ${gone.address.port} }] }]
`);
  const known = (passedOver: number) => ({ total: 1, passedOver, unknown: 0 });
  const shows = async (passedOver: number) => {
    const isShown = ({ endpoints }: Overview) =>
      endpoints.passedOver === passedOver && endpoints.unknown === 0;
    const { endpoints } = await setup.overview(`${passedOver} endpoints that are passed over`, isShown);
    assertEquals(endpoints, known(passedOver));
  };
  await shows(0);
  // each time it is passed over for twice as long
  for (let time = 0; time < 4; time++) {
    assertEquals(await setup.request("a.test"), "HTTP/1.1 502 Bad Gateway");
  }
  await shows(1);
  const { rows: [route] } = await setup.get<Page<RouteView>>("routes?passedOver=1");
  assertEquals([route?.host, route?.endpoints], ["a.test", known(1)]);
  const { proxies, endpoints } = await setup.get<BackendView>("endpoints?backend=default/web:80");
  assertEquals([proxies, endpoints], [1, [{ address: gone.endpoint, passedOver: 1 }]]);
  await using _back = Deno.serve({ ...gone.address, onListen: () => {} }, () => new Response("back"));
  assertEquals(await setup.request("a.test"), "HTTP/1.1 200 OK");
  await shows(0);
});

for (const shards of [1, 2, 16]) {
  Deno.test(`controller and proxy call a configuration of ${shards} shards by the same revision`, async () => {
    await using dir = await TempDir.make();
    const outcome = outcomeOf(yaml(...Array.from({ length: 40 }, (_, index) => `h${index}.test`)));
    const dashboard = new Dashboard({ isLeader: () => true, chooseShards: () => shards, log: SILENT_LOG });
    dashboard.see(outcome);
    const files = renderConfigFiles(outcome.translation, () => shards);
    const write = async (shard: number) => {
      for (const [name, text] of Object.entries(files[shard] ?? {})) await dir.write(name, text);
    };
    for (const shard of files.keys()) await write(shard);
    const loader = new ConfigurationLoader({ configFile: `${dir.path}/proxy.json`, log: SILENT_LOG });
    await loader.load();
    const { revision } = loader;
    assertEquals(revision, dashboard.overview()?.revision);

    // one file that is another one is another revision; one that is broken is not served
    const last = Object.keys(files.at(-1) ?? {}).find((name) => name.startsWith("endpoints")) ?? "";
    await dir.write(last, '{ "default/other:80": [] }');
    await loader.load();
    const changed = loader.revision;
    assertNotEquals(changed, revision);
    await dir.write(last, "{");
    await loader.load();
    assertEquals(loader.revision, changed);
    await write(files.length - 1);
    await loader.load();
    assertEquals(loader.revision, revision);
  });
}
