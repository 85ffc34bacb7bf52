import { type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import type { TLSSocket } from "node:tls";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Address } from "@pingress/config";
import { http2Answer } from "../tests/http2_client.ts";
import { selfSigned, withChain } from "../tests/certificates.ts";
import { Backend, connectTls, ok, Peer, RawServer, valuesOf } from "../tests/peers.ts";
import { rule, TestProxy, tlsFiles } from "../tests/test_proxy.ts";
import { bytesOf, latin1, randomBytes, sha256, within } from "../tests/testing.ts";

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
async function start(
  backend: { endpoint: string },
  { hasDefault = false, server = {} } = {},
): Promise<TestProxy> {
  return await TestProxy.start({
    rules: [
      rule("a.test", "/", "one", tlsFiles("a")),
      rule("b.test", "/", "one", tlsFiles("b")),
      rule("*.c.test", "/", "one", tlsFiles("c")),
      rule("plain.test", "/", "one"),
    ],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: FILES,
    server,
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

  /** Without something to trust it speaks in clear. */
  constructor({ hostname, port }: Address, servername: string, ca?: string) {
    this.#servername = servername;
    this.#session = ca === undefined
      ? connectHttp2(`http://${hostname}:${port}`)
      : connectHttp2(`https://${servername}`, { host: hostname, port, servername, ca });
    this.#session.on("error", () => {});
  }

  open(headers: Record<string, string>): ClientHttp2Stream {
    return this.#session.request({ ":authority": this.#servername, ...headers }, { endStream: true });
  }

  destroy(): void {
    this.#session.destroy();
  }

  async request(
    headers: Record<string, string>,
    body?: Uint8Array,
  ): Promise<[status: number, content: string]> {
    const stream = this.#session.request({ ":authority": this.#servername, ...headers }, {
      endStream: body === undefined,
    });
    return await http2Answer(stream, body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#session.destroyed) return;
    this.#session.on("close", () => resolve());
    this.#session.close();
    await within(promise, "the end of an HTTP/2 connection");
  }
}

Deno.test("Proxy opens a tunnel for a WebSocket over TLS", async () => {
  const received = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello",
    );
    await peer.write(await peer.read(4));
    received.resolve(await peer.readToEnd());
    await peer.write("bye");
  });
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  const answer = await peer.exchange(
    "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  assertEquals(answer.start, "HTTP/1.1 101 Switching Protocols");
  assertEquals(await peer.read(5), "hello");
  await peer.write("\0\xff\r\n");
  assertEquals(await peer.read(4), "\0\xff\r\n");
  await peer.write("last");
  await peer.closeWrite();
  assertEquals(await received.promise, "last");
  assertEquals(await peer.readToEnd(), "bye");
});

Deno.test("Proxy passes the content of a GET on over TLS, and informational responses", async () => {
  using backend = new Backend(({ body }) => `HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok(body)}`);
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  await peer.write("GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi");
  const hints = await peer.readMessage();
  assertEquals([hints.start, hints.headers], ["HTTP/1.1 103 Early Hints", [["link", "</a.css>"]]]);
  assertEquals((await peer.readMessage()).body, "hi");
});

Deno.test("Proxy passes an event on over TLS before the response ends", async () => {
  const acknowledged = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    await acknowledged.promise;
    await peer.write("data: 2\n\n");
  });
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  await peer.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await peer.readUntil("data: 1\n\n");
  acknowledged.resolve();
  await peer.readUntil("data: 2\n\n");
  await peer.readUntil("0\r\n\r\n");
});

Deno.test("Proxy carries 2 MiB down and up over TLS", async () => {
  const bytes = randomBytes(2 * 1024 * 1024);
  const digest = await sha256(bytes);
  const backend = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method === "GET") return new Response(bytes);
    return new Response(await sha256(request.body));
  });
  try {
    await using proxy = await start({ endpoint: `127.0.0.1:${backend.addr.port}` });
    using peer = await client(proxy.addresses.https, "a.test", A.root);
    await peer.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assertMatch(await peer.readUntil("\r\n\r\n"), /^HTTP\/1\.1 200 /);
    assertEquals(await sha256(bytesOf(await peer.read(bytes.length))), digest);
    await peer.write(`PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bytes.length}\r\n\r\n`);
    await peer.write(latin1(bytes));
    assertEquals((await peer.readMessage()).body, digest);
  } finally {
    await backend.shutdown();
  }
});

