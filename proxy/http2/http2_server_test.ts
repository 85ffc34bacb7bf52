import { type ClientHttp2Session, connect } from "node:http2";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { http2Answer } from "../../tests/http2_client.ts";
import {
  bytesOfNumber,
  FLAG,
  FRAME,
  type Frame,
  frame,
  headerBlock,
  numberAt,
  PREFACE,
  readFrame,
  takeFrames,
} from "../../tests/conformance/http2_frames.ts";
import { FakeContent, textOf } from "../../tests/fakes.ts";
import { Peer } from "../../tests/peers.ts";
import { bytesOf, pause, randomBytes, recordingLog, until, within } from "../../tests/testing.ts";
import { Connection } from "../accept/connection.ts";
import { Gate } from "../accept/gate.ts";
import { Deadlines } from "../deadlines.ts";
import { errorResponse } from "../errors.ts";
import type { DownstreamRequest, DownstreamResponse, Outcome } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { TcpTransport } from "../tcp_transport.ts";
import { type Http2Options, Http2Server } from "./http2_server.ts";

type Answer = (request: DownstreamRequest) => DownstreamResponse | Promise<DownstreamResponse>;

function response(changes: Partial<DownstreamResponse> = {}): DownstreamResponse {
  return { status: 200, fields: Fields.of([]), body: null, ...changes };
}

/** A server behind a TCP port on which HTTP/2 alone is spoken. */
class Setup implements AsyncDisposable {
  readonly record = recordingLog();
  readonly requests: DownstreamRequest[] = [];
  readonly connections: Connection[] = [];
  readonly deadlines = new Deadlines();
  readonly keeper = new Gate({ deadlines: this.deadlines, maxConnections: 10, maxConnectionsPerClient: 0 });
  readonly server: Http2Server;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #running = new Set<Promise<void>>();
  readonly #sessions: ClientHttp2Session[] = [];
  #shutdown: Promise<void> | undefined;

  constructor(answer: Answer, options: Partial<Http2Options> = {}) {
    this.server = new Http2Server({
      headTimeout: 10_000,
      handler: {
        handle: async (request) => {
          this.requests.push(request);
          return await answer(request);
        },
        refuse: ({ reason }) => errorResponse(reason),
      },
      deadlines: this.deadlines,
      idleTimeout: 5000,
      clientTimeout: 5000,
      log: this.record.log,
      ...options,
    });
    this.#accept();
  }

  get address(): Deno.NetAddr {
    return this.#listener.addr;
  }

  connect(): ClientHttp2Session {
    const session = connect(`http://127.0.0.1:${this.address.port}`);
    session.on("error", () => {});
    this.#sessions.push(session);
    return session;
  }

  async shutdown(): Promise<void> {
    this.#shutdown ??= this.server.shutdown();
    await this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    this.#listener.close();
    for (const connection of this.connections) connection.close();
    await within(Promise.all(this.#running), "the end of all connections");
    await within(this.shutdown(), "the end of the server");
  }

  async #accept(): Promise<void> {
    const client = { address: "10.0.0.9", scheme: "https" as const, covers: () => true };
    try {
      for await (const tcp of this.#listener) {
        const connection = new Connection(new TcpTransport(tcp), client, this.keeper);
        this.connections.push(connection);
        this.#running.add(this.server.serve(connection));
      }
    } catch {
      // closed
    }
  }
}

/** Waits until a session has ended. */
async function closeOf(session: ClientHttp2Session): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (session.destroyed) resolve();
  session.once("close", resolve);
  await within(promise, "the end of a connection");
}

Deno.test("Http2Server.serve() answers the requests of a connection, and knows whose they are", async () => {
  await using setup = new Setup(({ target }) => response({ body: bytesOf(target) }));
  const session = setup.connect();
  const paths = ["/1", "/2", "/3"];
  const answers = await Promise.all(
    paths.map((path) => http2Answer(session.request({ ":path": path, ":authority": "a.test" }))),
  );
  assertEquals(answers, [[200, "/1"], [200, "/2"], [200, "/3"]]);
  for (const { client, protocol, authority } of setup.requests) {
    assertEquals([client.address, client.scheme, protocol, authority], [
      ...["10.0.0.9", "https", "HTTP/2", "a.test"],
    ]);
  }
});

Deno.test("Http2Server.serve() begins with what has been read already", async () => {
  const served = Promise.withResolvers<void>();
  await using setup = new Setup(() => response({ body: bytesOf("ok") }));
  const { serve } = setup.server;
  setup.server.serve = async (connection) => {
    await connection.reader.fill();
    served.resolve();
    await serve.call(setup.server, connection);
  };
  const session = setup.connect();
  const answer = http2Answer(session.request({ ":path": "/", ":authority": "a.test" }));
  await served.promise;
  assertEquals(await answer, [200, "ok"]);
});

