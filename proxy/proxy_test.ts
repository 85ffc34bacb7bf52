import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { formatAddress } from "@pingress/config";
import { get, outcome, proxyTo } from "../tests/one_backend.ts";
import { Backend, ok, RawServer, valuesOf } from "../tests/peers.ts";
import { rule, TestProxy } from "../tests/test_proxy.ts";
import { randomBytes, sha256 } from "../tests/testing.ts";

Deno.test("Proxy routes by host and path", async () => {
  using one = new Backend(ok("one"));
  using two = new Backend(ok("two"));
  await using proxy = await TestProxy.start({
    rules: [
      rule("a.test", "/", "one"),
      rule("a.test", "/two", "two"),
      rule("a.test", "/", "two", { path: { type: "Exact", path: "/exact" } }),
      rule("*.b.test", "/", "two"),
      rule(undefined, "/any", "one"),
    ],
    endpoints: { "default/one:80": [one.endpoint], "default/two:80": [two.endpoint] },
  });
  using client = await proxy.client();
  const cases: [host: string, target: string, content: string | undefined][] = [
    ["a.test", "/", "one"],
    ["A.Test:8080", "/x?y", "one"],
    ["a.test.", "/two", "two"],
    ["a.test", "/two/x", "two"],
    ["a.test", "/twox", "one"],
    ["a.test", "/one/../two", "two"],
    ["a.test", "/exact", "two"],
    ["a.test", "/exact/", "one"],
    ["www.b.test", "/", "two"],
    ["c.test", "/any", "one"],
    ["c.test", "/", undefined],
    ["b.test", "/", undefined],
    ["www.www.b.test", "/", undefined],
  ];
  for (const [host, target, content] of cases) {
    const answer = await client.exchange(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    if (content === undefined) assertEquals(outcome(answer), [404, "no_route"], `${host}${target}`);
    else assertEquals([...outcome(answer), answer.body], [200, undefined, content], `${host}${target}`);
  }
  assertEquals([one.connections, two.connections], [1, 1]);
});

Deno.test("Proxy takes the default backend where no rule matches", async () => {
  using backend = new Backend(ok("default"));
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/a", "one")],
    config: { defaultBackend: { type: "Service", name: "default", namespace: "default", port: 80 } },
    endpoints: { "default/default:80": [backend.endpoint] },
  });
  using client = await proxy.client();
  for (const host of ["a.test", "b.test"]) {
    assertEquals((await client.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).body, "default");
  }
});

Deno.test("Proxy tells the backend who the client is, and nothing of the client's connection", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.exchange(
    "GET /a%2Fb//c/../d?e=f&%67 HTTP/1.1\r\nHost: A.test:8080\r\nAccept: */*\r\nCookie: a=1\r\n" +
      "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Proto: https\r\n" +
      "X-Real-IP: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX_Forwarded_For: 1.2.3.4\r\n" +
      "Connection: keep-alive, x-secret, X-Forwarded-For\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n" +
      "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nAccept-Encoding: gzip\r\n\r\n",
  );
  const [request] = backend.requests;
  assertEquals(request?.start, "GET /a%2Fb//d?e=f&%67 HTTP/1.1");
  assertMatch(valuesOf(request!, "x-request-id").join(), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assertEquals(request?.headers.filter(([name]) => name !== "x-request-id"), [
    ["host", "A.test:8080"],
    ["accept", "*/*"],
    ["cookie", "a=1"],
    ["accept-encoding", "gzip"],
    ["x-forwarded-for", "127.0.0.1"],
    ["x-forwarded-host", "A.test:8080"],
    ["x-forwarded-port", "8080"],
    ["x-forwarded-proto", "http"],
    ["x-real-ip", "127.0.0.1"],
  ]);
});

