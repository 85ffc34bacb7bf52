import { connect as connectHttp2 } from "node:http2";
import type { TLSSocket } from "node:tls";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Address } from "@pingress/config";
import { selfSigned, withChain } from "../tests/certificates.ts";
import {
  Backend,
  connectTls,
  ok,
  Peer,
  randomBytes,
  rule,
  sha256,
  TestProxy,
  tlsFiles,
  valuesOf,
  within,
} from "../tests/testing.ts";

const A = await withChain(["a.test"]);
const B = await withChain(["b.test"]);
const WILDCARD = await selfSigned(["*.c.test"]);
const DEFAULT = await selfSigned(["default.test"]);

const FILES = {
  "a.cert": A.cert,
  "a.key": A.key,
  "b.cert": B.cert,
  "b.key": B.key,
  "c.cert": WILDCARD.cert,
  "c.key": WILDCARD.key,
  "default.cert": DEFAULT.cert,
  "default.key": DEFAULT.key,
};

/** Starts a proxy with certificates for a.test, b.test and *.c.test. */
async function start(backend: { endpoint: string }, { hasDefault = false } = {}): Promise<TestProxy> {
  return await TestProxy.start({
    rules: [
      rule("a.test", "/", "one", tlsFiles("a")),
      rule("b.test", "/", "one", tlsFiles("b")),
      rule("*.c.test", "/", "one", tlsFiles("c")),
      rule("plain.test", "/", "one"),
    ],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: FILES,
    ...hasDefault && { options: { defaultTls: { cert: "default.cert", key: "default.key" } } },
  });
}

/** The name in the certificate that a server shows for a name. */
async function shownFor(address: Address, servername?: string): Promise<string | undefined> {
  const socket = await connectTls(address, servername === undefined ? {} : { servername });
  const name = namesOf(socket);
  socket.destroy();
  return name;
}

function namesOf(socket: TLSSocket): string | undefined {
  return socket.getPeerCertificate().subjectaltname?.replace(/^DNS:/, "");
}

/** Opens a connection over which HTTP/1.1 is spoken, to a server whose certificate is checked. */
async function client({ hostname, port }: Address, servername: string, ca: string): Promise<Peer> {
  const connection = await Deno.startTls(await Deno.connect({ hostname, port }), {
    hostname: servername,
    caCerts: [ca],
    alpnProtocols: ["http/1.1"],
  });
  return new Peer(connection);
}

Deno.test("Proxy shows each name its certificate", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await start(backend);
  const cases: [servername: string, shown: string][] = [
    ["a.test", "a.test"],
    ["b.test", "b.test"],
    ["B.TEST", "b.test"],
    ["www.c.test", "*.c.test"],
  ];
  for (const [servername, shown] of cases) {
    assertEquals(await shownFor(proxy.addresses.https, servername), shown);
  }
});

Deno.test("Proxy shows the whole chain", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await start(backend);
  for (const [servername, { root }] of [["a.test", A], ["b.test", B]] as const) {
    // a client that trusts the root alone needs the intermediate from the server
    const socket = await connectTls(proxy.addresses.https, { servername, ca: root });
    const leaf = socket.getPeerCertificate(true);
    assertEquals([socket.authorized, namesOf(socket)], [true, servername]);
    assertEquals(leaf.issuerCertificate.subject.CN, "Pingress example intermediate");
    socket.destroy();
  }
  await assertRejects(() => connectTls(proxy.addresses.https, { servername: "a.test", ca: B.root }), Error);
});

Deno.test("Proxy refuses a name that has no certificate, unless there is one for every other name", async () => {
  using backend = new Backend(ok(""));
  await using strict = await start(backend);
  await using lenient = await start(backend, { hasDefault: true });
  for (const servername of ["unknown.test", "plain.test", "a.b.c.test", "c.test", undefined]) {
    const error = await assertRejects(() => shownFor(strict.addresses.https, servername), Error);
    assertMatch(error.message, /Unrecogni[sz]ed_?Name/i);
    assertEquals(await shownFor(lenient.addresses.https, servername), "default.test");
  }
  assertEquals(await shownFor(lenient.addresses.https, "a.test"), "a.test");
});

Deno.test("Proxy speaks HTTP/1.1 over TLS", async () => {
  using backend = new Backend(ok("hello"));
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  for (let request = 0; request < 2; request++) {
    assertEquals((await peer.exchange("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")).body, "hello");
  }
  const [request] = backend.requests;
  const told = ["host", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"];
  assertEquals(told.flatMap((name) => valuesOf(request!, name)), ["a.test", "127.0.0.1", "443", "https"]);
});

Deno.test("Proxy refuses a request without Host over TLS", async () => {
  using backend = new Backend(ok("hello"));
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  assertMatch((await peer.exchange("GET / HTTP/1.1\r\n\r\n")).start, /^HTTP\/1\.1 400 /);
  assertEquals(backend.connections, 0);
});

Deno.test("Proxy chooses the protocol by ALPN", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await start(backend);
  const cases: [protocols: string[], chosen: string | false][] = [
    [["h2", "http/1.1"], "h2"],
    [["http/1.1"], "http/1.1"],
    [[], false],
  ];
  for (const [protocols, chosen] of cases) {
    const socket = await connectTls(proxy.addresses.https, { servername: "a.test", protocols });
    assertEquals(socket.alpnProtocol, chosen);
    socket.destroy();
  }
});

