import { connect } from "node:http2";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Address } from "@pingress/config";
import { selfSigned } from "../certificates.ts";
import { connectTls } from "../peers.ts";
import { rule, TestProxy, tlsFiles } from "../test_proxy.ts";
import { bytesOf, within } from "../testing.ts";
import { GET } from "./case.ts";
import { clientHello } from "./client_hello.ts";
import { PROXY_HEADERS, type ProxyHeaderCase } from "./proxy_protocol.ts";
import { RawClient } from "./raw_client.ts";
import { RecordingBackend } from "./recording_backend.ts";
import { checkLog } from "./runner.ts";
import { PATIENCE } from "./signal.ts";
import {
  CERTIFICATES,
  COVERED,
  DEFAULT_COVERED,
  DEFAULT_HANDSHAKES,
  type Handshake,
  HANDSHAKES,
  RAW_HANDSHAKES,
  type RawHandshake,
} from "./tls.ts";
import { wireValues } from "./wire.ts";

/** Connections are kept from one step to the next. */
const SANITIZE = { sanitizeOps: false, sanitizeResources: false };

const FILES = Object.fromEntries(
  (await Promise.all(
    Object.entries(CERTIFICATES).map(async ([name, names]) => {
      const { cert, key } = await selfSigned(names);
      return [[`${name}.cert`, cert], [`${name}.key`, key]];
    }),
  )).flat(),
);

interface TlsProxyOptions {
  hasDefault?: boolean;
  server?: NonNullable<Parameters<typeof TestProxy.start>[0]["server"]>;
}

async function startTlsProxy(
  { endpoint }: RecordingBackend,
  { hasDefault = false, server = {} }: TlsProxyOptions = {},
): Promise<TestProxy> {
  return await TestProxy.start({
    rules: [
      rule("a.test", "/", "one", tlsFiles("a")),
      rule("b.test", "/", "one", tlsFiles("b")),
      rule("one.test", "/", "one", tlsFiles("both")),
      rule("two.test", "/", "one", tlsFiles("both")),
      rule("*.w.test", "/", "one", tlsFiles("wild")),
      rule("plain.test", "/", "one"),
    ],
    endpoints: { "default/one:80": [endpoint] },
    files: FILES,
    server,
    ...hasDefault && { options: { defaultTls: { cert: "default.cert", key: "default.key" } } },
  });
}

Deno.test("Conformance: TLS handshakes", async (t) => {
  using backend = new RecordingBackend();
  await using proxy = await startTlsProxy(backend);
  await using other = await startTlsProxy(backend, { hasDefault: true });
  await runHandshakes(HANDSHAKES, { t, proxy });
  await runHandshakes(DEFAULT_HANDSHAKES, { t, proxy: other });
  await t.step({
    name: "a client that does not trust it",
    fn: async () => {
      const ca = FILES["b.cert"] ?? "";
      await assertRejects(() => connectTls(proxy.addresses.https, { servername: "a.test", ca }));
      await get(proxy.addresses.https, { servername: "a.test", host: "a.test" });
    },
    ...SANITIZE,
  });
  await t.step({
    name: "49: a client whose protocols are not known (7301 3.2)",
    fn: async () => {
      let received = "";
      try {
        using client = await RawClient.https(proxy.addresses.https, {
          servername: "a.test",
          protocols: ["foo"],
        });
        await client.write(`${GET}\r\n`);
        await client.signal.until(() => client.hasEnded, "the connection to be closed");
        received = client.received;
      } catch {
        // refused within the handshake; over TLS 1.3 a client may take it for done before it hears of that
      }
      assertEquals(received, "");
    },
    ...SANITIZE,
  });
  assertEquals(backend.requests.length, 1, "Only the one that trusts was served");
  checkLog(proxy);
  checkLog(other);
});