Deno.test("Proxy passes a response on without what belongs to the backend's connection", async () => {
  const date = "Tue, 15 Nov 1994 08:12:31 GMT";
  const content = "text that could be compressed ".repeat(100);
  using backend = new Backend(
    `HTTP/1.1 203 Whatever\r\nServer: origin\r\nDate: ${date}\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n` +
      "X-Latin: caf\xe9\r\nConnection: x-internal\r\nX-Internal: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n" +
      "Proxy-Authenticate: Basic\r\nPingress-Error: no_route\r\nContent-Type: text/html\r\n" +
      `Content-Length: ${content.length}\r\n\r\n${content}`,
  );
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const answer = await client.exchange(get("/", "Accept-Encoding: gzip, br"));
  assertEquals(answer.body, content);
  assertMatch(answer.start, /^HTTP\/1\.1 203 /);
  assertEquals(answer.headers.toSorted(), [
    ["content-length", String(content.length)],
    ["content-type", "text/html"],
    ["date", date],
    ["server", "origin"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
    ["x-latin", "caf\xe9"],
  ]);
});

Deno.test("Proxy keeps the head of a response that has no content", async () => {
  using backend = new Backend(({ start }) =>
    start.startsWith("HEAD")
      ? "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 1234\r\n\r\n"
      : `HTTP/1.1 ${start.includes("/204") ? 204 : 304} None\r\nETag: "x"\r\n\r\n`
  );
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const head = await client.exchange("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  assertEquals([outcome(head)[0], valuesOf(head, "content-length")], [200, ["1234"]]);
  for (const status of [204, 304]) {
    const answer = await client.exchange(get(`/${status}`));
    assertEquals([outcome(answer)[0], valuesOf(answer, "etag")], [status, ['"x"']]);
  }
  assertEquals(backend.connections, 1);
});

Deno.test("Proxy does not say of a HEAD how long the content is when the backend did not", async () => {
  using backend = new Backend("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const head = await client.exchange("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  assertEquals([outcome(head)[0], valuesOf(head, "content-length")], [200, []]);
});

Deno.test("Proxy makes a 205 one of which the client sees the end", async () => {
  using backend = new Backend("HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n");
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  for (let count = 0; count < 2; count++) {
    const answer = await client.exchange(get("/"));
    assertEquals([outcome(answer)[0], valuesOf(answer, "content-length")], [205, ["0"]]);
  }
});

Deno.test("Proxy says itself what is wrong with a backend", async () => {
  using garbage = new Backend("hello\r\n\r\n");
  using closing = new RawServer(async (peer) => void await peer.readMessage());
  using silent = new RawServer(async (peer) => void await peer.readToEnd());
  using gone = new RawServer(() => Promise.resolve());
  gone[Symbol.dispose]();
  const backends = { garbage, closing, silent, gone };
  const endpoints = Object.entries(backends).map((
    [name, { endpoint }],
  ) => [`default/${name}:80`, [endpoint]]);
  await using proxy = await TestProxy.start({
    rules: [...Object.keys(backends), "none"].map((name) => rule("a.test", `/${name}`, name)),
    endpoints: Object.fromEntries([...endpoints, ["default/none:80", []]]),
    server: { responseTimeout: 50 },
  });
  using client = await proxy.client();
  const cases: [name: string, status: number, error: string][] = [
    ["unknown", 404, "no_route"],
    ["garbage", 502, "upstream_invalid"],
    ["closing", 502, "upstream_unreachable"],
    ["gone", 502, "upstream_unreachable"],
    ["none", 503, "no_endpoint"],
    ["silent", 504, "upstream_timeout"],
  ];
  for (const [name, status, error] of cases) {
    const answer = await client.exchange(get(`/${name}`));
    assertEquals([...outcome(answer), valuesOf(answer, "server")], [status, error, ["pingress"]]);
    assertMatch(answer.body, new RegExp(`^${status}: `));
  }
});

Deno.test("Proxy refuses malformed requests before any backend sees them", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await TestProxy.start({
    rules: [rule(undefined, "/", "one")],
    endpoints: { "default/one:80": [backend.endpoint] },
  });
  const hosts = [
    ...["", "u@a.test", "a.test/b", "a.test?", "a.test#", "a b", "a,b", "[::1", "a.test:99999", "a..test"],
    ...["a.test\r\nHost: b.test", "*"],
  ];
  const targets = ["/%zz", "/%00", "/a#b", "/..", "/%2e%2e/", "/a/../../b", "/a\\b", "*", "a.test:80", "a"];
  const requests = [
    "GET / HTTP/1.1\r\n\r\n",
    ...hosts.map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
    ...targets.map((target) => get(target)),
    get("http://user@a.test/"),
    get("ftp://a.test/"),
    "GET http://a.test/ HTTP/1.1\r\n\r\n",
    "GET http://a.test/ HTTP/1.1\r\nHost: a b\r\n\r\n",
    get("/", "no colon"),
    get("/", "A : b"),
    get("/", "A: b\0"),
    get("/", "A: b", " folded"),
    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +2\r\n\r\nhi",
    "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  ];
  for (const request of requests) {
    using client = await proxy.client();
    assertEquals(outcome(await client.exchange(request))[0], 400, JSON.stringify(request));
  }
  assertEquals(backend.connections, 0);
});

Deno.test("Proxy does not forward a transfer coding that it does not understand", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const answer = await client.exchange(
    "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  );
  assertEquals([outcome(answer)[0], backend.connections], [501, 0]);
});

Deno.test("Proxy takes the host from a target in absolute-form, whatever Host says", async () => {
  using one = new Backend(ok("one"));
  using two = new Backend(ok("two"));
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one"), rule("b.test", "/", "two")],
    endpoints: { "default/one:80": [one.endpoint], "default/two:80": [two.endpoint] },
  });
  using client = await proxy.client();
  const cases: [target: string, content: string, start: string, host: string][] = [
    ["http://a.test/x?y", "one", "GET /x?y HTTP/1.1", "a.test"],
    ["http://b.test/x", "two", "GET /x HTTP/1.1", "b.test"],
    ["HTTP://B.test:81?z", "two", "GET /?z HTTP/1.1", "B.test:81"],
  ];
  for (const [target, content, start, host] of cases) {
    assertEquals((await client.exchange(get(target))).body, content, target);
    const request = (content === "one" ? one : two).requests.at(-1)!;
    assertEquals([request.start, valuesOf(request, "host")], [start, [host]]);
  }
});

Deno.test("Proxy asks the backend at the root when OPTIONS is for the whole server", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  for (const target of ["*", "http://a.test"]) {
    await client.exchange(`OPTIONS ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    assertEquals(backend.requests.at(-1)?.start, "OPTIONS * HTTP/1.1");
  }
});

Deno.test("Proxy takes the scheme from its port, not from the request", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.exchange(get("https://a.test/"));
  assertEquals(backend.requests.map((request) => valuesOf(request, "x-forwarded-proto")), [["http"]]);
});

Deno.test("Proxy serves neither CONNECT nor TRACE", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend);
  for (const request of ["CONNECT a.test:80", "TRACE /"]) {
    using client = await proxy.client();
    const answer = await client.exchange(`${request} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    assert(outcome(answer)[0] === 405 || outcome(answer)[0] === 400, answer.start);
  }
  assertEquals(backend.connections, 0);
});

Deno.test("Proxy passes the content of a GET on", async () => {
  using backend = new Backend(({ body }) => ok(body));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const contents = [
    "Content-Length: 2\r\n\r\nhi",
    "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  ];
  for (const content of contents) {
    const answer = await client.exchange(`GET / HTTP/1.1\r\nHost: a.test\r\n${content}`);
    assertEquals([...outcome(answer), answer.body], [200, undefined, "hi"]);
  }
  assertEquals(backend.requests.map(({ body }) => body), ["hi", "hi"]);
});

Deno.test("Proxy takes a GET that says that it has no content", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  assertEquals((await client.exchange(get("/", "Content-Length: 0"))).body, "one");
});

Deno.test("Proxy frames an upload anew", async () => {
  const cases: [sent: string, received: string][] = [
    ["Content-Length: 5\r\n\r\nhello", "content-length: 5\r\n\r\nhello"],
    ["Content-Length: 0\r\n\r\n", "content-length: 0\r\n\r\n"],
    [
      "Transfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
      "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
  ];
  for (const [sent, received] of cases) {
    const recorded = Promise.withResolvers<string>();
    using backend = new RawServer(async (peer) => {
      const head = await peer.readUntil("\r\n\r\n");
      recorded.resolve(head + await peer.read(received.length - received.indexOf("\r\n\r\n") - 4));
      await peer.write(ok("done"));
    });
    await using proxy = await proxyTo(backend);
    using client = await proxy.client();
    assertEquals((await client.exchange(`POST / HTTP/1.1\r\nHost: a.test\r\n${sent}`)).body, "done");
    const text = await recorded.promise;
    assert(text.endsWith(received), text);
    assertEquals(text.match(/content-length|transfer-encoding/gi)?.length, 1, text);
  }
});

Deno.test("Proxy gives a request without content no content", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const cases: [method: string, length: string[]][] = [["POST", ["0"]], ["DELETE", []], ["OPTIONS", []]];
  for (const [method, length] of cases) {
    await client.exchange(`${method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    const request = backend.requests.at(-1)!;
    const framing = [valuesOf(request, "content-length"), valuesOf(request, "transfer-encoding")];
    assertEquals(framing, [length, []], method);
  }
});

Deno.test("Proxy passes pieces on as they come, both ways", async () => {
  using backend = new RawServer(async (peer) => {
    await peer.readUntil("\r\n\r\n");
    await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (let piece = await peer.readUntil("\r\n"); piece !== "0\r\n"; piece = await peer.readUntil("\r\n")) {
      await peer.write(piece + await peer.read(3));
    }
    await peer.write("0\r\n\r\n");
  });
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write("POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n");
  await client.readUntil("\r\n\r\n");
  for (const letter of "abc") {
    await client.write(`1\r\n${letter}\r\n`);
    assertEquals(await client.readUntil(`${letter}\r\n`), `1\r\n${letter}\r\n`);
  }
  await client.write("0\r\n\r\n");
  assertEquals(await client.read(5), "0\r\n\r\n");
});

Deno.test("Proxy answers 100-continue when the backend is to have the content", async () => {
  using backend = new Backend(({ body }) => ok(body));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write("POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  assertMatch((await client.readMessage()).start, /^HTTP\/1\.1 100 /);
  await client.write("hi");
  assertEquals((await client.readMessage()).body, "hi");
  assertEquals(valuesOf(backend.requests[0]!, "expect"), []);
});

Deno.test("Proxy carries 10 MiB down and up", async () => {
  const bytes = randomBytes(10 * 1024 * 1024);
  const digest = await sha256(bytes);
  const backend = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    if (request.method === "GET") return new Response(bytes);
    return new Response(await sha256(request.body));
  });
  try {
    await using proxy = await proxyTo({ endpoint: `127.0.0.1:${backend.addr.port}` });
    const url = `http://127.0.0.1:${proxy.addresses.http.port}/`;
    await proxy.reload([rule(undefined, "/", "one")]);
    assertEquals(await sha256((await fetch(url)).body), digest);
    assertEquals(await (await fetch(url, { method: "PUT", body: bytes })).text(), digest);
    assertEquals(
      await (await fetch(url, { method: "PUT", body: new Blob([bytes]).stream() })).text(),
      digest,
    );
  } finally {
    await backend.shutdown();
  }
});

Deno.test("Proxy lets the client see that the backend broke off", async () => {
  const cases = ["Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"];
  for (const rest of cases) {
    using backend = new RawServer(async (peer) => {
      await peer.readMessage();
      await peer.write(`HTTP/1.1 200 OK\r\n${rest}`);
    });
    await using proxy = await proxyTo(backend);
    using client = await proxy.client();
    const error = await assertRejects(() => client.exchange(get("/")), Error);
    assertMatch(error.message, /^Ended|reset/i);
  }
});

Deno.test("Proxy ends the exchange with the backend when the client goes away", async () => {
  const streaming = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    streaming.resolve();
    ended.resolve(await peer.readToEnd());
  });
  // a client that sends no more may still read: only that it takes nothing for so long tells
  await using proxy = await proxyTo(backend, { server: { clientTimeout: 100 } });
  {
    using client = await proxy.client();
    await client.write(get("/"));
    await streaming.promise;
    await client.readUntil("hello");
  }
  assertEquals(await ended.promise, "");
});

