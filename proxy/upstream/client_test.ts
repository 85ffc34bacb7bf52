import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, formatAddress, parseAddress } from "@pingress/config";
import {
  bytesOfNumber,
  FLAG,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  readFrame,
} from "../../tests/conformance/http2_frames.ts";
import { FakeContent, FakeTransport, textOf } from "../../tests/fakes.ts";
import { RawServer } from "../../tests/peers.ts";
import { until, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { type ErrorReason, ProxyError } from "../errors.ts";
import { Cancellation } from "../exchange.ts";
import { type Balancer, createBalancer } from "./balancer.ts";
import { type Attempts, type UpstreamBackend, UpstreamClient } from "./client.ts";
import { type Delivery, deliveryOf } from "./delivery.ts";
import { UpstreamPool, type UpstreamPoolOptions } from "./pool.ts";
import type { UpstreamRequest, UpstreamResponse } from "./round_trip.ts";
import { upstreamRequest } from "./testing.ts";

const LAST = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A client whose connections are in memory. */
class Setup implements Disposable {
  /** The endpoints that were dialled, in order. */
  readonly dialled: string[] = [];
  /** The other ends of the connections. */
  readonly transports: FakeTransport[] = [];
  readonly cancellation = new Cancellation();
  /** What was told of the last request. */
  attempts: Attempts = { retries: 0 };
  readonly #pool: UpstreamPool;
  readonly #client: UpstreamClient;
  readonly #addresses: Address[];

  /** `answer` is what a new connection of an endpoint answers its first request with; nothing refuses. */
  constructor(
    endpoints: string[],
    answer: (endpoint: string) => string | undefined,
    options: Partial<UpstreamPoolOptions> = {},
  ) {
    this.#addresses = endpoints.map((endpoint) => parseAddress(endpoint)!);
    const dial = (address: Address) => {
      const endpoint = formatAddress(address);
      this.dialled.push(endpoint);
      const text = answer(endpoint);
      if (text === undefined) return Promise.reject(new Deno.errors.ConnectionRefused("refused"));
      const transport = new FakeTransport(text);
      this.transports.push(transport);
      return Promise.resolve(transport);
    };
    this.#pool = new UpstreamPool({
      ...{ dial, deadlines: new Deadlines(), connectTimeout: 5000, idleTimeout: 4000, maxConnections: 10 },
      ...options,
    });
    this.#client = new UpstreamClient({
      pool: this.#pool,
      balancer: createBalancer("round-robin", () => 0),
      responseTimeout: 5000,
      streamTimeout: 5000,
    });
  }

  async send(
    changes: Partial<UpstreamRequest> = {},
    key = "default/a:80",
    { delivery, balancer }: Pick<UpstreamBackend, "delivery" | "balancer"> = {},
  ): Promise<UpstreamResponse> {
    const request = upstreamRequest({ cancellation: this.cancellation, ...changes });
    this.attempts = { retries: 0 };
    const protocol = { name: "HTTP" as const };
    const backend = { key, addresses: this.#addresses, protocol, delivery, balancer };
    const response = await this.#client.send(request, backend, this.attempts);
    await textOf(response.body);
    return response;
  }

  /** Waits until there have been so many connections. */
  async dials(count: number): Promise<void> {
    await until(() => this.transports.length >= count, `${count} connections`);
  }

  async fails(reason: ErrorReason, changes: Partial<UpstreamRequest> = {}): Promise<void> {
    assertEquals((await assertRejects(() => this.send(changes), ProxyError)).reason, reason);
  }

  [Symbol.dispose](): void {
    this.#pool.close();
  }
}

Deno.test("UpstreamClient.send() takes the endpoints of each backend in turn", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1"], () => LAST);
  for (let request = 0; request < 6; request++) await setup.send();
  assertEquals(setup.dialled.slice(0, 3).toSorted(), ["a:1", "b:1", "c:1"]);
  assertEquals(setup.dialled.slice(3), setup.dialled.slice(0, 3));
  await setup.send({}, "default/other:80");
  await setup.send();
  assertEquals(setup.dialled.at(-1), setup.dialled[0]);
});

