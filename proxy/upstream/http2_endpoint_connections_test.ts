import type { ServerHttp2Stream } from "node:http2";
import { parseAddress } from "@pingress/config";
import { assertEquals, assertRejects } from "@std/assert";
import { FakeContent, textOf } from "../../tests/fakes.ts";
import { pause, until, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { ProxyError } from "../errors.ts";
import { dial } from "./dial.ts";
import type { Dial } from "./endpoint.ts";
import type { Http2Endpoint } from "./http2_endpoint.ts";
import { UpstreamPool } from "./pool.ts";
import { Http2Setup, scripted } from "./testing.ts";

Deno.test("Http2Endpoint.open() says that the backend cannot be reached, and passes it over", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using setup = new Http2Setup(port, () => Promise.resolve());
  assertEquals([setup.endpoint.isForgettable, setup.endpoint.isPassedOver], [true, false]);
  const error = await assertRejects(() => setup.endpoint.open(), ProxyError);
  assertEquals(error.reason, "upstream_unreachable");
  assertEquals([setup.endpoint.isForgettable, setup.endpoint.isPassedOver], [false, true]);
  assertEquals([setup.endpoint.load, setup.connects], [0, [false]]);
});

Deno.test("Http2Endpoint.sweep() closes a connection that nobody uses", async () => {
  await using setup = Http2Setup.serving(() => new Response("ok"), { options: { idleTimeout: 20 } });
  const { body } = await setup.send();
  // longer than a connection may be idle
  await pause(40);
  setup.endpoint.sweep();
  assertEquals(setup.endpoint.isForgettable, false, "a request is running");
  assertEquals(await textOf(body), "ok");
  setup.endpoint.sweep();
  assertEquals(setup.endpoint.isForgettable, false, "it has only just ended");
  await pause(40);
  setup.endpoint.sweep();
  assertEquals(setup.endpoint.isForgettable, true);
  assertEquals(await textOf((await setup.send()).body), "ok");
  assertEquals(setup.connects, [true, true]);
});

Deno.test("Http2Endpoint.open() forgets no other connection than the one that has ended", async () => {
  const streams: ServerHttp2Stream[] = [];
  const firstEnded = Promise.withResolvers<void>();
  await using setup = await scripted((stream, session) => {
    if (streams.push(stream) === 1) session.on("close", firstEnded.resolve);
    stream.respond({ ":status": 200 });
  });
  const first = await setup.send();
  // it ends with its last request, when there is another one already
  setup.endpoint.close();
  const second = await setup.send();
  streams[0]?.end();
  await textOf(first.body);
  await within(firstEnded.promise, "the end of the first connection");
  const third = await setup.send();
  assertEquals(setup.connects, [true, true]);
  for (const stream of streams.slice(1)) stream.end();
  for (const { body } of [second, third]) await textOf(body);
});