Deno.test("Http2Server.serve() carries content both ways", async () => {
  const text = String.fromCharCode(...randomBytes(50_000)).repeat(20);
  await using setup = new Setup(async ({ body }) => {
    const received = await textOf(body);
    return response({ body: new FakeContent().send(received).end() });
  });
  const stream = setup.connect().request({ ":path": "/", ":method": "PUT", ":authority": "a.test" });
  const answer = http2Answer(stream);
  stream.end(bytesOf(text));
  const [status, echo] = await answer;
  assertEquals([status, echo === text], [200, true]);
});

Deno.test("Http2Server.serve() keeps connections with different clients apart", async () => {
  await using setup = new Setup(({ client }) => response({ body: bytesOf(client.address) }));
  const request = async () =>
    await http2Answer(setup.connect().request({ ":path": "/", ":authority": "a.test" }));
  assertEquals(await request(), [200, "10.0.0.9"]);
  setup.connections[0]!.client = { ...setup.connections[0]!.client, address: "10.0.0.1" };
  assertEquals(await request(), [200, "10.0.0.9"]);
});

Deno.test("Http2Server.serve() closes a connection that has no request for too long", async () => {
  await using setup = new Setup(() => response(), { idleTimeout: 10 });
  const silent = setup.connect();
  await closeOf(silent);
  const session = setup.connect();
  assertEquals((await http2Answer(session.request({ ":path": "/", ":authority": "a.test" })))[0], 200);
  await closeOf(session);
});

Deno.test("Http2Server.serve() leaves a connection open that has a request", async () => {
  const release = Promise.withResolvers<void>();
  await using setup = new Setup(async () => {
    await release.promise;
    return response({ body: bytesOf("late") });
  }, { idleTimeout: 150 });
  const session = setup.connect();
  const answer = http2Answer(session.request({ ":path": "/", ":authority": "a.test" }));
  // longer than a connection may be idle
  await pause(500);
  // pings are no requests: neither do they make it wait longer, nor shorter
  session.ping(() => {});
  release.resolve();
  assertEquals(await answer, [200, "late"]);
});

Deno.test("Http2Server.serve() may be closed for others while it has no request, and only then", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using setup = new Setup(async () => {
    asked.resolve();
    await release.promise;
    return response();
  });
  const session = setup.connect();
  await until(() => setup.connections[0]?.isWaiting === true, "the connection to wait");
  const answer = http2Answer(session.request({ ":path": "/", ":authority": "a.test" }));
  await asked.promise;
  assertEquals(setup.connections[0]?.isWaiting, false);
  release.resolve();
  await answer;
  await until(() => setup.connections[0]?.isWaiting === true, "the connection to wait");
});