Deno.test("Proxy throws away what a backend sends after its response", async () => {
  using backend = new RawServer(async (peer, number) => {
    await peer.readMessage();
    await peer.write(`${ok(String(number))}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nPOISONED`);
    await peer.readToEnd();
  });
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  for (const number of ["1", "2", "3"]) assertEquals((await client.exchange(get("/"))).body, number);
});

Deno.test("Proxy keeps serving when a client sends nothing but garbage", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await proxyTo(backend);
  for (
    const garbage of ["\0\0\0", "\x16\x03\x01\x02", "GET", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n"]
  ) {
    using client = await proxy.client();
    await client.write(garbage);
    await client.closeWrite();
    await client.readToEnd();
  }
  using client = await proxy.client();
  assertEquals((await client.exchange(get("/"))).body, "one");
});

Deno.test("Proxy.start() says what to do when an address is taken", async () => {
  using taken = new RawServer(() => Promise.resolve());
  for (const listen of ["listenHttp", "listenHttps"]) {
    await assertRejects(
      () => TestProxy.start({ rules: [], server: { [listen]: taken.address } }),
      Error,
      `Cannot listen on ${taken.endpoint}: another program does`,
    );
  }
});

Deno.test("Proxy.start() says what to do when the admin address is taken", async () => {
  using taken = new RawServer(() => Promise.resolve());
  await assertRejects(
    () => TestProxy.start({ rules: [], options: { listenAdmin: taken.address } }),
    Error,
    `Cannot listen on ${taken.endpoint}: another program does`,
  );
});

