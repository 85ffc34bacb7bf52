import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { until } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { type ErrorReason, ProxyError } from "../errors.ts";
import type { UpstreamConnection } from "./connection.ts";
import { Endpoint, type EndpointOptions } from "./endpoint.ts";

/** Deadlines whose clock a test sets. */
class SetDeadlines extends Deadlines {
  time = 0;

  override get now(): number {
    return this.time;
  }
}

/** An endpoint with connections in memory, all of them closed at the end of its scope. */
class TestEndpoint extends Endpoint implements Disposable {
  /** The other ends of its connections, in the order in which they were opened. */
  readonly transports: FakeTransport[];
  readonly deadlines: SetDeadlines;
  readonly #taken: UpstreamConnection[] = [];

  constructor(options: Partial<EndpointOptions> = {}) {
    const transports: FakeTransport[] = [];
    const deadlines = new SetDeadlines();
    const dial = () => {
      const transport = new FakeTransport();
      transports.push(transport);
      return Promise.resolve(transport);
    };
    super({ hostname: "10.0.0.1", port: 80 }, { name: "HTTP" }, {
      dial,
      deadlines,
      connectTimeout: 5000,
      idleTimeout: 4000,
      maxConnections: 1000,
      ...options,
    });
    this.transports = transports;
    this.deadlines = deadlines;
  }

  override async take(options?: { isFresh: boolean }): Promise<UpstreamConnection> {
    const connection = await super.take(options);
    this.#taken.push(connection);
    return connection;
  }

  async open(count: number): Promise<UpstreamConnection[]> {
    return await Promise.all(Array.from({ length: count }, () => this.take()));
  }

  keep(connection: UpstreamConnection): void {
    this.release(connection, { isReusable: true });
  }

  async fails(reason: ErrorReason): Promise<ProxyError> {
    const error = await assertRejects(() => this.take(), ProxyError);
    assertEquals(error.reason, reason);
    return error;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#taken) connection.close();
    this.close();
  }
}

Deno.test("Endpoint.take() gives a kept connection", async () => {
  using endpoint = new TestEndpoint();
  const [connection] = await endpoint.open(1);
  endpoint.keep(connection!);
  assert(await endpoint.take() === connection);
  assert(await endpoint.take() !== connection);
  assertEquals([connection!.exchanges, endpoint.transports.length], [1, 2]);
});

Deno.test("Endpoint.take() gives the connection that was used last", async () => {
  using endpoint = new TestEndpoint();
  const [first, second, third] = await endpoint.open(3);
  for (const connection of [second!, first!, third!]) endpoint.keep(connection);
  assert(await endpoint.take() === third);
  assert(await endpoint.take() === first);
  assert(await endpoint.take() === second);
});

Deno.test("Endpoint.take() gives a new connection when a fresh one is wanted", async () => {
  using endpoint = new TestEndpoint();
  const [connection] = await endpoint.open(1);
  endpoint.keep(connection!);
  assert(await endpoint.take({ isFresh: true }) !== connection);
  assert(await endpoint.take() === connection);
});

Deno.test("Endpoint throws away a kept connection on which anything happens", async () => {
  const happenings: ((transport: FakeTransport) => void)[] = [
    (transport) => transport.send("HTTP/1.1 200 POISONED\r\n\r\n"),
    (transport) => transport.end(),
    (transport) => transport.fail(new Deno.errors.ConnectionReset()),
  ];
  for (const happen of happenings) {
    using endpoint = new TestEndpoint();
    const [first, second] = await endpoint.open(2);
    endpoint.keep(second!);
    endpoint.keep(first!);
    happen(endpoint.transports[0]!);
    await endpoint.transports[0]!.closed();
    assert(await endpoint.take() === second);
    assert(await endpoint.take() !== first);
    assertEquals(endpoint.transports.length, 3);
  }
});

Deno.test("Endpoint leaves a connection alone that was taken again", async () => {
  using endpoint = new TestEndpoint();
  const [connection] = await endpoint.open(1);
  endpoint.keep(connection!);
  await endpoint.take();
  endpoint.transports[0]!.send("HTTP/1.1 200 OK\r\n\r\n");
  assert(await connection!.reader.fill());
  assertEquals([endpoint.transports[0]!.isClosed, connection!.reader.buffered], [false, 19]);
});