Deno.test("Http2Server.serve() gives up on a client that takes nothing", async () => {
  await using setup = new Setup(() => {
    const content = new FakeContent();
    const piece = new Uint8Array(64 * 1024);
    content.next = () => Promise.resolve(piece);
    return response({ body: content });
  }, { clientTimeout: 50 });
  // a client that reads nothing at all, but gives its permission for all of it
  using peer = await Peer.connect(setup.address);
  const window = "\x7f\xff\xff\xff";
  const settings = `\0\0\x06\x04\0\0\0\0\0\0\x04${window}`;
  const connectionWindow = "\0\0\x04\x08\0\0\0\0\0\x7f\xfe\0\0";
  const request = "\0\0\x0b\x01\x05\0\0\0\x01\x82\x86\x84\x41\x06a.test";
  await peer.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings}${connectionWindow}${request}`);
  await until(() => setup.requests.length > 0, "the request");
  await until(() => setup.connections[0]!.isClosed, "the connection to be closed");
});

/** A client that sends frames, and begins with SETTINGS of its own. */
class FrameClient implements Disposable {
  readonly #peer: Peer;

  private constructor(peer: Peer) {
    this.#peer = peer;
  }

  static async connect(address: Deno.NetAddr, settings = ""): Promise<FrameClient> {
    const client = new FrameClient(await Peer.connect(address));
    await client.#peer.write(PREFACE + frame({ type: FRAME.SETTINGS, payload: settings }));
    return client;
  }

  async request(stream: number, method = "GET"): Promise<void> {
    const fields = { ":method": method, ":scheme": "https", ":authority": "a.test", ":path": `/${stream}` };
    const payload = headerBlock(Object.entries(fields));
    await this.send({ type: FRAME.HEADERS, flags: FLAG.END_HEADERS | FLAG.END_STREAM, stream, payload });
  }

  async send(sent: Frame): Promise<void> {
    await this.#peer.write(frame(sent));
  }

  /** Reads up to a frame of a type, and of a stream where that is told. */
  async frame(type: number, stream?: number): Promise<Required<Frame>> {
    for (;;) {
      const read = await readFrame((count) => this.#peer.read(count));
      if (read.type === type && (stream === undefined || read.stream === stream)) return read;
    }
  }

  /** Reads to the end, which must come soon. */
  async rest(): Promise<Required<Frame>[]> {
    return takeFrames(await within(this.#peer.readToEnd(), "the end of the connection", 5000));
  }

  [Symbol.dispose](): void {
    this.#peer[Symbol.dispose]();
  }
}

/** SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113, section 6.5.2) of a client that takes no content. */
const NO_WINDOW = `\0\x04${bytesOfNumber(0, 4)}`;

Deno.test("Http2Server.serve() gives up on a client that allows nothing to be sent", async (t) => {
  const cases: [name: string, method: string, content: () => FakeContent][] = [
    ["content without end", "GET", () => endless()],
    ["content that has ended", "GET", () => new FakeContent().send("hello").end()],
    ["content that broke off", "GET", () => new FakeContent().send("hello").fail(new Error("broken off"))],
    ["no content, of unknown length", "HEAD", () => new FakeContent()],
  ];
  for (const [name, method, content] of cases) {
    await t.step(name, async () => {
      const body = content();
      const ended = Promise.withResolvers<boolean>();
      const done = ({ isComplete }: Outcome) => ended.resolve(isComplete);
      await using setup = new Setup(() => response({ body, done }), { clientTimeout: 50 });
      using client = await FrameClient.connect(setup.address, NO_WINDOW);
      await client.request(1, method);
      await client.frame(FRAME.HEADERS, 1);
      await body.closed();
      assertEquals(await within(ended.promise, "the end of the request"), false);
      assert((await client.rest()).every(({ type }) => type !== FRAME.DATA));
    });
  }
});

Deno.test("Http2Server.serve() goes on with the other requests of a client that takes nothing of one", async () => {
  const release = Promise.withResolvers<void>();
  const content = endless();
  await using setup = new Setup(async ({ target }) => {
    if (target === "/1") return response({ body: content });
    await release.promise;
    return response({ status: 204 });
  }, { clientTimeout: 50, idleTimeout: 300 });
  using client = await FrameClient.connect(setup.address, NO_WINDOW);
  await client.request(1);
  await client.request(3);
  await content.closed();
  release.resolve();
  await client.frame(FRAME.HEADERS, 3);
  // the one that was given up is not waited for
  await client.rest();
});

function endless(): FakeContent {
  const content = new FakeContent();
  const piece = new Uint8Array(16 * 1024);
  content.next = () => Promise.resolve(piece);
  return content;
}

Deno.test("Http2Server.serve() cancels requests whose client is gone", async () => {
  const asked = Promise.withResolvers<DownstreamRequest>();
  const cancelled = Promise.withResolvers<void>();
  await using setup = new Setup(async (request) => {
    request.cancellation.listen(cancelled.resolve);
    asked.resolve(request);
    await cancelled.promise;
    return response();
  });
  const session = setup.connect();
  session.request({ ":path": "/", ":authority": "a.test" }).on("error", () => {});
  await asked.promise;
  session.destroy();
  await within(cancelled.promise, "the cancellation");
});

Deno.test("Http2Server.serve() speaks nothing but HTTP/2", async () => {
  await using setup = new Setup(() => response({ body: bytesOf("ok") }));
  for (const start of ["", "PRI * HTTP/2.0\r\n\r\n"]) {
    using peer = await Peer.connect(setup.address);
    await peer.write(`${start}GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);
    assertEquals(await peer.readToEnd(), "");
  }
  assertEquals(setup.requests, []);
});

Deno.test("Http2Server.serve() closes a connection that does not begin in time", async () => {
  await using setup = new Setup(() => response(), { headTimeout: 10 });
  for (const start of ["", "PRI * HTTP/2.0\r\n\r\nSM"]) {
    using peer = await Peer.connect(setup.address);
    await peer.write(start);
    assertEquals(await peer.readToEnd(), "");
  }
});

