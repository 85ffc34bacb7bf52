import { assert, assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import { recordingLog, within } from "../../tests/testing.ts";
import type { Outcome } from "../reporter.ts";
import type { EventView, Overview } from "./api.ts";
import { Dashboard, type DashboardOptions } from "./dashboard.ts";
import { EndpointHealth } from "./endpoint_health.ts";
import { type KnownProxy, ProxyFigures } from "./proxy_figures.ts";
import { outcomeOf, webYaml } from "./testing.ts";

function start(options: Partial<DashboardOptions> = {}) {
  const dashboard = new Dashboard({
    isLeader: () => true,
    chooseShards: () => 1,
    log: SILENT_LOG,
    ...options,
  });
  return Object.assign(dashboard, { [Symbol.asyncDispose]: () => dashboard.close() });
}

/** A time of day that is set by hand, in milliseconds since 1970. */
class FakeTime {
  at = Date.parse("2026-01-01");
  readonly now = () => this.at;
}

/** Reads the overviews of a stream. */
function overviews(stream: ReadableStream<Uint8Array> | undefined) {
  const reader = stream!.getReader();
  return async (): Promise<Overview> => {
    for (;;) {
      const { value } = await within(reader.read(), "an overview");
      const [, data] = /^event: overview\ndata: (.*)\n\n$/.exec(new TextDecoder().decode(value)) ?? [];
      if (data !== undefined) return JSON.parse(data);
    }
  };
}

Deno.test("Dashboard knows nothing before the controller has read everything", async () => {
  await using dashboard = start();
  assertEquals([dashboard.overview(), dashboard.view, dashboard.explain("http://a.test/")], [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals([dashboard.proxies(), await dashboard.ingress("default", "web")], [[], undefined]);
});

Deno.test("Dashboard tells each change to pages that are open", async () => {
  await using dashboard = start({ isLeader: () => false });
  const next = overviews(dashboard.live.open());
  dashboard.see(outcomeOf(webYaml()));
  const first = await next();
  assertEquals([first.isLeader, first.counts.routes, first.history], [false, 1, []]);
  dashboard.see(outcomeOf(`${webYaml()}---${webYaml({ name: "more", path: "/more" })}`));
  const second = await next();
  assertEquals(second.counts.routes, 2);
  assertNotEquals(second.revision, first.revision);
});

Deno.test("Dashboard calls the same configuration by the same revision, and what is shown alike unchanged", async () => {
  const time = new FakeTime();
  await using dashboard = start({ now: time.now });
  const outcome = outcomeOf(webYaml());
  dashboard.see(outcome);
  const first = dashboard.overview();
  time.at++;
  dashboard.see({ ...outcome });
  assertEquals(dashboard.overview(), first);
});

Deno.test("Dashboard has a new time, and no new revision, for what proxies need not know", async () => {
  const time = new FakeTime();
  await using dashboard = start({ now: time.now });
  // pages that are open show the objects themselves
  dashboard.live.open();
  dashboard.see(outcomeOf(webYaml()));
  const first = dashboard.overview();
  const changes: Outcome[] = [
    // the object is another one
    outcomeOf(webYaml()),
    { ...outcomeOf(webYaml()), failure: "the disk is full" },
    outcomeOf(webYaml().replace("uid:", 'annotations: { pingress.dev/nonsense: "1" }, uid:')),
  ];
  let before = first?.changedAt ?? Infinity;
  for (const outcome of changes) {
    time.at++;
    dashboard.see(outcome);
    const { revision, changedAt } = dashboard.overview() ?? {};
    assertEquals(revision, first?.revision);
    assertGreater(changedAt ?? 0, before);
    before = changedAt ?? Infinity;
  }
});

Deno.test("Dashboard has no new time because nobody has looked for a while", async () => {
  const time = new FakeTime();
  await using dashboard = start({ now: time.now });
  const stream = dashboard.live.open();
  dashboard.see(outcomeOf(webYaml()));
  const first = dashboard.overview();
  await stream?.cancel();
  time.at++;
  dashboard.see(outcomeOf(webYaml()));
  assertEquals(dashboard.overview(), first);
});

Deno.test("Dashboard goes on when it cannot show a configuration, and says so", async () => {
  const { log, has } = recordingLog();
  await using dashboard = start({ log });
  const next = overviews(dashboard.live.open());
  const { snapshot, translation } = outcomeOf(webYaml());
  dashboard.see({ snapshot, translation: { ...translation, claims: [] } });
  await has("ERROR test: The dashboard cannot show the configuration");
  dashboard.see(outcomeOf(webYaml()));
  assertEquals((await next()).counts.routes, 1);
});

Deno.test("Dashboard counts shards into the revision", () => {
  const revisions = [1, 2].map((count) => {
    const dashboard = new Dashboard({ isLeader: () => true, chooseShards: () => count, log: SILENT_LOG });
    dashboard.see(outcomeOf(webYaml()));
    return dashboard.overview()?.revision;
  });
  assertNotEquals(revisions[0], revisions[1]);
});

/** Proxies that say what a test has them say. */
class FakeFigures extends ProxyFigures {
  readonly calls: string[] = [];
  #health = new EndpointHealth([]);

  override get health(): EndpointHealth {
    return this.#health;
  }

  /** Has one proxy say that it passes over some endpoints. */
  passOver(...addresses: string[]): void {
    this.#health = new EndpointHealth([{ addresses: new Set(addresses), hasMore: false }]);
  }

  constructor() {
    super({ finder: { find: () => Promise.resolve([] as KnownProxy[]), close: () => Promise.resolve() } });
  }

  override start(): void {
    this.calls.push("start");
  }

  override stop(): Promise<void> {
    this.calls.push("stop");
    return Promise.resolve();
  }
}

Deno.test("Dashboard says how far behind proxies are, and which are ready", async () => {
  const time = new FakeTime();
  const figures = new FakeFigures();
  await using dashboard = start({ figures, now: time.now });
  dashboard.see(outcomeOf(webYaml()));
  const revision = dashboard.overview()?.revision ?? "";
  time.at++;
  const proxy = { address: "127.0.0.1:1", isReady: true };
  figures.proxies = [
    { ...proxy, name: "same", revision },
    { ...proxy, name: "same, not ready", revision, isReady: false },
    { ...proxy, name: "other", revision: "other" },
    { ...proxy, name: "unknown" },
  ];
  const [same, notReady, other, unknown] = dashboard.proxies().map(({ lag }) => lag);
  assertEquals([same, notReady, unknown], [0, 0, undefined]);
  assertGreater(other ?? 0, 0);
  // what is no news to proxies does not set them even
  dashboard.see({ ...outcomeOf(webYaml()), failure: "the disk is full" });
  assertGreater(dashboard.proxies()[2]?.lag ?? 0, 0);
  const { proxies, readyProxies } = dashboard.overview()?.counts ?? {};
  assertEquals([proxies, readyProxies], [4, 1]);
});

Deno.test("Dashboard says wherever there are endpoints which of them are passed over", async () => {
  const figures = new FakeFigures();
  await using dashboard = start({ figures });
  dashboard.see(outcomeOf(`${webYaml()}---
apiVersion: v1
kind: Endpoints
metadata: { name: web, namespace: default }
subsets: [{ addresses: [{ ip: 10.0.0.1 }, { ip: 10.0.0.2 }], ports: [{ port: 80 }] }]
`));
  const shown = async () => {
    const { routes, backends } = await dashboard.ingress("default", "web") ?? {};
    const { route, backend } = dashboard.explain("http://a.test/") ?? {};
    assertEquals([routes?.[0]?.endpoints, backends?.[0]], [route?.endpoints, backend]);
    assertEquals(dashboard.overview()?.endpoints, route?.endpoints);
    return [route?.endpoints.passedOver, route?.endpoints.unknown, backend?.endpoints[0]];
  };
  assertEquals(await shown(), [0, 2, { address: "10.0.0.1:80" }]);
  figures.passOver("10.0.0.2:80");
  assertEquals(await shown(), [1, 0, { address: "10.0.0.2:80", passedOver: 1 }]);
  figures.passOver();
  assertEquals(await shown(), [0, 0, { address: "10.0.0.1:80", passedOver: 0 }]);
});

Deno.test("Dashboard says of each route what traffic its backend has", async () => {
  const figures = new FakeFigures();
  await using dashboard = start({ figures });
  dashboard.see(outcomeOf(webYaml()));
  const shown = async () => {
    const [row] = dashboard.routes({ offset: 0, limit: 10 })?.rows ?? [];
    const ingress = await dashboard.ingress("default", "web");
    assertEquals(ingress?.routes, [row]);
    return row?.traffic;
  };
  assertEquals(await shown(), undefined);
  const traffic = { rate: 12, errorShare: 0.5 };
  figures.backends = new Map([["default/web:80", traffic], ["default/other:80", { rate: 1, errorShare: 0 }]]);
  assertEquals(await shown(), traffic);
});

Deno.test("Dashboard has the proxies asked while a page is open, and no longer", async () => {
  const figures = new FakeFigures();
  {
    await using dashboard = start({ figures });
    dashboard.see(outcomeOf(webYaml()));
    assertEquals(figures.calls, []);
    const stream = dashboard.live.open();
    assertEquals(figures.calls, ["start"]);
    await stream?.cancel();
    assertEquals(figures.calls, ["start", "stop"]);
  }
});

Deno.test("Dashboard.ingress() tells what the cluster knows beside, and does without it", async () => {
  const event: EventView = { at: 1, type: "Warning", reason: "Odd", message: "Odd.", count: 2 };
  const object = {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "web",
      labels: { team: "a" },
      managedFields: [{ manager: "kubectl" }],
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", "a.test/b": "c" },
    },
  };
  await using rich = start({
    details: { object: () => Promise.resolve(object), events: () => Promise.resolve([event]) },
  });
  await using poor = start({
    details: {
      object: () => Promise.reject(new Error("away")),
      events: () => Promise.reject(new Error("no")),
    },
  });
  await using alone = start();
  for (const dashboard of [rich, poor, alone]) dashboard.see(outcomeOf(webYaml()));
  const ingress = await rich.ingress("default", "web");
  assertEquals([ingress?.events, ingress?.routes.length], [[event], 1]);
  assertEquals(
    ingress?.yaml,
    `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  labels:
    team: a
  annotations:
    a.test/b: c
`,
  );
  for (const dashboard of [poor, alone]) {
    const { events, yaml } = await dashboard.ingress("default", "web") ?? {};
    assertEquals(events, []);
    assert(
      yaml?.startsWith("apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n"),
      yaml,
    );
    assert(yaml?.includes("ingressClassName: pingress"), yaml);
  }
  assertEquals(await rich.ingress("default", "other"), undefined);
});

Deno.test("Dashboard.ingress() asks the cluster again after a while, and as soon as the Ingress is another one", async () => {
  const time = new FakeTime();
  const asked = { object: 0, events: 0 };
  await using dashboard = start({
    now: time.now,
    details: {
      object: () => Promise.resolve(asked.object++ % 2 === 0 ? undefined : {}),
      events: () => asked.events++ === 0 ? Promise.reject(new Error("no")) : Promise.resolve([]),
    },
  });
  const outcome = outcomeOf(webYaml());
  dashboard.see(outcome);
  const askedAfter = async (milliseconds: number) => {
    time.at += milliseconds;
    await Promise.all([dashboard.ingress("default", "web"), dashboard.ingress("default", "web")]);
    return [asked.object, asked.events];
  };
  assertEquals(await askedAfter(0), [1, 1]);
  // what could not be read is no reason to ask all the more
  assertEquals(await askedAfter(9999), [1, 1]);
  // the configuration is another one, the Ingress is not
  dashboard.see({ ...outcome });
  assertEquals(await askedAfter(0), [1, 1]);
  assertEquals(await askedAfter(1), [2, 2]);
  dashboard.see(outcomeOf(webYaml()));
  assertEquals(await askedAfter(0), [3, 3]);
  assertEquals(await askedAfter(-3_600_000), [4, 4]);
});

Deno.test("Dashboard.ingress() keeps nothing of an Ingress that nobody has asked for in a while", async () => {
  const time = new FakeTime();
  let asked = 0;
  await using dashboard = start({
    now: time.now,
    details: { object: () => Promise.resolve({ asked: asked++ }), events: () => Promise.resolve([]) },
  });
  dashboard.see(outcomeOf(`${webYaml()}---\n${webYaml().replace("name: web", "name: other")}`));
  const ask = async (name: string) => {
    assert(await dashboard.ingress("default", name), name);
    return asked;
  };
  assertEquals([await ask("web"), await ask("web")], [1, 1]);
  time.at += 10_000;
  assertEquals(await ask("other"), 2);
  // it would be good again by a clock that was set back, were it there
  time.at -= 9000;
  assertEquals(await ask("web"), 3);
});