Deno.test("Http2Endpoint.open() opens one connection for all who find that the last one has ended", async () => {
  await using setup = await scripted((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  await textOf((await setup.send()).body);
  // both begin before anybody has been told
  const session = await setup.endpoint.open();
  session.destroy();
  const responses = await Promise.all([setup.send(), setup.send()]);
  for (const { body } of responses) await textOf(body);
  assertEquals([setup.connects, setup.endpoint.load], [[true, true], 0]);
});

Deno.test("Http2Endpoint.send() gives up the connection on which nothing came, and no other", async () => {
  const silent = Promise.withResolvers<void>();
  let count = 0;
  await using setup = await scripted((stream) => {
    if ([1, 3].includes(++count)) silent.resolve();
    else stream.respond({ ":status": 200 }, { endStream: true });
  }, { times: { responseTimeout: 300 } });
  const failing = assertRejects(() => within(setup.send(), "a failure"), ProxyError);
  await silent.promise;
  setup.endpoint.close();
  await textOf((await setup.send()).body);
  await failing;
  await setup.fails("upstream_timeout");
  assertEquals(setup.connects, [true, true], "the second connection was given up for the first one");
  await textOf((await setup.send()).body);
  assertEquals(setup.connects, [true, true, true], "the second connection was used again");
});

/** Opens connections that write as a test says, until they are closed. */
class Writing {
  readonly closed = Promise.withResolvers<void>();
  /** Waits before so many of the bytes are written. */
  pace: { wait: () => Promise<void>; most: number } | undefined;

  readonly dial: Dial = async (address, options) => {
    const transport = await dial(address, options);
    return {
      read: (into) => transport.read(into),
      write: async (bytes) => {
        if (this.pace === undefined) return await transport.write(bytes);
        const { wait, most } = this.pace;
        await Promise.race([wait(), this.closed.promise]);
        return await transport.write(bytes.subarray(0, most));
      },
      closeWrite: () => transport.closeWrite(),
      close: () => {
        this.closed.resolve();
        transport.close();
      },
    };
  };
}

Deno.test("Http2Endpoint.send() closes a connection of which the backend takes nothing any more", async () => {
  const writing = new Writing();
  await using setup = await scripted(
    (stream) => stream.respond({ ":status": 200 }, { endStream: true }),
    { times: { responseTimeout: 300 }, options: { dial: writing.dial, connectTimeout: 300 } },
  );
  await textOf((await setup.send()).body);
  writing.pace = { wait: () => new Promise(() => {}), most: 0 };
  const body = new FakeContent().send("x".repeat(200_000)).send("x");
  const failing = [setup.send(), setup.send({ method: "POST", body })].map((sending) =>
    assertRejects(() => within(sending, "a failure"), ProxyError)
  );
  for (const { reason } of await Promise.all(failing)) assertEquals(reason, "upstream_timeout");
  await within(writing.closed.promise, "the end of the connection");
  await body.closed();
  writing.pace = undefined;
  await textOf((await setup.send()).body);
  assertEquals([setup.connects, setup.endpoint.load], [[true, true], 0]);
});

Deno.test("Http2Endpoint.send() leaves an upload alone that a backend takes slowly, whoever gives up beside it", async () => {
  const writing = new Writing();
  let count = 0;
  await using setup = await scripted((stream) => {
    if (++count > 1) return;
    stream.on("end", () => stream.respond({ ":status": 200 }, { endStream: true })).resume();
  }, { times: { responseTimeout: 200 }, options: { dial: writing.dial, connectTimeout: 400 } });
  await setup.endpoint.open();
  // all of it takes longer than the other request waits, and no piece as long as the upload may
  writing.pace = { wait: () => pause(50), most: 4096 };
  const body = new FakeContent().send("x".repeat(100_000)).end();
  const upload = setup.send({ method: "POST", body }, { times: { responseTimeout: 5000, sendTimeout: 400 } });
  const failure = await assertRejects(() => within(setup.send(), "a failure"), ProxyError);
  assertEquals(failure.reason, "upstream_timeout");
  assertEquals((await within(upload, "the answer to the upload")).status, 200);
});

Deno.test("Http2Endpoint.sweep() leaves a connection that is being opened", async () => {
  await using setup = Http2Setup.serving(() => new Response("ok"), { options: { idleTimeout: 0 } });
  const opening = setup.endpoint.open();
  setup.endpoint.sweep();
  assertEquals([setup.endpoint.isForgettable, setup.endpoint.load], [false, 1]);
  await opening;
  assertEquals(await textOf((await setup.send()).body), "ok");
  assertEquals(setup.connects, [true]);
});

Deno.test("Http2Endpoint is not forgotten by its pool while it has a request", async () => {
  let stream!: ServerHttp2Stream;
  await using setup = await scripted((given) => {
    stream = given;
    stream.respond({ ":status": 200 });
  });
  const address = parseAddress(setup.endpoint.name)!;
  const connects: boolean[] = [];
  const pool = new UpstreamPool({
    deadlines: new Deadlines(),
    ...{ connectTimeout: 5000, idleTimeout: 1, maxConnections: 10 },
    onConnect: (succeeded) => connects.push(succeeded),
  });
  try {
    const endpoint = pool.endpoint(address, { name: "H2C" }) as Http2Endpoint;
    const { body } = await setup.send({}, { endpoint });
    const swept = Promise.withResolvers<void>();
    const { sweep } = endpoint;
    endpoint.sweep = () => {
      sweep.call(endpoint);
      swept.resolve();
    };
    await within(swept.promise, "the pool to look at it");
    assertEquals(pool.endpoint(address, { name: "H2C" }), endpoint);
    stream.end("hello");
    assertEquals([await textOf(body), connects], ["hello", [true]]);
    await until(() => pool.endpoint(address, { name: "H2C" }) !== endpoint, "the pool to forget it");
    assertEquals(endpoint.isForgettable, true, "its connection is left open");
  } finally {
    pool.close();
  }
});

Deno.test("Http2Endpoint.send() lets requests finish whose backend says GOAWAY, twice as hyper does", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    asked.resolve();
    await release.promise;
    return new Response("late");
  });
  await using setup = new Http2Setup(server.addr.port, () => server.finished);
  const running = setup.send();
  await asked.promise;
  server.shutdown();
  // it takes no more
  while (setup.connects.length < 2) {
    await setup.endpoint.open().catch(() => {});
    // its farewell is on its way, and nobody tells when it is here
    await pause(10);
  }
  release.resolve();
  assertEquals(await within(running.then(({ body }) => textOf(body)), "the answer"), "late");
});

Deno.test("Http2Endpoint.send() opens one more connection when the backend takes no more on one", async () => {
  const streams: ServerHttp2Stream[] = [];
  await using setup = await scripted((stream) => {
    stream.respond({ ":status": 200 });
    streams.push(stream);
  }, { options: { maxConnections: 3 }, settings: { maxConcurrentStreams: 2 } });
  const responses = await Promise.all(Array.from({ length: 6 }, () => setup.send()));
  assertEquals([setup.connects.length, new Set(streams.map(({ session }) => session)).size], [3, 3]);
  // no more connections may be had: it waits for its place on one of them
  const waiting = setup.send();
  for (const stream of streams) stream.end();
  for (const { body } of responses) await textOf(body);
  const last = await waiting;
  streams.at(-1)?.end();
  await textOf(last.body);
  assertEquals([setup.connects.length, setup.endpoint.load], [3, 0]);
});
