import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { type Address, checkKeyPair } from "@pingress/config";
import { selfSigned } from "../../tests/certificates.ts";
import { clientHello } from "../../tests/conformance/client_hello.ts";
import { connectTls, Peer, RawServer } from "../../tests/peers.ts";
import { bytesOf, recordingLog, settled, until, within } from "../../tests/testing.ts";
import type { Connection } from "../accept/connection.ts";
import { Gate, type GateOptions } from "../accept/gate.ts";
import type { Serve } from "../accept/http_listener.ts";
import { Deadlines } from "../deadlines.ts";
import { IpRanges } from "../ip_ranges.ts";
import { CertificateStore } from "./certificate_store.ts";
import { HttpsListener, type HttpsListenerOptions } from "./https_listener.ts";

const ONE = checkKeyPair(await selfSigned(["one.test", "*.one.test"]));
const OTHER = checkKeyPair(await selfSigned(["two.test"]));
const UNRECOGNIZED_NAME = "\x15\x03\x03\0\x02\x02\x70";

function store(...pairs: [host: string, pair: typeof ONE][]): CertificateStore {
  return new CertificateStore({ byHost: new Map(pairs), fallback: undefined });
}

/** A listener that says on each connection what it has agreed on, and then sends back what it gets. */
class Setup implements AsyncDisposable {
  /** Those that have been served, in order. */
  readonly served: Connection[] = [];
  readonly record = recordingLog();
  readonly gate: Gate;
  certificates = store(["one.test", ONE], ["two.test", OTHER]);
  listener!: HttpsListener;

  private constructor(gate: Partial<GateOptions>) {
    const deadlines = new Deadlines();
    this.gate = new Gate({ deadlines, maxConnections: 10, maxConnectionsPerClient: 0, ...gate });
  }

  static make(options: Partial<HttpsListenerOptions> = {}, gate: Partial<GateOptions> = {}): Setup {
    const setup = new Setup(gate);
    setup.listener = new HttpsListener({
      address: { hostname: "127.0.0.1", port: 0 },
      reusePort: false,
      gate: setup.gate,
      proxyProtocolFrom: new IpRanges([]),
      handshakeTimeout: 5000,
      certificates: () => setup.certificates,
      serveHttp1: setup.#serve("http/1.1"),
      serveHttp2: setup.#serve("h2"),
      log: setup.record.log,
      ...options,
    });
    return setup;
  }

  get address(): Address {
    return this.listener.address;
  }

  /** Opens a connection over TLS. */
  async connect(servername: string, { protocols = ["http/1.1"], before = "" } = {}): Promise<Peer> {
    const tcp = await Deno.connect({ hostname: this.address.hostname, port: this.address.port });
    if (before !== "") await tcp.write(bytesOf(before));
    const caCerts = [ONE.cert, OTHER.cert];
    try {
      return new Peer(await Deno.startTls(tcp, { hostname: servername, caCerts, alpnProtocols: protocols }));
    } catch (error) {
      tcp.close();
      throw error;
    }
  }

