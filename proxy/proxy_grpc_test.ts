import { type ClientHttp2Session, connect } from "node:http2";
import { type AddressInfo, connect as connectTcp, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { KeyPair } from "@pingress/config";
import { assert, assertEquals } from "@std/assert";
import { http2Answer } from "../tests/http2_client.ts";
import { withChain } from "../tests/certificates.ts";
import { outcome } from "../tests/one_backend.ts";
import {
  EchoBackend,
  EchoClient,
  type Message,
  message,
  resultOf,
  status,
  textOf,
} from "../tests/echo_service.ts";
import { Backend, Http2Backend, ok, RawServer } from "../tests/peers.ts";
import { rule, TestProxy, type TestProxyOptions, tlsFiles } from "../tests/test_proxy.ts";
import { pause, randomBytes, sha256, within } from "../tests/testing.ts";

const HOST = "grpc.test";
const GRPC = { options: { backendProtocol: "GRPC" } };

/** A service behind a proxy that is spoken to over HTTPS. */
class Setup implements AsyncDisposable {
  readonly backend: EchoBackend;
  readonly proxy: TestProxy;
  readonly client: EchoClient;
  readonly #ca: string;

  private constructor(backend: EchoBackend, proxy: TestProxy, ca: string) {
    this.backend = backend;
    this.proxy = proxy;
    this.#ca = ca;
    this.client = this.connect();
  }

  static async start(
    { backend, members = GRPC, ...options }: Partial<TestProxyOptions> & {
      backend?: EchoBackend;
      members?: object;
    } = {},
  ): Promise<Setup> {
    const pair = await withChain([HOST]);
    const echo = backend ?? await EchoBackend.start();
    const proxy = await TestProxy.start({
      rules: [rule(HOST, "/", "one", { ...tlsFiles("a"), ...members })],
      endpoints: { "default/one:80": [echo.endpoint] },
      files: { "a.key": pair.key, "a.cert": pair.cert },
      ...options,
    });
    return new Setup(echo, proxy, pair.root);
  }

  connect(): EchoClient {
    return new EchoClient(this.proxy.addresses.https.port, { host: HOST, ca: this.#ca });
  }

  /** A connection on which requests are written by hand. */
  session(): ClientHttp2Session & Disposable {
    const session = connect(`https://127.0.0.1:${this.proxy.addresses.https.port}`, {
      servername: HOST,
      rejectUnauthorized: false,
    });
    session.on("error", () => {});
    return Object.assign(session, { [Symbol.dispose]: () => session.destroy() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.proxy[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
  }
}

const GRPC_HEAD = {
  ":method": "POST",
  ":path": "/test.Echo/Unary",
  ":authority": HOST,
  "content-type": "application/grpc",
  "te": "trailers",
};

Deno.test("Proxy passes on a call with its metadata, and its answer with both of its own", async () => {
  await using setup = await Setup.start();
  const { messages, head, status: end } = await setup.client.call("unary", message("hello"), {
    metadata: { "x-echo": "1", "x-echo-bin": "\0\xff" },
  });
  assertEquals([messages.map(textOf), end.code], [["hello"], status.OK]);
  assertEquals(head?.get("x-head"), ["1"]);
  assertEquals(end.metadata.get("x-tail"), ["1"]);
  assertEquals([...end.metadata.get("x-tail-bin")[0] as Uint8Array], [0, 255]);
  const [call] = setup.backend.calls;
  assertEquals(["x-real-ip", "x-forwarded-proto", "x-forwarded-host"].map((name) => call?.get(name)), [
    ...[["127.0.0.1"], ["https"], [HOST]],
  ]);
});

Deno.test("Proxy passes on the status of a call, whether there were messages or not", async () => {
  await using setup = await Setup.start();
  // this client gives no messages any more once it knows of a failure
  for (const [method, request] of [["unary", "hello"], ["download", "0"], ["download", "3"]] as const) {
    for (const code of [status.NOT_FOUND, status.RESOURCE_EXHAUSTED, status.UNAUTHENTICATED]) {
      const metadata = { "x-fail": String(code), "x-echo": "1" };
      const { status: end } = await setup.client.call(method, message(request), { metadata });
      const seen = [end.code, end.details, end.metadata.get("x-tail")];
      assertEquals(seen, [code, "failed: 100 % ü", ["1"]], `${method} ${request}`);
    }
  }
});

Deno.test("Proxy streams messages both ways as they come", async () => {
  await using setup = await Setup.start();
  const call = setup.client.bidi();
  const texts: string[] = [];
  let came = Promise.withResolvers<void>();
  call.on("data", (piece: Message) => {
    texts.push(textOf(piece));
    came.resolve();
  });
  const result = resultOf(call);
  for (const text of ["one", "two", "three"]) {
    came = Promise.withResolvers();
    call.write(message(text));
    await within(came.promise, "an answer to a message");
  }
  call.end();
  assertEquals([texts, (await result).status.code], [["one", "two", "three"], status.OK]);
});

Deno.test("Proxy carries large messages both ways", async () => {
  await using setup = await Setup.start();
  const large = randomBytes(1024 * 1024);
  const { messages } = await setup.client.call("unary", large);
  assertEquals(await sha256(messages[0]!), await sha256(large));
  const call = setup.client.upload();
  const result = resultOf(call);
  for (let count = 0; count < 8; count++) call.write(large);
  call.end();
  assertEquals((await result).messages.map(textOf), [String(8 * large.length)]);
});

Deno.test("Proxy carries many calls at the same time over one connection, and over more to a backend", async () => {
  await using setup = await Setup.start();
  // more than a client may begin at once: the others wait for it
  const texts = Array.from({ length: 300 }, (_, index) => `message ${index}`);
  const results = await Promise.all(texts.map((text) => setup.client.call("unary", message(text))));
  assertEquals(results.map(({ messages, status: end }) => [messages.map(textOf), end.code]), [
    ...texts.map((text) => [[text], status.OK]),
  ]);
});

Deno.test("Proxy passes on how much time a call has, and its end", async () => {
  await using setup = await Setup.start();
  const { status: end } = await setup.client.call("unary", message(""), {
    metadata: { "x-hang": "1" },
    timeout: 300,
  });
  assertEquals(end.code, status.DEADLINE_EXCEEDED);
  const [timeout = 0] = setup.backend.timeouts;
  assert(timeout > 0 && timeout <= 300, String(timeout));
  await setup.backend.cancelled();
});

Deno.test("Proxy tells the backend that a call was cancelled", async () => {
  await using setup = await Setup.start();
  const call = setup.client.bidi();
  const result = resultOf(call);
  call.write(message("hello"));
  await setup.backend.begun();
  call.cancel();
  assertEquals((await result).status.code, status.CANCELLED);
  await setup.backend.cancelled();
});

Deno.test("Proxy ends a call whose backend ends it before its client does", async () => {
  await using setup = await Setup.start();
  const call = setup.client.bidi({ "x-end": "1", "x-echo": "1" });
  call.write(message("hello"));
  const { messages, status: end } = await resultOf(call);
  assertEquals([messages.map(textOf), end.code, end.metadata.get("x-tail")], [["hello"], status.OK, ["1"]]);
});

Deno.test("Proxy says UNAVAILABLE when a backend dies in the middle of a call", async () => {
  await using setup = await Setup.start();
  const call = setup.client.bidi();
  call.write(message("hello"));
  await new Promise((resolve) => call.once("data", resolve));
  const result = resultOf(call);
  setup.backend.die();
  const { code, details } = (await result).status;
  assertEquals([code, details], [status.UNAVAILABLE, "the backend broke off"]);
});

Deno.test("Proxy says why it answers a call itself, in gRPC's words", async () => {
  using gone = new RawServer(() => Promise.resolve());
  gone[Symbol.dispose]();
  const cases: [
    name: string,
    options: Partial<TestProxyOptions> & { members?: object },
    code: number,
    text: RegExp,
  ][] = [
    [
      "no backend",
      { endpoints: { "default/one:80": [gone.endpoint] } },
      status.UNAVAILABLE,
      /^502: the backend/,
    ],
    [
      "no endpoint",
      { endpoints: { "default/one:80": [] } },
      status.UNAVAILABLE,
      /^503: .* no ready endpoint$/,
    ],
    [
      "closed",
      { members: { options: { ...GRPC.options, closed: "bad" } } },
      status.UNAVAILABLE,
      /^503: the Ingress/,
    ],
    ["too large", { server: { maxBodyBytes: 3 } }, status.UNKNOWN, /^413: /],
    [
      "no rule",
      { members: { ...GRPC, path: { type: "Exact", path: "/other" } } },
      status.UNIMPLEMENTED,
      /^404: /,
    ],
  ];
  for (const [name, options, code, text] of cases) {
    await using setup = await Setup.start(options);
    const { status: end } = await setup.client.call("unary", message("hello"));
    assertEquals([end.code, text.test(end.details)], [code, true], `${name}: ${end.details}`);
  }
});

Deno.test("Proxy reads no faster than the other side takes", async () => {
  // the other implementation writes without end for one who reads nothing
  const piece = new Uint8Array(16 * 1024);
  let written = 0;
  const stalled = Promise.withResolvers<void>();
  await using backend = await Http2Backend.start((stream) => {
    stream.respond({ ":status": 200, "content-type": "application/grpc" });
    const write = () => {
      // nobody tells that there is no more room
      const timer = setTimeout(() => stalled.resolve(), 300);
      stream.write(piece, () => {
        clearTimeout(timer);
        if (++written < 1000) write();
        else stream.end();
      });
    };
    write();
  });
  await using setup = await Setup.start({ endpoints: { "default/one:80": [backend.endpoint] } });
  using session = setup.session();
  const stream = session.request(GRPC_HEAD);
  stream.end();
  await within(stalled.promise, "the backend to wait");
  assert(written < 100, `${written} pieces were written for nobody`);
  let received = 0;
  stream.on("data", (bytes: Uint8Array) => received += bytes.length);
  await within(new Promise((resolve) => stream.once("end", resolve)), "all of it");
  assertEquals([received, written], [1000 * piece.length, 1000]);
});

Deno.test("Proxy cuts no call in which anything happens, and ends one that is silent", async () => {
  const server = { responseTimeout: 400, streamTimeout: 400, clientTimeout: 400 };
  await using setup = await Setup.start({ server });
  const cases: [name: string, begin: () => ReturnType<EchoClient["bidi"]>][] = [
    ["messages to the backend alone", () => setup.client.upload()],
    ["messages both ways", () => setup.client.bidi()],
  ];
  for (const [name, begin] of cases) {
    const call = begin();
    const result = resultOf(call);
    for (let count = 0; count < 6; count++) {
      call.write(message("hello"));
      // each is within the time limit, all together are not
      await pause(200);
    }
    call.end();
    assertEquals((await result).status.code, status.OK, name);
    const silent = begin();
    silent.write(message("hello"));
    assertEquals((await resultOf(silent)).status.code, status.UNAVAILABLE, name);
  }
});

Deno.test("Proxy speaks gRPC over TLS to a backend", async () => {
  const pair = await withChain(["backend.test"]);
  const cases: [options: object, code: number][] = [
    [{ backendProtocol: "GRPCS" }, status.OK],
    [{ backendProtocol: "GRPCS", backendServerName: "backend.test" }, status.OK],
    [{ backendProtocol: "GRPCS", backendVerify: true }, status.UNAVAILABLE],
  ];
  for (const [options, code] of cases) {
    const backend = await EchoBackend.start();
    using front = await tlsFront(pair, backend.endpoint);
    const endpoints = { "default/one:80": [front.endpoint] };
    await using setup = await Setup.start({ backend, endpoints, members: { options } });
    const { messages, status: end } = await setup.client.call("unary", message("hello"));
    assertEquals([end.code, messages.length], [code, code === status.OK ? 1 : 0], JSON.stringify(options));
  }
});

/** Ends TLS before a backend. */
async function tlsFront(pair: KeyPair, backend: string): Promise<Disposable & { endpoint: string }> {
  const sockets = new Set<Socket>();
  const server = createTlsServer({ ...pair, ALPNProtocols: ["h2"] }, (socket) => {
    const inner = connectTcp(Number(backend.split(":")[1]), "127.0.0.1");
    for (const [one, other] of [[socket, inner], [inner, socket]] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.pipe(other);
    }
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

Deno.test("Proxy serves gRPC in clear to clients with prior knowledge", async () => {
  await using setup = await Setup.start({ server: { allowsH2c: true } });
  using client = new EchoClient(setup.proxy.addresses.http.port, { host: HOST });
  const { messages, status: end } = await client.call("unary", message("hello"));
  assertEquals([messages.map(textOf), end.code], [["hello"], status.OK]);
});

Deno.test("Proxy chooses an endpoint for each call", async () => {
  await using other = await EchoBackend.start();
  await using backend = await EchoBackend.start();
  await using setup = await Setup.start({
    backend,
    endpoints: { "default/one:80": [backend.endpoint, other.endpoint] },
    server: { balance: "round-robin" },
  });
  for (let count = 0; count < 6; count++) await setup.client.call("unary", message("hello"));
  assertEquals([backend.calls.length, other.calls.length], [3, 3]);
});

Deno.test("Proxy lets calls finish when their backend leaves, and when it leaves itself", async (t) => {
  for (const who of ["backend", "proxy"] as const) {
    await t.step(who, async () => {
      await using setup = await Setup.start();
      const call = setup.client.bidi();
      const result = resultOf(call);
      call.write(message("one"));
      await setup.backend.begun();
      const leaving = who === "proxy" ? setup.proxy.stop() : setup.backend.leave();
      // it would have ended by then
      await pause(200);
      call.write(message("two"));
      call.end();
      const { messages, status: end } = await result;
      assertEquals([messages.map(textOf), end.code], [["one", "two"], status.OK]);
      await within(leaving, "the end");
    });
  }
});

Deno.test("Proxy serves ordinary requests of a host with gRPC over the same connection", async () => {
  using plain = new Backend((request) => ok(`${request.start} ${request.body}`));
  await using setup = await Setup.start({ rules: [] });
  await setup.proxy.dir.write(
    "endpoints.json",
    JSON.stringify({
      "default/one:80": [setup.backend.endpoint],
      "default/plain:80": [plain.endpoint],
    }),
  );
  await setup.proxy.reload([
    rule(HOST, "/test.Echo", "one", { ...tlsFiles("a"), ...GRPC }),
    rule(HOST, "/", "plain", tlsFiles("a")),
  ]);
  using session = setup.session();
  for (
    const [method, body, expected] of [["GET", "", "GET /x HTTP/1.1 "], [
      "PUT",
      "hello",
      "PUT /x HTTP/1.1 hello",
    ]]
  ) {
    const stream = session.request({ ":method": method, ":path": "/x", ":authority": HOST });
    assertEquals(await http2Answer(stream, method === "GET" ? undefined : body), [200, expected]);
  }
  const head = session.request({ ":method": "HEAD", ":path": "/x", ":authority": HOST });
  assertEquals(await http2Answer(head), [200, ""]);
  const { status: end } = await setup.client.call("unary", message("hello"));
  assertEquals(end.code, status.OK);
});

Deno.test("Proxy closes a connection on which gRPC cannot be spoken, so that the next one is another", async () => {
  await using setup = await Setup.start({ members: {} });
  assertEquals((await setup.client.call("unary", message("hello"))).status.code, status.UNAVAILABLE);
  await setup.proxy.reload([rule(HOST, "/", "one", { ...tlsFiles("a"), ...GRPC })]);
  const codes = [];
  for (let count = 0; count < 3; count++) {
    codes.push((await setup.client.call("unary", message("hello"))).status.code);
  }
  assertEquals(codes.at(-1), status.OK);
});

Deno.test("Proxy tells clients of HTTP/1.1 that gRPC needs HTTP/2", async () => {
  await using setup = await Setup.start();
  using client = await setup.proxy.client();
  const answer = await client.exchange(
    `POST /test.Echo/Unary HTTP/1.1\r\nHost: ${HOST}\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n`,
  );
  assertEquals(outcome(answer), [505, "version_not_supported"]);
});
