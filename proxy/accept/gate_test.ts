import { assert, assertEquals } from "@std/assert";
import { Deadlines } from "../deadlines.ts";
import type { Closable } from "./connection.ts";
import { Gate, type GateOptions } from "./gate.ts";

function gateOf(options: Partial<GateOptions> = {}): Gate {
  return new Gate({ deadlines: new Deadlines(), maxConnections: 2, maxConnectionsPerClient: 0, ...options });
}

/** A connection, which waits for a request unless told. */
class Connected implements Closable {
  closed = 0;
  isWaiting: boolean;
  waitingSince: number;
  saysGoodbye = false;
  readonly #gate: Gate;

  constructor(gate: Gate, isWaiting = true, waitingSince = 0) {
    this.isWaiting = isWaiting;
    this.waitingSince = waitingSince;
    this.#gate = gate;
    gate.connections.add(this);
  }

  close(): void {
    this.closed++;
    this.#gate.connections.delete(this);
  }
}

Deno.test("Gate.admit() lets in as many as there may be", () => {
  const gate = gateOf();
  const first = gate.admit();
  const second = gate.admit();
  assert(first !== undefined && second !== undefined);
  assertEquals([gate.admit(), gate.count, gate.refused, gate.evicted], [undefined, 2, 1, 0]);
  first();
  assertEquals(gate.count, 1);
  assert(gate.admit() !== undefined);
  assertEquals([gate.count, gate.refused], [2, 1]);
});

Deno.test("Gate.admit() closes the connection that has waited longest when there is no place", () => {
  const gate = gateOf({ maxConnections: 1 });
  gate.admit();
  const [oldest, used, idle] = [3, 9, 1].map((since) => new Connected(gate, true, since));
  const closed = () => [oldest?.closed, used?.closed, idle?.closed];
  gate.admit();
  assertEquals(closed(), [0, 0, 1]);
  // one that was asked something since then has not waited for long
  oldest!.waitingSince = 10;
  gate.admit();
  assertEquals(closed(), [0, 1, 1]);
  gate.admit();
  assertEquals(closed(), [1, 1, 1]);
});

Deno.test("Gate.admit() closes none that works", () => {
  const gate = gateOf();
  const leave = gate.admit();
  gate.admit();
  const busy = new Connected(gate, false);
  const [oldest, newest] = [new Connected(gate), new Connected(gate)];
  assert(gate.admit() !== undefined);
  assertEquals([oldest.closed, newest.closed, gate.evicted, gate.refused], [1, 0, 1, 0]);
  // it leaves a little later
  assertEquals(gate.count, 3);
  leave?.();
  assertEquals(gate.count, 2);
  assert(gate.admit() !== undefined);
  assertEquals([newest.closed, gate.admit(), gate.evicted, gate.refused], [1, undefined, 2, 1]);
  assertEquals(busy.closed, 0);
});

Deno.test("Gate.admitClient() counts by address", () => {
  const gate = gateOf({ maxConnectionsPerClient: 2 });
  const first = gate.admitClient("192.0.2.1");
  assert(first !== undefined && gate.admitClient("192.0.2.1") !== undefined);
  assertEquals([gate.admitClient("192.0.2.1"), gate.refused], [undefined, 1]);
  assert(gate.admitClient("192.0.2.2") !== undefined, "another client");
  first();
  assert(gate.admitClient("192.0.2.1") !== undefined, "one has left");
  assertEquals([gate.admitClient("192.0.2.1"), gate.refused], [undefined, 2]);
});

Deno.test("Gate.admitClient() knows a client anew after its last connection", () => {
  const gate = gateOf({ maxConnectionsPerClient: 1 });
  for (let round = 0; round < 3; round++) {
    const leave = gate.admitClient("192.0.2.1");
    assert(leave !== undefined);
    assertEquals(gate.admitClient("192.0.2.1"), undefined);
    leave();
  }
});

Deno.test("Gate.admitClient() has no limit unless told", () => {
  const gate = gateOf();
  for (let count = 0; count < 10; count++) assert(gate.admitClient("192.0.2.1") !== undefined);
  assertEquals(gate.refused, 0);
});

Deno.test("Gate.evict() tells whether there was one to be closed", () => {
  const gate = gateOf();
  assertEquals([gate.evict(), gate.evicted], [false, 0]);
  const busy = new Connected(gate, false);
  assertEquals([gate.evict(), gate.evicted], [false, 0]);
  const waiting = new Connected(gate);
  assertEquals([gate.evict(), gate.evict(), gate.evicted, waiting.closed], [true, false, 1, 1]);
  busy.isWaiting = true;
  assertEquals([gate.evict(), gate.evicted, busy.closed], [true, 2, 1]);
});

Deno.test("Gate.closeWaiting() closes all that wait, and no other", () => {
  const gate = gateOf();
  const connections = [true, false, true, true].map((isWaiting) => new Connected(gate, isWaiting));
  gate.closeWaiting();
  assertEquals([connections.map(({ closed }) => closed), gate.connections.size], [[1, 0, 1, 1], 1]);
});

Deno.test("Gate.closeWaiting() leaves those to themselves whose clients are told", () => {
  const gate = gateOf();
  const connection = new Connected(gate);
  connection.saysGoodbye = true;
  gate.closeWaiting();
  assertEquals(connection.closed, 0);
  // when there is no place, none is left
  assertEquals([gate.evict(), connection.closed], [true, 1]);
});
