import {
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { parseAddress } from "@pingress/config";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bytesOfNumber,
  FLAG,
  FRAME,
  type Frame,
  frame,
  headerBlock,
  PREFACE,
  readFrame,
} from "../../tests/conformance/http2_frames.ts";
import { FakeContent, textOf } from "../../tests/fakes.ts";
import { type Peer, RawServer } from "../../tests/peers.ts";
import { fieldsOf, latin1, pause, until, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { type ErrorReason, errorResponse, ProxyError } from "../errors.ts";
import { Cancellation } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { dial } from "./dial.ts";
import type { Dial, EndpointOptions } from "./endpoint.ts";
import { Http2Endpoint } from "./http2_endpoint.ts";
import { UpstreamPool } from "./pool.ts";
import type { RoundTripOptions, UpstreamRequest, UpstreamResponse } from "./round_trip.ts";
import { upstreamRequest } from "./testing.ts";

/** An endpoint before a backend that a test writes. */
class Setup implements AsyncDisposable {
  readonly cancellation = new Cancellation();
  readonly broken: ProxyError[] = [];
  readonly connects: boolean[] = [];
  readonly endpoint: Http2Endpoint;
  readonly #times: Partial<RoundTripOptions>;
  readonly #close: () => Promise<void>;

  constructor(
    port: number,
    close: () => Promise<void>,
    { times = {}, options = {} }: { times?: Partial<RoundTripOptions>; options?: Partial<EndpointOptions> } =
      {},
  ) {
    this.#times = times;
    this.#close = close;
    this.endpoint = new Http2Endpoint({ hostname: "127.0.0.1", port }, { name: "H2C" }, {
      dial,
      deadlines: new Deadlines(),
      ...{ connectTimeout: 5000, idleTimeout: 4000, maxConnections: 10 },
      onConnect: (succeeded) => this.connects.push(succeeded),
      ...options,
    });
  }

  /** One before `Deno.serve`. */
  static serving(handler: (request: Request) => Response | Promise<Response>, options = {}): Setup {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
    return new Setup(server.addr.port, () => server.shutdown(), options);
  }

  async send(
    changes: Partial<UpstreamRequest> = {},
    { endpoint = this.endpoint, times = this.#times }: {
      endpoint?: Http2Endpoint;
      times?: Partial<RoundTripOptions>;
    } = {},
  ): Promise<UpstreamResponse> {
    const request = upstreamRequest({ cancellation: this.cancellation, ...changes });
    return await endpoint.send(request, {
      responseTimeout: 5000,
      streamTimeout: 5000,
      onBrokenOff: (error) => this.broken.push(error),
      ...times,
    });
  }

  async fails(reason: ErrorReason, changes: Partial<UpstreamRequest> = {}): Promise<void> {
    const error = await assertRejects(() => within(this.send(changes), "a failure"), ProxyError);
    assertEquals([error.reason, this.endpoint.load], [reason, 0], error.message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endpoint.close();
    await within(this.#close(), "the end of the backend");
  }
}

Deno.test("Http2Endpoint.send() sends a request and reads the response", async () => {
  await using setup = Setup.serving(async (request) => {
    const { method, url, headers } = request;
    const text = `${method} ${url} ${headers.get("x-a")} ${headers.get("cookie")} ${await request.text()}`;
    return new Response(text, { status: 201, headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] });
  });
  const fields = fieldsOf("X-A: 1\r\nx-a: 2\r\ncookie: c=3\r\n");
  const response = await setup.send({ target: "/a?b", fields });
  assertEquals([response.status, response.fields.list().filter(([name]) => name === "set-cookie")], [
    201,
    [["set-cookie", "a=1"], ["set-cookie", "b=2"]],
  ]);
  assertEquals(await textOf(response.body), "GET http://a.test/a?b 1, 2 c=3 ");
  assertEquals([setup.endpoint.load, setup.connects], [0, [true]]);
});

Deno.test("Http2Endpoint.send() sends content, and none where there is none", async () => {
  await using setup = Setup.serving(async (request) => {
    const length = request.headers.get("content-length");
    return new Response(`${request.method} ${length} ${await request.text()}`);
  });
  const upload = () => new FakeContent().send("he").send("llo").end();
  const cases: [Partial<UpstreamRequest>, expected: string][] = [
    [{ method: "POST", body: upload() }, "POST null hello"],
    [{ method: "GET" }, "GET null "],
    [{ method: "DELETE" }, "DELETE null "],
  ];
  for (const [request, expected] of cases) {
    assertEquals(await textOf((await setup.send(request)).body), expected);
  }
  assertEquals(setup.connects, [true], "one connection is for all");
});

Deno.test("Http2Endpoint.send() sends requests at the same time over one connection", async () => {
  const release = Promise.withResolvers<void>();
  let running = 0;
  await using setup = Setup.serving(async (request) => {
    if (++running === 3) release.resolve();
    await release.promise;
    return new Response(new URL(request.url).pathname);
  });
  const responses = await Promise.all(["/1", "/2", "/3"].map((target) => setup.send({ target })));
  assertEquals(setup.endpoint.load, 3);
  assertEquals(await Promise.all(responses.map(({ body }) => textOf(body))), ["/1", "/2", "/3"]);
  assertEquals([setup.endpoint.load, setup.connects], [0, [true]]);
});

Deno.test("Http2Endpoint.send() reads no content where there is none", async () => {
  await using setup = Setup.serving(({ method, url }) =>
    method === "HEAD"
      ? new Response("hello", { headers: { "content-length": "5" } })
      : new Response(null, { status: url.endsWith("/304") ? 304 : 204 })
  );
  for (const [method, target] of [["HEAD", "/"], ["GET", "/204"], ["GET", "/304"]] as const) {
    const { body } = await setup.send({ method, target });
    assertEquals([await textOf(body), setup.endpoint.load], ["", 0], `${method} ${target}`);
  }
});

Deno.test("Http2Endpoint.send() passes a response on as it comes", async () => {
  const asked = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  await using setup = Setup.serving(() =>
    new Response(new ReadableStream<Uint8Array>({ start: (given) => asked.resolve(given) }))
  );
  const running = setup.send();
  const controller = await within(asked.promise, "the request");
  controller.enqueue(new TextEncoder().encode("one"));
  const { body } = await running;
  assertEquals(latin1((await within(body!.next(), "a piece"))!), "one");
  controller.enqueue(new TextEncoder().encode("two"));
  assertEquals(latin1((await within(body!.next(), "a piece"))!), "two");
  controller.close();
  assertEquals(await textOf(body), "");
  assertEquals(setup.endpoint.load, 0);
});

Deno.test("Http2Endpoint.send() lets content fail that the backend breaks off", async () => {
  const failing = new Error("BUG of the backend");
  failing.stack = failing.message;
  await using setup = Setup.serving(() =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull: (controller) => {
          controller.enqueue(new TextEncoder().encode("hello"));
          controller.error(failing);
        },
      }, { highWaterMark: 0 }),
    )
  );
  const error = await assertRejects(
    () => within(setup.send().then(({ body }) => textOf(body)), "a failure"),
    ProxyError,
  );
  assertEquals([setup.endpoint.load, error.reason.startsWith("upstream_")], [0, true]);
});