Deno.test("UpstreamClient.send() passes over endpoints that cannot be reached", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1"], (endpoint) => endpoint === "b:1" ? LAST : undefined);
  for (let request = 0; request < 3; request++) assertEquals((await setup.send()).status, 200);
});

Deno.test("UpstreamClient.send() says what it has tried", async () => {
  using setup = new Setup(["a:1", "b:1"], (endpoint) => endpoint === "b:1" ? LAST : undefined);
  const seen = new Set<number>();
  // the endpoint that refuses is passed over from then on
  for (let request = 0; request < 4; request++) {
    await setup.send();
    assertEquals(setup.attempts.endpoint, "b:1");
    seen.add(setup.attempts.retries);
  }
  assert(seen.has(0));
  assertEquals(setup.dialled.filter((endpoint) => endpoint === "a:1").length <= 1, true);
});

Deno.test("UpstreamClient.send() passes over an endpoint for POST too, for nothing was sent", async () => {
  using setup = new Setup(["a:1", "b:1"], (endpoint) => endpoint === "b:1" ? LAST : undefined);
  for (let request = 0; request < 2; request++) {
    assertEquals((await setup.send({ method: "POST" })).status, 200);
  }
});

Deno.test("UpstreamClient.send() gives up after three endpoints", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1", "d:1"], () => undefined);
  await setup.fails("upstream_unreachable");
  assertEquals([new Set(setup.dialled).size, setup.dialled.length], [3, 3]);
  assertEquals(setup.attempts, { endpoint: setup.dialled[2]!, retries: 2 });
});

Deno.test("UpstreamClient.send() tries no endpoint twice for a request", async () => {
  using setup = new Setup(["a:1", "b:1"], () => undefined);
  await setup.fails("upstream_unreachable");
  assertEquals(setup.dialled.toSorted(), ["a:1", "b:1"]);
  assertEquals(setup.attempts.retries, 1);
});

Deno.test("UpstreamClient.send() says that there is no endpoint", async () => {
  using setup = new Setup([], () => LAST);
  await setup.fails("no_endpoint");
  assertEquals(setup.attempts, { retries: 0 });
});

Deno.test("UpstreamClient.send() tries no other endpoint once a request was sent", async () => {
  using setup = new Setup(["a:1", "b:1"], () => "hello\r\n\r\n");
  await setup.fails("upstream_invalid");
  assertEquals(setup.dialled.length, 1);
});

Deno.test("UpstreamClient.send() uses a connection again", async () => {
  using setup = new Setup(["a:1"], () => OK);
  await setup.send();
  const second = setup.send({ target: "/2" });
  await setup.transports[0]!.has("GET /2");
  setup.transports[0]!.send(OK);
  assertEquals((await second).status, 200);
  assertEquals(setup.dialled.length, 1);
});

Deno.test("UpstreamClient.send() repeats an idempotent request when a kept connection was dead", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
    using setup = new Setup(["a:1"], () => OK);
    await setup.send();
    const second = setup.send({ method });
    await setup.transports[0]!.has(`${method} /`);
    setup.transports[0]!.end();
    assertEquals((await second).status, 200);
    assertEquals(setup.dialled.length, 2);
    assertEquals(setup.attempts, { endpoint: "a:1", retries: 1 });
  }
});

Deno.test("UpstreamClient.send() repeats nothing that may have been done, or whose content is gone", async () => {
  const cases: Partial<UpstreamRequest>[] = [
    { method: "POST" },
    { method: "PATCH" },
    { method: "get" },
    { method: "PUT", body: new FakeContent().send("abc").end() },
    { method: "GET", body: new FakeContent(3).send("abc").end() },
  ];
  for (const request of cases) {
    using setup = new Setup(["a:1"], () => OK);
    await setup.send();
    const second = setup.fails("upstream_unreachable", request);
    await setup.transports[0]!.has(`${request.method} /`);
    setup.transports[0]!.end();
    await second;
    assertEquals(setup.dialled.length, 1, request.method);
  }
});

