import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, type Sample, serviceKey } from "@pingress/config";
import { Backend, ok, Peer } from "../tests/peers.ts";
import { TEST_SERVER } from "../tests/test_proxy.ts";
import { type RecordedLog, recordingLog, within } from "../tests/testing.ts";
import type { Configuration } from "./configuration.ts";
import { limitMemory } from "./policies/limit_table.ts";
import { startHere, type WorkerHandle, Workers, type WorkerStart } from "./workers.ts";

const ADDRESSES = {
  http: { hostname: "127.0.0.1", port: 8001 },
  https: { hostname: "127.0.0.1", port: 8002 },
};

function configuration(path = "/"): Configuration {
  const backend = { type: "Service" as const, name: "one", namespace: "default", port: 80 };
  return {
    config: { rules: [{ path: { type: "Prefix", path }, backend }] },
    endpoints: {},
    certificates: { byHost: new Map(), fallback: undefined },
    files: new Map(),
  };
}

/** A worker that does what a test says. */
class FakeWorker implements WorkerHandle {
  readonly told: WorkerStart;
  readonly start = Promise.withResolvers<{ http: Address; https: Address }>();
  readonly started = this.start.promise;
  readonly death = Promise.withResolvers<string>();
  readonly died = this.death.promise;
  readonly changes: Partial<Configuration>[] = [];
  readonly stopping = Promise.withResolvers<void>();
  counted: Sample[] = [];
  isLeaving = false;
  isStopped = false;
  isTerminated = false;

  constructor(told: WorkerStart) {
    this.told = told;
    this.started.catch(() => {});
  }

  configure(change: Partial<Configuration>): void {
    this.changes.push(change);
  }

  samples(): Promise<Sample[]> {
    return Promise.resolve(structuredClone(this.counted));
  }

