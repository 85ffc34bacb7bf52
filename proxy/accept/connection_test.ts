import { assertEquals, assertRejects } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { bytesOf, latin1, lookedAt } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import type { Transport } from "../transport.ts";
import { type Closable, Connection } from "./connection.ts";

const CLIENT = { address: "192.0.2.1", scheme: "http", covers: () => true } as const;

function connectionOn(transport: Transport) {
  const keeper = { deadlines: new Deadlines(), connections: new Set<Closable>() };
  return { connection: new Connection(transport, CLIENT, keeper), ...keeper };
}

Deno.test("Connection reads and writes its byte stream", async () => {
  const transport = new FakeTransport("abc");
  const { connection } = connectionOn(transport);
  await connection.reader.fill();
  await connection.write(bytesOf("head"), 1000);
  await connection.tell(bytesOf("told"));
  await connection.closeWrite();
  assertEquals([latin1(connection.reader.peek()), transport.written], ["abc", "headtold"]);
  assertEquals([transport.isWriteClosed, connection.client], [true, CLIENT]);
  connection.close();
});

Deno.test("Connection writes all, however little is taken at once", async () => {
  let written = "";
  const take = (bytes: Uint8Array) => {
    written += latin1(bytes.subarray(0, 3));
    return Promise.resolve(Math.min(bytes.length, 3));
  };
  const fake = new FakeTransport();
  const { connection } = connectionOn({
    read: (into) => fake.read(into),
    write: take,
    closeWrite: () => fake.closeWrite(),
    close: () => fake.close(),
  });
  await connection.write(bytesOf("abcdefgh"), 1000);
  await connection.tell(bytesOf("ijklm"));
  assertEquals([written, connection.deadline], ["abcdefghijklm", Infinity]);
  connection.close();
});

Deno.test("Connection.close() closes once, and fails what is under way", async () => {
  const transport = new FakeTransport().stall();
  const { connection, connections } = connectionOn(transport);
  const reads = assertRejects(() => connection.reader.fill(), Deno.errors.BadResource);
  const writes = assertRejects(
    () => connection.write(bytesOf("a"), 1000),
    Deno.errors.BadResource,
  );
  assertEquals([connection.isClosed, connections.size], [false, 1]);
  connection.close();
  connection.close();
  await reads;
  await writes;
  assertEquals([connection.isClosed, transport.isClosed, connections.size], [true, true, 0]);
});

Deno.test("Connection is one of its keeper's, in the order in which they came, until it is closed", () => {
  const { connection: first, ...keeper } = connectionOn(new FakeTransport());
  const second = new Connection(new FakeTransport(), CLIENT, keeper);
  assertEquals([first.isWaiting, second.isWaiting], [false, false]);
  assertEquals([...keeper.connections].indexOf(second), 1);
  first.close();
  assertEquals([...keeper.connections].indexOf(second), 0);
  second.close();
  assertEquals(keeper.connections.size, 0);
});

Deno.test("Connection is closed at its deadline, unless told otherwise", async () => {
  const transport = new FakeTransport();
  const { connection } = connectionOn(transport);
  connection.expireIn(1);
  await transport.closed();
  const other = connectionOn(new FakeTransport()).connection;
  await new Promise<void>((resolve) => {
    other.onExpire = resolve;
    other.expireIn(1);
  });
  assertEquals([other.isClosed, other.deadline], [false, Infinity]);
  other.close();
});

Deno.test("Connection.write() gives a client only so long to take anything", async () => {
  const transport = new FakeTransport().stall();
  const { connection } = connectionOn(transport);
  await assertRejects(() => connection.write(bytesOf("a"), 1), Deno.errors.BadResource);
  assertEquals(connection.isClosed, true);
});

Deno.test("Connection.leave() leaves the byte stream open, and nobody keeps it any more", async () => {
  const transport = new FakeTransport("abc");
  const { connection, connections, deadlines } = connectionOn(transport);
  connection.wait(0);
  connection.leave();
  assertEquals([connection.isClosed, transport.isClosed, connections.size], [true, false, 0]);
  await lookedAt(deadlines);
  connection.close();
  assertEquals(transport.isClosed, false);
  assertEquals(await transport.read(new Uint8Array(3)), 3);
});

Deno.test("Connection.leave() leaves one that was closed closed", () => {
  const transport = new FakeTransport();
  const { connection, connections } = connectionOn(transport);
  connection.close();
  connection.leave();
  assertEquals([connection.isClosed, transport.isClosed, connections.size], [true, true, 0]);
});
