import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import type { Address } from "@pingress/config";
import { FakeTransport } from "../../tests/fakes.ts";
import { RawServer } from "../../tests/peers.ts";
import { bytesOf, until } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { ProxyError } from "../errors.ts";
import { Endpoint, type EndpointProtocol } from "./endpoint.ts";
import { Http2Endpoint } from "./http2_endpoint.ts";
import { UpstreamPool, type UpstreamPoolOptions } from "./pool.ts";

const ONE = { hostname: "10.0.0.1", port: 80 };
const OTHER = { hostname: "10.0.0.1", port: 81 };
const HTTP: EndpointProtocol = { name: "HTTP" };

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
    super({
      ...{ dial, deadlines: new Deadlines(), connectTimeout: 5000, idleTimeout: 4000, maxConnections: 10 },
      ...options,
    });
    this.transports = transports;
  }

  /** The endpoint at an address that speaks HTTP/1.1 in clear. */
  http(address: Address): Endpoint {
    const endpoint = this.endpoint(address, HTTP);
    assertInstanceOf(endpoint, Endpoint);
    return endpoint;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

Deno.test("UpstreamPool.endpoint() gives an address the same endpoint again", () => {
  using pool = new TestPool();
  const one = pool.http(ONE);
  assert(pool.endpoint({ ...ONE }, { name: "HTTP" }) === one);
  assert(pool.endpoint(OTHER, HTTP) !== one);
  assertEquals([one.address, one.name], [ONE, "10.0.0.1:80"]);
});

Deno.test("UpstreamPool.endpoint() shares no connection between ways to speak to an address", () => {
  using pool = new TestPool();
  const protocols: EndpointProtocol[] = [
    { name: "HTTP" },
    { name: "H2C" },
    { name: "HTTPS" },
    { name: "HTTPS", serverName: "a.test" },
    { name: "HTTPS", serverName: "b.test" },
    { name: "HTTPS", verifies: true },
    { name: "HTTPS", serverName: "a.test", verifies: true },
    { name: "HTTPS", serverName: "a.test", verifies: true, hidesName: true },
    { name: "HTTPS", serverName: "a.test", verifies: true, trust: "one" },
    { name: "HTTPS", serverName: "a.test", verifies: true, trust: "other" },
    { name: "HTTPS", identity: { cert: "one", key: "one" } },
    { name: "HTTPS", identity: { cert: "one", key: "other" } },
    { name: "HTTPS", identity: { cert: "other", key: "one" } },
  ];
  const endpoints = protocols.map((protocol) => pool.endpoint(ONE, protocol));
  assertEquals(new Set(endpoints).size, protocols.length);
  assert(pool.endpoint(ONE, { name: "HTTPS", serverName: "a.test", verifies: false }) === endpoints[3]);
  assertEquals(endpoints.map((endpoint) => endpoint instanceof Http2Endpoint), [
    ...[false, true],
    ...Array(protocols.length - 2).fill(false),
  ]);
  const identity = { cert: "one", key: "one" };
  assert(pool.endpoint(ONE, { name: "HTTPS", identity }) === endpoints[10], "files are read anew");
});

Deno.test("UpstreamPool closes a connection that nobody uses for a while", async () => {
  using pool = new TestPool({ idleTimeout: 20 });
  const endpoint = pool.http(ONE);
  const idle = await endpoint.take();
  const busy = await endpoint.take();
  endpoint.release(idle, { isReusable: true });
  await pool.transports[0]!.closed();
  const next = await endpoint.take();
  assertEquals([next === idle, pool.transports.map(({ isClosed }) => isClosed)], [false, [
    true,
    false,
    false,
  ]]);
  for (const connection of [busy, next]) endpoint.release(connection, { isReusable: false });
});

Deno.test("UpstreamPool forgets an endpoint of which nothing is to be remembered", async () => {
  using pool = new TestPool({ idleTimeout: 20 });
  const endpoint = pool.http(ONE);
  const busy = await pool.http(OTHER).take();
  await until(() => pool.endpoint(ONE, HTTP) !== endpoint, "the pool to forget it");
  assert(pool.endpoint(OTHER, HTTP) === busy.endpoint);
  busy.close();
});

Deno.test("UpstreamPool.passedOver() names the endpoints that could not be reached lately, until they are", async () => {
  let refuses = true;
  using pool = new TestPool({
    dial: () => refuses ? Promise.reject(new Error("no")) : Promise.resolve(new FakeTransport()),
  });
  const connect = async () => {
    for (const address of [ONE, OTHER]) {
      await pool.http(address).take().then((connection) => connection.close(), () => {});
    }
  };
  pool.endpoint({ hostname: "10.0.0.3", port: 80 }, HTTP);
  assertEquals([...pool.passedOver()], []);
  await connect();
  // the same address, spoken to in another way
  const http2 = pool.endpoint(ONE, { name: "H2C" });
  assertInstanceOf(http2, Http2Endpoint);
  await http2.open().catch(() => {});
  assertEquals([...pool.passedOver()], ["10.0.0.1:80", "10.0.0.1:81"]);
  refuses = false;
  await connect();
  assertEquals([...pool.passedOver()], ["10.0.0.1:80"], "not over HTTP/2");
  await until(() => pool.passedOver().size === 0, "its next chance");
});

Deno.test("UpstreamPool.close() closes what is kept", async () => {
  using pool = new TestPool();
  for (const address of [ONE, ONE, OTHER]) {
    const endpoint = pool.http(address);
    endpoint.release(await endpoint.take({ isFresh: true }), { isReusable: true });
  }
  pool.close();
  assertEquals(pool.transports.map(({ isClosed }) => isClosed), [true, true, true]);
});

Deno.test("UpstreamPool dials TCP unless told", async () => {
  const pool = new UpstreamPool({
    deadlines: new Deadlines(),
    connectTimeout: 5000,
    idleTimeout: 4000,
    maxConnections: 10,
  });
  try {
    const received = Promise.withResolvers<string>();
    using server = new RawServer(async (peer) => received.resolve(await peer.read(5)));
    const endpoint = pool.endpoint(server.address, HTTP);
    assertInstanceOf(endpoint, Endpoint);
    const connection = await endpoint.take();
    await connection.write(bytesOf("hello"));
    assertEquals(await received.promise, "hello");
    endpoint.release(connection, { isReusable: false });
    server[Symbol.dispose]();
    const error = await assertRejects(() => endpoint.take(), ProxyError);
    assertEquals(error.reason, "upstream_unreachable");
  } finally {
    pool.close();
  }
});
