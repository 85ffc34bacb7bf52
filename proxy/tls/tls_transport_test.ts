import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createSecureContext } from "node:tls";
import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import type { Address } from "@pingress/config";
import { selfSigned } from "../../tests/certificates.ts";
import { clientHello } from "../../tests/conformance/client_hello.ts";
import { connectTls as connectNode, Peer } from "../../tests/peers.ts";
import { bytesOf, latin1, pause, randomBytes, settled, sha256, within } from "../../tests/testing.ts";
import { TcpTransport } from "../tcp_transport.ts";
import { type Transport, writeAll } from "../transport.ts";
import { MOST_ENCRYPTED } from "./tls_engine.ts";
import { acceptTls, connectTls, type Secured, type TlsOptions } from "./tls_transport.ts";

const PAIR = await selfSigned(["a.test"]);
const OTHER = await selfSigned(["b.test"]);
const TLS_1_1 = 0x0302;
const FATAL = 2;
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

/** How our side comes to its transport: as which side, and whether by TLS itself or through Node's streams. */
interface Way {
  name: string;
  isServer: boolean;
  engineOf?: () => undefined;
}

const DIRECT: readonly Way[] = [
  { name: "acceptTls()", isServer: true },
  { name: "connectTls()", isServer: false },
];
const WAYS: readonly Way[] = DIRECT.flatMap((way) => [
  way,
  { ...way, name: `${way.name} without an engine`, engineOf: () => undefined },
]);
const ACCEPTING = WAYS.filter(({ isServer }) => isServer);
const CONNECTING = WAYS.filter(({ isServer }) => !isServer);

/** Accepts the first connection on a listener, of which the start is read here. */
async function accept(
  listener: Deno.TcpListener,
  { through = same, ...options }: Partial<TlsOptions> & Pick<Between, "through"> = {},
): Promise<{ below: Transport; securing: Promise<Secured> }> {
  const below = through(new TcpTransport(await listener.accept()));
  const buffer = new Uint8Array(16 * 1024);
  const count = await within(below.read(buffer), "a ClientHello") ?? 0;
  const securing = acceptTls(below, {
    secureContext: createSecureContext(PAIR),
    protocols: ["http/1.1"],
    first: buffer.subarray(0, count),
    ...options,
  });
  return { below, securing };
}

/** Opens a TCP connection. */
async function open({ hostname, port }: Address): Promise<TcpTransport> {
  return new TcpTransport(await Deno.connect({ hostname, port }));
}

/** A client that checks the certificate. */
const TRUSTING = { servername: "a.test", ca: PAIR.cert, ALPNProtocols: ["http/1.1"] };

/** Passes bytes on between our side and the other one, which a test can interfere with. */
class Relay implements AsyncDisposable {
  /** The socket that our side is connected to. */
  ours!: Socket;
  /** The socket that the other side is connected to. */
  theirs!: Socket;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Makes one that is connected to a listener, which is our side's or the other one's. */
  static async to({ hostname, port }: Address, whose: "ours" | "theirs"): Promise<Relay> {
    const relay = new Relay(createServer({ allowHalfOpen: true }, (accepted) => {
      const connected = connect({ host: hostname, port, allowHalfOpen: true });
      [relay.ours, relay.theirs] = whose === "ours" ? [connected, accepted] : [accepted, connected];
      accepted.pipe(connected).pipe(accepted);
      for (const socket of [accepted, connected]) socket.on("error", () => {});
    }));
    const { promise, resolve } = Promise.withResolvers<void>();
    relay.#server.listen(0, hostname, resolve);
    await promise;
    return relay;
  }