Deno.test("Conformance: TLS records", async (t) => {
  using backend = new RecordingBackend();
  await using proxy = await startTlsProxy(backend, { server: { handshakeTimeout: 500 } });
  for (const one of RAW_HANDSHAKES) {
    const fn = () => runRawHandshake(one, proxy);
    await t.step({ name: `${one.name} (${one.rfc})`, fn, ...SANITIZE });
  }
  assertEquals(backend.requests, []);
  await get(proxy.addresses.https, { servername: "a.test", host: "a.test" });
  checkLog(proxy);
});

Deno.test("Conformance: TLS and hosts", async (t) => {
  using backend = new RecordingBackend();
  await using proxy = await startTlsProxy(backend);
  await using other = await startTlsProxy(backend, { hasDefault: true });
  for (const [server, table] of [[proxy, COVERED], [other, DEFAULT_COVERED]] as const) {
    for (const [rfc, servername, host, status] of table) {
      const name = `48: ${host} where ${servername ?? "nothing"} was asked for (${rfc})`;
      const fn = async () => {
        assertEquals(await get(server.addresses.https, { servername, host }), status, "HTTP/1.1");
        assertEquals(await get2(server.addresses.https, { servername, host }), status, "HTTP/2");
      };
      await t.step({ name, fn, ...SANITIZE });
    }
  }
  await t.step({ name: "48: the connection is of use after a 421", fn: () => again(proxy), ...SANITIZE });
  checkLog(proxy);
  checkLog(other);
});

Deno.test("Conformance: PROXY protocol over TLS", async (t) => {
  using backend = new RecordingBackend();
  await using proxy = await startTlsProxy(backend, {
    server: { proxyProtocolFrom: ["127.0.0.1"], handshakeTimeout: 500 },
  });
  for (const one of PROXY_HEADERS) {
    for (const isBytewise of one.address === undefined ? [false] : [false, true]) {
      const fn = () => runProxyHeader(one, { proxy, backend, isBytewise });
      const way = isBytewise ? "byte by byte" : "together with the ClientHello";
      await t.step({ name: `${one.name}, ${way}`, fn, ...SANITIZE });
    }
  }
  checkLog(proxy);
});

async function runHandshakes(
  table: readonly Handshake[],
  { t, proxy }: { t: Deno.TestContext; proxy: TestProxy },
): Promise<void> {
  for (const { name, rfc, shows, chooses, servername, protocols } of table) {
    const fn = async () => {
      const options = { ...servername !== undefined && { servername }, ...protocols && { protocols } };
      const socket = await connectTls(proxy.addresses.https, options);
      const names = socket.getPeerCertificate().subjectaltname ?? "";
      assertEquals([names.split(", ")[0], socket.alpnProtocol], [`DNS:${shows}`, chooses]);
      socket.destroy();
    };
    await t.step({ name: `${name} (${rfc})`, fn, ...SANITIZE });
  }
}

async function runRawHandshake(one: RawHandshake, proxy: TestProxy): Promise<void> {
  using client = await RawClient.http(proxy.addresses.https);
  await (one.isBytewise ? client.writeBytewise(one.bytes) : client.write(one.bytes));
  if (one.halfCloses) await client.closeWrite();
  if (one.expect === "hello") {
    await client.signal.until(() => client.received.length > 5 || client.hasEnded, "a ServerHello");
    assertEquals([client.received.charCodeAt(0), client.received.charCodeAt(5)], [22, 2]);
    return;
  }
  await client.signal.until(() => client.hasEnded, "the connection to be closed");
  const { received } = client;
  if (one.expect === "closed") {
    assert(received === "" || (received[0] === "\x15" && received.length === 7), JSON.stringify(received));
  } else {
    const [type, , , , length, level, description] = bytesOf(received);
    assertEquals([received.length, type, length, level], [7, 21, 2, 2], JSON.stringify(received));
    assert(one.expect.includes(description ?? 0), `Alert ${description}`);
  }
}

