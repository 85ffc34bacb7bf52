import { type ClientHttp2Stream, connect, constants } from "node:http2";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectTls } from "../peers.ts";
import { rule, type TestProxy } from "../test_proxy.ts";
import { bytesOf, latin1, within } from "../testing.ts";
import { filled, OK } from "./case.ts";
import { HTTP2_CASES, type Http2Case } from "./http2.ts";
import {
  type Flood,
  FLOODS,
  FRAME_CASES,
  type FrameCase,
  headersFrame,
  NO_WINDOW,
  RIGHT,
  SLOW_FRAMES,
} from "./http2_frame_cases.ts";
import { FLAG, FRAME, frame, numberAt, PREFACE, statusOf, takeFrames } from "./http2_frames.ts";
import { RawClient } from "./raw_client.ts";
import { RecordingBackend } from "./recording_backend.ts";
import { answersOf, checkBackend, checkLog, checkResponse, type Response, startProxy } from "./runner.ts";
import { PATIENCE } from "./signal.ts";
import type { WireField } from "./wire.ts";

/** Connections are kept from one step to the next. */
const SANITIZE = { sanitizeOps: false, sanitizeResources: false };

/** A timeout, in milliseconds. */
const SHORT = 300;

/** More frames than any server may take of a flood. */
const MOST_FRAMES = 20_000;
const FRAMES_AT_ONCE = 50;

/** Who speaks HTTP/2: it depends on whether a host has anything that needs gRPC. */
interface Engine {
  name: "deno" | "node";
  /** Rules that make it the one. */
  rules: readonly unknown[];
}

const ENGINES: readonly Engine[] = [
  { name: "deno", rules: [] },
  { name: "node", rules: [rule("a.test", "/test.Echo", "one", { options: { backendProtocol: "GRPC" } })] },
];

/** Makes a test for each engine. */
function conform(name: string, run: (t: Deno.TestContext, engine: Engine) => Promise<void>): void {
  for (const engine of ENGINES) {
    Deno.test(`Conformance: ${name}, by ${engine.name}`, async (t) => await run(t, engine));
  }
}

conform("HTTP/2 requests", async (t, engine) => {
  using backend = new RecordingBackend();
  await using proxy = await startProxy(backend, {}, engine);
  for (const one of HTTP2_CASES) {
    const fn = () => runHttp2Case(one, { proxy, backend });
    await t.step({
      name: `${one.name} (${one.rfc})`,
      fn: () => limited(fn, one.limitation?.[engine.name]),
      ...SANITIZE,
    });
  }
});

conform("HTTP/2 in clear, where it is allowed, whatever its scheme says (45)", async (_t, engine) => {
  using backend = new RecordingBackend();
  await using proxy = await startProxy(backend, { proxy: { server: { allowsH2c: true } } }, engine);
  backend.begin([], () => "");
  const { hostname, port } = proxy.addresses.http;
  const response = await request({ name: "", rfc: "", headers: { ":scheme": "https" }, expect: OK }, {
    session: connect(`http://${hostname}:${port}`),
  });
  checkResponse(response, OK, { way: "http" });
  const headers = { host: "a.test", "x-forwarded-proto": "http", "x-forwarded-port": "80" };
  await checkBackend([{ is: "GET /x", headers }], { way: "http", proxy, backend });
});

conform("HTTP/2 frames", async (t, engine) => {
  using backend = new RecordingBackend();
  await using proxy = await startProxy(backend, {}, engine);
  for (const one of FRAME_CASES) {
    const fn = () => runFrameCase(one, { proxy, backend });
    await t.step({
      name: `${one.name} (${one.rfc})`,
      fn: () => limited(fn, one.limitation?.[engine.name]),
      ...SANITIZE,
    });
  }
});

conform("HTTP/2 deadlines", async (t, engine) => {
  using backend = new RecordingBackend();
  const server = { idleTimeout: SHORT, clientTimeout: SHORT, headTimeout: SHORT };
  await using proxy = await startProxy(backend, { proxy: { server } }, engine);
  for (const [name, frames, statuses] of SLOW_FRAMES) {
    const fn = async () => {
      backend.begin([], () => "");
      using client = await connectFrames(proxy);
      const start = performance.now();
      await client.write(frames);
      await client.signal.until(() => outcomeOf(client) !== undefined, "an answer or the end");
      const outcome = outcomeOf(client);
      assert(typeof outcome === "string" || statuses.includes(outcome ?? 0), `It was answered: ${outcome}`);
      await client.signal.until(() => client.hasEnded, "the connection to be closed");
      const milliseconds = performance.now() - start;
      assert(
        milliseconds > SHORT / 2,
        `After ${milliseconds} ms ${JSON.stringify(takeFrames(client.received))}`,
      );
      assert(backend.requests.every(({ isWhole }) => !isWhole), "It was served");
    };
    await t.step({ name, fn, ...SANITIZE });
  }
  checkLog(proxy);
});