Deno.test("Endpoint.release() keeps no connection that is of no more use", async () => {
  const cases: [
    what: string,
    spoil: (connection: UpstreamConnection, transport: FakeTransport) => unknown,
  ][] = [
    ["closed", (connection) => connection.close()],
    ["ended", async (connection, transport) => {
      transport.end();
      await connection.reader.fill();
    }],
    ["bytes left over", async (connection, transport) => {
      transport.send("POISONED");
      await connection.reader.fill();
    }],
  ];
  for (const [what, spoil] of cases) {
    using endpoint = new TestEndpoint();
    const [connection] = await endpoint.open(1);
    await spoil(connection!, endpoint.transports[0]!);
    endpoint.keep(connection!);
    assertEquals([endpoint.transports[0]!.isClosed, endpoint.load], [true, 0], what);
    assert(await endpoint.take() !== connection, what);
  }
});

Deno.test("Endpoint.release() closes a connection that is not to be used again", async () => {
  using endpoint = new TestEndpoint();
  const [connection] = await endpoint.open(1);
  endpoint.release(connection!, { isReusable: false });
  assertEquals([endpoint.transports[0]!.isClosed, endpoint.load], [true, 0]);
});

Deno.test("Endpoint.release() takes the deadline from a connection", async () => {
  using endpoint = new TestEndpoint();
  const [connection] = await endpoint.open(1);
  connection!.expireIn(1);
  endpoint.keep(connection!);
  assertEquals(connection!.deadline, Infinity);
});

Deno.test("Endpoint.take() waits for a connection when all are in use", async () => {
  using endpoint = new TestEndpoint({ maxConnections: 2 });
  const [first] = await endpoint.open(2);
  const order: string[] = [];
  const waits = (name: string) => endpoint.take().then((connection) => (order.push(name), connection));
  const [third, fourth] = [waits("third"), waits("fourth")];
  assertEquals(endpoint.load, 4);
  endpoint.keep(first!);
  assert(await third === first);
  endpoint.keep(first!);
  assert(await fourth === first);
  assertEquals([order, endpoint.load, endpoint.transports.length], [["third", "fourth"], 2, 2]);
});

Deno.test("Endpoint.take() gets the place of a connection that was closed", async () => {
  using endpoint = new TestEndpoint({ maxConnections: 1 });
  const [first] = await endpoint.open(1);
  const second = endpoint.take();
  endpoint.release(first!, { isReusable: false });
  assert(await second !== first);
  assertEquals([endpoint.load, endpoint.transports.length], [1, 2]);
});

Deno.test("Endpoint.take() makes place for a fresh connection when all are in use", async () => {
  using endpoint = new TestEndpoint({ maxConnections: 1 });
  const [first] = await endpoint.open(1);
  const second = endpoint.take({ isFresh: true });
  endpoint.keep(first!);
  assert(await second !== first);
  assertEquals([endpoint.load, endpoint.transports.map(({ isClosed }) => isClosed)], [1, [true, false]]);
});

Deno.test("Endpoint.take() does not wait for ever", async () => {
  using endpoint = new TestEndpoint({ maxConnections: 1, connectTimeout: 10 });
  const [first] = await endpoint.open(1);
  const error = await endpoint.fails("upstream_busy");
  assertEquals(error.message, "10.0.0.1:80: all 1 connections in use");
  assertEquals([endpoint.load, endpoint.isPassedOver], [1, false]);
  endpoint.keep(first!);
  assert(await endpoint.take() === first);
});

Deno.test("Endpoint.take() passes its place on when it gets no connection", async () => {
  let refuses = false;
  using endpoint = new TestEndpoint({
    maxConnections: 1,
    dial: () =>
      refuses ? Promise.reject(new Deno.errors.ConnectionRefused()) : Promise.resolve(new FakeTransport()),
  });
  const [first] = await endpoint.open(1);
  refuses = true;
  const waiting = [endpoint.fails("upstream_unreachable"), endpoint.fails("upstream_unreachable")];
  endpoint.release(first!, { isReusable: false });
  await Promise.all(waiting);
  assertEquals(endpoint.load, 0);
});

Deno.test("Endpoint.take() says why there is no connection", async () => {
  const refused = new Deno.errors.ConnectionRefused("Connection refused (os error 111)");
  using refusing = new TestEndpoint({ dial: () => Promise.reject(refused) });
  const unreachable = await refusing.fails("upstream_unreachable");
  assertEquals(unreachable.cause, refused);
  assertEquals(unreachable.message, "10.0.0.1:80: Connection refused (os error 111)");

  const { promise, reject } = Promise.withResolvers<never>();
  using silent = new TestEndpoint({
    connectTimeout: 10,
    dial: (_address, { signal }) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      return promise;
    },
  });
  const late = await silent.fails("upstream_timeout");
  assertEquals(late.message, "10.0.0.1:80: no connection within 10 ms");
});