Deno.test("UpstreamClient.send() repeats also a POST of which nothing can have been sent", async () => {
  using setup = new Setup(["a:1"], () => OK);
  await setup.send();
  const [transport] = setup.transports;
  const body = new FakeContent().send("abc").end();
  transport!.write = () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe"));
  assertEquals((await setup.send({ method: "POST", body })).status, 200);
  assert(setup.transports[1]!.written.endsWith("3\r\nabc\r\n0\r\n\r\n"));
});

Deno.test("UpstreamClient.send() repeats a request once only", async () => {
  const answers = [OK, ""];
  using setup = new Setup(["a:1"], () => answers.shift());
  await setup.send();
  const second = setup.fails("upstream_unreachable");
  setup.transports[0]!.end();
  await setup.dials(2);
  setup.transports[1]!.end();
  await second;
  assertEquals(setup.dialled.length, 2);
});

Deno.test("UpstreamClient.send() wastes no connection on a client that has gone while it waited for one", async () => {
  using setup = new Setup(["a:1"], () => "", { maxConnections: 1 });
  const cancellation = new Cancellation();
  const first = setup.send();
  await setup.dials(1);
  const second = setup.fails("client_gone", { cancellation });
  cancellation.cancel();
  await setup.transports[0]!.has("GET /");
  setup.transports[0]!.send(OK);
  await first;
  await second;
  const third = setup.send({ target: "/3" });
  await setup.transports[0]!.has("GET /3");
  setup.transports[0]!.send(OK);
  assertEquals([(await third).status, setup.dialled.length], [200, 1]);
});

Deno.test("UpstreamClient.send() tries no other endpoint for a client that has gone", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1"], () => {
    setup.cancellation.cancel();
    return undefined;
  });
  await setup.fails("upstream_unreachable");
  assertEquals(setup.dialled.length, 1);
});

Deno.test("UpstreamClient.send() takes another endpoint when all connections to one are in use", async () => {
  using setup = new Setup(["a:1", "b:1"], (endpoint) => endpoint === "b:1" ? LAST : "", {
    maxConnections: 1,
    connectTimeout: 20,
  });
  const first = setup.send();
  await setup.dials(1);
  for (let request = 0; request < 3; request++) assertEquals((await setup.send()).status, 200);
  setup.transports[0]!.send(LAST);
  await first;
});

/** How a rule has its requests sent. */
function retrying(on: string, attempts = 3): Delivery {
  return deliveryOf({ retry: { on: on.split(" "), attempts } })!;
}

const INVALID = "hello\r\n\r\n";
const SILENT = "";
const BUSY = "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/** What connections answer, how the rule sends, and what comes of it: a status or an error, and how often it was sent. */
const retries: [
  answers: (string | undefined)[],
  delivery: Delivery,
  outcome: number | ErrorReason,
  sent: number,
][] = [
  [[undefined, LAST], retrying("error"), 200, 2],
  [[undefined, LAST], retrying("timeout"), "upstream_unreachable", 1],
  [[undefined, LAST], retrying("off"), "upstream_unreachable", 1],
  [[undefined, undefined, undefined, LAST], retrying("error"), "upstream_unreachable", 3],
  [[undefined, undefined, undefined, LAST], retrying("error", 4), 200, 4],
  [[INVALID, LAST], retrying("invalid_header"), 200, 2],
  [[INVALID, LAST], retrying("error"), "upstream_invalid", 1],
  [[BUSY, LAST], retrying("http_503"), 200, 2],
  [[BUSY, LAST], retrying("http_502"), 503, 1],
  [[BUSY, BUSY, BUSY, LAST], retrying("http_503"), 503, 3],
  [[BUSY, undefined, LAST], retrying("http_503"), "upstream_unreachable", 2],
  [[BUSY, undefined, LAST], retrying("http_503 error"), 200, 3],
];

