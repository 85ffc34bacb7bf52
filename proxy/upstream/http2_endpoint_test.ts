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
import { fieldsOf, latin1, pause, within } from "../../tests/testing.ts";
import { type ErrorReason, errorResponse, ProxyError } from "../errors.ts";
import { Fields } from "../http1/fields.ts";
import type { UpstreamRequest } from "./round_trip.ts";
import { Http2Setup, scripted } from "./testing.ts";

Deno.test("Http2Endpoint.send() sends a request and reads the response", async () => {
  await using setup = Http2Setup.serving(async (request) => {
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
  await using setup = Http2Setup.serving(async (request) => {
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
  await using setup = Http2Setup.serving(async (request) => {
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
  await using setup = Http2Setup.serving(({ method, url }) =>
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
  await using setup = Http2Setup.serving(() =>
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
  await using setup = Http2Setup.serving(() =>
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

  setup(options = {}): Http2Setup {
    const close = () => Promise.resolve(this.server[Symbol.dispose]());
    return new Http2Setup(this.server.address.port, close, options);
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
  await using setup = new Http2Setup(server.addr.port, () => ended.promise);
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
