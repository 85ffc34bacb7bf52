import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { bytesOf, FakeTransport, latin1 } from "../../tests/testing.ts";
import { type ErrorReason, ProxyError } from "../errors.ts";
import type { Body } from "../exchange.ts";
import { UpstreamConnection } from "./connection.ts";
import {
  roundTrip,
  StaleConnectionError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./round_trip.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A connection on which one exchange after the other is made. */
class Trip {
  readonly connection: UpstreamConnection;
  readonly transport: FakeTransport;
  readonly abort = new AbortController();
  released = 0;

  constructor(...pieces: string[]) {
    this.transport = new FakeTransport(...pieces);
    this.connection = new UpstreamConnection("10.0.0.1:80", this.transport);
  }

  async run(changes: Partial<UpstreamRequest> = {}, responseTimeout = 5000): Promise<UpstreamResponse> {
    const request: UpstreamRequest = {
      method: "GET",
      target: "/",
      headers: [["host", "a.test"]],
      body: null,
      contentLength: undefined,
      signal: this.abort.signal,
      ...changes,
    };
    return await roundTrip(this.connection, request, { responseTimeout, release: () => this.released++ });
  }

  /** Runs and expects a failure that closes the connection. */
  async fails(
    reason: ErrorReason,
    changes: Partial<UpstreamRequest> = {},
    responseTimeout = 5000,
  ): Promise<void> {
    const error = await assertRejects(() => this.run(changes, responseTimeout), ProxyError);
    assertEquals([error.reason, this.transport.isClosed, this.released], [reason, true, 0], error.message);
  }
}

async function textOf(body: Body): Promise<string> {
  return latin1(await new Response(body).bytes());
}

/** Content whose pieces come when a test says so. */
class Upload {
  readonly cancelled = Promise.withResolvers<unknown>();
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

  constructor(...pieces: string[]) {
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: (reason) => this.cancelled.resolve(reason),
    });
    for (const piece of pieces) this.send(piece);
  }

  send(piece: string): this {
    this.#controller.enqueue(bytesOf(piece));
    return this;
  }

  end(): this {
    this.#controller.close();
    return this;
  }

  fail(): this {
    this.#controller.error(new Error("the client is gone"));
    return this;
  }
}

Deno.test("roundTrip() sends a request, reads the response and gives the connection back", async () => {
  const trip = new Trip("HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello");
  const response = await trip.run({ target: "/a?b", headers: [["host", "a.test"], ["x", "y"]] });
  assertEquals([response.status, response.headers], [201, [["x-a", "b"], ["content-length", "5"]]]);
  assertEquals(await textOf(response.body), "hello");
  assertEquals(trip.transport.written, "GET /a?b HTTP/1.1\r\nhost: a.test\r\nx: y\r\n\r\n");
  assertEquals([trip.released, trip.transport.isClosed], [1, false]);
});

Deno.test("roundTrip() makes one exchange after the other", async () => {
  const trip = new Trip();
  for (let exchange = 1; exchange <= 3; exchange++) {
    trip.transport.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no").send("k\r\n0\r\n\r\n");
    assertEquals(await textOf((await trip.run()).body), "ok");
    assertEquals(trip.released, exchange);
  }
});

Deno.test("roundTrip() frames the request's content", async () => {
  const head = (method: string) => `${method} / HTTP/1.1\r\nhost: a.test\r\n`;
  const cases: [Partial<UpstreamRequest>, string][] = [
    [{ method: "GET" }, `${head("GET")}\r\n`],
    [{ method: "DELETE" }, `${head("DELETE")}\r\n`],
    [{ method: "POST" }, `${head("POST")}content-length: 0\r\n\r\n`],
    [{ method: "PUT" }, `${head("PUT")}content-length: 0\r\n\r\n`],
    [
      { method: "POST", body: new Upload("ab", "c").end().stream, contentLength: 3 },
      `${head("POST")}content-length: 3\r\n\r\nabc`,
    ],
    [
      { method: "POST", body: new Upload("ab", "c").end().stream },
      `${head("POST")}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`,
    ],
    [
      { method: "POST", body: new Upload().end().stream, contentLength: 0 },
      `${head("POST")}content-length: 0\r\n\r\n`,
    ],
  ];
  for (const [request, expected] of cases) {
    const trip = new Trip();
    const response = trip.run(request);
    await trip.transport.has(expected);
    trip.transport.send(OK);
    await response;
    assertEquals([trip.transport.written, trip.released], [expected, 1]);
  }
});