for (const [answers, delivery, outcome, sent] of retries) {
  const what = JSON.stringify(answers.map((answer) => answer?.slice(0, 12) ?? "refused"));
  const on = [...delivery.retry!.sent, ...delivery.retry!.statuses].join();
  Deno.test(`UpstreamClient.send() of a rule: ${what} with ${on} is ${outcome} after ${sent}`, async () => {
    const left = [...answers];
    using setup = new Setup(["a:1", "b:1"], () => left.shift());
    const found = await setup.send({}, undefined, { delivery }).then(
      ({ status }) => status,
      ({ reason }: ProxyError) => reason,
    );
    assertEquals([found, setup.dialled.length, setup.attempts.retries], [outcome, sent, sent - 1]);
  });
}

Deno.test("UpstreamClient.send() of a rule goes to all endpoints before it comes to one again", async () => {
  using setup = new Setup(["a:1", "b:1"], () => BUSY);
  await setup.send({}, undefined, { delivery: retrying("http_503", 4) });
  assertEquals(setup.dialled.length, 4);
  assertEquals([new Set(setup.dialled.slice(0, 2)).size, new Set(setup.dialled.slice(2)).size], [2, 2]);
});

Deno.test("UpstreamClient.send() of a rule sends no content twice", async () => {
  const cases: [answer: string | undefined, status: number][] = [[undefined, 200], [BUSY, 503]];
  for (const [answer, status] of cases) {
    const answers = [answer, LAST];
    using setup = new Setup(["a:1", "b:1"], () => answers.shift());
    const body = new FakeContent().send("abc").end();
    const delivery = retrying("error http_503 non_idempotent");
    assertEquals((await setup.send({ method: "PUT", body }, undefined, { delivery })).status, status);
  }
});

Deno.test("UpstreamClient.send() of a rule sends nothing again once the client was told something", async () => {
  const answers = [`HTTP/1.1 103 Early Hints\r\n\r\n${BUSY}`, LAST];
  using setup = new Setup(["a:1", "b:1"], () => answers.shift());
  const told: number[] = [];
  const inform = (status: number) => {
    told.push(status);
    return Promise.resolve();
  };
  assertEquals((await setup.send({ inform }, undefined, { delivery: retrying("http_503") })).status, 503);
  assertEquals([told, setup.dialled.length], [[103], 1]);
});

Deno.test("UpstreamClient.send() of a rule waits as long as the rule says", async () => {
  const times = { responseTimeout: 1, connectTimeout: 7, streamTimeout: 1 };
  const answers = [SILENT, LAST];
  using setup = new Setup(["a:1", "b:1"], () => answers.shift());
  assertEquals(
    (await setup.send({}, undefined, { delivery: { ...retrying("timeout"), times } })).status,
    200,
  );
  assertEquals(setup.dialled.length, 2);
});

