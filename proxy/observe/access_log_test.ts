import { assert, assertEquals } from "@std/assert";
import type { DownstreamRequest, Outcome } from "../exchange.ts";
import { Cancellation } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { AccessLog, type AccessLogOptions } from "./access_log.ts";
import { ExchangeRecord } from "./observer.ts";

const CLIENT = { address: "10.0.0.9", scheme: "https" as const, covers: () => true };
const OUTCOME: Outcome = { received: 3, sent: 5, isComplete: true };

/** Never more than by a chance of one in 2^53. */
const NEVER = Number.MIN_VALUE;

const REQUEST: DownstreamRequest = {
  client: CLIENT,
  protocol: "HTTP/1.1",
  method: "GET",
  authority: "A.test:80",
  target: "/a?secret",
  fields: Fields.of([["accept", "*/*"], ["user-agent", 'a"b\\c\n\xe9'], ["authorization", "secret"]]),
  body: null,
  upgrade: undefined,
  cancellation: new Cancellation(),
};

/** A log and what was written of it. */
class Setup {
  readonly written: string[] = [];
  readonly log: AccessLog;
  readonly #wrote = Promise.withResolvers<void>();

  constructor(options: Partial<AccessLogOptions> = {}) {
    this.log = new AccessLog({
      rate: 1,
      write: (lines) => {
        this.written.push(lines);
        this.#wrote.resolve();
      },
      now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      ...options,
    });
  }

  /** Waits for the first lines. */
  get wrote(): Promise<void> {
    return this.#wrote.promise;
  }

  add(changes: Partial<ExchangeRecord> = {}): void {
    this.log.add(Object.assign(new ExchangeRecord(CLIENT), { status: 200 }, changes), OUTCOME, 1.23456);
  }

  get lines(): Record<string, unknown>[] {
    return this.written.join("").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  }
}

Deno.test("AccessLog.add() writes a line with all that is known", () => {
  const setup = new Setup();
  const backend = { type: "Service" as const, name: "one", namespace: "default", port: 80 };
  setup.add({
    ...{ request: REQUEST, address: "1.2.3.4", host: "a.test", path: "/a", requestId: "id" },
    ...{ endpoint: "10.0.0.1:80", retries: 2, status: 502, reason: "upstream_unreachable" },
    route: {
      backend,
      key: "default/one:80",
      protocol: { name: "HTTP" },
      host: "a.test",
      hostClass: "exact",
    },
  });
  setup.log.flush();
  assertEquals(setup.lines, [{
    time: "2026-01-02T03:04:05.678Z",
    client: "1.2.3.4",
    peer: "10.0.0.9",
    scheme: "https",
    protocol: "HTTP/1.1",
    method: "GET",
    host: "a.test",
    path: "/a",
    status: 502,
    error: "upstream_unreachable",
    complete: true,
    duration_ms: 1.235,
    received: 3,
    sent: 5,
    backend: "default/one:80",
    endpoint: "10.0.0.1:80",
    retries: 2,
    request_id: "id",
    user_agent: 'a"b\\c\n\xe9',
  }]);
  assertEquals(setup.written.join("").includes("secret"), false);
});

Deno.test("AccessLog.add() leaves out what is not known", () => {
  const setup = new Setup();
  setup.add({ status: 400, reason: "bad_request" });
  setup.log.flush();
  assertEquals(setup.lines, [{
    time: "2026-01-02T03:04:05.678Z",
    client: "10.0.0.9",
    scheme: "https",
    status: 400,
    error: "bad_request",
    complete: true,
    duration_ms: 1.235,
    received: 3,
    sent: 5,
    retries: 0,
  }]);
});

Deno.test("AccessLog collects lines for a moment", async () => {
  const setup = new Setup();
  setup.add();
  setup.add();
  assertEquals(setup.written, []);
  await setup.wrote;
  assertEquals([setup.written.length, setup.lines.length], [1, 2]);
});

Deno.test("AccessLog collects no more than so much", () => {
  const setup = new Setup();
  while (setup.written.length === 0) setup.add({ path: "x".repeat(1000) });
  assert(setup.lines.length > 10 && setup.lines.length < 50, `${setup.lines.length}`);
});

Deno.test("AccessLog.flush() writes what there is, once", () => {
  const setup = new Setup();
  setup.log.flush();
  setup.add();
  setup.log.flush();
  setup.log.flush();
  assertEquals([setup.written.length, setup.lines.length], [1, 1]);
});

Deno.test("AccessLog.add() leaves requests out that are not in the sample, but for 5xx", () => {
  const setup = new Setup({ rate: NEVER });
  for (const status of [200, 404, 499, 500, 503]) setup.add({ status });
  setup.log.flush();
  assertEquals(setup.lines.map(({ status }) => status), [500, 503]);
});

Deno.test("AccessLog.add() samples so many requests as it is told", () => {
  const setup = new Setup({ rate: 0.5 });
  for (let count = 0; count < 1000; count++) setup.add();
  setup.log.flush();
  assert(setup.lines.length > 350 && setup.lines.length < 650, `${setup.lines.length}`);
});

Deno.test("AccessLog.add() tells each line's own time", () => {
  let now = 0;
  const setup = new Setup({ now: () => now });
  for (now of [0, 0, 1, 60_000, 1]) setup.add();
  setup.log.flush();
  assertEquals(setup.lines.map(({ time }) => time), [
    "1970-01-01T00:00:00.000Z",
    "1970-01-01T00:00:00.000Z",
    "1970-01-01T00:00:00.001Z",
    "1970-01-01T00:01:00.000Z",
    "1970-01-01T00:00:00.001Z",
  ]);
});