  leave(): void {
    this.isLeaving = true;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.stopping.promise;
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

/** Workers that do what a test says. */
class Setup implements Disposable {
  readonly started: FakeWorker[] = [];
  readonly record: RecordedLog = recordingLog();
  readonly workers: Workers;
  #added = Promise.withResolvers<void>();

  constructor(count: number) {
    this.workers = new Workers(configuration(), {
      options: TEST_SERVER,
      count,
      writeAccessLog: () => {},
      log: this.record.log,
      start: (told) => {
        const worker = new FakeWorker(told);
        this.started.push(worker);
        this.#added.resolve();
        this.#added = Promise.withResolvers();
        return worker;
      },
    });
  }

  /** Waits until so many have been started. @returns the last one. */
  async has(count: number): Promise<FakeWorker> {
    while (this.started.length < count) await within(this.#added.promise, `worker ${count}`);
    return this.started[count - 1]!;
  }

  /** Starts all. */
  async run(): Promise<this> {
    const starting = this.workers.start();
    (await this.has(1)).start.resolve(ADDRESSES);
    await Promise.resolve();
    const settle = setInterval(() => this.started.forEach((worker) => worker.start.resolve(ADDRESSES)), 1);
    await starting;
    clearInterval(settle);
    return this;
  }

  [Symbol.dispose](): void {
    for (const worker of this.started) worker.stopping.resolve();
    this.workers.stop();
  }
}

Deno.test("Workers.start() lets the first one find the ports that all share", async () => {
  using setup = new Setup(3);
  const starting = setup.workers.start();
  const first = await setup.has(1);
  assertEquals([first.told.options, setup.started.length], [TEST_SERVER, 1]);
  first.start.resolve(ADDRESSES);
  await setup.has(3);
  const shared = { ...TEST_SERVER, listenHttp: ADDRESSES.http, listenHttps: ADDRESSES.https };
  for (const worker of setup.started.slice(1)) {
    assertEquals(worker.told.options, shared);
    worker.start.resolve(ADDRESSES);
  }
  assertEquals([await starting, setup.workers.count, setup.workers.restarts], [ADDRESSES, 3, 0]);
});

Deno.test("Workers.start() says that one cannot listen", async () => {
  for (const failing of [0, 1]) {
    using setup = new Setup(2);
    const starting = assertRejects(() => setup.workers.start(), Error, "Cannot listen");
    const first = await setup.has(1);
    if (failing === 1) first.start.resolve(ADDRESSES);
    (await setup.has(failing + 1)).start.reject(new Error("Cannot listen on it"));
    await starting;
  }
});

Deno.test("Workers.configure() hands a change to all", async () => {
  using setup = await new Setup(2).run();
  const change = { config: configuration("/new").config };
  setup.workers.configure(change);
  assertEquals(setup.started.map(({ changes }) => changes), [[change], [change]]);
});

Deno.test("Workers replaces one that dies, with the configuration of that moment", async () => {
  using setup = await new Setup(2).run();
  const { config } = configuration("/new");
  setup.workers.configure({ config });
  setup.started[0]!.death.resolve("out of memory");
  await setup.record.has("A worker died and is replaced");
  assertEquals([setup.workers.count, setup.workers.restarts], [1, 1]);
  assert(setup.record.lines.some((line) => line.includes("out of memory")));
  const successor = await setup.has(3);
  assertEquals(successor.told.configuration, { ...configuration(), config });
  assertEquals(setup.workers.count, 2);
  successor.start.resolve(ADDRESSES);
  setup.workers.configure({ endpoints: {} });
  assertEquals([successor.changes.length, setup.started[0]!.changes.length], [1, 1]);
});

Deno.test("Workers gives the successor of the first one the ports that the others have", async () => {
  using setup = await new Setup(2).run();
  setup.started[0]!.death.resolve("crash");
  const successor = await setup.has(3);
  const { listenHttp, listenHttps } = successor.told.options;
  assertEquals([listenHttp, listenHttps], [ADDRESSES.http, ADDRESSES.https]);
});

Deno.test("Workers tries again when a successor cannot start", async () => {
  using setup = await new Setup(1).run();
  setup.started[0]!.death.resolve("crash");
  const successor = await setup.has(2);
  successor.start.reject(new Error("Cannot listen on it"));
  await setup.record.has("Cannot listen on it");
  assertEquals([setup.workers.count, setup.workers.restarts], [0, 2]);
  (await setup.has(3)).start.resolve(ADDRESSES);
  assertEquals([successor.isTerminated, setup.workers.count], [true, 1]);
});

Deno.test("Workers.samples() adds up what all have counted", async () => {
  using setup = await new Setup(2).run();
  const [one, two] = setup.started;
  one!.counted = [["pingress_connections", "", 1], ["pingress_requests_total", 'code="200"', 2]];
  two!.counted = [["pingress_connections", "", 10], ["pingress_requests_total", 'code="404"', 20]];
  assertEquals(await setup.workers.samples(), [
    ["pingress_connections", "", 11],
    ["pingress_requests_total", 'code="200"', 2],
    ["pingress_requests_total", 'code="404"', 20],
  ]);
});

Deno.test("Workers.samples() never goes back when a worker dies", async () => {
  using setup = await new Setup(2).run();
  const [one, two] = setup.started;
  for (const worker of [one!, two!]) {
    worker.counted = [
      ["pingress_connections", "", 1],
      ["pingress_requests_in_flight", "", 1],
      ["pingress_requests_total", "", 5],
    ];
  }
  await setup.workers.samples();
  one!.death.resolve("crash");
  await setup.record.has("A worker died");
  two!.counted[2]![2] = 7;
  for (let count = 0; count < 2; count++) {
    assertEquals((await setup.workers.samples()).toSorted(), [
      ["pingress_connections", "", 1],
      ["pingress_requests_in_flight", "", 1],
      ["pingress_requests_total", "", 12],
    ]);
  }
});

Deno.test("Workers.samples() has no gauge of a worker that died", async () => {
  using setup = await new Setup(2).run();
  const [one, two] = setup.started;
  const passedOver: Sample = ["pingress_upstream_endpoint_passed_over", 'address="10.0.0.1:80"', 1];
  const counted: Sample = ["pingress_request_duration_seconds_count", "", 1];
  one!.counted = [passedOver, counted];
  two!.counted = [passedOver];
  assertEquals(await setup.workers.samples(), [[passedOver[0], passedOver[1], 2], counted]);
  one!.death.resolve("crash");
  await setup.record.has("A worker died");
  assertEquals(await setup.workers.samples(), [counted, passedOver]);
});

Deno.test("Workers.samples() never goes back when a worker dies while it is asked", async () => {
  using setup = await new Setup(1).run();
  const [worker] = setup.started;
  worker!.counted = [["pingress_requests_total", "", 5]];
  await setup.workers.samples();
  const { promise, resolve } = Promise.withResolvers<Sample[]>();
  worker!.samples = () => promise;
  const asked = setup.workers.samples();
  // as a thread's handle does it
  resolve([]);
  worker!.death.resolve("crash");
  await asked;
  await setup.record.has("A worker died");
  assertEquals(await setup.workers.samples(), [["pingress_requests_total", "", 5]]);
});

Deno.test("Workers.stop() waits for all, and replaces none", async () => {
  using setup = await new Setup(2).run();
  const [one, two] = setup.started;
  let isOver = false;
  const stopping = setup.workers.stop().then(() => isOver = true);
  assertEquals([one!.isStopped, two!.isStopped], [true, true]);
  one!.stopping.resolve();
  await Promise.resolve();
  assertEquals([isOver, two!.isTerminated], [false, false]);
  two!.death.resolve("crash");
  two!.stopping.resolve();
  await within(stopping, "the end");
  assertEquals([one!.isTerminated, setup.workers.restarts, setup.started.length], [true, 0, 2]);
});

Deno.test("Workers.stop() gives up a successor that is due", async () => {
  using setup = await new Setup(1).run();
  setup.started[0]!.death.resolve("crash");
  await setup.record.has("A worker died");
  await setup.workers.stop();
  // a timer that still ran would be found by the test's sanitizers
  assertEquals(setup.started.length, 1);
});

Deno.test("Workers.terminate() ends all at once", async () => {
  using setup = await new Setup(2).run();
  setup.workers.terminate();
  assertEquals(setup.started.map(({ isTerminated }) => isTerminated), [true, true]);
});

Deno.test("startHere() serves in this thread", async () => {
  using backend = new Backend(ok("one"));
  const { config, certificates } = configuration();
  const endpoints = { [serviceKey(config.rules[0]!.backend)]: [backend.endpoint] };
  const lines: string[] = [];
  const worker = startHere({
    options: { ...TEST_SERVER, accessLogRate: 1 },
    configuration: { config, endpoints, certificates, files: new Map() },
    limits: limitMemory(),
    writeAccessLog: (text) => lines.push(text),
    log: recordingLog().log,
  });
  const { http } = await worker.started;
  {
    using client = await Peer.connect(http);
    assertEquals((await client.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")).body, "one");
    worker.configure({ endpoints: { ...endpoints, "default/one:80": [] } });
    const answer = await client.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assertEquals(answer.start, "HTTP/1.1 503 Service Unavailable");
  }
  const connects = (await worker.samples()).find(([name]) => name === "pingress_upstream_connects_total");
  assertEquals(connects?.[2], 1);
  await worker.stop();
  worker.terminate();
  assertEquals(lines.join("").trimEnd().split("\n").map((line) => JSON.parse(line).status), [200, 503]);
});