/** A backend that does with each stream and connection what a test says. */
async function scripted(
  onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
  { settings = {}, ...options }: ConstructorParameters<typeof Setup>[2] & { settings?: Settings } = {},
): Promise<Setup> {
  const server: Http2Server = createServer({ settings });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    onStream(stream as ServerHttp2Stream, stream.session as ServerHttp2Session);
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const close = () => {
    for (const session of sessions) session.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return new Setup((server.address() as AddressInfo).port, close, options);
}

/** A backend that answers every connection's first request with frames of stream 1. */
class FrameBackend {
  /** The frames have been read by the proxy. */
  readonly read = Promise.withResolvers<void>();
  readonly server: RawServer;

  constructor(...frames: Frame[]) {
    this.server = new RawServer(async (peer) => {
      await peer.read(PREFACE.length);
      await peer.write(frame({ type: FRAME.SETTINGS }));
      await nextFrame(peer, FRAME.HEADERS);
      // in one piece, so that nothing happens between them
      await peer.write([...frames.map((one) => frame({ stream: 1, ...one })), frame(PING)].join(""));
      while ((await nextFrame(peer, FRAME.PING)).flags !== FLAG.ACK);
      this.read.resolve();
      await peer.readToEnd();
    });
  }

  setup(options = {}): Setup {
    const close = () => Promise.resolve(this.server[Symbol.dispose]());
    return new Setup(this.server.address.port, close, options);
  }
}

const PING: Frame = { type: FRAME.PING, payload: "12345678" };

async function nextFrame(peer: Peer, type: number): Promise<Required<Frame>> {
  for (;;) {
    const read = await readFrame((count) => peer.read(count));
    if (read.type === type) return read;
  }
}

function headOf(fields: [name: string, value: string][], flags = 0): Frame {
  return { type: FRAME.HEADERS, flags: FLAG.END_HEADERS | flags, payload: headerBlock(fields) };
}

function resetBy(code: number): Frame {
  return { type: FRAME.RST_STREAM, payload: bytesOfNumber(code, 4) };
}

Deno.test("Http2Endpoint.send() takes for whole what ends, and nothing that is reset before", async (t) => {
  const head = headOf([[":status", "200"]]);
  const trailers = headOf([["x", "y"]], FLAG.END_STREAM);
  const data: Frame = { type: FRAME.DATA, payload: "x".repeat(10_000) };
  const last: Frame = { ...data, flags: FLAG.END_STREAM };
  const empty: Frame = { type: FRAME.DATA, flags: FLAG.END_STREAM };
  const [noError, cancel] = [resetBy(0), resetBy(8)];
  const cases: [name: string, frames: Frame[], expected: number | undefined][] = [
    ["content", [head, data, data, last], 30_000],
    ["the end alone", [head, data, data, empty], 20_000],
    ["trailers", [head, data, data, trailers], 20_000],
    ["no content", [headOf([[":status", "200"]], FLAG.END_STREAM)], 0],
    ["content, and a reset behind it", [head, data, data, last, noError], 30_000],
    ["trailers, and a reset behind them", [head, data, data, trailers, noError], 20_000],
    ["a reset without an error behind content", [head, data, noError], undefined],
    ["a reset without an error behind more content", [head, data, data, data, noError], undefined],
    ["a reset without an error behind the head", [head, noError], undefined],
    ["a reset with an error", [head, data, data, data, cancel], undefined],
  ];
  for (const [name, frames, expected] of cases) {
    for (const method of ["GET", "POST"]) {
      for (const isSlow of [false, true]) {
        await t.step(`${name}: ${method}${isSlow ? ", read late" : ""}`, async () => {
          const backend = new FrameBackend(...frames);
          await using setup = backend.setup();
          // an upload that goes on behind the end of the response
          const body = method === "POST" ? new FakeContent().send("ab") : null;
          const response = await within(setup.send({ method, body }), "a response");
          if (isSlow) {
            await within(backend.read.promise, "all frames to be read");
            body?.send("cd");
            // it is not sent any more then, and what was sent before is read nevertheless
            if (frames.includes(noError)) await body?.closed();
          }
          const reading = within(textOf(response.body), "the content");
          if (expected === undefined) await assertRejects(() => reading, ProxyError);
          else assertEquals((await reading).length, expected);
          assertEquals([setup.endpoint.load, setup.broken.length], [0, expected === undefined ? 1 : 0]);
          body?.end();
        });
      }
    }
  }
});

Deno.test("Http2Endpoint.send() takes no response without a final status", async (t) => {
  const cases: [string, fields: [name: string, value: string][]][] = [
    ["42", [[":status", "42"]]],
    ["099", [[":status", "099"]]],
    ["an informational one, and the end", [[":status", "199"]]],
    ["101", [[":status", "101"]]],
    ["600", [[":status", "600"]]],
    ["999", [[":status", "999"]]],
    ["2000", [[":status", "2000"]]],
    ["no number", [[":status", "abc"]]],
    ["nothing", [[":status", ""]]],
    ["none", [["x", "200"]]],
    ["two", [[":status", "200"], [":status", "200"]]],
    ["one behind other fields", [["x", "y"], [":status", "200"]]],
  ];
  for (const [name, fields] of cases) {
    await t.step(name, async () => {
      const backend = new FrameBackend(headOf(fields, FLAG.END_STREAM));
      await using setup = backend.setup();
      const error = await assertRejects(() => within(setup.send(), "a failure"), ProxyError);
      assertEquals([errorResponse(error.reason).status, setup.endpoint.load], [502, 0], error.message);
    });
  }
});

Deno.test("Http2Endpoint.send() takes nothing short for whole when the connection breaks off", async () => {
  const breakOff = Promise.withResolvers<void>();
  await using setup = await scripted((stream, session) => {
    stream.respond({ ":status": 200 });
    stream.write("hello");
    breakOff.promise.then(() => session.destroy());
  });
  const { body } = await within(setup.send(), "a response");
  assertEquals(latin1((await within(body!.next(), "a piece"))!), "hello");
  breakOff.resolve();
  await assertRejects(() => within(textOf(body), "a failure"), ProxyError);
  assertEquals([setup.endpoint.load, setup.broken.length], [0, 1]);
});

Deno.test("Http2Endpoint.send() takes nothing short for whole when the backend shuts down", async () => {
  const asked = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(new ReadableStream<Uint8Array>({ start: (given) => asked.resolve(given) })),
  );
  const ended = Promise.withResolvers<void>();
  await using setup = new Setup(server.addr.port, () => ended.promise);
  const running = setup.send();
  const controller = await within(asked.promise, "the request");
  controller.enqueue(new TextEncoder().encode("hello"));
  const { body } = await within(running, "a response");
  assertEquals(latin1((await within(body!.next(), "a piece"))!), "hello");
  server.shutdown().then(ended.resolve);
  // it has long heard that the server leaves
  const finished = pause(200).then(() => {
    controller.enqueue(new TextEncoder().encode("world"));
    controller.close();
  }).catch(() => {}); // its client has gone
  // all of it would be best
  const rest = await within(textOf(body), "the rest").catch((error: Error) => error);
  assert(rest === "world" || rest instanceof ProxyError, `${rest}`);
  await finished;
});