Deno.test("Proxy refuses content that is too large", async () => {
  using backend = new RawServer(async (peer) => void await peer.readToEnd());
  await using proxy = await proxyTo(backend, { server: { maxBodyBytes: 5 } });
  const contents = [
    "Content-Length: 6\r\n\r\nhello!",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
  ];
  for (const content of contents) {
    using client = await proxy.client();
    const answer = await client.exchange(`POST / HTTP/1.1\r\nHost: a.test\r\n${content}`);
    assertEquals(outcome(answer), [413, "body_too_large"], content);
  }
});

Deno.test("Proxy takes content that is as large as it may be", async () => {
  using backend = new Backend(({ body }) => ok(body));
  await using proxy = await proxyTo(backend, { server: { maxBodyBytes: 5 } });
  using client = await proxy.client();
  const contents = [
    "Content-Length: 5\r\n\r\nhello",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  ];
  for (const content of contents) {
    const answer = await client.exchange(`POST / HTTP/1.1\r\nHost: a.test\r\n${content}`);
    assertEquals(answer.body, "hello", content);
  }
});

Deno.test("Proxy answers pipelined requests in order", async () => {
  using backend = new Backend(({ start }) => ok(start));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write(get("/1") + get("/2") + get("/3"));
  for (const path of ["/1", "/2", "/3"]) {
    assertEquals((await client.readMessage()).body, `GET ${path} HTTP/1.1`);
  }
});