Deno.test("Http2Server.shutdown() lets running requests finish and ends connections", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using setup = new Setup(async () => {
    asked.resolve();
    await release.promise;
    return response({ body: bytesOf("late") });
  });
  const idle = closeOf(setup.connect());
  // Node's client would give its request up as soon as it is told that there will be no others
  using client = Deno.createHttpClient({ http1: false, http2: true });
  const answer = fetch(`http://127.0.0.1:${setup.address.port}/`, { client });
  await asked.promise;
  const stopped = setup.shutdown();
  await idle;
  release.resolve();
  assertEquals(await (await answer).text(), "late");
  await within(stopped, "the end of the server");
});

Deno.test("Http2Server.shutdown() tells clients, and answers what they sent before they knew", async () => {
  await using setup = new Setup(({ target }) => response({ body: bytesOf(target) }));
  using client = await FrameClient.connect(setup.address);
  await client.request(1);
  await client.frame(FRAME.DATA, 1);
  const stopped = setup.shutdown();
  setup.keeper.closeWaiting();
  assertEquals(lastStreamOf(await client.frame(FRAME.GOAWAY)), 2 ** 31 - 1);
  const { payload } = await client.frame(FRAME.PING);
  await client.request(3);
  await client.send({ type: FRAME.PING, flags: FLAG.ACK, payload });
  const rest = await client.rest();
  assertEquals(rest.filter(({ type }) => type === FRAME.GOAWAY).map(lastStreamOf), [3]);
  assertEquals(rest.filter(({ type }) => type === FRAME.DATA).map(({ payload }) => payload), ["/3"]);
  await within(stopped, "the end of the server");
});

Deno.test("Http2Server.shutdown() waits for no client that does not answer", async () => {
  const timeouts = { idleTimeout: 60_000, goodbyeTimeout: 50 };
  await using setup = new Setup(() => response({ body: bytesOf("ok") }), timeouts);
  using idle = await FrameClient.connect(setup.address);
  using other = await FrameClient.connect(setup.address);
  for (const client of [idle, other]) {
    await client.request(1);
    await client.frame(FRAME.DATA, 1);
  }
  const stopped = setup.shutdown();
  for (const client of [idle, other]) await client.frame(FRAME.GOAWAY);
  // one more request does not make it wait for longer
  await other.request(3);
  await other.frame(FRAME.DATA, 3);
  for (const client of [idle, other]) await client.rest();
  await within(stopped, "the end of the server", 2000);
});

function lastStreamOf({ payload }: Required<Frame>): number {
  return numberAt(payload, { at: 0, count: 4 });
}

Deno.test("HTTP/2 requests are refused with a reason too", async () => {
  await using setup = new Setup(() => response());
  const [status, text] = await http2Answer(
    setup.connect().request({ ":path": "/", ":authority": "a.test", host: "b.test" }),
  );
  assertEquals(status, 400);
  assertMatch(text, /^400: /);
});

Deno.test("Http2Server takes nothing from who takes nothing, and keeps little for them", async () => {
  // PINGs whose answers are not read, and an answer for which the client allows all but reads nothing
  const ping = frame({ type: FRAME.PING, payload: "12345678" }).repeat(1000);
  const window = frame({ type: FRAME.SETTINGS, payload: `\0\x04\x7f\xff\xff\xff` }) +
    frame({ type: FRAME.WINDOW_UPDATE, payload: "\x7f\xfe\0\0" });
  const fields = { ":method": "GET", ":scheme": "https", ":authority": "a.test", ":path": "/" };
  const request = frame({
    type: FRAME.HEADERS,
    flags: FLAG.END_HEADERS | FLAG.END_STREAM,
    stream: 1,
    payload: headerBlock(Object.entries(fields)),
  });
  for (const flood of [ping, ""]) {
    let written = 0;
    await using setup = new Setup(() => {
      const content = new FakeContent();
      const piece = new Uint8Array(16 * 1024);
      content.next = () => {
        written += piece.length;
        return Promise.resolve(piece);
      };
      return response({ body: content });
    }, { clientTimeout: 300, needsTrailers: () => true });
    const peer = await Deno.connect({ hostname: "127.0.0.1", port: setup.address.port });
    const send = async (text: string) => {
      for (let bytes = bytesOf(text); bytes.length > 0;) bytes = bytes.subarray(await peer.write(bytes));
    };
    let sent = 0;
    try {
      await send(PREFACE + window + (flood === "" ? request : ""));
      while (flood !== "") {
        await send(flood);
        sent += flood.length;
      }
    } catch {
      // it is closed for it
    }
    await until(() => setup.connections[0]!.isClosed, "the connection to be closed");
    peer.close();
    // what the buffers of two TCP connections hold
    assert(sent + written < 32 * 1024 * 1024, `${sent} bytes were taken and ${written} written`);
  }
});