  get address(): Address {
    return { hostname: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  /** Holds back what the other side sends. @returns a function that lets it go on, all at once. */
  hold(): () => void {
    const { ours, theirs } = this;
    theirs.unpipe(ours);
    const held: Uint8Array[] = [];
    const keep = (chunk: Uint8Array) => held.push(chunk);
    theirs.on("data", keep).resume();
    return () => {
      theirs.removeListener("data", keep);
      ours.cork();
      for (const chunk of held) ours.write(chunk);
      ours.uncork();
      theirs.pipe(ours);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ours?.destroy();
    this.theirs?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

function same(tcp: Transport): Transport {
  return tcp;
}

/** How both ends are connected. */
interface Between {
  /** Through a relay? */
  isRelayed?: boolean;
  /** Makes something else of our side's TCP connection. */
  through?: (tcp: Transport) => Transport;
}

/** Both ends of a TLS connection: ours as the proxy has it, the other one as Deno has it. */
class Setup implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  transport!: Transport;
  peer!: Deno.TlsConn;
  relay: Relay | undefined;

  static async make(
    way: Way,
    between: Between = {},
  ): Promise<Setup> {
    const setup = new Setup();
    if (way.isServer) await setup.#accept(way, between);
    else await setup.#connect(way, between);
    setup.#stack.defer(() => setup.transport.close());
    return setup;
  }

  async #accept({ engineOf }: Way, { isRelayed, through }: Between): Promise<void> {
    using listener = Deno.listen(LOOPBACK);
    if (isRelayed) this.relay = this.#stack.use(await Relay.to(listener.addr, "ours"));
    const { hostname, port } = this.relay?.address ?? listener.addr;
    const accepting = accept(listener, { engineOf, ...through && { through } });
    const tcp = await Deno.connect({ hostname, port });
    const options = { hostname: "a.test", caCerts: [PAIR.cert], alpnProtocols: ["http/1.1"] };
    this.peer = await Deno.startTls(tcp, options);
    this.#stack.defer(() => closeOnce(this.peer));
    const { securing } = await accepting;
    await this.peer.handshake();
    this.#take(await within(securing, "a TLS handshake"));
  }

  async #connect({ engineOf }: Way, { isRelayed, through = same }: Between): Promise<void> {
    using listener = Deno.listenTls({ ...LOOPBACK, ...PAIR, alpnProtocols: ["http/1.1"] });
    const address = listener.addr as Deno.NetAddr;
    if (isRelayed) this.relay = this.#stack.use(await Relay.to(address, "theirs"));
    const accepting = (async () => {
      const peer = await listener.accept();
      await peer.handshake();
      return peer;
    })();
    const below = through(await open(this.relay?.address ?? address));
    this.#take(await within(connectTls(below, { ...TRUSTING, engineOf }), "a TLS handshake"));
    this.peer = await accepting;
    this.#stack.defer(() => closeOnce(this.peer));
  }

  #take({ transport, protocol }: Secured): void {
    assertEquals(protocol, "http/1.1");
    this.transport = transport;
  }

  /** What comes next on our side. */
  async read(size = 64 * 1024): Promise<string | null> {
    const into = new Uint8Array(size);
    const count = await within(this.transport.read(into), "bytes");
    return count === null ? null : latin1(into.subarray(0, count));
  }

  /** What comes next on the other side: so many bytes, or fewer at the end. */
  async peerReads(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    for (let count = 0; count < size;) {
      const read = await within(this.peer.read(bytes.subarray(count)), "bytes on the other side");
      if (read === null) return bytes.subarray(0, count);
      count += read;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function closeOnce(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // closed by the test
  }
}

/** A test for each way. */
function test(name: string, run: (way: Way) => Promise<void>, ways = WAYS): void {
  for (const way of ways) Deno.test(`${way.name}: ${name}`, () => run(way));
}

test("reads what the other side writes, piece by piece", async (way) => {
  await using setup = await Setup.make(way);
  for (const text of ["hello", "world"]) {
    await writeAll(setup.peer, bytesOf(text));
    assertEquals(await setup.read(), text);
  }
  const waiting = setup.read();
  await writeAll(setup.peer, bytesOf("late"));
  assertEquals(await waiting, "late");
});

test("read() takes as much as there is room for, and the rest later", async (way) => {
  await using setup = await Setup.make(way);
  const waiting = setup.read(2);
  await writeAll(setup.peer, bytesOf("hello"));
  assertEquals(await waiting, "he");
  assertEquals([await setup.read(2), await setup.read(2)], ["ll", "o"]);
  const bytes = randomBytes(40_000);
  await writeAll(setup.peer, bytes);
  const sizes = [1, 7, 100, 2047, 2048, 5000];
  let read = "";
  for (let turn = 0; read.length < bytes.length; turn++) read += await setup.read(sizes[turn % sizes.length]);
  assert(read === latin1(bytes));
});

test("read() into little room is not many reads below", async (way) => {
  let reads = 0;
  const counting = (tcp: Transport): Transport => ({
    read: (into) => {
      reads++;
      return tcp.read(into);
    },
    write: (bytes) => tcp.write(bytes),
    closeWrite: () => tcp.closeWrite(),
    close: () => tcp.close(),
  });
  await using setup = await Setup.make(way, { through: counting });
  const before = reads;
  await writeAll(setup.peer, randomBytes(16_384));
  await setup.read(1);
  assertLess(reads - before, 20);
}, DIRECT);

test("write() takes all of it, whatever there is room for in TLS at once", async (way) => {
  await using setup = await Setup.make(way);
  for (
    const size of [1, 5, 16_384, 16_385, MOST_ENCRYPTED - 1, MOST_ENCRYPTED, MOST_ENCRYPTED + 1, 200_000]
  ) {
    const bytes = randomBytes(size);
    const reading = setup.peerReads(size);
    await within(writeAll(setup.transport, bytes), "a write");
    assertEquals(
      await sha256(await reading as Uint8Array<ArrayBuffer>),
      await sha256(bytes),
      `${size} bytes`,
    );
  }
  assertEquals(await setup.transport.write(new Uint8Array(0)), 0);
  await writeAll(setup.transport, bytesOf("more"));
  assertEquals(latin1(await setup.peerReads(4)), "more");
});

test("write() has copied its bytes when it has resolved", async (way) => {
  await using setup = await Setup.make(way);
  for (const size of [5, 32 * 1024, 200_000]) {
    const bytes = new Uint8Array(size).fill(97);
    const reading = setup.peerReads(size);
    for (let written = 0; written < size;) {
      const count = await setup.transport.write(bytes.subarray(written));
      bytes.fill(98, written, written + count);
      written += count;
    }
    assert((await reading).every((byte) => byte === 97), `${size} bytes`);
  }
});

test("1 MiB goes each way at once", async (way) => {
  await using setup = await Setup.make(way);
  const [up, down] = [randomBytes(1024 * 1024), randomBytes(1024 * 1024)];
  const received = new Uint8Array(up.length);
  const reads = (async () => {
    for (let count = 0; count < received.length;) {
      count += await within(setup.transport.read(received.subarray(count)), "bytes") ?? 0;
    }
  })();
  const [taken] = await Promise.all([
    setup.peerReads(down.length),
    writeAll(setup.peer, up),
    writeAll(setup.transport, down),
    reads,
  ]);
  assertEquals(await sha256(received), await sha256(up));
  assertEquals(await sha256(taken as Uint8Array<ArrayBuffer>), await sha256(down));
});

test("tells the end, and can be written to after it", async (way) => {
  await using setup = await Setup.make(way);
  await writeAll(setup.peer, bytesOf("last"));
  await setup.peer.closeWrite();
  assertEquals([await setup.read(), await setup.read(), await setup.read()], ["last", null, null]);
  await setup.transport.write(bytesOf("late"));
  assertEquals(latin1(await setup.peerReads(4)), "late");
  await within(setup.transport.closeWrite(), "the end of the writing");
  assertEquals(await setup.peerReads(1), new Uint8Array(0));
});

test("closeWrite() ends one direction", async (way) => {
  await using setup = await Setup.make(way);
  await setup.transport.write(bytesOf("last"));
  await within(setup.transport.closeWrite(), "the end of the writing");
  assertEquals(latin1(await setup.peerReads(5)), "last");
  await writeAll(setup.peer, bytesOf("late"));
  assertEquals(await setup.read(), "late");
  await setup.peer.closeWrite();
  assertEquals(await setup.read(), null);
});

test("close() fails reads and writes under way, and those to come", async (way) => {
  await using setup = await Setup.make(way);
  const reading = assertRejects(() => setup.read());
  const writing = assertRejects(async () => {
    // more than the buffers of the system hold, to a side that reads nothing
    for (;;) await within(setup.transport.write(new Uint8Array(64 * 1024)), "a failure");
  });
  await settled();
  setup.transport.close();
  setup.transport.close();
  await reading;
  await writing;
  await assertRejects(() => setup.read());
  await assertRejects(() => within(setup.transport.write(bytesOf("late")), "a failure"));
  // nothing is left that it could wait for
  await within(setup.transport.closeWrite().catch(() => {}), "a failure or nothing");
});

test("fails when the other side is gone without a word", async (way) => {
  await using setup = await Setup.make(way, { isRelayed: true });
  const reading = assertRejects(() => setup.read());
  setup.relay!.ours.resetAndDestroy();
  await reading;
  await assertRejects(async () => {
    for (;;) await within(setup.transport.write(bytesOf("late")), "a failure");
  });
});

test("ends where the connection ends without a word of TLS", async (way) => {
  await using setup = await Setup.make(way, { isRelayed: true });
  await writeAll(setup.peer, bytesOf("last"));
  assertEquals(await setup.read(), "last");
  setup.relay!.ours.end();
  assertEquals(await setup.read(), null);
});

test("fails on what is no TLS, and tells the other side", async (way) => {
  await using setup = await Setup.make(way, { isRelayed: true });
  await writeAll(setup.peer, bytesOf("before"));
  assertEquals(await setup.read(), "before");
  const alerted = assertRejects(() => within(setup.peer.read(new Uint8Array(1)), "an answer"), Error);
  setup.relay!.ours.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  for (let turn = 0; turn < 2; turn++) {
    assertMatch((await assertRejects(() => setup.read(), Error)).message, /corrupt message/);
  }
  assertMatch((await alerted).message, /received fatal alert/);
});

test("write() waits for a side that reads nothing", async (way) => {
  await using setup = await Setup.make(way);
  const piece = randomBytes(64 * 1024);
  let isStuck = false;
  let written = 0;
  // far more than the buffers of the system hold
  while (!isStuck && written < 64 * 1024 * 1024) {
    const outcome = await Promise.race([
      setup.transport.write(piece),
      // nobody tells that it takes no more
      pause(300).then((): "stuck" => "stuck"),
    ]);
    if (outcome === "stuck") isStuck = true;
    else written += outcome;
  }
  assert(isStuck, `${written} bytes were taken`);
});

test("takes no more from the network than it may hold, and nothing is lost", async (way) => {
  await using setup = await Setup.make(way);
  const bytes = randomBytes(16 * 1024 * 1024);
  let written = 0;
  const writing = (async () => {
    while (written < bytes.length) {
      written += await setup.peer.write(bytes.subarray(written, written + 65536));
    }
    await setup.peer.closeWrite();
  })();
  // nobody reads: the writer stops when all buffers are full
  for (let before = -1; before !== written;) {
    before = written;
    await pause(300);
  }
  assertLess(written, bytes.length);
  const received = new Uint8Array(bytes.length);
  let count = 0;
  const into = new Uint8Array(64 * 1024);
  for (let read; (read = await within(setup.transport.read(into), "bytes")) !== null;) {
    received.set(into.subarray(0, read), count);
    count += read;
  }
  await writing;
  assertEquals([count, await sha256(received)], [bytes.length, await sha256(bytes)]);
});

test("leaves no large chunk of plaintext to the garbage collector", async (way) => {
  await using setup = await Setup.make(way);
  const piece = randomBytes(256 * 1024);
  const pieces = 256;
  const writing = (async () => {
    for (let written = 0; written < pieces; written++) await writeAll(setup.peer, piece);
  })();
  const into = new Uint8Array(64 * 1024);
  const before = Deno.memoryUsage().external;
  let most = before;
  for (let count = 0; count < pieces * piece.length;) {
    count += await within(setup.transport.read(into), "bytes") ?? 0;
    most = Math.max(most, Deno.memoryUsage().external);
  }
  await writing;
  // left to it there are more than 30 MiB, otherwise hardly one
  assertLess(most - before, 16 * 1024 * 1024);
}, DIRECT);

/** Takes only a few bytes at a time. */
function slow(tcp: Transport): Transport {
  return {
    read: (into) => tcp.read(into),
    write: async (bytes) => {
      await settled();
      return await tcp.write(bytes.subarray(0, 5000));
    },
    closeWrite: () => tcp.closeWrite(),
    close: () => tcp.close(),
  };
}

test("says nothing in the middle of a record", async (way) => {
  await using setup = await Setup.make(way, { isRelayed: true, through: slow });
  const bytes = randomBytes(MOST_ENCRYPTED);
  const reading = assertRejects(() => setup.read());
  const writing = setup.transport.write(bytes);
  setup.relay!.ours.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  await reading;
  assertEquals(await writing, bytes.length);
  assertEquals(
    await sha256(await setup.peerReads(bytes.length) as Uint8Array<ArrayBuffer>),
    await sha256(bytes),
  );
}, DIRECT);

test("speaks TLS 1.2 and 1.3", async ({ engineOf }) => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    using listener = Deno.listen(LOOPBACK);
    const accepting = accept(listener, { engineOf });
    const client = connectNode(listener.addr, { servername: "a.test", ca: PAIR.cert, version });
    const { transport, protocol } = await (await accepting).securing;
    const socket = await client;
    assertEquals([socket.getProtocol(), protocol], [version, "http/1.1"]);
    const bytes = randomBytes(100_000);
    const ended = new Promise((resolve) => socket.once("close", resolve));
    socket.pipe(socket);
    const writing = writeAll(transport, bytes).then(() => transport.closeWrite());
    const echoed = new Uint8Array(bytes.length);
    let count = 0;
    for (let read; (read = await within(transport.read(echoed.subarray(count)), "bytes")) !== null;) {
      count += read;
    }
    assertEquals([count, await sha256(echoed)], [bytes.length, await sha256(bytes)], version);
    await writing;
    transport.close();
    socket.destroy();
    await ended;
  }
}, ACCEPTING);

test("takes a request that comes together with the end of the handshake", async ({ engineOf }) => {
  using listener = Deno.listen(LOOPBACK);
  await using relay = await Relay.to(listener.addr, "ours");
  const { hostname, port } = relay.address;
  const accepting = accept(listener, { engineOf });
  const tcp = await Deno.connect({ hostname, port });
  using peer = await Deno.startTls(tcp, { hostname: "a.test", caCerts: [PAIR.cert] });
  const handshake = peer.handshake();
  const { securing } = await accepting;
  const letGo = relay.hold();
  await handshake;
  await writeAll(peer, bytesOf("GET / HTTP/1.1\r\n\r\n"));
  await peer.closeWrite();
  await new Promise((resolve) => relay.theirs.once("end", resolve));
  letGo();
  const { transport } = await within(securing, "a TLS handshake");
  const into = new Uint8Array(100);
  assertEquals(await within(transport.read(into), "a request"), 18);
  assertEquals(await within(transport.read(into), "the end"), null);
  transport.close();
}, ACCEPTING);

test("tells a client why the handshake fails", async ({ engineOf }) => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    using listener = Deno.listen(LOOPBACK);
    const accepting = accept(listener, { engineOf });
    const told = assertRejects(
      () => connectNode(listener.addr, { servername: "a.test", protocols: ["foo"], version }),
      Error,
    );
    const { below, securing } = await accepting;
    await assertRejects(() => within(securing, "a failure"), Error, "protocol");
    below.close();
    assertMatch((await told).message, /received fatal alert: NoApplicationProtocol/, version);
  }
  using listener = Deno.listen(LOOPBACK);
  const accepting = accept(listener, { engineOf });
  using client = await Peer.connect(listener.addr);
  await client.write(clientHello({ serverName: "a.test", version: TLS_1_1 }));
  const { below, securing } = await accepting;
  await assertRejects(() => within(securing, "a failure"), Error);
  below.close();
  const alert = await client.readToEnd();
  assertEquals([alert.length, alert.charCodeAt(0), alert.charCodeAt(5)], [7, 21, FATAL]);
  // protocol_version, or handshake_failure, which servers said before there was one
  assert([70, 40].includes(alert.charCodeAt(6)), `alert ${alert.charCodeAt(6)}`);
}, DIRECT.filter(({ isServer }) => isServer));

