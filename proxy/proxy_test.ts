import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  Backend,
  ok,
  randomBytes,
  RawServer,
  rule,
  sha256,
  TestProxy,
  valuesOf,
  type WireMessage,
} from "../tests/testing.ts";

/** Starts a proxy that sends every request of a.test to one backend. */
async function proxyTo(backend: { endpoint: string }, options = {}): Promise<TestProxy> {
  return await TestProxy.start({
    rules: [rule("a.test", "/", "one")],
    endpoints: { "default/one:80": [backend.endpoint] },
    options,
  });
}

/** The status of an answer and what Pingress says of it. */
function outcome(message: WireMessage): [status: number, error: string | undefined] {
  return [Number(message.start.split(" ")[1]), valuesOf(message, "pingress-error")[0]];
}

/** The text of a request with more header lines. */
function get(target: string, ...lines: string[]): string {
  return `GET ${target} HTTP/1.1\r\n${["Host: a.test", ...lines].join("\r\n")}\r\n\r\n`;
}

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
  assertEquals(request?.headers, [
    ["host", "A.test:8080"],
    ["accept", "*/*"],
    ["accept-encoding", "gzip"],
    ["cookie", "a=1"],
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
  assertEquals(answer.headers.filter(([name]) => name !== "vary").toSorted(), [
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
  for (let count = 0; count < 2; count++) assertEquals(outcome(await client.exchange(get("/")))[0], 204);
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
    options: { responseTimeout: 50 },
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
    get("http://b.test/"),
    get("http://a.test:81/"),
    get("http://user@a.test/"),
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

Deno.test("Proxy takes a target in absolute-form that says what Host says", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  assertEquals((await client.exchange(get("http://a.test/x?y"))).body, "one");
  assertEquals(backend.requests[0]?.start, "GET /x?y HTTP/1.1");
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

Deno.test("Proxy refuses content on GET and HEAD, which Deno.serve would drop", async () => {
  using backend = new Backend(ok(""));
  await using proxy = await proxyTo(backend);
  for (const method of ["GET", "HEAD"]) {
    for (
      const content of [
        "Content-Length: 2\r\n\r\nhi",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
      ]
    ) {
      using client = await proxy.client();
      const answer = await client.exchange(`${method} / HTTP/1.1\r\nHost: a.test\r\n${content}`);
      assertEquals(outcome(answer), [501, "body_not_supported"]);
    }
  }
  assertEquals(backend.connections, 0);
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
  await using proxy = await proxyTo(backend);
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
      () => TestProxy.start({ rules: [], options: { [listen]: taken.address } }),
      Error,
      `Cannot listen on ${taken.endpoint}: another program does`,
    );
  }
});