Deno.test("UpstreamClient.send() of a rule connects as long as the rule says", async () => {
  using setup = new Setup(["a:1"], () => SILENT, {
    dial: (_, { signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    connectTimeout: 60_000,
  });
  const delivery = { times: { connectTimeout: 5 } };
  const error = await assertRejects(() => setup.send({}, undefined, { delivery }), ProxyError, "within 5 ms");
  assertEquals(error.reason, "upstream_timeout");
});

Deno.test("UpstreamClient.send() lets a backend's own balancer choose each time, and gives up when it finds none", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1"], (endpoint) => endpoint === "b:1" ? LAST : undefined);
  const seen: string[][] = [];
  const choose = (...wanted: string[]): Balancer => ({
    choose: (endpoints) => {
      seen.push(endpoints.map(({ name }) => name));
      const name = wanted.shift();
      return endpoints.find((endpoint) => endpoint.name === name);
    },
  });
  assertEquals((await setup.send({}, "default/a:80", { balancer: choose("c:1", "b:1") })).status, 200);
  assertEquals(seen, [["a:1", "b:1", "c:1"], ["a:1", "b:1"]]);
  await assertRejects(
    () => setup.send({}, "default/a:80", { balancer: choose("c:1", "c:1") }),
    ProxyError,
    "refused",
  );
  assertEquals(setup.dialled, ["c:1", "b:1", "c:1"]);
});

Deno.test("UpstreamClient.send() gives what it has where it may be sent again, and no endpoint is chosen", async () => {
  using setup = new Setup(["a:1", "b:1"], () => BUSY);
  const wanted = ["a:1"];
  const balancer: Balancer = {
    choose: (endpoints) => {
      const name = wanted.shift();
      return endpoints.find((endpoint) => endpoint.name === name);
    },
  };
  const { status } = await setup.send({}, "default/a:80", { balancer, delivery: retrying("http_503") });
  assertEquals([status, setup.dialled], [503, ["a:1"]]);
});

/** The start of content that goes on. */
const ENDLESS = "and so on";

/** A backend that does not work on the first request of its first connection, and answers with what it gets of others. */
function refusing(how: "GOAWAY" | "reset"): RawServer {
  return new RawServer(async (peer, number) => {
    await peer.read(PREFACE.length);
    await peer.write(frame({ type: FRAME.SETTINGS }));
    let content = "";
    for (;;) {
      const { type, flags, stream, payload } = await readFrame((count) => peer.read(count));
      if (type === FRAME.DATA) content += payload;
      if (type === FRAME.WINDOW_UPDATE || type === FRAME.SETTINGS || type === FRAME.PING) continue;
      if (content !== ENDLESS && (flags & FLAG.END_STREAM) === 0) continue;
      if (number === 1 && stream === 1) {
        await peer.write(
          how === "GOAWAY"
            ? frame({ type: FRAME.GOAWAY, payload: "\0".repeat(8) })
            : frame({ type: FRAME.RST_STREAM, stream, payload: bytesOfNumber(7, 4) }),
        );
        content = "";
      } else {
        const head = { type: FRAME.HEADERS, stream, payload: headerBlock([[":status", "200"]]) };
        await peer.write(frame({ ...head, flags: FLAG.END_HEADERS }));
        await peer.write(frame({ type: FRAME.DATA, flags: FLAG.END_STREAM, stream, payload: content }));
      }
    }
  });
}

Deno.test("UpstreamClient.send() sends again what an HTTP/2 backend has not begun to work on, if it has all of it", async (t) => {
  const whole = () => new FakeContent().send("he").send("llo").end();
  const cases: [name: string, body: () => FakeContent | null, expected: string | undefined][] = [
    ["without content", () => null, ""],
    ["with content", whole, "hello"],
    ["with content that goes on", () => new FakeContent().send(ENDLESS), undefined],
    ["with long content", () => new FakeContent().send("x".repeat(17_000)).end(), undefined],
  ];
  for (const how of ["GOAWAY", "reset"] as const) {
    for (const [name, body, expected] of cases) {
      await t.step(`${how}: ${name}`, async () => {
        using server = refusing(how);
        const content = body();
        const pool = new UpstreamPool({
          ...{ deadlines: new Deadlines(), connectTimeout: 5000, idleTimeout: 4000, maxConnections: 10 },
        });
        const times = { responseTimeout: 5000, streamTimeout: 5000 };
        const client = new UpstreamClient({
          pool,
          balancer: createBalancer("round-robin", () => 0),
          ...times,
        });
        const attempts = { retries: 0 };
        const sending = within(
          client.send(
            upstreamRequest({
              cancellation: new Cancellation(),
              method: content === null ? "GET" : "POST",
              body: content,
            }),
            { key: "default/a:80", addresses: [server.address], protocol: { name: "H2C" } },
            attempts,
          ),
          "an answer",
        );
        if (expected === undefined) {
          assertEquals((await assertRejects(() => sending, ProxyError)).reason, "upstream_unreachable");
        } else {
          const { status, body: answer } = await sending;
          assertEquals([status, await textOf(answer)], [200, expected]);
        }
        assertEquals(attempts.retries, expected === undefined ? 0 : 1);
        content?.end();
        pool.close();
      });
    }
  }
});