Deno.test("Http2Endpoint.send() ends with its client", async () => {
  const asked = Promise.withResolvers<void>();
  const reset = Promise.withResolvers<void>();
  await using setup = await scripted((stream) => {
    stream.on("close", reset.resolve);
    asked.resolve();
  });
  const failing = setup.fails("client_gone");
  await asked.promise;
  setup.cancellation.cancel();
  await failing;
  await within(reset.promise, "the end of the stream");
});

Deno.test("Http2Endpoint.send() breaks off when the client's content does", async () => {
  const cases: [error: Error, reason: ErrorReason][] = [
    [new ProxyError("body_too_large", "the content is too large"), "body_too_large"],
    [new ProxyError("client_timeout", "the content took too long"), "client_timeout"],
    [new Error("the client is gone"), "client_gone"],
  ];
  for (const [error, reason] of cases) {
    await using setup = await scripted(() => {});
    await setup.fails(reason, { method: "POST", body: new FakeContent().send("ab").fail(error) });
  }
});

Deno.test("Http2Endpoint.send() gives up on a backend that does nothing", async () => {
  await using setup = await scripted(() => {}, { times: { responseTimeout: 20 } });
  await setup.fails("upstream_timeout");
});

Deno.test("Http2Endpoint.send() gives up on a response that is silent for too long", async () => {
  await using setup = await scripted((stream) => {
    stream.respond({ ":status": 200 });
    stream.write("hello");
  }, { times: { streamTimeout: 50 } });
  const { body } = await setup.send();
  const error = await assertRejects(() => within(textOf(body), "a failure"), ProxyError);
  assertEquals([error.reason, setup.endpoint.load], ["upstream_timeout", 0]);
});