conform("HTTP/2 clients that allow nothing to be sent (9113 5.2)", async (t, engine) => {
  using backend = new RecordingBackend();
  await using proxy = await startProxy(backend, { proxy: { server: { clientTimeout: SHORT } } }, engine);
  const cases: [name: string, text: string][] = [
    ["an answer that goes on", `Content-Length: 1000000\r\n\r\n${filled(500_000)}`],
    ["an answer that is whole", "Content-Length: 2\r\n\r\nok"],
  ];
  for (const [name, text] of cases) {
    const fn = async () => {
      backend.begin([[{ awaitsRequest: true }, `HTTP/1.1 200 OK\r\n${text}`]], () => "");
      using client = await connectFrames(proxy);
      await client.write(NO_WINDOW + headersFrame(RIGHT));
      await client.signal.until(() => client.hasEnded, "the connection to be closed");
      assertEquals(outcomeOf(client), 200);
      assert(takeFrames(client.received).every(({ type }) => type !== FRAME.DATA), "Content was sent");
      // a whole answer leaves its connection free, a part of one does not
      const isOpen = () => backend.isOpen(backend.requests[0]?.connection ?? 0);
      if (!text.endsWith("ok")) await backend.signal.until(() => !isOpen(), "the backend to be left");
      checkLog(proxy);
    };
    await t.step({ name, fn, ...SANITIZE });
  }
});

conform("HTTP/2 clients are told when the server stops (9113 6.8)", async (_t, engine) => {
  using backend = new RecordingBackend();
  await using proxy = await startProxy(backend, {}, engine);
  backend.begin([], () => "");
  using client = await connectFrames(proxy);
  const frames = (wanted: number) => takeFrames(client.received).filter(({ type }) => type === wanted);
  await client.write(headersFrame(RIGHT));
  await client.signal.until(() => outcomeOf(client) === 200, "an answer");
  const stopped = proxy.stop();
  await client.signal.until(() => frames(FRAME.PING).length > 0, "to be told");
  // a request that was on its way, then the answer to the first GOAWAY
  await client.write(headersFrame(RIGHT, { stream: 3 }));
  await client.write(frame({ type: FRAME.PING, flags: FLAG.ACK, payload: frames(FRAME.PING)[0]!.payload }));
  await client.signal.until(() => client.hasEnded, "the connection to be closed");
  const lastStreams = frames(FRAME.GOAWAY).map(({ payload }) => numberAt(payload, { at: 0, count: 4 }));
  assertEquals(lastStreams, [2 ** 31 - 1, 3]);
  const answer = frames(FRAME.HEADERS).find(({ stream }) => stream === 3);
  assertEquals(statusOf(answer?.payload ?? ""), 200);
  await within(stopped, "the end of the proxy", PATIENCE);
  checkLog(proxy);
});

conform("HTTP/2 floods", async (t, engine) => {
  using backend = new RecordingBackend();
  await using proxy = await startProxy(backend, {}, engine);
  for (const flood of FLOODS) {
    const fn = () => runFlood(flood, proxy);
    await t.step({ name: `${flood.name} (${flood.rfc})`, fn, ...SANITIZE });
  }
});

/** Runs a case of which it may be known that it cannot be as it should. */
async function limited(run: () => Promise<void>, limitation: string | undefined): Promise<void> {
  if (limitation === undefined) return await run();
  await assertRejects(run, Error, undefined, `It is as it should be, although ${limitation}`);
}

interface Setting {
  proxy: TestProxy;
  backend: RecordingBackend;
}

async function runHttp2Case(one: Http2Case, { proxy, backend }: Setting): Promise<void> {
  const logged = proxy.record.lines.length;
  const { https } = proxy.addresses;
  let body = "";
  backend.begin(answersOf({ ...one.backend !== undefined && { backend: one.backend } }), () => body);
  const socket = await connectTls(https, { servername: "a.test", protocols: ["h2"] });
  const session = connect("https://a.test", { createConnection: () => socket });
  const onData = (text: string) => {
    body += text;
    backend.signal.tell();
  };
  const response = await request(one, { session, onData });
  checkResponse(response, one.expect, { way: "https" });
  await checkBackend(one.gets ?? [], { way: "https", proxy, backend });
  checkLog(proxy, logged);
}