Deno.test("Proxy cancels a request over TLS when its client closes the connection", async () => {
  const asked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    asked.resolve();
    ended.resolve(await peer.readToEnd());
  });
  await using proxy = await start(backend);
  {
    using peer = await client(proxy.addresses.https, "a.test", A.root);
    await peer.write("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await asked.promise;
  }
  assertEquals(await within(ended.promise, "the end of the request"), "");
});

Deno.test("Proxy refuses a host over TLS that the connection's certificate is not for", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await start(backend);
  using peer = await client(proxy.addresses.https, "a.test", A.root);
  const answer = await peer.exchange("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
  assertMatch(answer.start, /^HTTP\/1\.1 421 /);
  assertEquals([valuesOf(answer, "pingress-error"), backend.connections], [["misdirected"], 0]);
  assertEquals((await peer.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")).body, "one");
});

Deno.test("Proxy serves every host that a connection's certificate is for", async () => {
  const { cert, key } = await selfSigned(["a.test", "*.d.test"]);
  using backend = new Backend(ok("one"));
  await using proxy = await TestProxy.start({
    rules: [
      rule("a.test", "/", "one", tlsFiles("a")),
      rule("x.d.test", "/", "one"),
      rule("b.test", "/", "one", tlsFiles("b")),
    ],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: { ...FILES, "a.cert": cert, "a.key": key },
  });
  using peer = await client(proxy.addresses.https, "a.test", cert);
  const cases: [host: string, status: string][] = [["a.test", "200"], ["x.d.test", "200"], ["b.test", "421"]];
  for (const [host, status] of cases) {
    const answer = await peer.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assertEquals(answer.start.split(" ")[1], status, host);
  }
});

Deno.test("Proxy takes the client from a PROXY protocol header before TLS", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: FILES,
    server: { proxyProtocolFrom: ["127.0.0.1"] },
  });
  const { hostname, port } = proxy.addresses.https;
  const tcp = await Deno.connect({ hostname, port });
  await tcp.write(bytesOf("PROXY TCP4 1.2.3.4 10.0.0.1 5000 443\r\n"));
  using peer = new Peer(await Deno.startTls(tcp, { hostname: "a.test", caCerts: [A.root] }));
  assertEquals((await peer.exchange("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")).body, "one");
  assertEquals(valuesOf(backend.requests[0]!, "x-real-ip"), ["1.2.3.4"]);
});

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
  await using proxy = await start(backend, { hasDefault: true });
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const cases: [Record<string, string>, status: number][] = [
    [{ ":authority": "a.test" }, 200],
    [{ ":authority": "b.test" }, 421],
    [{ ":authority": "a.test", host: "a.test" }, 200],
    [{ ":authority": "a.test", host: "b.test" }, 400],
    [{ ":authority": "user@a.test" }, 400],
  ];
  for (const [headers, status] of cases) {
    assertEquals((await http2.request({ ":path": "/", ...headers }))[0], status, JSON.stringify(headers));
  }
});

Deno.test("Proxy says that no rule matches over HTTP/2", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await start(backend, { hasDefault: true });
  await using http2 = new Http2Client(proxy.addresses.https, "default.test", DEFAULT.cert);
  assertEquals(await http2.request({ ":path": "/" }), [
    404,
    "404: no Ingress rule matches this host and path\n",
  ]);
});

Deno.test("Proxy passes an event on over HTTP/2 before the response ends", async () => {
  const acknowledged = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
    await acknowledged.promise;
    await peer.write("data: 2\n\n");
  });
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const stream = http2.open({ ":path": "/" });
  const events = stream[Symbol.asyncIterator]();
  const next = async () => String((await within(events.next(), "an event")).value);
  assertEquals(await next(), "data: 1\n\n");
  acknowledged.resolve();
  assertEquals(await next(), "data: 2\n\n");
  assertEquals((await within(events.next(), "the end")).done, true);
});

Deno.test("Proxy cancels an HTTP/2 request that its client resets, and no other", async () => {
  const asked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    const { start } = await peer.readMessage();
    if (start.includes("/other")) await peer.write(ok("other"));
    asked.resolve();
    ended.resolve(await peer.readToEnd());
  });
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const stream = http2.open({ ":path": "/" });
  stream.on("error", () => {});
  await asked.promise;
  stream.close(8); // CANCEL
  assertEquals(await within(ended.promise, "the end of the request"), "");
  assertEquals(await http2.request({ ":path": "/other" }), [200, "other"]);
});