Deno.test("Proxy serves HTTP/1.0", async () => {
  using backend = new Backend("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
  const text = await client.readToEnd();
  assert(text.endsWith("\r\n\r\nok"), text);
  assert(!/transfer-encoding/i.test(text), text);
});

Deno.test("Proxy says what it has counted", async () => {
  using backend = new Backend(ok("hello"));
  await using proxy = await proxyTo(backend, {
    options: { listenAdmin: { hostname: "127.0.0.1", port: 0 } },
    server: { metricsWithHosts: true },
  });
  using client = await proxy.client();
  await client.exchange(get("/"));
  await client.exchange("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc");
  await client.exchange("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
  const response = await fetch(`http://${formatAddress(proxy.addresses.admin!)}/metrics`);
  assertMatch(response.headers.get("content-type") ?? "", /^text\/plain/);
  const lines = (await response.text()).split("\n");
  const expected = [
    'pingress_requests_total{host_class="exact",host="a.test",method="GET",code="200"} 1',
    'pingress_requests_total{host_class="exact",host="a.test",method="PUT",code="200"} 1',
    'pingress_requests_total{host_class="none",host="",method="GET",code="404"} 1',
    'pingress_request_duration_seconds_count{host_class="exact",host="a.test"} 2',
    'pingress_request_duration_seconds_bucket{host_class="exact",host="a.test",le="+Inf"} 2',
    'pingress_backend_requests_total{backend="default/one:80"} 2',
    'pingress_backend_errors_total{backend="default/one:80"} 0',
    "pingress_requests_in_flight 0",
    "pingress_incomplete_responses_total 0",
    "pingress_received_bytes_total 3",
    "pingress_connections 1",
    "pingress_connections_accepted_total 1",
    "pingress_connections_refused_total 0",
    "pingress_upstream_connects_total 1",
    "pingress_upstream_connect_failures_total 0",
    "pingress_upstream_retries_total 0",
    "pingress_reloads_total 1",
    "pingress_reload_failures_total 0",
    "pingress_workers 1",
    "pingress_worker_restarts_total 0",
    "pingress_access_log_dropped_total 0",
    "# TYPE pingress_requests_total counter",
  ];
  assertEquals(expected.filter((line) => !lines.includes(line)), [], lines.join("\n"));
});

Deno.test("Proxy writes a line of the access log for each request", async () => {
  using backend = new Backend(ok("hello"));
  let text = "";
  const accessLog = {
    write: (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  await using proxy = await proxyTo(backend, { options: { accessLog }, server: { accessLogRate: 1 } });
  {
    using client = await proxy.client();
    await client.exchange(get("/a/../b?secret=1", "User-Agent: test/1", "X-Request-ID: the-id"));
    await client.exchange("POST /c HTTP/1.1\r\nHost: A.test:80\r\nContent-Length: 3\r\n\r\nabc");
    await client.exchange("GET / HTTP/1.1\r\nHost: b.test\r\n\r\n");
    await client.exchange("nonsense\r\n\r\n");
  }
  await proxy.stop();
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) {
    assertMatch(line.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assert(line.duration_ms >= 0);
    for (const name of ["time", "duration_ms"]) delete line[name];
  }
  const common = { client: "127.0.0.1", scheme: "http", complete: true };
  const first = { ...common, protocol: "HTTP/1.1", method: "GET" };
  const forwarded = { backend: "default/one:80", endpoint: backend.endpoint, retries: 0 };
  assertEquals(lines[0], {
    ...{ ...first, ...forwarded, host: "a.test", path: "/b", status: 200, received: 0, sent: 5 },
    ...{ request_id: "the-id", user_agent: "test/1" },
  });
  assertMatch(lines[1].request_id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assertEquals(lines[1], {
    ...{
      ...first,
      ...forwarded,
      method: "POST",
      host: "a.test",
      path: "/c",
      status: 200,
      received: 3,
      sent: 5,
    },
    request_id: lines[1].request_id,
  });
  assertEquals([lines[2].status, lines[2].error, lines[2].host], [404, "no_route", "b.test"]);
  assertEquals([lines[3].status, lines[3].error, lines[3].method], [400, "bad_request", undefined]);
  assertEquals(lines.length, 4);
});

Deno.test("Proxy tells where a request comes from by the word of a trusted proxy", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend, {
    server: { trustedProxies: ["127.0.0.0/8"], sendsForwarded: true },
  });
  using client = await proxy.client();
  await client.exchange(get("/", "X-Forwarded-For: 9.9.9.9, 1.2.3.4", "X-Forwarded-Proto: https"));
  const told = ["x-forwarded-for", "x-forwarded-proto", "x-real-ip", "forwarded"];
  assertEquals(told.map((name) => valuesOf(backend.requests[0]!, name)[0]), [
    "1.2.3.4, 127.0.0.1",
    "https",
    "1.2.3.4",
    'for=1.2.3.4;host="a.test";proto=https',
  ]);
});

Deno.test("Proxy takes the client from a PROXY protocol header", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend, { server: { proxyProtocolFrom: ["127.0.0.1"] } });
  using client = await proxy.client();
  await client.exchange(`PROXY TCP4 1.2.3.4 10.0.0.1 5000 80\r\n${get("/")}`);
  assertEquals(valuesOf(backend.requests[0]!, "x-real-ip"), ["1.2.3.4"]);
  using without = await proxy.client();
  await without.write(get("/"));
  assertEquals(await without.readToEnd(), "");
  assertEquals(backend.requests.length, 1);
});
