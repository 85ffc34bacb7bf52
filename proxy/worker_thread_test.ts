import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Address } from "@pingress/config";
import { Backend, ok, Peer, RawServer } from "../tests/peers.ts";
import { TEST_SERVER } from "../tests/test_proxy.ts";
import { pause, recordingLog, within } from "../tests/testing.ts";
import type { Configuration } from "./configuration.ts";
import type { ServerOptions } from "./server.ts";
import { limitMemory } from "./policies/limit_table.ts";
import { startThread } from "./worker_thread.ts";
import { type WorkerHandle, Workers } from "./workers.ts";

/** What a thread throws at when it is told to. */
const MALFORMED = { config: null } as unknown as Partial<Configuration>;

const BACKEND = { type: "Service" as const, name: "one", namespace: "default", port: 80 };

function configurationFor({ endpoint }: { endpoint: string }): Configuration {
  return {
    config: { rules: [{ path: { type: "Prefix", path: "/" }, backend: BACKEND }] },
    endpoints: { "default/one:80": [endpoint] },
    certificates: { byHost: new Map(), fallback: undefined },
    files: new Map(),
  };
}

/** One thread, ended at the end of its scope. */
class Setup implements Disposable {
  readonly backend = new Backend(ok("one"));
  readonly record = recordingLog();
  readonly lines: string[] = [];
  readonly worker: WorkerHandle;

  constructor(options: Partial<ServerOptions> = {}) {
    this.worker = startThread({
      options: { ...TEST_SERVER, ...options },
      configuration: configurationFor(this.backend),
      limits: limitMemory(),
      writeAccessLog: (text) => this.lines.push(text),
      log: this.record.log,
    });
  }

  [Symbol.dispose](): void {
    this.worker.terminate();
    this.backend[Symbol.dispose]();
  }
}

/** Waits until nobody listens at an address: the listener of a thread ends a little after it. */
async function refuses(address: Address): Promise<void> {
  const start = performance.now();
  for (;;) {
    const peer = await Peer.connect(address).catch(() => undefined);
    if (peer === undefined) return;
    peer[Symbol.dispose]();
    assert(performance.now() - start < 5000, "somebody still listens");
    await pause(10);
  }
}

/** Opens a connection of its own for a request. @returns the answer's content. */
async function ask(address: Address): Promise<string> {
  using client = await Peer.connect(address);
  return (await client.exchange("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")).body;
}

Deno.test("startThread() serves, tells what it does, takes a new configuration, and stops", async () => {
  using setup = new Setup({ accessLogRate: 1 });
  using two = new Backend(ok("two"));
  const { worker } = setup;
  const { http, https } = await worker.started;
  assert(http.port !== 0 && https.port !== 0 && http.port !== https.port);
  assertEquals(await ask(http), "one");

  worker.configure({ endpoints: { "default/one:80": [two.endpoint] } });
  // the messages are read in order: when this is answered the change counts
  const samples = await worker.samples();
  assertEquals(await ask(http), "two");
  assertEquals(samples.find(([name]) => name === "pingress_requests_total"), [
    "pingress_requests_total",
    'host_class="any",method="GET",code="200"',
    1,
  ]);

  worker.configure({ endpoints: { "default/one:80": ["127.0.0.1:1"] } });
  await worker.samples();
  assertMatch(await ask(http), /^502: /);
  await setup.record.has("Requests fail");

  await within(worker.stop(), "the end of the thread's work");
  await assertRejects(() => Peer.connect(http));
  assertEquals(setup.lines.join("").trimEnd().split("\n").map((line) => JSON.parse(line).status), [
    ...[200, 200, 502],
  ]);
});

Deno.test("startThread() lets a running request finish", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  using slow = new RawServer(async (peer) => {
    await peer.readMessage();
    asked.resolve();
    await release.promise;
    await peer.write(ok("slow"));
  });
  using setup = new Setup();
  const { http } = await setup.worker.started;
  setup.worker.configure({ endpoints: { "default/one:80": [slow.endpoint] } });
  const answer = ask(http);
  await asked.promise;
  const stopped = setup.worker.stop();
  release.resolve();
  assertEquals(await answer, "slow");
  await within(stopped, "the end of the thread's work");
});

