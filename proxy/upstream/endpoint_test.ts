import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytesOf, FakeTransport, RawServer } from "../../tests/testing.ts";
import { ProxyError } from "../errors.ts";
import type { UpstreamConnection } from "./connection.ts";
import { UpstreamPool, type UpstreamPoolOptions } from "./pool.ts";

const ONE = { hostname: "10.0.0.1", port: 80 };
const OTHER = { hostname: "10.0.0.1", port: 81 };

/** A pool of connections in memory, closed at the end of its scope. */
class TestPool extends UpstreamPool implements Disposable {
  /** The other ends of its connections, in the order in which they were opened. */
  readonly transports: FakeTransport[];

  constructor(options: Partial<UpstreamPoolOptions> = {}) {
    const transports: FakeTransport[] = [];
    const dial = () => {
      const transport = new FakeTransport();
      transports.push(transport);
      return Promise.resolve(transport);
    };
    super({ dial, connectTimeout: 5000, ...options });
    this.transports = transports;
  }

  /** Opens connections to ONE. */
  async open(count: number): Promise<UpstreamConnection[]> {
    return await Promise.all(Array.from({ length: count }, () => this.connect(ONE)));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

Deno.test("UpstreamPool.take() gives a kept connection of the same endpoint", async () => {
  using pool = new TestPool();
  const [connection] = await pool.open(1);
  assertEquals(pool.take(ONE), undefined);
  pool.release(connection!);
  assertEquals(pool.take(OTHER), undefined);
  assert(pool.take(ONE) === connection);
  assertEquals(pool.take(ONE), undefined);
  assertEquals(connection!.exchanges, 1);
});

Deno.test("UpstreamPool.take() gives the connection that was used last", async () => {
  using pool = new TestPool();
  const [first, second, third] = await pool.open(3);
  for (const connection of [second!, first!, third!]) pool.release(connection);
  assert(pool.take(ONE) === third);
  assert(pool.take(ONE) === first);
  assert(pool.take(ONE) === second);
});

Deno.test("UpstreamPool throws away a kept connection on which anything happens", async () => {
  const happenings: ((transport: FakeTransport) => void)[] = [
    (transport) => transport.send("HTTP/1.1 200 POISONED\r\n\r\n"),
    (transport) => transport.end(),
    (transport) => transport.fail(new Deno.errors.ConnectionReset()),
  ];
  for (const happen of happenings) {
    using pool = new TestPool();
    const [first, second] = await pool.open(2);
    pool.release(first!);
    pool.release(second!);
    happen(pool.transports[0]!);
    await pool.transports[0]!.closed();
    assert(pool.take(ONE) === second);
    assertEquals(pool.take(ONE), undefined);
  }
});

Deno.test("UpstreamPool leaves a connection alone that was taken again", async () => {
  using pool = new TestPool();
  const [connection] = await pool.open(1);
  pool.release(connection!);
  pool.take(ONE);
  pool.transports[0]!.send("HTTP/1.1 200 OK\r\n\r\n");
  assert(await connection!.reader.fill());
  assertEquals([pool.transports[0]!.isClosed, connection!.reader.buffered], [false, 19]);
});

Deno.test("UpstreamPool.release() keeps no connection with bytes left over", async () => {
  using pool = new TestPool();
  const [connection] = await pool.open(1);
  pool.transports[0]!.send("POISONED");
  await connection!.reader.fill();
  pool.release(connection!);
  assert(pool.transports[0]!.isClosed);
  assertEquals(pool.take(ONE), undefined);
});

Deno.test("UpstreamPool.release() keeps no more than it may", async () => {
  using pool = new TestPool({ maxIdle: 2 });
  for (const connection of await pool.open(3)) pool.release(connection);
  assertEquals(pool.transports.map((transport) => transport.isClosed), [false, false, true]);
});

Deno.test("UpstreamPool closes a connection that nobody uses for a while", async () => {
  using pool = new TestPool({ idleTimeout: 20 });
  const [idle, busy] = await pool.open(2);
  pool.release(idle!);
  await pool.transports[0]!.closed();
  assertEquals(pool.take(ONE), undefined);
  assertEquals(pool.transports[1]!.isClosed, false);
  busy!.close();
});

Deno.test("UpstreamPool.close() closes what is kept", async () => {
  using pool = new TestPool();
  for (const connection of await pool.open(2)) pool.release(connection);
  pool.close();
  assertEquals(pool.transports.map((transport) => transport.isClosed), [true, true]);
});

Deno.test("UpstreamPool.connect() says why there is no connection", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
  using refusing = new TestPool({ dial: () => Promise.reject(refused) });
  const unreachable = await assertRejects(() => refusing.connect(ONE), ProxyError);
  assertEquals([unreachable.reason, unreachable.cause], ["upstream_unreachable", refused]);
  assertEquals(unreachable.message, "10.0.0.1:80: Connection refused (os error 111)");

  const { promise, reject } = Promise.withResolvers<never>();
  using silent = new TestPool({
    connectTimeout: 10,
    dial: (_address, signal) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    },
  });
  const late = await assertRejects(() => silent.connect(ONE), ProxyError, "no connection within 10 ms");
  assertEquals(late.reason, "upstream_timeout");
});

Deno.test("UpstreamPool.connect() dials TCP unless told", async () => {
  const pool = new UpstreamPool({ connectTimeout: 5000 });
  try {
    const received = Promise.withResolvers<string>();
    using server = new RawServer(async (peer) => received.resolve(await peer.read(5)));
    const connection = await pool.connect(server.address);
    await connection.write(bytesOf("hello"));
    assertEquals(await received.promise, "hello");
    connection.close();
    server[Symbol.dispose]();
    const error = await assertRejects(() => pool.connect(server.address), ProxyError);
    assertEquals(error.reason, "upstream_unreachable");
  } finally {
    pool.close();
  }
});

Deno.test("UpstreamConnection.close() closes once", async () => {
  using pool = new TestPool();
  const [connection] = await pool.open(1);
  connection!.close();
  connection!.close();
  assert(pool.transports[0]!.isClosed);
});