/** The name that a handshake asks for, and the host that a request does. */
interface Asked {
  servername: string | undefined;
  host: string;
}

function tlsOptions(servername: string | undefined, protocols: string[]) {
  return { protocols, ...servername !== undefined && { servername } };
}

/** The status of a GET over HTTP/1.1. */
async function get(address: Address, { servername, host }: Asked): Promise<number> {
  using client = await RawClient.https(address, tlsOptions(servername, ["http/1.1"]));
  await client.write(`GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await client.has("\r\n\r\n");
  return Number(client.received.slice(9, 12));
}

/** The status of a GET over HTTP/2. */
async function get2(address: Address, { servername, host }: Asked): Promise<number> {
  const socket = await connectTls(address, tlsOptions(servername, ["h2"]));
  const session = connect("https://a.test", { createConnection: () => socket });
  session.on("error", () => {});
  const stream = session.request({ ":path": "/x", ":authority": host });
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  stream.on("response", (head) => resolve(Number(head[":status"])));
  stream.on("error", reject);
  try {
    return await within(promise, "an answer over HTTP/2", PATIENCE);
  } finally {
    session.destroy();
  }
}

async function again(proxy: TestProxy): Promise<void> {
  using client = await RawClient.https(proxy.addresses.https, { servername: "a.test" });
  await client.write("GET /x HTTP/1.1\r\nHost: b.test\r\n\r\n");
  await client.has("pingress-error: misdirected");
  await client.write(`${GET}\r\n`);
  await client.has("\r\n\r\nok");
}

/** Puts bytes in front of what a client says first, and sends all of that at once, or byte by byte. */
class Relay implements Disposable {
  readonly address: Address;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];

  constructor(to: Address, { prefix, isBytewise }: { prefix: string; isBytewise: boolean }) {
    this.address = this.#listener.addr;
    this.#run(to, { prefix, isBytewise }).catch(() => {}).finally(() => this[Symbol.dispose]());
  }

  [Symbol.dispose](): void {
    for (const resource of [this.#listener, ...this.#connections.splice(0)]) {
      try {
        resource.close();
      } catch {
        // it was closed before
      }
    }
  }

  async #run(to: Address, { prefix, isBytewise }: { prefix: string; isBytewise: boolean }): Promise<void> {
    const client = await this.#listener.accept();
    const proxy = await Deno.connect({ hostname: to.hostname, port: to.port });
    this.#connections.push(client, proxy);
    proxy.setNoDelay(true);
    const buffer = new Uint8Array(32 * 1024);
    const count = await client.read(buffer) ?? 0;
    const prefixBytes = bytesOf(prefix);
    const first = new Uint8Array(prefixBytes.length + count);
    first.set(prefixBytes);
    first.set(buffer.subarray(0, count), prefixBytes.length);
    const size = isBytewise ? 1 : first.length;
    for (let at = 0; at < first.length; at += size) await proxy.write(first.subarray(at, at + size));
    await Promise.race([client.readable.pipeTo(proxy.writable), proxy.readable.pipeTo(client.writable)]);
  }
}

async function runProxyHeader(
  { header, address }: ProxyHeaderCase,
  { proxy, backend, isBytewise }: { proxy: TestProxy; backend: RecordingBackend; isBytewise: boolean },
): Promise<void> {
  backend.begin([], () => "");
  if (address === undefined) {
    using client = await RawClient.http(proxy.addresses.https);
    await client.write(header + clientHello({ serverName: "a.test", offersTls13: true }));
    await client.signal.until(() => client.hasEnded, "the connection to be closed");
    assertEquals([client.received, backend.requests], ["", []]);
    return;
  }
  using relay = new Relay(proxy.addresses.https, { prefix: header, isBytewise });
  assertEquals(await get(relay.address, { servername: "a.test", host: "a.test" }), 200);
  const [request] = backend.requests;
  assertEquals(wireValues(request?.fields ?? [], "x-forwarded-for"), [address]);
}