Deno.test("startThread() says that it cannot listen", async () => {
  using taken = new RawServer(() => Promise.resolve());
  using setup = new Setup({ listenHttp: taken.address });
  await assertRejects(
    () => setup.worker.started,
    Error,
    `Cannot listen on ${taken.endpoint}: another program does`,
  );
});

Deno.test("startThread() tells that its thread has died, and why", async () => {
  using setup = new Setup();
  const { http } = await setup.worker.started;
  setup.worker.configure(MALFORMED);
  const samples = setup.worker.samples();
  const stopped = setup.worker.stop();
  assertMatch(await within(setup.worker.died, "the thread's death"), /^TypeError: .*null.*\n +at /);
  // who waits for it waits no longer
  await within(Promise.all([samples, stopped]), "an answer");
  await refuses(http);
});

Deno.test("startThread() keeps nobody waiting once its thread was ended or has died", async () => {
  using ended = new Setup();
  await ended.worker.started;
  const before = [ended.worker.samples(), ended.worker.stop()];
  ended.worker.terminate();
  await within(Promise.all([...before, ended.worker.samples(), ended.worker.stop()]), "an answer", 2000);

  using dead = new Setup();
  await dead.worker.started;
  dead.worker.configure(MALFORMED);
  await within(dead.worker.died, "the thread's death");
  await within(Promise.all([dead.worker.samples(), dead.worker.stop()]), "an answer", 2000);
});

/** Threads that share ports, stopped at the end of its scope. */
class Threads implements AsyncDisposable {
  readonly backend = new Backend(ok("one"));
  readonly record = recordingLog();
  readonly handles: WorkerHandle[] = [];
  readonly workers: Workers;
  #added = Promise.withResolvers<void>();

  constructor(count: number) {
    this.workers = new Workers(configurationFor(this.backend), {
      options: TEST_SERVER,
      count,
      writeAccessLog: () => {},
      log: this.record.log,
      start: (told) => {
        const handle = startThread(told);
        this.handles.push(handle);
        this.#added.resolve();
        this.#added = Promise.withResolvers();
        return handle;
      },
    });
  }

  /** Waits until the thread of this number serves. */
  async serves(number: number): Promise<void> {
    while (this.handles.length < number) await within(this.#added.promise, `thread ${number}`);
    await this.handles[number - 1]!.started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workers.stop();
    this.backend[Symbol.dispose]();
  }
}

/** How many connections a worker has accepted. */
async function acceptedBy(worker: WorkerHandle): Promise<number> {
  return (await worker.samples()).find(([name]) => name === "pingress_connections_accepted_total")?.[2] ?? 0;
}

Deno.test("Workers share their ports", async () => {
  await using threads = new Threads(2);
  const { http } = await threads.workers.start();
  const [one, two] = threads.handles;
  assertEquals([await one!.started, await two!.started].map((addresses) => addresses.http), [http, http]);
  // the system spreads connections by chance: that one thread gets none of 40 is as good as impossible
  for (const body of await Promise.all(Array.from({ length: 40 }, () => ask(http)))) {
    assertEquals(body, "one");
  }
  const counts = [await acceptedBy(one!), await acceptedBy(two!)];
  assertEquals([counts[0]! + counts[1]!, counts.includes(0)], [40, false], counts.join());
  assertEquals(
    (await threads.workers.samples()).find(([name]) => name === "pingress_connections_accepted_total"),
    [
      ...["pingress_connections_accepted_total", ""],
      40,
    ],
  );
});

Deno.test("Workers replace a thread that has died, on the same port", async () => {
  await using threads = new Threads(1);
  const { http } = await threads.workers.start();
  assertEquals(await ask(http), "one");
  await threads.workers.samples();
  threads.handles[0]!.configure(MALFORMED);
  await threads.record.has("A worker died and is replaced");
  await threads.serves(2);
  assertEquals((await threads.handles[1]!.started).http, http);
  assertEquals([await ask(http), threads.workers.count, threads.workers.restarts], ["one", 1, 1]);
  const requests = (await threads.workers.samples()).find(([name]) => name === "pingress_requests_total");
  assertEquals(requests?.[2], 2);
});
