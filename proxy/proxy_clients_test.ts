import { assertEquals } from "@std/assert";
import { get, proxyTo } from "../tests/one_backend.ts";
import { ok, RawServer } from "../tests/peers.ts";
import { within } from "../tests/testing.ts";

Deno.test("Proxy passes an event on before the response ends", async () => {
  const acknowledged = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    await peer.write("data: 1\n\n");
    await acknowledged.promise;
    await peer.write("data: 2\n\n");
  });
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write(get("/"));
  await client.readUntil("data: 1\n\n");
  acknowledged.resolve();
  await client.readUntil("data: 2\n\n");
  await client.readUntil("0\r\n\r\n");
});

/** A backend that takes a request, says so, and answers when it is told to; `ended` has what came after it. */
class SlowBackend extends RawServer {
  readonly asked;
  readonly answer;
  readonly ended;

  constructor(first = "") {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    super(async (peer) => {
      await peer.readMessage();
      await peer.write(first);
      asked.resolve();
      answer.promise.then(() => peer.write(ok("late"))).catch(() => {});
      ended.resolve(await peer.readToEnd());
    });
    this.asked = asked.promise;
    this.answer = answer.resolve;
    this.ended = ended.promise;
  }
}

Deno.test("Proxy cancels a request when its client resets the connection", async () => {
  using backend = new SlowBackend("HTTP/1.1 103 Early Hints\r\n\r\n");
  await using proxy = await proxyTo(backend);
  const { hostname, port } = proxy.addresses.http;
  const client = await Deno.connect({ hostname, port });
  try {
    await client.write(new TextEncoder().encode(get("/")));
    assertEquals(await client.read(new Uint8Array(1)), 1);
  } finally {
    // with bytes that nobody reads: that is a reset
    client.close();
  }
  assertEquals(await within(backend.ended, "the end of the request"), "");
});

Deno.test("Proxy cancels a request when its client closes the connection", async () => {
  using backend = new SlowBackend();
  await using proxy = await proxyTo(backend);
  {
    using client = await proxy.client();
    await client.write(get("/"));
    await backend.asked;
  }
  assertEquals(await within(backend.ended, "the end of the request"), "");
});

Deno.test("Proxy cancels an upload when its client closes the connection", async () => {
  const asked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    await peer.readUntil("\r\n\r\n");
    asked.resolve();
    ended.resolve(await peer.readToEnd());
  });
  await using proxy = await proxyTo(backend);
  {
    using client = await proxy.client();
    await client.write("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
    await asked.promise;
  }
  assertEquals(await within(ended.promise, "the end of the request"), "hello");
});

Deno.test("Proxy gives a client that sends no more its late answer", async () => {
  using backend = new SlowBackend();
  await using proxy = await proxyTo(backend);
  using client = await proxy.client();
  await client.write(get("/"));
  await client.closeWrite();
  await backend.asked;
  // the first byte comes early: by it the proxy sees whether the client is still there
  assertEquals(await client.read(1), "H");
  backend.answer();
  const answer = await client.readMessage();
  assertEquals([answer.start, answer.body], ["TTP/1.1 200 OK", "late"]);
  assertEquals(await client.readToEnd(), "");
});