Deno.test("Http2Endpoint.open() says that the backend cannot be reached, and passes it over", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using setup = new Setup(port, () => Promise.resolve());
  assertEquals([setup.endpoint.isForgettable, setup.endpoint.isPassedOver], [true, false]);
  const error = await assertRejects(() => setup.endpoint.open(), ProxyError);
  assertEquals(error.reason, "upstream_unreachable");
  assertEquals([setup.endpoint.isForgettable, setup.endpoint.isPassedOver], [false, true]);
  assertEquals([setup.endpoint.load, setup.connects], [0, [false]]);
});

Deno.test("Http2Endpoint.sweep() closes a connection that nobody uses", async () => {
  await using setup = Setup.serving(() => new Response("ok"), { options: { idleTimeout: 20 } });
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
  writing.pace = { wait: () => new Promise((resolve) => setTimeout(resolve, 50)), most: 4096 };
  const body = new FakeContent().send("x".repeat(100_000)).end();
  const upload = setup.send({ method: "POST", body }, { times: { responseTimeout: 5000, sendTimeout: 400 } });
  const failure = await assertRejects(() => within(setup.send(), "a failure"), ProxyError);
  assertEquals(failure.reason, "upstream_timeout");
  assertEquals((await within(upload, "the answer to the upload")).status, 200);
});

Deno.test("Http2Endpoint.sweep() leaves a connection that is being opened", async () => {
  await using setup = Setup.serving(() => new Response("ok"), { options: { idleTimeout: 0 } });
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
  await using setup = new Setup(server.addr.port, () => server.finished);
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

Deno.test("Http2Endpoint.send() carries trailers both ways", async () => {
  const got = Promise.withResolvers<unknown>();
  await using setup = await scripted((stream) => {
    stream.on("trailers", (headers) => got.resolve(Object.entries(headers)));
    stream.on("wantTrailers", () => stream.sendTrailers({ "x-tail": "2", "pingress-error": "no" }));
    stream.on("end", () => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.end("hello");
    }).resume();
  });
  const trailers = () => Fields.of([["x-tail", "1"]]);
  const body = Object.assign(new FakeContent().send("hello").end(), { trailers });
  const response = await setup.send({ method: "POST", body });
  assertEquals(await textOf(response.body), "hello");
  assertEquals(response.body?.trailers?.()?.list(), [["x-tail", "2"]]);
  assertEquals(await within(got.promise, "the trailers"), [["x-tail", "1"]]);
});