  /** Expects that a connection is not served. */
  async refuses(servername: string): Promise<void> {
    await assertRejects(async () => {
      using peer = await this.connect(servername);
      await peer.read(1);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    this.gate.closeWaiting();
    for (const connection of this.served) connection.close();
    await within(this.listener.ended(), "the end of all connections");
  }

  #serve(protocol: string): Serve {
    return async (connection) => {
      this.served.push(connection);
      try {
        await connection.tell(bytesOf(`${protocol}:`));
        while (await connection.reader.fill()) {
          await connection.tell(connection.reader.take(Infinity).slice());
        }
        await connection.closeWrite();
      } catch {
        // the connection was closed
      } finally {
        connection.close();
      }
    };
  }
}

Deno.test("HttpsListener ends TLS with the certificate of the name that is asked for", async () => {
  await using setup = Setup.make();
  for (const servername of ["one.test", "two.test"]) {
    // a client that checks the certificate
    using client = await setup.connect(servername);
    await client.write("hello");
    await client.closeWrite();
    assertEquals(await client.readToEnd(), "http/1.1:hello");
  }
  assertEquals([setup.listener.accepted, setup.listener.handshakes, setup.listener.failures], [2, 2, 0]);
});

Deno.test("HttpsListener hands a connection to the protocol that was agreed on", async () => {
  await using setup = Setup.make();
  const cases: [protocols: string[], expected: string][] = [
    [["h2", "http/1.1"], "h2:"],
    [["http/1.1", "h2"], "h2:"],
    [["http/1.1"], "http/1.1:"],
  ];
  for (const [protocols, expected] of cases) {
    using client = await setup.connect("one.test", { protocols });
    assertEquals(await client.read(expected.length), expected);
  }
  const socket = await connectTls(setup.address, { servername: "one.test", protocols: [] });
  assertEquals(socket.alpnProtocol, false);
  socket.destroy();
});

Deno.test("HttpsListener waits for a hello that comes in pieces", async () => {
  await using setup = Setup.make();
  // a relay that passes the client's bytes on one by one
  using relay = new RawServer(async (peer) => {
    using upstream = await Peer.connect(setup.address);
    const up = (async () => {
      for (let count = 0; count < 400; count++) await upstream.write(await peer.read(1));
      for (;;) await upstream.write(await peer.read(1));
    })().catch(() => {});
    for (;;) {
      const byte = await upstream.read(1).catch(() => undefined);
      if (byte === undefined) break;
      await peer.write(byte);
    }
    await up;
  });
  const { hostname, port } = relay.address;
  const tls = { hostname: "one.test", caCerts: [ONE.cert], alpnProtocols: ["http/1.1"] };
  using client = new Peer(await Deno.startTls(await Deno.connect({ hostname, port }), tls));
  assertEquals(await client.read(9), "http/1.1:");
});

Deno.test("HttpsListener takes new certificates from the next handshake on", async () => {
  await using setup = Setup.make();
  using before = await setup.connect("one.test");
  await before.read(9);
  setup.certificates = store(["two.test", OTHER]);
  await setup.refuses("one.test");
  await before.write("more");
  assertEquals(await before.read(4), "more");
});

Deno.test("HttpsListener answers unrecognized_name for a name that has no certificate", async () => {
  await using setup = Setup.make();
  for (const servername of ["c.test", undefined]) {
    const error = await assertRejects(
      () => connectTls(setup.address, servername === undefined ? {} : { servername }),
      Error,
    );
    assertMatch(error.message, /Unrecogni[sz]ed_?Name/i);
  }
  await setup.record.has("No certificate for c.test");
  await setup.record.has("No certificate for a client that names no host");
  assertEquals([setup.served.length, setup.listener.failures], [0, 2]);
});

Deno.test("HttpsListener says the alert and closes the connection", async () => {
  await using setup = Setup.make();
  const said = Promise.withResolvers<string>();
  using recorder = new RawServer(async (peer) => {
    const head = await peer.read(5);
    said.resolve(head + await peer.read(head.charCodeAt(3) * 256 + head.charCodeAt(4)));
  });
  const recording = assertRejects(() => connectTls(recorder.address, { servername: "c.test" }));
  using client = await Peer.connect(setup.address);
  await client.write(await said.promise);
  assertEquals(await client.readToEnd(), UNRECOGNIZED_NAME);
  await recording;
});

Deno.test("HttpsListener survives a protocol that fails", async () => {
  await using setup = Setup.make({ serveHttp1: () => Promise.reject(new Error("BUG")) });
  await setup.refuses("one.test");
  using client = await setup.connect("one.test", { protocols: ["h2"] });
  assertEquals(await client.read(3), "h2:");
});

Deno.test("HttpsListener closes a connection that does not speak TLS", async () => {
  await using setup = Setup.make();
  using client = await Peer.connect(setup.address);
  await client.write("GET / HTTP/1.1\r\n\r\n");
  assertEquals(await client.readToEnd(), "");
  await setup.record.has("The client does not speak TLS");
  assertEquals([setup.listener.handshakes, setup.listener.failures, setup.gate.count], [0, 1, 0]);
});

Deno.test("HttpsListener closes a connection that ends within the handshake", async () => {
  await using setup = Setup.make();
  using client = await Peer.connect(setup.address);
  await client.write("\x16\x03\x01");
  await client.closeWrite();
  assertEquals(await client.readToEnd(), "");
  await setup.record.has("The connection ended within");
});

Deno.test("HttpsListener survives clients that reset their connection within the handshake", async () => {
  await using setup = Setup.make();
  for (let count = 1; count <= 20; count++) {
    {
      using client = await Peer.connect(setup.address);
      await client.write(clientHello({ serverName: "one.test", offersTls13: true }));
      // the rest of what has come is left unread, so that the system of this client resets the connection
      if (count % 2 === 0) await client.read(1);
    }
    while (setup.listener.failures < count) await settled();
  }
  assertEquals([setup.listener.handshakes, setup.gate.count, setup.gate.connections.size], [0, 0, 0]);
  using client = await setup.connect("one.test");
  assertEquals(await client.read(9), "http/1.1:");
});

Deno.test("HttpsListener closes a connection whose client reads nothing", async () => {
  let connection: Connection | undefined;
  await using setup = Setup.make({
    serveHttp1: async (served) => {
      connection = served;
      for (;;) await served.tell(new Uint8Array(64 * 1024));
    },
  });
  using client = await setup.connect("one.test");
  while (connection === undefined) await settled();
  assertEquals((await client.read(1)).length, 1);
  connection.close();
  await setup.record.has("A connection failed in the proxy itself");
  while (setup.gate.count > 0) await settled();
});

Deno.test("HttpsListener closes a connection whose handshake takes too long", async () => {
  await using setup = Setup.make({ handshakeTimeout: 20 });
  for (const text of ["", "\x16\x03\x01"]) {
    using client = await Peer.connect(setup.address);
    await client.write(text);
    assertEquals(await client.readToEnd(), "");
  }
  await setup.record.has("The handshake took too long");
  assertEquals([setup.listener.failures, setup.gate.count, setup.gate.connections.size], [2, 0, 0]);
});

Deno.test("HttpsListener says who the client is", async () => {
  await using setup = Setup.make();
  using client = await setup.connect("one.test");
  await client.read(9);
  const told = setup.served[0]!.client;
  assertEquals([told.address, told.scheme], ["127.0.0.1", "https"]);
});

Deno.test("HttpsListener says which hosts a connection's certificate is for", async () => {
  await using setup = Setup.make();
  const both: [string, typeof ONE][] = [["one.test", ONE], ["shared.test", ONE], ["two.test", OTHER]];
  setup.certificates = store(...both);
  using client = await setup.connect("one.test");
  await client.read(9);
  const { client: told } = setup.served[0]!;
  const cases: [host: string, covered: boolean][] = [
    ["one.test", true],
    ["www.one.test", true],
    ["a.www.one.test", false],
    ["shared.test", true],
    ["two.test", false],
    ["three.test", false],
  ];
  for (const [host, covered] of cases) assertEquals(told.covers(host), covered, host);
  // a name that was asked for stays, whatever becomes of its certificate
  setup.certificates = store(["one.test", OTHER]);
  assertEquals(["one.test", "shared.test", "two.test"].map((host) => told.covers(host)), [
    true,
    false,
    false,
  ]);
});

Deno.test("HttpsListener takes the client from a PROXY protocol header", async () => {
  const proxyProtocolFrom = new IpRanges(["127.0.0.1"]);
  await using setup = Setup.make({ proxyProtocolFrom });
  const cases: [header: string, address: string][] = [
    ["PROXY TCP4 1.2.3.4 10.0.0.1 5000 443\r\n", "1.2.3.4"],
    ["PROXY TCP6 fd00::1 fd00::2 5000 443\r\n", "fd00::1"],
    ["PROXY UNKNOWN\r\n", "127.0.0.1"],
  ];
  for (const [before, address] of cases) {
    using client = await setup.connect("one.test", { before });
    await client.read(9);
    assertEquals(setup.served.at(-1)!.client.address, address);
  }
  await setup.refuses("one.test");
  await setup.record.has("PROXY protocol header");
  assertEquals(setup.served.length, 3);
});

Deno.test("HttpsListener lets no more connections in than it may", async () => {
  await using setup = Setup.make({}, { maxConnections: 1 });
  using first = await setup.connect("one.test");
  await first.read(9);
  await setup.refuses("one.test");
  assertEquals([setup.gate.refused, setup.gate.count], [1, 1]);
  await first.write("more");
  assertEquals(await first.read(4), "more");
});

Deno.test("HttpsListener gives up a handshake that waits when there is no other place", async () => {
  await using setup = Setup.make({}, { maxConnections: 1 });
  using silent = await Peer.connect(setup.address);
  await until(() => setup.gate.connections.size > 0, "the connection");
  using client = await setup.connect("one.test");
  assertEquals(await client.read(9), "http/1.1:");
  assertEquals(await silent.readToEnd(), "");
  await setup.record.has("The handshake was given up");
  assertEquals([setup.gate.evicted, setup.gate.refused], [1, 0]);
});

Deno.test("HttpsListener lets no client have more connections than it may", async () => {
  await using setup = Setup.make({}, { maxConnectionsPerClient: 1 });
  {
    using first = await setup.connect("one.test");
    await first.read(9);
    using second = await setup.connect("one.test").catch(() => undefined);
    assertEquals(await second?.readToEnd() ?? "", "");
    assertEquals(setup.gate.refused, 1);
  }
  await until(() => setup.gate.count === 0, "the end of the connections");
  using next = await setup.connect("one.test");
  assertEquals(await next.read(9), "http/1.1:");
});

Deno.test("HttpsListener.close() takes nothing new, and ended() waits for what runs", async () => {
  await using setup = Setup.make();
  const { address } = setup;
  using client = await setup.connect("one.test");
  await client.read(9);
  setup.listener.close();
  let hasEnded = false;
  const ended = setup.listener.ended().then(() => hasEnded = true);
  await assertRejects(() => Peer.connect(address));
  await client.write("more");
  assertEquals([await client.read(4), hasEnded], ["more", false]);
  await client.closeWrite();
  await client.readToEnd();
  client[Symbol.dispose]();
  await within(ended, "the end");
  assert(hasEnded);
});

Deno.test("HttpsListener says when its address is in use", async () => {
  await using first = Setup.make();
  assertThrows(() => Setup.make({ address: first.address }), Deno.errors.AddrInUse);
});

Deno.test("HttpsListener shares its port, if told", async () => {
  await using one = Setup.make({ reusePort: true });
  await using two = Setup.make({ reusePort: true, address: one.address });
  assertEquals(two.address, one.address);
});
