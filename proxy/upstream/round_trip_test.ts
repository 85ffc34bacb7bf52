import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeContent, FakeTransport, textOf } from "../../tests/fakes.ts";
import { bytesOf, latin1, lookedAt, pause, settled, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { type ErrorReason, ProxyError } from "../errors.ts";
import { Cancellation, type HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { MessageError } from "../http1/message_error.ts";
import { Endpoint } from "./endpoint.ts";
import {
  roundTrip,
  type RoundTripOptions,
  StaleConnectionError,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./round_trip.ts";
import { upstreamRequest } from "./testing.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A connection on which one exchange after the other is made. */
class Trip implements Disposable {
  readonly transport: FakeTransport;
  readonly endpoint: Endpoint;
  readonly cancellation = new Cancellation();
  readonly deadlines = new Deadlines();
  /** What was told of responses that broke off. */
  readonly broken: ProxyError[] = [];
  readonly #times: Partial<RoundTripOptions>;

  /** One whose backend has as much time as `times` says, 5 seconds unless told. */
  constructor(pieces: string | string[] = [], times: Partial<RoundTripOptions> = {}) {
    this.transport = new FakeTransport(...typeof pieces === "string" ? [pieces] : pieces);
    this.#times = times;
    this.endpoint = new Endpoint({ hostname: "10.0.0.1", port: 80 }, { name: "HTTP" }, {
      dial: () => Promise.resolve(this.transport),
      ...{ deadlines: this.deadlines, connectTimeout: 5000, idleTimeout: 4000, maxConnections: 1 },
    });
  }

  /** Was the connection given back, so that it can be used again? */
  get isKept(): boolean {
    return this.endpoint.load === 0 && !this.transport.isClosed;
  }

  /** Was the connection given back and closed? */
  get isOver(): boolean {
    return this.endpoint.load === 0 && this.transport.isClosed;
  }

  /** Lets the next exchange find a connection that has been used. */
  async use(): Promise<this> {
    const connection = await this.endpoint.take();
    this.endpoint.release(connection, { isReusable: true });
    return this;
  }

  async run(changes: Partial<UpstreamRequest> = {}): Promise<UpstreamResponse> {
    const request = upstreamRequest({ cancellation: this.cancellation, ...changes });
    return await roundTrip(await this.endpoint.take(), request, {
      responseTimeout: 5000,
      streamTimeout: 5000,
      onBrokenOff: (error) => this.broken.push(error),
      ...this.#times,
    });
  }

  /** Runs and expects a failure that closes the connection. */
  async fails(reason: ErrorReason, changes: Partial<UpstreamRequest> = {}): Promise<void> {
    const error = await assertRejects(() => this.run(changes), ProxyError);
    assertEquals([error.reason, this.isOver, this.broken], [reason, true, []], error.message);
  }

  [Symbol.dispose](): void {
    this.endpoint.close();
  }
}

Deno.test("roundTrip() sends a request, reads the response and gives the connection back", async () => {
  using trip = new Trip("HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello");
  const response = await trip.run({ target: "/a?b", fields: Fields.of([["x", "y"]]) });
  assertEquals([response.status, response.fields.list()], [201, [["x-a", "b"], ["content-length", "5"]]]);
  assertEquals(await textOf(response.body), "hello");
  assertEquals(trip.transport.written, "GET /a?b HTTP/1.1\r\nhost: a.test\r\nx: y\r\n\r\n");
  assert(trip.isKept);
});

Deno.test("roundTrip() makes one exchange after the other", async () => {
  using trip = new Trip();
  for (let exchange = 1; exchange <= 3; exchange++) {
    trip.transport.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no").send("k\r\n0\r\n\r\n");
    assertEquals(await textOf((await trip.run()).body), "ok");
    assert(trip.isKept);
  }
});

Deno.test("roundTrip() leaves the fields of a response alone while its content comes", async () => {
  using trip = new Trip("HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 30\r\n\r\n");
  const { fields, body } = await trip.run();
  for (const piece of ["0123456789", "abcdefghij", "X-A: other"]) {
    trip.transport.send(piece);
    assertEquals(latin1((await body!.next())!), piece);
    assertEquals(fields.list(), [["x-a", "b"], ["content-length", "30"]]);
  }
  body!.close();
  assert(trip.isKept);
});

Deno.test("roundTrip() leaves the fields of a response without content alone on a connection that goes on", async () => {
  for (const [method, status] of [["HEAD", 200], ["GET", 204], ["GET", 304]] as const) {
    using trip = new Trip(`HTTP/1.1 ${status} Same\r\nX-A: this client's\r\n\r\n`);
    const first = await trip.run({ method });
    const running = trip.run();
    trip.transport.send("HTTP/1.1 200 OK\r\nX-A: another client's\r\nContent-Length: 2\r\n\r\nok");
    const second = await running;
    assertEquals(first.fields.list(), [["x-a", "this client's"]], `${status} to ${method}`);
    assertEquals(second.fields.list(), [["x-a", "another client's"], ["content-length", "2"]]);
    assertEquals(await textOf(second.body), "ok");
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
      { method: "POST", body: new FakeContent(3).send("ab").send("c").end() },
      `${head("POST")}content-length: 3\r\n\r\nabc`,
    ],
    [
      { method: "POST", body: new FakeContent().send("ab").send("c").end() },
      `${head("POST")}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`,
    ],
    [
      { method: "POST", body: new FakeContent(0).end() },
      `${head("POST")}content-length: 0\r\n\r\n`,
    ],
  ];
  for (const [request, expected] of cases) {
    using trip = new Trip();
    const response = trip.run(request);
    await trip.transport.has(expected);
    trip.transport.send(OK);
    await textOf((await response).body);
    assertEquals([trip.transport.written, trip.isKept], [expected, true]);
  }
});

Deno.test("roundTrip() passes informational responses on, but not 100, and not too many", async () => {
  const informational = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const cases: [count: number, informed: number | undefined][] = [[0, 0], [1, 1], [5, 5], [6, undefined]];
  for (const [count, informed] of cases) {
    using trip = new Trip(informational.repeat(count) + OK);
    const told: [number, HeaderList][] = [];
    const inform = (status: number, fields: Fields) => {
      told.push([status, fields.list()]);
      return Promise.resolve();
    };
    if (informed === undefined) {
      await trip.fails("upstream_invalid", { inform });
      continue;
    }
    const response = await trip.run({ inform });
    assertEquals([response.status, await textOf(response.body)], [200, "ok"]);
    assertEquals(told, Array(informed).fill([103, [["link", "</a>"]]]));
  }
});

Deno.test("roundTrip() passes over informational responses where they cannot be passed on", async () => {
  using trip = new Trip(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}`);
  assertEquals(await textOf((await trip.run()).body), "ok");
});

Deno.test("roundTrip() has passed an informational response on before the final one is read", async () => {
  using trip = new Trip("HTTP/1.1 103 Early Hints\r\n\r\n");
  const informed = Promise.withResolvers<void>();
  const passedOn = Promise.withResolvers<void>();
  let isAnswered = false;
  const running = trip.run({
    inform: () => {
      informed.resolve();
      return passedOn.promise;
    },
  });
  running.then(() => isAnswered = true);
  await informed.promise;
  trip.transport.send(OK);
  await settled();
  assertEquals(isAnswered, false);
  passedOn.resolve();
  await textOf((await running).body);
  assert(trip.isKept);
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
    using trip = new Trip(response);
    trip.transport.end();
    await trip.fails("upstream_invalid");
  }
});

Deno.test("roundTrip() tells a backend that says nothing from one that breaks off", async () => {
  using silent = new Trip();
  silent.transport.end();
  await silent.fails("upstream_unreachable");
  using reset = new Trip();
  reset.transport.fail(new Deno.errors.ConnectionReset("reset"));
  await reset.fails("upstream_unreachable");
  using partial = new Trip("HTTP/1.1 200 OK\r\nCont");
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
      using trip = new Trip(`HTTP/1.1 200 OK\r\n${rest}`);
      const { body } = await trip.run();
      if (error === undefined) trip.transport.end();
      else trip.transport.fail(error);
      const brokenOff = await assertRejects(() => textOf(body), ProxyError, "", rest);
      assertEquals(brokenOff.reason, "upstream_invalid");
      assertEquals(trip.broken, [brokenOff]);
      assert(trip.isOver);
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
      using trip = new Trip(`HTTP/1.1 ${status}\r\n${framing}\r\n\r\n`);
      assertEquals((await trip.run({ method })).body, null);
      assert(trip.isKept);
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
    using trip = new Trip(response);
    trip.transport.end();
    assertEquals(await textOf((await trip.run()).body), "ok");
    assert(trip.isOver, response);
  }
});

Deno.test("roundTrip() passes a response on as it arrives", async () => {
  using trip = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
  const { body } = await trip.run();
  assertEquals(body?.length, 4);
  for (const piece of ["ab", "cd"]) {
    trip.transport.send(piece);
    assertEquals(latin1((await body!.next())!), piece);
  }
  assertEquals([await body!.next(), body!.hasEnded], [undefined, true]);
  body!.close();
  assert(trip.isKept);
});

Deno.test("roundTrip() closes the connection when nobody wants the body any more", async () => {
  using trip = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  const { body } = await trip.run();
  body!.close();
  body!.close();
  assert(trip.isOver);
});

Deno.test("roundTrip() ends with its client", async () => {
  using before = new Trip();
  before.cancellation.cancel();
  await before.fails("client_gone");

  using waiting = new Trip();
  const failing = waiting.fails("client_gone");
  await waiting.transport.has("GET /");
  waiting.cancellation.cancel();
  await failing;

  using uploading = new Trip();
  const broken = uploading.fails("client_gone", { method: "POST", body: new FakeContent().send("ab") });
  await uploading.transport.has("ab");
  uploading.cancellation.cancel();
  await broken;

  using streaming = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  const { body } = await streaming.run();
  streaming.cancellation.cancel();
  await assertRejects(() => textOf(body), ProxyError);
  // a client that has gone is no news
  assertEquals([streaming.isOver, streaming.broken], [true, []]);
});

Deno.test("roundTrip() leaves a connection alone whose client goes away afterwards", async () => {
  using trip = new Trip(OK);
  await textOf((await trip.run()).body);
  trip.cancellation.cancel();
  assert(trip.isKept);
});

Deno.test("roundTrip() breaks off when the client's content does", async () => {
  const cases: [error: Error, reason: ErrorReason][] = [
    [new Error("the client is gone"), "client_gone"],
    [new MessageError("Invalid chunk size"), "bad_request"],
    [new MessageError("The content took too long", "client_timeout"), "client_timeout"],
    [new ProxyError("body_too_large", "the content is too large"), "body_too_large"],
    [new ProxyError("client_timeout", "the content took too long"), "client_timeout"],
  ];
  for (const [error, reason] of cases) {
    for (const length of [3, undefined]) {
      using trip = new Trip();
      await trip.fails(reason, { method: "POST", body: new FakeContent(length).send("ab").fail(error) });
      assert(trip.transport.written.includes("ab"));
      assertEquals(trip.transport.written.endsWith("0\r\n\r\n"), false);
    }
  }
});

Deno.test("roundTrip() takes a response that comes before all of the request is sent", async () => {
  using trip = new Trip();
  const upload = new FakeContent(1000).send("ab");
  const running = trip.run({ method: "POST", body: upload });
  await trip.transport.has("ab");
  trip.transport.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  const response = await running;
  assertEquals([response.status, await textOf(response.body)], [413, "no"]);
  // the backend may read on: with all of the request on it the connection can be used again
  assertEquals([trip.isOver, trip.isKept], [false, false]);
  upload.send("x".repeat(998)).end();
  await trip.transport.has("x".repeat(998));
  await upload.closed();
  assert(trip.isKept);
});

Deno.test("roundTrip() gives up its connection when the client breaks off behind the response", async () => {
  using trip = new Trip();
  const upload = new FakeContent(1000).send("ab");
  const running = trip.run({ method: "POST", body: upload });
  await trip.transport.has("ab");
  trip.transport.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  assertEquals(await textOf((await running).body), "no");
  upload.fail(new Error("gone"));
  await upload.closed();
  assertEquals([trip.isOver, trip.isKept], [true, false]);
});

Deno.test("roundTrip() goes on sending while the response comes", async () => {
  using trip = new Trip();
  const upload = new FakeContent(4).send("ab");
  const running = trip.run({ method: "POST", body: upload });
  await trip.transport.has("ab");
  trip.transport.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nAB");
  const { body } = await running;
  assertEquals(latin1((await body!.next())!), "AB");
  upload.send("cd").end();
  await trip.transport.has("cd");
  trip.transport.send("CD");
  assertEquals(await textOf(body), "CD");
  assert(trip.isKept);
});

Deno.test("roundTrip() takes the response of a backend that stopped reading", async () => {
  using trip = new Trip("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  trip.transport.fail(new Deno.errors.BrokenPipe("broken pipe"));
  const written = Promise.withResolvers<void>();
  // the head is taken, the content is not
  trip.transport.write = (bytes) => {
    written.resolve();
    trip.transport.write = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
    return Promise.resolve(bytes.length);
  };
  const upload = new FakeContent().send("ab");
  const running = trip.run({ method: "POST", body: upload });
  await written.promise;
  const response = await running;
  assertEquals([response.status, await textOf(response.body)], [413, "no"]);
  await upload.closed();
  assert(trip.isOver);
});

Deno.test("roundTrip() gives up on a backend that does nothing, and on a client", async () => {
  using silent = new Trip([], { responseTimeout: 10 });
  await silent.fails("upstream_timeout");
  using slow = new Trip("HTTP/1.1 200 OK\r\n", { responseTimeout: 10 });
  await slow.fails("upstream_timeout");
  using uploaded = new Trip([], { responseTimeout: 10 });
  await uploaded.fails("upstream_timeout", { method: "POST", body: new FakeContent().send("ab").end() });
  using stalled = new Trip([], { responseTimeout: 10 });
  stalled.transport.stall();
  await stalled.fails("upstream_timeout");
});

Deno.test("roundTrip() gives up on a backend that takes nothing of the content", async () => {
  using trip = new Trip([], { sendTimeout: 10 });
  const body = new FakeContent();
  const running = assertRejects(
    () => trip.run({ method: "POST", body }),
    ProxyError,
    "did nothing for 0.01 s",
  );
  await trip.transport.has("POST /");
  trip.transport.stall();
  body.send("ab");
  assertEquals((await running).reason, "upstream_timeout");
  using sent = new Trip([], { sendTimeout: 10 });
  const answer = sent.run({ method: "POST", body: new FakeContent().send("ab").end() });
  await sent.transport.has("0\r\n\r\n");
  // what has been sent may be worked on for longer
  await lookedAt(sent.deadlines);
  await lookedAt(sent.deadlines);
  sent.transport.send(OK);
  assertEquals(await textOf((await answer).body), "ok");
});

Deno.test("roundTrip() gives up on a response that is silent for too long", async () => {
  using trip = new Trip("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", { streamTimeout: 10 });
  const { body } = await trip.run();
  const error = await assertRejects(() => textOf(body), ProxyError);
  assertEquals([error.reason, trip.isOver, trip.broken], ["upstream_timeout", true, [error]]);
});

Deno.test("roundTrip() waits as long as the client sends something", async () => {
  using trip = new Trip([], { responseTimeout: 400 });
  const upload = new FakeContent();
  const running = trip.run({ method: "POST", body: upload });
  for (let piece = 0; piece < 7; piece++) {
    // each is within the time limit, all together are not
    await pause(80);
    upload.send("ab");
  }
  upload.end();
  await trip.transport.has("0\r\n\r\n");
  trip.transport.send(OK);
  const response = await running;
  assertEquals([response.status, await textOf(response.body)], [200, "ok"]);
});

Deno.test({
  name: "roundTrip() has no time limit for a response that has started before the request was whole",
  sanitizeOps: true,
  fn: async () => {
    const responseTimeout = 40;
    using trip = new Trip([], { responseTimeout });
    const upload = new FakeContent().send("ab");
    const running = trip.run({ method: "POST", body: upload });
    await trip.transport.has("ab");
    trip.transport.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nAB");
    const { body } = await running;
    upload.send("cd").end();
    await trip.transport.has("0\r\n\r\n");
    // it would be too late for a response that has not begun
    await pause(5 * responseTimeout);
    trip.transport.send("CD");
    assertEquals(await textOf(body), "ABCD");
    assert(trip.isKept);
  },
});

Deno.test("roundTrip() tells a kept connection that was dead already", async () => {
  const deaths: [die: (transport: FakeTransport) => void, isUnsent: boolean][] = [
    [(transport) => transport.end(), false],
    [(transport) => transport.fail(new Deno.errors.ConnectionReset("reset")), true],
    [(transport) => transport.fail(new Deno.errors.BrokenPipe("broken pipe")), true],
  ];
  for (const [die, isUnsent] of deaths) {
    using trip = await new Trip().use();
    const running = assertRejects(() => trip.run(), StaleConnectionError);
    die(trip.transport);
    assertEquals([(await running).isUnsent, trip.isOver], [isUnsent, true]);
  }
});

Deno.test("roundTrip() calls no connection dead on which the backend has answered", async () => {
  using trip = await new Trip().use();
  const failing = trip.fails("upstream_invalid");
  await trip.transport.has("GET /");
  trip.transport.send("HTTP/1.1 2").end();
  await failing;
  using late = await new Trip([], { responseTimeout: 10 }).use();
  await late.fails("upstream_timeout");
});

Deno.test("roundTrip() opens a tunnel when the backend changes the protocol as it was asked to", async () => {
  using trip = new Trip(
    "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX: y\r\n\r\nhello",
  );
  const { status, fields, body, tunnel } = await trip.run({ upgrade: "websocket" });
  assertEquals(
    trip.transport.written,
    "GET / HTTP/1.1\r\nhost: a.test\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
  );
  assertEquals([status, body, fields.list().at(-1)], [101, null, ["x", "y"]]);
  assertEquals(latin1(tunnel!.first), "hello");
  trip.transport.send("more");
  const into = new Uint8Array(10);
  assertEquals([await tunnel!.read(into), latin1(into.subarray(0, 4))], [4, "more"]);
  assertEquals(await tunnel!.write(bytesOf("ping")), 4);
  await tunnel!.closeWrite();
  assert(trip.transport.written.endsWith("\r\n\r\nping"));
  assertEquals([trip.transport.isWriteClosed, trip.endpoint.load], [true, 1]);
  tunnel!.close();
  assert(trip.isOver);
});

Deno.test("roundTrip() ends a tunnel with its client, and has no time limit for it", async () => {
  using trip = new Trip("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", { responseTimeout: 10 });
  const { tunnel } = await trip.run({ upgrade: "websocket" });
  // much longer than the time limit of a response
  await pause(250);
  assertEquals(trip.transport.isClosed, false);
  trip.cancellation.cancel();
  await within(assertRejects(() => tunnel!.read(new Uint8Array(1))), "the end of the tunnel");
  tunnel!.close();
  assert(trip.isOver);
});

Deno.test("roundTrip() takes an ordinary answer to a request to change the protocol", async () => {
  using trip = new Trip(OK);
  const response = await trip.run({ upgrade: "websocket" });
  assertEquals([response.status, response.tunnel, await textOf(response.body)], [200, undefined, "ok"]);
  assert(trip.isKept);
});

Deno.test("roundTrip() changes to no protocol that nobody asked for", async () => {
  const cases: [upgrade: string | undefined, fields: string][] = [
    [undefined, "Upgrade: websocket\r\n"],
    ["websocket", "Upgrade: h2c\r\n"],
    ["websocket", ""],
  ];
  for (const [upgrade, fields] of cases) {
    using trip = new Trip(`HTTP/1.1 101 Switching\r\n${fields}\r\n`);
    await trip.fails("upstream_invalid", { upgrade });
  }
});

Deno.test("roundTrip() reads no head without end", async () => {
  using trip = new Trip(["HTTP/1.1 200 OK\r\n", ...Array(10).fill(`X: ${"x".repeat(8000)}\r\n`)]);
  await trip.fails("upstream_invalid");
});

Deno.test("roundTrip() closes its connection when content is not as long as it says", async () => {
  for (const pieces of ["ab", "abcde"]) {
    using trip = new Trip();
    const upload = new FakeContent(4).send(pieces);
    const running = trip.run({ method: "POST", body: upload });
    await trip.transport.has("content-length: 4");
    trip.transport.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    upload.end();
    // the answer may have come before: it is the connection that counts
    await running.then(({ body }) => textOf(body)).catch(() => {});
    await upload.closed();
    assertEquals([trip.isOver, trip.isKept], [true, false], pieces);
  }
});
