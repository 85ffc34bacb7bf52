import { assertEquals, assertMatch } from "@std/assert";
import { get, outcome, proxyTo } from "../tests/one_backend.ts";
import { Backend, ok, RawServer, valuesOf, type WireMessage } from "../tests/peers.ts";

/** A request to change to WebSocket. */
const UPGRADE = get(
  "/socket?a=b",
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
);

Deno.test("Proxy opens a tunnel for a WebSocket", async () => {
  const requested = Promise.withResolvers<WireMessage>();
  const received = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    requested.resolve(await peer.readMessage());
    // the first bytes come together with the head
    await peer.write(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello",
    );
    for (let round = 0; round < 3; round++) await peer.write((await peer.read(4)).toUpperCase());
    received.resolve(await peer.readToEnd());
    await peer.write("bye");
  });
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  // a client that is in a hurry sends its first bytes together with the request
  await client.write(`${UPGRADE}ping`);
  const answer = await client.readMessage();
  assertEquals(answer.start, "HTTP/1.1 101 Switching Protocols");
  const told = ["connection", "upgrade", "sec-websocket-accept"].map((name) => valuesOf(answer, name));
  assertEquals(told, [["upgrade"], ["websocket"], ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]]);
  assertEquals(await client.read(9), "helloPING");
  for (const bytes of ["\0\xf7\r\n", "ABCD"]) {
    await client.write(bytes);
    assertEquals(await client.read(4), bytes);
  }
  await client.write("last");
  await client.closeWrite();
  assertEquals(await received.promise, "last");
  assertEquals(await client.readToEnd(), "bye");
  const request = await requested.promise;
  assertEquals(request.start, "GET /socket?a=b HTTP/1.1");
  assertEquals(["connection", "upgrade"].map((name) => valuesOf(request, name)), [["upgrade"], [
    "websocket",
  ]]);
});

Deno.test("Proxy ends a tunnel with either side", async () => {
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer, number) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    if (number === 2) ended.resolve(await peer.readToEnd());
  });
  await using proxy = await proxyTo(backend);
  {
    using client = await proxy.client();
    await client.exchange(UPGRADE);
    assertEquals(await client.readToEnd(), "");
  }
  {
    using client = await proxy.client();
    await client.exchange(UPGRADE);
  }
  assertEquals(await ended.promise, "");
});

Deno.test("Proxy passes on the answer of a backend that does not change its protocol", async () => {
  using backend = new Backend("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno");
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  for (let count = 0; count < 2; count++) {
    const answer = await client.exchange(UPGRADE);
    assertEquals([outcome(answer)[0], answer.body], [426, "no"]);
  }
  assertEquals(backend.connections, 1);
});

Deno.test("Proxy passes no other change of protocol on", async () => {
  using backend = new Backend(ok("one"));
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const answer = await client.exchange(
    get(
      "/",
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA",
    ),
  );
  assertEquals(answer.body, "one");
  const [request] = backend.requests;
  assertEquals(["upgrade", "connection", "http2-settings"].flatMap((name) => valuesOf(request!, name)), []);
});

Deno.test("Proxy passes informational responses on, but for 100", async () => {
  using backend = new Backend(
    "HTTP/1.1 100 Continue\r\n\r\n" +
      "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: close\r\n\r\n" +
      "HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n" + ok("page"),
  );
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write(get("/"));
  for (const file of ["a", "b"]) {
    const hints = await client.readMessage();
    assertMatch(hints.start, /^HTTP\/1\.1 103 /);
    assertEquals(hints.headers, [["link", `</${file}.css>; rel=preload`]]);
  }
  const answer = await client.readMessage();
  assertEquals([outcome(answer)[0], answer.body], [200, "page"]);
});

Deno.test("Proxy passes no informational response on to HTTP/1.0", async () => {
  using backend = new Backend(`HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n${ok("page")}`);
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  const answer = await client.exchange("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
  assertEquals([outcome(answer)[0], answer.body], [200, "page"]);
  assertEquals(await client.readToEnd(), "");
});