/** Makes a request on a connection of its own. @returns the answer, or nothing when there was none. */
async function request(
  { headers = {}, body, trailers }: Http2Case,
  { session, onData }: { session: ReturnType<typeof connect>; onData?: (text: string) => void },
): Promise<Response | undefined> {
  session.on("error", () => {});
  const all = { ":method": "GET", ":authority": "a.test", ":path": "/x", ...headers };
  const stream: ClientHttp2Stream = session.request(all, {
    endStream: body === undefined,
    waitForTrailers: trailers !== undefined,
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  let response: { status: number; fields: WireField[] } | undefined;
  let content = "";
  let isEnded = false;
  stream.on("response", (head) => {
    const fields = Object.entries(head).filter(([name]) => !name.startsWith(":"))
      .flatMap(([name, value]) => [value].flat().map((one): WireField => [name, String(one)]));
    response = { status: Number(head[":status"]), fields };
  });
  stream.on("data", (bytes: Uint8Array) => {
    const text = latin1(bytes);
    content += text;
    onData?.(text);
  });
  if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.on("end", () => isEnded = true);
  stream.on("error", () => {});
  stream.on("close", resolve);
  stream.resume();
  if (body !== undefined) stream.end(bytesOf(body));
  try {
    await within(promise, "an answer over HTTP/2", PATIENCE);
    const isWhole = isEnded && (stream.rstCode ?? 0) === constants.NGHTTP2_NO_ERROR;
    return response === undefined ? undefined : { ...response, body: content, isWhole };
  } finally {
    session.destroy();
  }
}

async function connectFrames(proxy: TestProxy): Promise<RawClient> {
  const client = await RawClient.https(proxy.addresses.https, { servername: "a.test", protocols: ["h2"] });
  await client.write(PREFACE + frame({ type: FRAME.SETTINGS }));
  return client;
}

async function runFrameCase(one: FrameCase, { proxy, backend }: Setting): Promise<void> {
  const logged = proxy.record.lines.length;
  backend.begin([], () => "");
  using client = await connectFrames(proxy);
  await client.write(one.frames);
  let outcome: string | number | undefined;
  await client.signal.until(
    () => (outcome = outcomeOf(client)) !== undefined,
    `an answer; there are ${JSON.stringify(takeFrames(client.received))}`,
  );
  if (one.expect === "refused") {
    assert(typeof outcome === "string" || outcome === 400, `It was answered: ${outcome}`);
  } else assert(typeof outcome === "number" && one.expect.includes(outcome), `It was answered: ${outcome}`);
  const isRight = (one.gets ?? []).every((expected) => typeof expected === "string" || !expected.isCut);
  if (isRight) await checkBackend(one.gets ?? [], { way: "https", proxy, backend });
  // how much of a request that is cut reaches the backend is a matter of time
  else for (const { line, isWhole } of backend.requests) assert(!isWhole, `Whole: ${line}`);
  assertEquals(backend.violations, []);
  checkLog(proxy, logged);
}

/** What has become of stream 1: a status, or how it was refused; nothing yet. */
function outcomeOf({ received, hasEnded }: RawClient): string | number | undefined {
  for (const { type, stream, payload } of takeFrames(received)) {
    if (type === FRAME.HEADERS && stream === 1) return statusOf(payload);
    if (type === FRAME.RST_STREAM && stream === 1) return `reset ${numberAt(payload, { at: 0, count: 4 })}`;
    if (type === FRAME.GOAWAY) return `goaway ${numberAt(payload, { at: 4, count: 4 })}`;
  }
  return hasEnded ? "closed" : undefined;
}

async function runFlood({ start, frames, isBearable }: Flood, proxy: TestProxy): Promise<void> {
  using client = await connectFrames(proxy);
  await client.write(start);
  const isOver = () =>
    client.hasEnded || takeFrames(client.received).some(({ type }) => type === FRAME.GOAWAY);
  for (let count = 0; count < MOST_FRAMES && !isOver(); count += FRAMES_AT_ONCE) {
    const texts = Array.from({ length: FRAMES_AT_ONCE }, (_, index) => frames(count + index));
    await within(client.write(texts.join("")), "a flood to be taken", PATIENCE);
  }
  if (!isBearable) await client.signal.until(isOver, "the connection to be ended");
  using other = await RawClient.http(proxy.addresses.http);
  await other.write("GET /after HTTP/1.1\r\nHost: a.test\r\n\r\n");
  await other.has("\r\n\r\nok");
  checkLog(proxy);
}