Deno.test("roundTrip() passes over informational responses, but not over too many", async () => {
  const informational = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  assertEquals((await new Trip(informational + OK).run()).status, 200);
  assertEquals((await new Trip(informational.repeat(5) + OK).run()).status, 200);
  await new Trip(informational.repeat(6) + OK).fails("upstream_invalid");
});

Deno.test("roundTrip() refuses a response that it cannot be sure of", async () => {
  const cases = [
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n${OK}`,
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
    "HTTP/1.1 099 Low\r\n\r\n",
    "hello\r\n\r\n",
    "SSH-2.0-OpenSSH\r\n",
  ];
  for (const response of cases) {
    const trip = new Trip(response);
    trip.transport.end();
    await trip.fails("upstream_invalid");
  }
});

Deno.test("roundTrip() tells a backend that says nothing from one that breaks off", async () => {
  const silent = new Trip();
  silent.transport.end();
  await silent.fails("upstream_unreachable");
  const reset = new Trip();
  reset.transport.fail(new Deno.errors.ConnectionReset("reset"));
  await reset.fails("upstream_unreachable");
  const partial = new Trip("HTTP/1.1 200 OK\r\nCont");
  partial.transport.end();
  await partial.fails("upstream_invalid");
});

Deno.test("roundTrip() lets a body fail that breaks off", async () => {
  const cases = [
    "Content-Length: 10\r\n\r\nhello",
    "Content-Length: 10\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!",
  ];
  for (const rest of cases) {
    for (const error of [undefined, new Deno.errors.ConnectionReset("reset")]) {
      const trip = new Trip(`HTTP/1.1 200 OK\r\n${rest}`);
      const { body } = await trip.run();
      if (error === undefined) trip.transport.end();
      else trip.transport.fail(error);
      await assertRejects(() => textOf(body), Error, "", rest);
      assertEquals([trip.transport.isClosed, trip.released], [true, 0]);
    }
  }
});

Deno.test("roundTrip() reads no content where there is none", async () => {
  const cases: [method: string, status: string][] = [["HEAD", "200 OK"], ["GET", "204 No"], [
    "GET",
    "304 Not",
  ]];
  for (const [method, status] of cases) {
    for (const framing of ["Content-Length: 7", "Transfer-Encoding: chunked"]) {
      const trip = new Trip(`HTTP/1.1 ${status}\r\n${framing}\r\n\r\n`);
      assertEquals((await trip.run({ method })).body, null);
      assertEquals(trip.released, 1);
    }
  }
});

Deno.test("roundTrip() gives no connection back that cannot be used again", async () => {
  const cases = [
    "HTTP/1.1 200 OK\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  ];
  for (const response of cases) {
    const trip = new Trip(response);
    trip.transport.end();
    assertEquals(await textOf((await trip.run()).body), "ok");
    assertEquals([trip.transport.isClosed, trip.released], [true, 0], response);
  }
});

Deno.test("roundTrip() passes a response on as it arrives", async () => {
  const trip = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
  const { body } = await trip.run();
  assertInstanceOf(body, ReadableStream);
  const pieces = body.getReader();
  for (const piece of ["ab", "cd"]) {
    trip.transport.send(piece);
    assertEquals(latin1((await pieces.read()).value!), piece);
  }
  assertEquals((await pieces.read()).done, true);
  assertEquals(trip.released, 1);
});

Deno.test("roundTrip() closes the connection when nobody wants the body any more", async () => {
  const trip = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  const { body } = await trip.run();
  assertInstanceOf(body, ReadableStream);
  await body.cancel();
  assertEquals([trip.transport.isClosed, trip.released], [true, 0]);
});

Deno.test("roundTrip() ends with its client", async () => {
  const before = new Trip();
  before.abort.abort();
  await before.fails("bad_request");

  const waiting = new Trip();
  const failing = waiting.fails("bad_request");
  await waiting.transport.has("GET /");
  waiting.abort.abort();
  await failing;

  const streaming = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  const { body } = await streaming.run();
  streaming.abort.abort();
  await assertRejects(() => textOf(body));
  assertEquals(streaming.transport.isClosed, true);
});

Deno.test("roundTrip() leaves a connection alone whose client goes away afterwards", async () => {
  const trip = new Trip(OK);
  await trip.run();
  trip.abort.abort();
  assertEquals([trip.transport.isClosed, trip.released], [false, 1]);
});

Deno.test("roundTrip() breaks off when the client's content does", async () => {
  const cases: [Upload, contentLength: number | undefined][] = [
    [new Upload("ab").fail(), undefined],
    [new Upload("ab").end(), 3],
    [new Upload("abcd").end(), 3],
  ];
  for (const [{ stream }, contentLength] of cases) {
    const trip = new Trip();
    await trip.fails("bad_request", { method: "POST", body: stream, contentLength });
    assertEquals(trip.transport.written.endsWith("0\r\n\r\n"), false);
  }
});

Deno.test("roundTrip() takes a response that comes before all of the request is sent", async () => {
  const trip = new Trip();
  const upload = new Upload("ab");
  const running = trip.run({ method: "POST", body: upload.stream, contentLength: 1000 });
  await trip.transport.has("ab");
  trip.transport.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  const response = await running;
  assertEquals([response.status, await textOf(response.body)], [413, "no"]);
  assertEquals([trip.transport.isClosed, trip.released], [true, 0]);
  assertInstanceOf(await upload.cancelled.promise, Error);
});

Deno.test("roundTrip() takes the response of a backend that stopped reading", async () => {
  const trip = new Trip("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  trip.transport.fail(new Deno.errors.BrokenPipe("broken pipe"));
  const response = await trip.run({ method: "POST", body: new Upload("ab").stream });
  assertEquals([response.status, await textOf(response.body)], [413, "no"]);
});

Deno.test("roundTrip() gives up on a backend that does nothing, and on a client", async () => {
  await new Trip().fails("upstream_timeout", {}, 10);
  await new Trip("HTTP/1.1 200 OK\r\n").fails("upstream_timeout", {}, 10);
  const upload = new Upload("ab");
  await new Trip().fails("client_timeout", { method: "POST", body: upload.stream }, 10);
});

Deno.test("roundTrip() waits as long as the client sends something", async () => {
  const trip = new Trip();
  const upload = new Upload();
  const running = trip.run({ method: "POST", body: upload.stream }, 400);
  for (let piece = 0; piece < 7; piece++) {
    await new Promise((resolve) => setTimeout(resolve, 80));
    upload.send("ab");
  }
  upload.end();
  await trip.transport.has("0\r\n\r\n");
  trip.transport.send(OK);
  assertEquals((await running).status, 200);
});

Deno.test({
  name: "roundTrip() has no time limit for a response that has started before the request was whole",
  sanitizeOps: true,
  fn: async () => {
    const trip = new Trip();
    const upload = new Upload("ab");
    const responseTimeout = 20;
    const running = trip.run({ method: "POST", body: upload.stream }, responseTimeout);
    await trip.transport.has("ab");
    trip.transport.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nAB");
    const { body } = await running;
    upload.send("cd").end();
    await trip.transport.has("0\r\n\r\n");
    await new Promise((resolve) => setTimeout(resolve, 5 * responseTimeout));
    trip.transport.send("CD");
    assertEquals(await textOf(body), "ABCD");
    assertEquals([trip.transport.isClosed, trip.released], [false, 1]);
  },
});

Deno.test("roundTrip() tells a kept connection that was dead already", async () => {
  const deaths: ((transport: FakeTransport) => void)[] = [
    (transport) => transport.end(),
    (transport) => transport.fail(new Deno.errors.ConnectionReset("reset")),
    (transport) => transport.fail(new Deno.errors.BrokenPipe("broken pipe")),
  ];
  for (const die of deaths) {
    const trip = new Trip();
    trip.connection.exchanges = 1;
    die(trip.transport);
    await assertRejects(() => trip.run(), StaleConnectionError);
    assert(trip.transport.isClosed);
  }
});

Deno.test("roundTrip() calls no connection dead on which the backend has answered", async () => {
  const trip = new Trip("HTTP/1.1 2");
  trip.connection.exchanges = 1;
  trip.transport.end();
  await trip.fails("upstream_invalid");
  const late = new Trip();
  late.connection.exchanges = 1;
  await late.fails("upstream_timeout", {}, 10);
});