Deno.test("Proxy refuses content on a GET over HTTP/2, which Deno.serve would drop", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const headers = { ":path": "/", ":method": "GET", "content-length": "2" };
  assertEquals((await http2.request(headers, bytesOf("hi")))[0], 501);
  assertEquals(backend.connections, 0);
});

Deno.test("Proxy passes no HTTP/2 request on as whole whose content has another length than it says", async () => {
  for (const length of ["2", "9"]) {
    const recorded = Promise.withResolvers<string>();
    using backend = new RawServer(async (peer) => recorded.resolve(await peer.readToEnd()));
    await using proxy = await start(backend);
    await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
    const headers = { ":path": "/", ":method": "PUT", "content-length": length };
    const outcome = await http2.request(headers, bytesOf("hello")).catch(() => undefined);
    assert(outcome === undefined || outcome[0] >= 400 || outcome[0] === 0, `${outcome}`);
    // stopping ends the connection to the backend, if there was one
    await proxy.stop();
    const text = backend.connections === 0 ? "" : await within(recorded.promise, "the backend's connection");
    const content = text.slice(text.indexOf("\r\n\r\n") + 4);
    assert(content.length < Number(length), `${length}: ${text}`);
  }
});

Deno.test("Proxy cancels HTTP/2 requests when their client closes the connection", async () => {
  const asked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    asked.resolve();
    ended.resolve(await peer.readToEnd());
  });
  await using proxy = await start(backend);
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  http2.open({ ":path": "/" }).on("error", () => {});
  await asked.promise;
  http2.destroy();
  assertEquals(await within(ended.promise, "the end of the request"), "");
});

Deno.test("Proxy.stop() finishes an HTTP/2 request and ends the connection", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    asked.resolve();
    await release.promise;
    await peer.write(ok("late"));
  });
  await using proxy = await TestProxy.start({
    rules: [rule(undefined, "/", "one")],
    endpoints: { "default/one:80": [backend.endpoint] },
    server: { allowsH2c: true },
  });
  // Node's client gives its requests up when it is told that there will be no others
  using client = Deno.createHttpClient({ http1: false, http2: true });
  const { hostname, port } = proxy.addresses.http;
  const answer = fetch(`http://${hostname}:${port}/`, { client });
  answer.catch(() => {});
  await asked.promise;
  const stopped = proxy.stop();
  release.resolve();
  assertEquals(await (await answer).text(), "late");
  await within(stopped, "the end");
});

Deno.test("Proxy refuses content over HTTP/2 that is too large", async () => {
  using backend = new RawServer(async (peer) => void await peer.readToEnd());
  await using proxy = await start(backend, { server: { maxBodyBytes: 5 } });
  await using http2 = new Http2Client(proxy.addresses.https, "a.test", A.root);
  const cases: Record<string, string>[] = [{ "content-length": "6" }, {}];
  for (const length of cases) {
    const headers = { ":path": "/", ":method": "PUT", ...length };
    assertEquals((await http2.request(headers, bytesOf("hello!")))[0], 413, JSON.stringify(length));
  }
});

Deno.test("Proxy speaks HTTP/2 in clear to clients with prior knowledge, if told", async () => {
  using backend = new Backend(({ start }) => ok(start));
  await using proxy = await start(backend, { server: { allowsH2c: true } });
  await using http2 = new Http2Client(proxy.addresses.http, "plain.test");
  assertEquals(await http2.request({ ":path": "/x" }), [200, "GET /x HTTP/1.1"]);
  using peer = await proxy.client();
  assertEquals((await peer.exchange("GET /y HTTP/1.1\r\nHost: plain.test\r\n\r\n")).body, "GET /y HTTP/1.1");
  const told = ["host", "x-forwarded-proto", "x-forwarded-port", "x-real-ip"];
  assertEquals(told.flatMap((name) => valuesOf(backend.requests[0]!, name)), [
    "plain.test",
    "http",
    "80",
    "127.0.0.1",
  ]);
});

Deno.test("Proxy refuses HTTP/2 in clear unless told", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await start(backend);
  using peer = await proxy.client();
  const answer = await peer.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  assertMatch(answer.start, /^HTTP\/1\.1 505 /);
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
