import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createLog, type KeyPair } from "@pingress/config";
import { connectTls, Peer, RawServer, recordingLog, within } from "../../tests/testing.ts";
import type { ClientInfo } from "../deno_server.ts";
import { CertificateStore } from "./certificate_store.ts";
import { listenErrorMessage, SniListener, type SniListenerOptions } from "./sni_listener.ts";

const ADDRESS = { hostname: "127.0.0.1", port: 0 };
const ONE: KeyPair = { cert: "one", key: "one" };
const OTHER: KeyPair = { cert: "other", key: "other" };

/** The shortest ClientHello that asks for a name of ten characters. */
function hello(name: "one.test.a" | "two.test.b"): string {
  const version = "\x03\x03";
  const serverName = `\0\0\0\x0f\0\x0d\0\0\x0a${name}`;
  const fields = `${version}${"r".repeat(32)}\0\0\x02\x13\x01\x01\0\0${
    String.fromCharCode(serverName.length)
  }`;
  const message = `${fields}${serverName}`;
  const size = String.fromCharCode(message.length);
  return `\x16\x03\x01\0${String.fromCharCode(message.length + 4)}\x01\0\0${size}${message}`;
}

/** A listener before servers that answer each connection with their certificate's name, and echo it. */
class Setup implements AsyncDisposable {
  /** The servers that were started, and `-name` for those that were stopped. */
  readonly events: string[] = [];
  /** Who the servers were told is behind each connection. */
  readonly clients: ClientInfo[] = [];
  readonly listener: SniListener;
  certificates = new CertificateStore(new Map([["one.test.a", ONE], ["two.test.b", OTHER]]));
  #changed = Promise.withResolvers<void>();
  #shutdown: Promise<void> | undefined;

  constructor(options: Partial<SniListenerOptions> = {}) {
    this.listener = new SniListener({
      address: ADDRESS,
      certificates: () => this.certificates,
      serve: (pair, client) => this.#serve(pair, client),
      log: createLog("test", { write: () => {} }),
      ...options,
    });
  }

  async connect(text: string): Promise<Peer> {
    const peer = await Peer.connect(this.listener.address);
    await peer.write(text);
    return peer;
  }

