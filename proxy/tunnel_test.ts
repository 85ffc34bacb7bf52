import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTransport } from "../tests/fakes.ts";
import { bytesOf, pause, within } from "../tests/testing.ts";
import { Connection } from "./accept/connection.ts";
import { Gate } from "./accept/gate.ts";
import { Deadlines } from "./deadlines.ts";
import type { Tunnel } from "./exchange.ts";
import { runTunnel } from "./tunnel.ts";

/** The backend's side of a tunnel, which counts how often it was closed. */
class FakeTunnel extends FakeTransport implements Tunnel {
  readonly first: Uint8Array<ArrayBuffer>;
  closings = 0;

  constructor(first: string) {
    super();
    this.first = bytesOf(first);
  }

  override close(): void {
    this.closings++;
    super.close();
  }
}

/** A tunnel that runs between two ends in memory. */
class Setup {
  readonly client = new FakeTransport();
  readonly backend: FakeTunnel;
  readonly outcome = { received: 0, sent: 0 };
  readonly running: Promise<void>;

  constructor({ first = "", timeout = 5000, buffered = "" } = {}) {
    this.backend = new FakeTunnel(first);
    const client = { address: "127.0.0.1", scheme: "http" as const, covers: () => true };
    const deadlines = new Deadlines();
    const keeper = new Gate({ deadlines, maxConnections: 1, maxConnectionsPerClient: 0 });
    const connection = new Connection(this.client, client, keeper);
    this.running = this.#run(connection, { timeout, buffered });
    this.running.catch(() => {});
  }

  async #run(connection: Connection, options: { timeout: number; buffered: string }): Promise<void> {
    if (options.buffered !== "") {
      this.client.send(options.buffered);
      await connection.reader.fill();
    }
    await runTunnel(connection, this.backend, { timeout: options.timeout, outcome: this.outcome });
  }

  /** Waits for the end. @returns whether both sides are closed, each once. */
  async areClosed(): Promise<boolean> {
    await within(this.running.catch(() => {}), "the end of the tunnel");
    return this.client.isClosed && this.backend.isClosed && this.backend.closings === 1;
  }
}

Deno.test("runTunnel() copies bytes both ways until both sides have ended", async () => {
  const setup = new Setup({ first: "hello", buffered: "hurry" });
  await setup.client.has("hello");
  await setup.backend.has("hurry");
  for (let round = 0; round < 3; round++) {
    setup.client.send(`up${round}`);
    await setup.backend.has(`up${round}`);
    setup.backend.send(`down${round}`);
    await setup.client.has(`down${round}`);
  }
  setup.client.end();
  await setup.backend.writeClosed();
  setup.backend.send("late");
  await setup.client.has("late");
  assertEquals([setup.client.isClosed, setup.backend.isClosed], [false, false]);
  setup.backend.end();
  await setup.running;
  assert(await setup.areClosed());
  assertEquals([setup.backend.written, setup.client.written], [
    "hurryup0up1up2",
    "hellodown0down1down2late",
  ]);
  assertEquals([setup.client.isWriteClosed, setup.backend.isWriteClosed], [true, true]);
  assertEquals(setup.outcome, { received: 14, sent: 24 });
});

Deno.test("runTunnel() passes the backend's end on, and goes on upward", async () => {
  const setup = new Setup();
  setup.backend.end();
  await setup.client.writeClosed();
  setup.client.send("late");
  await setup.backend.has("late");
  setup.client.end();
  await setup.running;
  assert(await setup.areClosed());
});

Deno.test("runTunnel() copies more than fits into its buffers", async () => {
  const setup = new Setup();
  const much = "0123456789abcdef".repeat(20_000);
  setup.client.send(much).end();
  setup.backend.send(much).end();
  await within(setup.running, "the end of the tunnel");
  assert(setup.client.written === much && setup.backend.written === much);
  assertEquals(setup.outcome, { received: much.length, sent: much.length });
});

Deno.test("runTunnel() fails with either side, and closes both", async () => {
  const failures: ((setup: Setup) => void)[] = [
    ({ client }) => client.fail(new Deno.errors.ConnectionReset("reset")),
    ({ backend }) => backend.fail(new Deno.errors.ConnectionReset("reset")),
    ({ client }) => client.close(),
    ({ backend }) => {
      backend.write = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
    },
    ({ client }) => {
      client.write = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
    },
  ];
  for (const fail of failures) {
    const setup = new Setup();
    setup.client.send("up");
    await setup.backend.has("up");
    fail(setup);
    setup.client.send("more");
    setup.backend.send("more");
    await assertRejects(() => within(setup.running, "the end of the tunnel"));
    assert(await setup.areClosed());
  }
});

Deno.test("runTunnel() gives up when nothing has come for too long", async () => {
  const setup = new Setup({ timeout: 10 });
  await assertRejects(() => within(setup.running, "the end of the tunnel"));
  assert(await setup.areClosed());
});

Deno.test("runTunnel() gives up on a side that takes nothing for too long", async () => {
  for (const side of ["client", "backend"] as const) {
    const setup = new Setup({ timeout: 10 });
    setup[side].stall();
    setup[side === "client" ? "backend" : "client"].send("bytes");
    await assertRejects(() => within(setup.running, "the end of the tunnel"));
    assert(await setup.areClosed());
  }
});

Deno.test("runTunnel() goes on as long as anything comes, from whichever side", async () => {
  const setup = new Setup({ timeout: 400 });
  for (let round = 0; round < 8; round++) {
    // each is within the time limit, all together are not
    await pause(100);
    setup[round < 4 ? "client" : "backend"].send("x");
  }
  await setup.client.has("xxxx");
  await setup.backend.has("xxxx");
  assertEquals(setup.client.isClosed, false);
  setup.client.end();
  setup.backend.end();
  await setup.running;
});