test("gives up where the connection ends within the handshake", async ({ engineOf }) => {
  const ends: [name: string, (client: Peer, below: Transport) => unknown][] = [
    ["its end", (client) => client.closeWrite()],
    ["a reset", (client) => client[Symbol.dispose]()], // with bytes that nobody has read
    ["closed here", (_client, below) => below.close()],
  ];
  for (const [name, end] of ends) {
    using listener = Deno.listen(LOOPBACK);
    const accepting = accept(listener, { engineOf });
    using client = await Peer.connect(listener.addr);
    await client.write(clientHello({ serverName: "a.test", offersTls13: true }));
    const { below, securing } = await accepting;
    const failing = assertRejects(() => within(securing, "a failure"), Error);
    await client.read(100);
    await end(client, below);
    const { message } = await failing;
    assert(!message.startsWith("Waited"), name);
    below.close();
  }
}, ACCEPTING);

test("gives up at once with a certificate that cannot be used", async ({ engineOf }) => {
  using listener = Deno.listen(LOOPBACK);
  const secureContext = createSecureContext({ cert: PAIR.cert, key: OTHER.key });
  const accepting = accept(listener, { engineOf, secureContext });
  using client = await Peer.connect(listener.addr);
  await client.write(clientHello({ serverName: "a.test", offersTls13: true }));
  const { below, securing } = await accepting;
  const { message } = await assertRejects(() => within(securing, "a failure"), Error);
  assert(!message.startsWith("Waited"), message);
  below.close();
}, ACCEPTING);

test("trusts no certificate but the one that it should", async ({ engineOf }) => {
  using listener = Deno.listenTls({ ...LOOPBACK, ...PAIR });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.handshake().catch(() => {});
      closeOnce(connection);
    }
  })().catch(() => {});
  const cases: [options: Partial<typeof TRUSTING>, expected: RegExp | undefined][] = [
    [{}, undefined],
    [{ servername: "b.test" }, /altnames/],
    [{ ca: OTHER.cert }, /certificate/i],
  ];
  for (const [options, expected] of cases) {
    const below = await open(listener.addr as Deno.NetAddr);
    const connecting = within(
      connectTls(below, { ...TRUSTING, ALPNProtocols: [], ...options, engineOf }),
      "TLS",
    );
    if (expected === undefined) (await connecting).transport.close();
    else assertMatch((await assertRejects(() => connecting, Error)).message, expected);
    below.close();
  }
  listener.close();
  await serving;
}, CONNECTING);