  async has(event: string): Promise<void> {
    while (!this.events.includes(event)) await within(this.#changed.promise, event);
  }

  async shutdown(): Promise<void> {
    this.#shutdown ??= this.listener.shutdown();
    await this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #serve(pair: KeyPair, client: (remote: Deno.NetAddr) => ClientInfo) {
    const server = new RawServer(async (peer) => {
      this.clients.push(client(peer.remoteAddress));
      await peer.write(`${pair.cert}:`);
      await peer.write(await peer.readToEnd());
    });
    this.#happened(pair.cert);
    const shutdown = () => {
      this.#happened(`-${pair.cert}`);
      server[Symbol.dispose]();
      return Promise.resolve();
    };
    return { port: server.address.port, shutdown };
  }

  #happened(event: string): void {
    this.events.push(event);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

Deno.test("SniListener passes a connection to the server of its certificate, byte for byte", async () => {
  await using setup = new Setup();
  for (const [name, certificate] of [["one.test.a", "one"], ["two.test.b", "other"]] as const) {
    using client = await setup.connect(`${hello(name)}more`);
    await client.closeWrite();
    assertEquals(await client.readToEnd(), `${certificate}:${hello(name)}more`);
  }
});

Deno.test("SniListener waits for a hello that comes in pieces", async () => {
  await using setup = new Setup();
  const text = hello("one.test.a");
  using client = await setup.connect("");
  for (const byte of text) await client.write(byte);
  assertEquals(await client.read(4), "one:");
  assertEquals(setup.events, ["one"]);
});

Deno.test("SniListener starts one server for a certificate, when it is first needed", async () => {
  await using setup = new Setup();
  assertEquals(setup.events, []);
  for (let count = 0; count < 3; count++) {
    using client = await setup.connect(hello("one.test.a"));
    await client.read(4);
  }
  assertEquals(setup.events, ["one"]);
});

Deno.test("SniListener stops a server that has no connection for a while", async () => {
  await using setup = new Setup({ idleTimeout: 10 });
  {
    using client = await setup.connect(hello("one.test.a"));
    await client.read(4);
    assertEquals(setup.events, ["one"]);
  }
  await setup.has("-one");
});

Deno.test("SniListener lets a server whose certificate is gone end with its last connection", async () => {
  await using setup = new Setup();
  {
    using client = await setup.connect(hello("one.test.a"));
    await client.read(4);
    setup.certificates = new CertificateStore(new Map([["one.test.a", OTHER]]));
    setup.listener.certificatesChanged();
    using next = await setup.connect(hello("one.test.a"));
    assertEquals(await next.read(6), "other:");
    assertEquals(setup.events, ["one", "other"]);
    await client.write("more");
    await client.closeWrite();
    assertEquals(await client.readToEnd(), `${hello("one.test.a")}more`);
  }
  await setup.has("-one");
});

Deno.test("SniListener stops an idle server whose certificate is gone at once", async () => {
  await using setup = new Setup();
  using first = await setup.connect(hello("one.test.a"));
  await first.closeWrite();
  await first.readToEnd();
  setup.certificates = new CertificateStore(new Map());
  setup.listener.certificatesChanged();
  await setup.has("-one");
});

Deno.test("SniListener answers unrecognized_name for a name that has no certificate", async () => {
  await using setup = new Setup();
  setup.certificates = new CertificateStore(new Map([["one.test.a", ONE]]));
  using client = await setup.connect(hello("two.test.b"));
  assertEquals(await client.readToEnd(), "\x15\x03\x03\0\x02\x02\x70");
  const error = await assertRejects(
    () => connectTls(setup.listener.address, { servername: "c.test" }),
    Error,
  );
  assertMatch(error.message, /Unrecogni[sz]ed_?Name/i);
  assertEquals(setup.events, []);
});

Deno.test("SniListener closes a connection that does not speak TLS", async () => {
  const record = recordingLog();
  await using setup = new Setup({ log: record.log });
  using client = await setup.connect("GET / HTTP/1.1\r\n\r\n");
  assertEquals(await client.readToEnd(), "");
  await record.has("The client does not speak TLS");
});

Deno.test("SniListener closes a connection that says no hello in time", async () => {
  await using setup = new Setup({ helloTimeout: 20 });
  for (const text of ["", hello("one.test.a").slice(0, -1)]) {
    using client = await setup.connect(text);
    assertEquals(await client.readToEnd(), "");
  }
  assertEquals(setup.events, []);
});

Deno.test("SniListener tells the server who the client is and what it offers", async () => {
  await using setup = new Setup();
  using client = await setup.connect(hello("one.test.a"));
  await client.read(4);
  assertEquals(setup.clients, [{ address: "127.0.0.1", mayUseHttp2: false }]);
  const offers = { servername: "one.test.a", protocols: ["h2", "http/1.1"] };
  await connectTls(setup.listener.address, offers).catch(() => {});
  assertEquals(setup.clients[1], { address: "127.0.0.1", mayUseHttp2: true });
});

Deno.test("SniListener knows each client by its server too: two may be reached from the same port", async () => {
  const finders = new Map<string, (remote: Deno.NetAddr) => ClientInfo>();
  const ports: number[] = [];
  using server = new RawServer(async (peer) => {
    ports.push(peer.remoteAddress.port);
    await peer.write("x");
    await peer.readToEnd();
  });
  await using setup = new Setup({
    serve: (pair, client) => {
      finders.set(pair.cert, client);
      return { port: server.address.port, shutdown: () => Promise.resolve() };
    },
  });
  using one = await setup.connect(hello("one.test.a"));
  await one.read(1);
  using other = await setup.connect(hello("two.test.b"));
  await other.read(1);
  const [first = 0] = ports;
  const remote = { transport: "tcp", hostname: "from nowhere", port: first } as const;
  assertEquals(finders.get("one")?.(remote).address, "127.0.0.1");
  assertEquals(finders.get("other")?.(remote).address, "from nowhere");
});

Deno.test("SniListener.shutdown() stops its servers and closes what has not said hello", async () => {
  await using setup = new Setup();
  using silent = await setup.connect("");
  using client = await setup.connect(hello("one.test.a"));
  await client.read(4);
  const stopped = setup.shutdown();
  await setup.has("-one");
  assertEquals(await silent.readToEnd(), "");
  await client.readToEnd();
  client[Symbol.dispose]();
  await within(stopped, "the end");
  await assertRejects(() => Peer.connect(setup.listener.address));
});

Deno.test("SniListener.shutdown() waits for no client that does not close its side", async () => {
  await using setup = new Setup();
  using client = await setup.connect(hello("one.test.a"));
  await client.read(4);
  await within(setup.shutdown(), "the end", 2000);
});

Deno.test({
  name: "SniListener.shutdown() leaves no timer behind",
  sanitizeOps: true,
  fn: async () => {
    await using setup = new Setup();
    using client = await setup.connect(hello("one.test.a"));
    await client.read(4);
  },
});

Deno.test("listenErrorMessage() says what to do", () => {
  const cases: [Error, RegExp][] = [
    [new Deno.errors.AddrInUse(), /^Cannot listen on 127\.0\.0\.1:0: another program does\./],
    [
      new Deno.errors.PermissionDenied(),
      /^Cannot listen on 127\.0\.0\.1:0: ports below 1024 need privileges/,
    ],
    [new Error("No such host"), /^Cannot listen on 127\.0\.0\.1:0: No such host$/],
  ];
  for (const [error, message] of cases) assertMatch(listenErrorMessage(error, ADDRESS), message);
});