Deno.test("Endpoint tells how it is dialled", async () => {
  const dialled: unknown[] = [];
  const deadlines = new Deadlines();
  const address = { hostname: "::1", port: 443 };
  const protocol = { name: "HTTPS" as const, serverName: "a.test", verifies: true };
  const endpoint = new Endpoint(address, protocol, {
    dial: (address, { protocol }) => {
      dialled.push([address, protocol]);
      return Promise.resolve(new FakeTransport());
    },
    ...{ deadlines, connectTimeout: 5000, idleTimeout: 4000, maxConnections: 1 },
  });
  const connection = await endpoint.take();
  assertEquals([endpoint.name, dialled], ["[::1]:443", [[address, protocol]]]);
  connection.close();
});

Deno.test("Endpoint.isPassedOver is true of one that could not be reached lately", async () => {
  let refuses = true;
  const connects: boolean[] = [];
  using endpoint = new TestEndpoint({
    dial: () => refuses ? Promise.reject(new Error("no")) : Promise.resolve(new FakeTransport()),
    onConnect: (succeeded) => connects.push(succeeded),
  });
  assertEquals([endpoint.isPassedOver, endpoint.isForgettable], [false, true]);
  await endpoint.fails("upstream_unreachable");
  assertEquals([endpoint.isPassedOver, endpoint.isForgettable], [true, false]);
  refuses = false;
  await endpoint.take();
  assertEquals(endpoint.isPassedOver, false);
  assertEquals(connects, [false, true]);
});

Deno.test("Endpoint.isPassedOver is true for a second", async () => {
  using endpoint = new TestEndpoint({ dial: () => Promise.reject(new Error("no")) });
  await endpoint.fails("upstream_unreachable");
  const start = performance.now();
  await until(() => !endpoint.isPassedOver, "its next chance");
  assert(performance.now() - start > 900);
});

Deno.test("Endpoint.load counts connections in use and those who wait", async () => {
  using endpoint = new TestEndpoint({ maxConnections: 2 });
  assertEquals(endpoint.load, 0);
  const [first, second] = await endpoint.open(2);
  const third = endpoint.take();
  assertEquals(endpoint.load, 3);
  endpoint.keep(first!);
  await third;
  assertEquals(endpoint.load, 2);
  endpoint.keep(second!);
  assertEquals([endpoint.load, endpoint.isForgettable], [1, false]);
  endpoint.release(first!, { isReusable: false });
  assertEquals([endpoint.load, endpoint.isForgettable], [0, false]);
  endpoint.close();
  assertEquals(endpoint.isForgettable, true);
});

Deno.test("Endpoint.sweep() closes connections that nobody has used for a while", async () => {
  using endpoint = new TestEndpoint({ idleTimeout: 100 });
  const [first, second, third] = await endpoint.open(3);
  endpoint.keep(first!);
  endpoint.deadlines.time = 99;
  endpoint.keep(second!);
  endpoint.sweep();
  assertEquals(endpoint.transports.map(({ isClosed }) => isClosed), [false, false, false]);
  endpoint.deadlines.time = 100;
  endpoint.sweep();
  assertEquals(endpoint.transports.map(({ isClosed }) => isClosed), [true, false, false]);
  assert(await endpoint.take() === second);
  endpoint.deadlines.time = 1000;
  endpoint.keep(third!);
  endpoint.sweep();
  assertEquals(endpoint.transports.map(({ isClosed }) => isClosed), [true, false, false]);
});

Deno.test("Endpoint.close() closes what is kept", async () => {
  using endpoint = new TestEndpoint();
  const [first, second, busy] = await endpoint.open(3);
  endpoint.keep(first!);
  endpoint.keep(second!);
  endpoint.close();
  assertEquals(endpoint.transports.map(({ isClosed }) => isClosed), [true, true, false]);
  assert(!busy!.isClosed);
});

Deno.test("UpstreamConnection.close() closes once", async () => {
  using endpoint = new TestEndpoint();
  const [connection] = await endpoint.open(1);
  connection!.close();
  connection!.close();
  assert(endpoint.transports[0]!.isClosed);
});

Deno.test("UpstreamConnection is closed at its deadline", async () => {
  const deadlines = new Deadlines();
  const transport = new FakeTransport();
  const endpoint = new Endpoint({ hostname: "10.0.0.1", port: 80 }, { name: "HTTP" }, {
    dial: () => Promise.resolve(transport),
    ...{ deadlines, connectTimeout: 5000, idleTimeout: 4000, maxConnections: 1 },
  });
  const connection = await endpoint.take();
  connection.expireIn(1);
  await transport.closed();
  assertEquals([connection.isClosed, connection.isExpired], [true, true]);
});
