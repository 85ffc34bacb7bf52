import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Peer } from "../../tests/peers.ts";
import { recordingLog, settled, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { Gate } from "./gate.ts";
import { TcpListener } from "./tcp_listener.ts";

/** A listener on a free port, whose connections last until their clients end them. */
class Listening implements AsyncDisposable {
  readonly gate: Gate;
  readonly record = recordingLog();
  readonly listener: TcpListener;
  running = 0;

  constructor({ maxConnections = 10, port = 0, reusePort = false } = {}) {
    this.gate = new Gate({ deadlines: new Deadlines(), maxConnections, maxConnectionsPerClient: 0 });
    this.listener = new TcpListener({
      address: { hostname: "127.0.0.1", port },
      reusePort,
      gate: this.gate,
      log: this.record.log,
    }, (tcp) => this.#serve(tcp));
  }

  async #serve(tcp: Deno.TcpConn): Promise<void> {
    this.running++;
    const bytes = new Uint8Array(100);
    for (let count; (count = await tcp.read(bytes)) !== null;) await tcp.write(bytes.subarray(0, count));
    this.running--;
    tcp.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    await within(this.listener.ended(), "the end of all connections");
    assertEquals([this.running, this.gate.count], [0, 0]);
  }
}

/** Sends a text and reads as much. */
async function echoed(client: Peer, text: string): Promise<string> {
  await client.write(text);
  return await client.read(text.length);
}

Deno.test("TcpListener serves connections, and counts them", async () => {
  await using listening = new Listening();
  for (let count = 1; count <= 3; count++) {
    using client = await Peer.connect(listening.listener.address);
    assertEquals([await echoed(client, "hello"), listening.listener.accepted], ["hello", count]);
  }
  assertEquals(listening.record.lines, []);
});

Deno.test("TcpListener closes a connection that the gate refuses, and goes on", async () => {
  await using listening = new Listening({ maxConnections: 1 });
  const { listener, gate } = listening;
  {
    using first = await Peer.connect(listener.address);
    await echoed(first, "a");
    using second = await Peer.connect(listener.address);
    assertEquals([await second.readToEnd(), listening.running, gate.refused], ["", 1, 1]);
    assertEquals(await echoed(first, "b"), "b");
  }
  while (gate.count > 0) await settled();
  using third = await Peer.connect(listener.address);
  assertEquals([await echoed(third, "c"), listener.accepted], ["c", 3]);
});

Deno.test("TcpListener.close() can be called twice, and with ended() nobody accepts any more", async () => {
  await using listening = new Listening();
  const { listener } = listening;
  const { address } = listener;
  listener.close();
  listener.close();
  await listener.ended();
  await assertRejects(() => Peer.connect(address), Deno.errors.ConnectionRefused);
  await using again = new Listening({ port: address.port });
  assertEquals(again.listener.address.port, address.port);
});

Deno.test("TcpListener.ended() waits for all connections", async () => {
  await using listening = new Listening();
  const { listener } = listening;
  using client = await Peer.connect(listener.address);
  await echoed(client, "a");
  listener.close();
  let hasEnded = false;
  const ended = listener.ended().then(() => hasEnded = true);
  assertEquals([await echoed(client, "b"), hasEnded], ["b", false]);
  client[Symbol.dispose]();
  await within(ended, "the end");
});

Deno.test("TcpListener shares its port, if told", async () => {
  await using one = new Listening({ reusePort: true });
  const { port } = one.listener.address;
  await using other = new Listening({ reusePort: true, port });
  assertEquals(other.listener.address.port, port);
  assertThrows(() => new Listening({ port }), Deno.errors.AddrInUse);
});