/** Sends requests over one HTTP/2 connection. */
class Http2Client implements AsyncDisposable {
  readonly #servername: string;
  readonly #session;

  constructor(address: Address, servername: string, ca: string) {
    this.#servername = servername;
    this.#session = connectHttp2(`https://${servername}`, {
      host: address.hostname,
      port: address.port,
      servername,
      ca,
    });
    this.#session.on("error", () => {});
  }

  async request(
    headers: Record<string, string>,
    body?: Uint8Array,
  ): Promise<[status: number, content: string]> {
    const stream = this.#session.request({ ":authority": this.#servername, ...headers }, {
      endStream: body === undefined,
    });
    const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
    let status = 0;
    let content = "";
    stream.setEncoding("utf8");
    stream.on("response", (head) => status = Number(head[":status"]));
    stream.on("data", (text: string) => content += text);
    stream.on("end", () => resolve([status, content]));
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
    return await within(promise, "an answer over HTTP/2");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#session.on("close", () => resolve());
    this.#session.close();
    await within(promise, "the end of an HTTP/2 connection");
  }
}

Deno.test("Proxy speaks HTTP/2 to clients and HTTP/1.1 to backends", async () => {
  using backend = new Backend(({ start }) => ok(start));
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const answers = await Promise.all(
    ["/1", "/2", "/a/../3?q"].map((path) => http2.request({ ":path": path, "x-forwarded-proto": "http" })),
  );
  assertEquals(answers, [[200, "GET /1 HTTP/1.1"], [200, "GET /2 HTTP/1.1"], [200, "GET /3?q HTTP/1.1"]]);
  for (const request of backend.requests) {
    const told = ["host", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "transfer-encoding"];
    assertEquals(told.flatMap((name) => valuesOf(request, name)), ["a.test", "a.test", "443", "https"]);
  }
});

Deno.test("Proxy carries an upload over HTTP/2", async () => {
  const bytes = randomBytes(1024 * 1024);
  const backend = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    return new Response(await sha256(request.body));
  });
  try {
    await using proxy = await start({ endpoint: `127.0.0.1:${backend.addr.port}` });
    await using http2 = new Http2Client(proxy.addresses.https, "b.test", B.root);
    const digest = await sha256(bytes);
    const length = { "content-length": String(bytes.length) };
    assertEquals(await http2.request({ ":path": "/", ":method": "PUT", ...length }, bytes), [200, digest]);
    assertEquals(await http2.request({ ":path": "/", ":method": "PUT" }, bytes), [200, digest]);
  } finally {
    await backend.shutdown();
  }
});

Deno.test("Proxy gives an HTTP/2 request without content no content", async () => {
  using backend = new Backend(ok("done"));
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  for (const method of ["OPTIONS", "DELETE", "POST"]) {
    assertEquals(await http2.request({ ":path": "/", ":method": method }), [200, "done"]);
  }
  assertEquals(backend.requests.map((request) => valuesOf(request, "transfer-encoding")), [[], [], []]);
  assertEquals(backend.requests.map((request) => valuesOf(request, "content-length")), [[], [], ["0"]]);
});

Deno.test("Proxy loses no content over HTTP/2 when Host stands beside :authority", async () => {
  using backend = new Backend(({ body }) => ok(body));
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const headers = { ":path": "/", ":method": "PUT", ":authority": "a.test", host: "a.test" };
  assertEquals(await http2.request(headers, new TextEncoder().encode("hello")), [200, "hello"]);
});

Deno.test("Proxy routes HTTP/2 by :authority, and refuses a Host that says something else", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const cases: [Record<string, string>, status: number][] = [
    [{ ":authority": "b.test" }, 200],
    [{ ":authority": "unknown.test" }, 404],
    [{ ":authority": "a.test", host: "a.test" }, 200],
    [{ ":authority": "a.test", host: "b.test" }, 400],
    [{ ":authority": "user@a.test" }, 400],
  ];
  for (const [headers, status] of cases) {
    assertEquals((await http2.request({ ":path": "/", ...headers }))[0], status, JSON.stringify(headers));
  }
});

Deno.test("Proxy ends a response over TLS that the backend broke off", async () => {
  using backend = new Backend(
    "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nbroken\r\n",
  );
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  await peer.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const answer = await peer.readToEnd();
  assert(answer.startsWith("HTTP/1.1 200"), answer);
  assertEquals(answer.endsWith("0\r\n\r\n"), false);
});
