import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeContent, textOf } from "../../tests/fakes.ts";
import { bytesOf, latin1, lookedAt, recordingLog, settled, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { errorResponse } from "../errors.ts";
import type { DownstreamRequest, DownstreamResponse, HeaderList, Outcome, Refusal } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { denoHandler } from "./deno_server.ts";

const CLIENT = { address: "10.0.0.9", scheme: "https" as const, covers: () => true };

/** One request that comes from `Deno.serve`, and all that becomes of it. */
class Setup {
  readonly record = recordingLog();
  /** How many requests have begun and ended. */
  readonly counts = { began: 0, ended: 0, stalled: 0 };
  readonly deadlines = new Deadlines();
  /** What was refused. */
  refusal: Refusal | undefined;
  /** What came of it in the end. */
  readonly outcome = Promise.withResolvers<Outcome>();
  readonly #completed = Promise.withResolvers<void>();
  readonly #answer: (request: DownstreamRequest) => Promise<DownstreamResponse>;
  request: DownstreamRequest | undefined;

  constructor(
    answer: DownstreamResponse | ((request: DownstreamRequest) => Promise<DownstreamResponse>) = response(),
  ) {
    this.#answer = typeof answer === "function" ? answer : () => Promise.resolve(answer);
  }

  async handle(request: Request, { isKnown = true, clientTimeout = 5000 } = {}): Promise<Response> {
    const finish = (response: DownstreamResponse) => {
      response.done = (outcome) => this.outcome.resolve(outcome);
      return response;
    };
    const handler = denoHandler({
      handler: {
        handle: async (request) => {
          this.request = request;
          return finish(await this.#answer(request));
        },
        refuse: (refusal) => {
          this.refusal = refusal;
          return finish(errorResponse(refusal.reason));
        },
      },
      client: () =>
        !isKnown ? undefined : {
          client: CLIENT,
          began: () => this.counts.began++,
          ended: ({ isUseless }) => this.counts[isUseless ? "stalled" : "ended"]++,
        },
      ownAuthorities: () => ["127.0.0.1:9"],
      deadlines: this.deadlines,
      clientTimeout,
      log: this.record.log,
    });
    return await handler(request, {
      remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
      completed: this.#completed.promise,
    });
  }

  /** The answer was sent, or could not be. @returns what came of it. */
  async complete(error?: Error): Promise<Outcome> {
    if (error === undefined) this.#completed.resolve();
    else this.#completed.reject(error);
    return await this.outcome.promise;
  }
}

function response(changes: Partial<DownstreamResponse> = {}): DownstreamResponse {
  return { status: 200, fields: Fields.of([]), body: null, ...changes };
}

function headersOf(response: Response): HeaderList {
  return [...response.headers];
}

Deno.test("denoHandler() hands a request on as it is", async () => {
  const setup = new Setup();
  await setup.handle(
    new Request("https://A.test:8443/a%2Fb//c?d=%zz&e", { headers: [["x-a", "1"], ["cookie", "b=2"]] }),
  );
  const { cancellation, fields, ...request } = setup.request!;
  assertEquals(fields.list(), [["cookie", "b=2"], ["x-a", "1"]]);
  assertEquals(request, {
    client: CLIENT,
    protocol: "HTTP/2",
    method: "GET",
    authority: "a.test:8443",
    target: "/a%2Fb//c?d=%zz&e",
    body: null,
    upgrade: undefined,
  });
  assertEquals(cancellation.isCancelled, false);
});

Deno.test("denoHandler() serves nobody whom it does not know", async () => {
  const setup = new Setup();
  const answer = await setup.handle(new Request("http://a.test/"), { isKnown: false });
  assertEquals([answer.status, setup.request, setup.counts.began], [421, undefined, 0]);
});

Deno.test("denoHandler() refuses what contradicts itself or cannot be delivered", async () => {
  const cases: [method: string, headers: Record<string, string>, reason: string, status: number][] = [
    ["GET", { host: "b.test" }, "bad_request", 400],
    ["GET", { host: "a.test:80" }, "bad_request", 400],
    ["POST", { "content-length": "+2" }, "bad_request", 400],
    ["POST", { "content-length": "2, 2" }, "bad_request", 400],
    ["GET", { "content-length": "2" }, "body_not_supported", 501],
    ["HEAD", { "content-length": "2" }, "body_not_supported", 501],
    ["POST", { expect: "200-ok" }, "expectation_failed", 417],
  ];
  for (const [method, headers, reason, status] of cases) {
    const setup = new Setup();
    const answer = await setup.handle(new Request("http://a.test/", { method, headers }));
    assertEquals([setup.refusal?.reason, answer.status], [reason, status], JSON.stringify(headers));
    assertEquals([setup.request, setup.refusal?.client], [undefined, CLIENT]);
    assertEquals((await setup.complete()).isComplete, true);
  }
});

Deno.test("denoHandler() refuses a request that names no host, for which Deno names one", async () => {
  const setup = new Setup();
  const answer = await setup.handle(new Request("http://127.0.0.1:9/"));
  assertEquals([setup.refusal?.reason, answer.status, setup.request], ["bad_request", 400, undefined]);
  const named = new Setup();
  await named.handle(new Request("http://127.0.0.1:9/", { headers: { host: "127.0.0.1:9" } }));
  assertEquals(named.request?.authority, "127.0.0.1:9");
});

Deno.test("denoHandler() tells OPTIONS for the whole server from all else", async () => {
  const cases: [method: string, target: string, expected: string][] = [
    ["OPTIONS", "/*", "*"],
    ["OPTIONS", "/*?a", "/*?a"],
    ["OPTIONS", "/", "/"],
    ["GET", "/*", "/*"],
  ];
  for (const [method, target, expected] of cases) {
    const setup = new Setup();
    await setup.handle(new Request(`http://a.test${target}`, { method }));
    assertEquals(setup.request?.target, expected, `${method} ${target}`);
  }
});

Deno.test("denoHandler() takes what agrees with itself", async () => {
  const cases: [method: string, headers: Record<string, string>][] = [
    ["GET", { host: "a.test" }],
    ["GET", { "content-length": "0" }],
    ["POST", { expect: "100-Continue" }],
  ];
  for (const [method, headers] of cases) {
    const setup = new Setup();
    await setup.handle(new Request("http://a.test/", { method, headers }));
    assertEquals([setup.refusal, setup.request?.body], [undefined, null], JSON.stringify(headers));
  }
});

Deno.test("denoHandler() delivers content, and none where there is none", async () => {
  const cases: [
    sent: string | undefined,
    length: string | undefined,
    expected: [number | undefined, string] | null,
  ][] = [
    ["hello", "5", [5, "hello"]],
    ["hello", undefined, [undefined, "hello"]],
    ["", undefined, null],
    ["", "0", null],
    [undefined, undefined, null],
  ];
  for (const [sent, length, expected] of cases) {
    const received = Promise.withResolvers<[number | undefined, string] | null>();
    const setup = new Setup(async ({ body }) => {
      received.resolve(body && [body.length, await textOf(body)]);
      return response();
    });
    const request = new Request("http://a.test/", {
      method: "POST",
      ...sent !== undefined && { body: new Blob([sent]).stream() },
      ...length !== undefined && { headers: { "content-length": length } },
    });
    await setup.handle(request);
    assertEquals(await received.promise, expected, `${sent} ${length}`);
    assertEquals((await setup.complete()).received, sent?.length ?? 0);
  }
});

Deno.test("denoHandler() waits for no content without end", async () => {
  const setup = new Setup();
  const request = new Request("http://a.test/", { method: "POST", body: new ReadableStream() });
  const answer = await setup.handle(request, { clientTimeout: 10 });
  assertEquals([setup.refusal?.reason, answer.status], ["client_timeout", 408]);
});

Deno.test("denoHandler() cancels with the client", async () => {
  const abort = new AbortController();
  const setup = new Setup();
  await setup.handle(new Request("http://a.test/", { signal: abort.signal }));
  const { cancellation } = setup.request!;
  assertEquals(cancellation.isCancelled, false);
  abort.abort();
  assertEquals(cancellation.isCancelled, true);
});

Deno.test("denoHandler() says when a request begins and ends", async () => {
  for (const error of [undefined, new Error("reset")]) {
    const setup = new Setup();
    await setup.handle(new Request("http://a.test/"));
    assertEquals(setup.counts, { began: 1, ended: 0, stalled: 0 });
    const { isComplete } = await setup.complete(error);
    await settled();
    assertEquals([setup.counts, isComplete], [{ began: 1, ended: 1, stalled: 0 }, error === undefined]);
  }
});

Deno.test("denoHandler() writes responses with and without content", async () => {
  const content = (length?: number) => new FakeContent(length).send("he").send("llo").end();
  const saysSeven = () => Fields.of([["content-length", "7"]]);
  const cases: [method: string, DownstreamResponse, expected: [length: string | null, text: string]][] = [
    ["GET", response(), [null, ""]],
    ["GET", response({ body: bytesOf("hello") }), [null, "hello"]],
    ["GET", response({ body: content(5) }), ["5", "hello"]],
    ["GET", response({ body: content() }), [null, "hello"]],
    ["GET", response({ body: content(5), fields: saysSeven() }), ["5", "hello"]],
    ["GET", response({ body: content(), fields: saysSeven() }), [null, "hello"]],
    ["HEAD", response({ fields: saysSeven() }), ["7", ""]],
    ["HEAD", response({ body: content(5) }), [null, ""]],
    ["GET", response({ status: 204 }), [null, ""]],
    ["GET", response({ status: 304, fields: saysSeven() }), ["7", ""]],
  ];
  for (const [method, answer, expected] of cases) {
    const setup = new Setup(answer);
    const written = await setup.handle(new Request("http://a.test/", { method }));
    const text = await written.text();
    assertEquals([written.status, written.headers.get("content-length"), text], [answer.status, ...expected]);
    const outcome = await setup.complete();
    assertEquals(outcome, { received: 0, sent: text.length, isComplete: true });
    if (answer.body instanceof FakeContent) assert(answer.body.isClosed);
  }
});

Deno.test("denoHandler() keeps the fields of a response", async () => {
  const headers: HeaderList = [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-latin", "caf\xe9"]];
  const written = await new Setup(response({ fields: Fields.of([...headers]) })).handle(
    new Request("http://a.test/"),
  );
  assertEquals(headersOf(written).toSorted(), headers.toSorted());
});

Deno.test("denoHandler() passes content on as it comes", async () => {
  const content = new FakeContent().send("he");
  const setup = new Setup(response({ body: content }));
  const pieces = (await setup.handle(new Request("http://a.test/"))).body!.getReader();
  assertEquals(latin1((await pieces.read()).value!), "he");
  content.send("llo");
  assertEquals(latin1((await pieces.read()).value!), "llo");
  content.end();
  assertEquals([(await pieces.read()).done, content.isClosed], [true, true]);
  await setup.complete();
});

Deno.test("denoHandler() keeps no piece that is overwritten by the next one", async () => {
  const content = new FakeContent();
  const shared = bytesOf("one");
  content.arrived = () => undefined;
  let round = 0;
  content.next = () => {
    if (round++ === 2) {
      content.hasEnded = true;
      return Promise.resolve(undefined);
    }
    shared.set(bytesOf(round === 1 ? "one" : "two"));
    return Promise.resolve(shared);
  };
  const setup = new Setup(response({ body: content }));
  const written = await setup.handle(new Request("http://a.test/"));
  const reader = written.body!.getReader();
  const first = (await reader.read()).value!;
  const second = (await reader.read()).value!;
  assertEquals([latin1(first), latin1(second), (await reader.read()).done], ["one", "two", true]);
  await setup.complete();
});

Deno.test("denoHandler() lets a response fail that breaks off", async () => {
  const content = new FakeContent(10).send("hello").fail(new Error("10.0.0.1:80: the response broke off"));
  const setup = new Setup(response({ body: content }));
  const written = await setup.handle(new Request("http://a.test/"));
  await assertRejects(() => written.text(), Error, "the response broke off");
  assert(content.isClosed);
  assertEquals(await setup.complete(new Error("reset")), { received: 0, sent: 5, isComplete: false });
});

Deno.test("denoHandler() closes content that nobody takes any more", async () => {
  const content = new FakeContent().send("he");
  const setup = new Setup(response({ body: content }));
  const written = await setup.handle(new Request("http://a.test/"));
  await written.body!.cancel();
  assert(content.isClosed);
  await setup.complete(new Error("reset"));
});

Deno.test("denoHandler() gives up a client that takes nothing of what there is", async () => {
  const cases: [name: string, method: string, content: FakeContent, sent: number][] = [
    ["content that goes on", "GET", new FakeContent().send("he").send("llo"), 2],
    ["content that was read to its end", "GET", endingWith("hello"), 5],
    ["content that broke off", "GET", new FakeContent().fail(new Error("gone")), 0],
    ["no content", "HEAD", new FakeContent(), 0],
  ];
  for (const [name, method, content, sent] of cases) {
    const setup = new Setup(response({ body: content }));
    const written = await setup.handle(new Request("http://a.test/", { method }), { clientTimeout: 10 });
    await written.body!.getReader().read().catch(() => {});
    assertEquals(await within(setup.outcome.promise, name), { received: 0, sent, isComplete: false });
    assertEquals([content.isClosed, setup.counts], [true, { began: 1, ended: 0, stalled: 1 }], name);
    // it is over only once
    await setup.complete(new Error("reset"));
    assertEquals(setup.counts, { began: 1, ended: 0, stalled: 1 }, name);
  }
});

Deno.test("denoHandler() gives up no client that waits for content", async () => {
  const content = new FakeContent();
  const setup = new Setup(response({ body: content }));
  const written = await setup.handle(new Request("http://a.test/"), { clientTimeout: 10 });
  const text = written.text();
  await lookedAt(setup.deadlines);
  content.send("late").end();
  assertEquals([await text, setup.counts.stalled], ["late", 0]);
  await setup.complete();
});

/** Content of which the last piece is known to be the last one. */
function endingWith(piece: string): FakeContent {
  const content = new FakeContent(piece.length).send(piece).end();
  const { arrived } = content;
  content.arrived = () => {
    const next = arrived.call(content);
    content.hasEnded = next !== undefined;
    return next;
  };
  return content;
}

Deno.test("denoHandler() answers 502 where a response cannot be written", async () => {
  const content = new FakeContent().send("he");
  const setup = new Setup(response({ fields: Fields.of([["a b", "c"]]), body: content }));
  const written = await setup.handle(new Request("http://a.test/"));
  assertEquals([written.status, content.isClosed], [502, true]);
  await setup.record.has("A response could not be written");
});
