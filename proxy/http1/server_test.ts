import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { bytesOf, latin1, lookedAt, settled, within } from "../../tests/testing.ts";
import { type Closable, Connection } from "../accept/connection.ts";
import { Deadlines } from "../deadlines.ts";
import { errorResponse } from "../errors.ts";
import type {
  Content,
  DownstreamRequest,
  DownstreamResponse,
  Handler,
  HeaderList,
  Outcome,
  Piece,
} from "../exchange.ts";
import { Fields } from "./fields.ts";
import { MessageError } from "./message_error.ts";
import { type Http1Options, serveHttp1 } from "./server.ts";

const CLIENT = { address: "192.0.2.1", scheme: "http", covers: () => true } as const;

/** Nothing takes too long unless told. */
const OPTIONS: Omit<Http1Options, "handler"> = {
  maxHeadBytes: 8192,
  maxTargetBytes: 4096,
  headTimeout: 60_000,
  idleTimeout: 60_000,
  clientTimeout: 60_000,
  streamTimeout: 60_000,
  isDraining: () => false,
};

/** So short that the next look at the deadlines finds it over. */
const SHORT = 1;

type Answer = (request: DownstreamRequest) => DownstreamResponse | Promise<DownstreamResponse>;

/** A connection that is served, with what its handler saw and what became of its answers. */
class Served {
  readonly requests: DownstreamRequest[] = [];
  readonly outcomes: Outcome[] = [];
  readonly deadlines = new Deadlines();
  readonly connections = new Set<Closable>();
  readonly ended: Promise<void>;

  constructor(transport: FakeTransport, answer: Answer, options: Partial<Http1Options> = {}) {
    const done = (outcome: Outcome) => void this.outcomes.push(outcome);
    const handler: Handler = {
      handle: async (request) => {
        this.requests.push(request);
        return { done, ...await answer(request) };
      },
      refuse: ({ reason, detail }) => ({ ...errorResponse(reason, detail), done }),
    };
    const ended = serveHttp1(new Connection(transport, CLIENT, this), { ...OPTIONS, handler, ...options });
    this.ended = within(ended, "a connection to end");
  }
}

/** An answer with a text as its content. */
function text(content: string, changes: Partial<DownstreamResponse> = {}): DownstreamResponse {
  return { status: 200, fields: Fields.of([]), body: bytesOf(content), ...changes };
}

/** What is written for {@linkcode text}. */
function written(content: string, ...lines: string[]): string {
  const fields = [`content-length: ${content.length}`, ...lines].join("\r\n");
  return `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${content}`;
}

/** Reads content to its end. */
async function readAll(content: Content | null): Promise<string> {
  let all = "";
  for (let piece; (piece = await content?.next()) !== undefined;) all += latin1(piece);
  return all;
}

/** Answers with what was asked. */
async function echo({ method, authority, target, body }: DownstreamRequest): Promise<DownstreamResponse> {
  return text(`${method} ${authority} ${target} [${await readAll(body)}]`);
}

/** Content that comes as a test wants it to. */
class ScriptedContent implements Content {
  readonly length: number | undefined;
  hasEnded = false;
  closed = 0;
  readonly #pieces: (() => Promise<Piece | undefined>)[];

  constructor(length: number | undefined, ...pieces: (() => Promise<Piece | undefined>)[]) {
    this.length = length;
    this.#pieces = pieces;
  }

  arrived(): undefined {
    return undefined;
  }

  async next(): Promise<Piece | undefined> {
    const piece = await this.#pieces.shift()?.();
    this.hasEnded = piece === undefined;
    return piece;
  }

  close(): void {
    this.closed++;
  }
}

/** Serves a whole conversation: the client sends the pieces, reads all answers, and closes. */
async function converse(
  pieces: string[],
  { answer = echo, ...options }: Partial<Http1Options> & { answer?: Answer } = {},
): Promise<{ transport: FakeTransport; served: Served }> {
  const transport = new FakeTransport(...pieces);
  const served = new Served(transport, answer, options);
  await transport.writeClosed();
  transport.end();
  await served.ended;
  assert(transport.isClosed);
  return { transport, served };
}

Deno.test("serveHttp1() tells the handler what the client sent", async () => {
  const lists: HeaderList[] = [];
  const { served } = await converse([
    "POST /a?b HTTP/1.1\r\nHost: A.test:8080\r\nX-A: 1\r\ncontent-length: 3\r\nx-a:2\r\n\r\nabc",
    "GET http://b.test/c HTTP/1.0\r\nhost: a.test\r\n\r\n",
  ], {
    answer: (request) => {
      lists.push(request.fields.list());
      return echo(request);
    },
  });
  assertEquals(lists, [
    [["host", "A.test:8080"], ["x-a", "1"], ["content-length", "3"], ["x-a", "2"]],
    [["host", "a.test"]],
  ]);
  assertEquals(
    served.requests.map(({ protocol, method, authority, target, client, upgrade }) => ({
      ...{ protocol, method, authority, target, client, upgrade },
    })),
    [
      {
        protocol: "HTTP/1.1",
        method: "POST",
        authority: "A.test:8080",
        target: "/a?b",
        client: CLIENT,
        upgrade: undefined,
      },
      {
        protocol: "HTTP/1.0",
        method: "GET",
        authority: "b.test",
        target: "/c",
        client: CLIENT,
        upgrade: undefined,
      },
    ],
  );
  assertEquals(served.requests.map(({ body }) => body?.length), [3, undefined]);
  assertEquals(served.requests.map(({ body }) => body === null), [false, true]);
});

Deno.test("serveHttp1() leaves a request's fields alone, whatever comes behind them", async () => {
  const head = "POST / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\ncontent-length: 6\r\nx-a:2\r\n\r\n";
  const list: HeaderList = [["host", "a.test"], ["x-a", "1"], ["content-length", "6"], ["x-a", "2"]];
  const transport = new FakeTransport(head);
  const { ended, requests } = new Served(transport, async ({ body, fields }) => {
    for (const piece of ["abc", "def"]) {
      transport.send(piece);
      assertEquals(latin1((await body!.next())!), piece);
      assertEquals(fields.list(), list);
    }
    assertEquals(await body!.next(), undefined);
    body!.close();
    transport.send("GET /next HTTP/1.1\r\nhost: other\r\n\r\n");
    await settled();
    assertEquals(fields.list(), list);
    return text("end", { fields });
  });
  await transport.has("end");
  assertEquals(requests.length, 1);
  transport.end();
  await ended;
  assertStringIncludes(transport.written, "host: a.test\r\nx-a: 1\r\nx-a: 2\r\n");
});

Deno.test("serveHttp1() keeps a connection as long as both sides want it", async () => {
  const cases: [version: string, fields: string, line: string | undefined][] = [
    ["1.1", "", undefined],
    ["1.1", "connection: keep-alive\r\n", undefined],
    ["1.1", "connection: x-close\r\n", undefined],
    ["1.1", "connection: close\r\n", "connection: close"],
    ["1.1", "connection: keep-alive, CLOSE\r\n", "connection: close"],
    ["1.1", "connection: te\r\nconnection: close\r\n", "connection: close"],
    ["1.0", "", "connection: close"],
    ["1.0", "connection: Keep-Alive\r\n", "connection: keep-alive"],
    ["1.0", "connection: keep-alive, close\r\n", "connection: close"],
    ["1.7", "", undefined],
  ];
  for (const [version, fields, line] of cases) {
    const first = `GET /1 HTTP/${version}\r\nhost: a\r\n${fields}\r\n`;
    const second = "GET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const { transport } = await converse([first, second]);
    const answers = written("GET a /1 []", ...line === undefined ? [] : [line]) +
      (line === "connection: close" ? "" : written("GET a /2 []", "connection: close"));
    assertEquals(transport.written, answers, `${version} ${fields}`);
  }
});

Deno.test("serveHttp1() answers pipelined requests one after the other, in order", async () => {
  const requests = [1, 2, 3].map((number) =>
    `POST /${number} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n${number}${number}`
  );
  const last = "GET /4 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  let running = 0;
  const { transport } = await converse([requests.join("") + last], {
    answer: async (request) => {
      assertEquals(++running, 1);
      // the first one takes longest
      if (request.target === "/1") await settled();
      running--;
      return await echo(request);
    },
  });
  assertEquals(
    transport.written,
    written("POST a /1 [11]") + written("POST a /2 [22]") + written("POST a /3 [33]") +
      written("GET a /4 []", "connection: close"),
  );
});

Deno.test("serveHttp1() answers all that was sent by a client that sends no more", async () => {
  const requests = ["/1", "/2"].map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
  const all = [...requests, "POST /3 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"];
  const expected = written("GET a /1 []") + written("GET a /2 []") + written("POST a /3 [x]");
  for (const pieces of [all, [all.join("")], all.join("").split("")]) {
    const transport = new FakeTransport(...pieces).end();
    await new Served(transport, echo).ended;
    // the end may be known when the last answer is written
    assertEquals(transport.written.replace("connection: close\r\n", ""), expected, `${pieces.length} pieces`);
  }
});

Deno.test("serveHttp1() does the same however the client's bytes are split", async () => {
  const sent = [
    "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /2 HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /3 HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\n\r\n\r\n0\r\nT: u\r\n\r\n",
    "GET /4 HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n",
    "GET http://b/5 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
  ].join("");
  const expected = [
    written("GET a /1 []"),
    written("POST a /2 [hello]"),
    written("PUT a /3 [abc\r\n]"),
    written("GET a /4 []", "connection: keep-alive"),
    written("GET b /5 []", "connection: close"),
  ].join("");
  for (let at = 0; at <= sent.length; at++) {
    const pieces = [sent.slice(0, at), sent.slice(at)].filter((piece) => piece !== "");
    // at once, and after all has been done that the first piece allows
    assertEquals((await converse(pieces)).transport.written, expected, `split at ${at}`);
    const transport = new FakeTransport(...pieces.slice(0, 1));
    const served = new Served(transport, echo);
    await settled();
    for (const piece of pieces.slice(1)) transport.send(piece);
    await transport.writeClosed();
    transport.end();
    await served.ended;
    assertEquals(transport.written, expected, `a pause at ${at}`);
  }
  assertEquals((await converse(sent.split(""))).transport.written, expected, "byte by byte");
});

Deno.test("serveHttp1() refuses in the same way however the bytes are split", async () => {
  const sent = "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost : a\r\n\r\n";
  const expected = (await converse([sent])).transport.written;
  assertStringIncludes(expected, "HTTP/1.1 400 Bad Request\r\n");
  for (let at = 1; at < sent.length; at++) {
    const { transport } = await converse([sent.slice(0, at), sent.slice(at)]);
    assertEquals(transport.written, expected, `split at ${at}`);
  }
});

Deno.test("serveHttp1() passes over a few empty lines before a request, and no more", async () => {
  const request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const cases: [before: string, status: number][] = [
    ["", 200],
    ["\r\n", 200],
    ["\r\n".repeat(4), 200],
    ["\r\n".repeat(5), 400],
    ["\n", 400],
    ["\r", 400],
    [" \r\n", 400],
  ];
  for (const [before, status] of cases) {
    const { transport } = await converse([before + request]);
    assertStringIncludes(transport.written, `HTTP/1.1 ${status} `, JSON.stringify(before));
  }
});

Deno.test("serveHttp1() ends when the client does, without a word", async () => {
  for (const sent of ["", "\r\n"]) {
    const transport = new FakeTransport(...sent === "" ? [] : [sent]).end();
    await new Served(transport, echo).ended;
    assertEquals([transport.written, transport.isClosed], ["", true]);
  }
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const { ended } = new Served(transport, echo);
  await transport.has("[]");
  transport.end();
  await ended;
  assertEquals([transport.written, transport.isClosed], [written("GET a / []"), true]);
});

Deno.test("serveHttp1() refuses what is no request, says why, and closes", async () => {
  const host = "host: a\r\n";
  const cases: [sent: string, status: number, detail: string][] = [
    ["hello\r\n\r\n", 400, "Invalid request line"],
    ["GET / HTTP/1.1\nhost: a\n\n", 400, "A line that does not end with CRLF"],
    ["GET / HTTP/1.1\r\n\r\n", 400, "No Host field"],
    [`GET / HTTP/1.1\r\n${host}${host}\r\n`, 400, "Several Host fields"],
    [`GET a HTTP/1.1\r\n${host}\r\n`, 400, "the request target is neither a path nor a URL"],
    [`GET * HTTP/1.1\r\n${host}\r\n`, 400, "the request target * is for OPTIONS alone"],
    [`GET http://a/ HTTP/1.1\r\nhost: a b\r\n\r\n`, 400, "the Host header is invalid"],
    [`GET / HTTP/1.1\r\n${host}x : y\r\n\r\n`, 400, "Invalid header line"],
    [
      `GET / HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 1\r\n\r\n`,
      400,
      "Several Content-Length",
    ],
    [`GET / HTTP/1.1\r\n${host}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`, 400, "Both"],
    [`GET / HTTP/1.0\r\n${host}transfer-encoding: chunked\r\n\r\n`, 400, "HTTP/1.0"],
    [`GET / HTTP/1.1\r\n${host}transfer-encoding: gzip, chunked\r\n\r\n`, 501, ""],
    [`GET / HTTP/1.1\r\n${host}transfer-encoding: gzip\r\n\r\n`, 400, "Invalid Transfer-Encoding"],
    [`GET / HTTP/1.1\r\n${host}expect: tea\r\n\r\n`, 417, ""],
    [`GET / HTTP/2.0\r\n${host}\r\n`, 505, ""],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ""],
    [`GET /${"a".repeat(4096)} HTTP/1.1\r\n${host}\r\n`, 414, ""],
    [`GET /${"a".repeat(9000)}`, 414, ""],
    [`GET / HTTP/1.1\r\n${host}x: ${"a".repeat(9000)}`, 431, ""],
    [`GET / HTTP/1.1\r\n${host}${"x: y\r\n".repeat(200)}\r\n`, 431, ""],
    [
      `GET / HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 1\r\n\r\nx`,
      400,
      "Content in a request to change the protocol",
    ],
  ];
  for (const [sent, status, detail] of cases) {
    const { transport, served } = await converse([sent]);
    const what = JSON.stringify(sent.slice(0, 80));
    assertMatch(transport.written, new RegExp(`^HTTP/1.1 ${status} [A-Z].*\r\n`), what);
    assertStringIncludes(transport.written, "\r\nconnection: close\r\n", what);
    assertStringIncludes(transport.written.split("\r\n\r\n")[1]!, detail, what);
    assertEquals(served.requests, [], what);
    assertEquals(served.outcomes.map(({ isComplete }) => isComplete), [true], what);
  }
});

Deno.test("serveHttp1() refuses a HEAD without content", async () => {
  for (const fields of ["", "host: a\r\nx : y\r\n", "host: a\r\ncontent-length: x\r\n"]) {
    const { transport } = await converse([`HEAD / HTTP/1.1\r\n${fields}\r\n`]);
    assertMatch(transport.written, /^HTTP\/1.1 400 Bad Request\r\n(?:[^\r]+\r\n)+\r\n$/, fields);
  }
});

Deno.test("serveHttp1() answers nothing that follows what it refused", async () => {
  const { transport, served } = await converse([
    "GET / HTTP/1.1\r\n bad\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
  ]);
  assertEquals(served.requests, []);
  assertEquals(transport.written.split("HTTP/1.1 ").length, 2);
});

Deno.test("serveHttp1() refuses a head that breaks off", async () => {
  for (const sent of ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r"]) {
    const transport = new FakeTransport(sent).end();
    const { ended } = new Served(transport, echo);
    await ended;
    assertStringIncludes(
      transport.written,
      "400: the request is malformed: The connection ended within",
      sent,
    );
  }
});

Deno.test("serveHttp1() reads a request's content by its framing", async () => {
  const large = "x".repeat(150_000);
  const cases: [fields: string, sent: string, length: number | undefined, content: string][] = [
    ["content-length: 3\r\n", "abc", 3, "abc"],
    [`content-length: ${large.length}\r\n`, large, large.length, large],
    ["transfer-encoding: chunked\r\n", "0\r\n\r\n", undefined, ""],
    ["transfer-encoding: Chunked\r\n", "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", undefined, "abcd"],
    [
      "transfer-encoding: chunked\r\n",
      `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
      undefined,
      large,
    ],
  ];
  for (const [fields, sent, length, content] of cases) {
    const { transport, served } = await converse([
      `POST / HTTP/1.1\r\nhost: a\r\n${fields}\r\n${sent}`,
      "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    ]);
    assertEquals(served.requests[0]?.body?.length, length);
    const answers = written(`POST a / [${content}]`) + written("GET a /next []", "connection: close");
    assert(transport.written === answers, fields);
    assertEquals(served.outcomes.map(({ received }) => received), [content.length, 0]);
  }
});

Deno.test("serveHttp1() gives no content where there is none", async () => {
  for (const fields of ["", "content-length: 0\r\n", "content-length: 00\r\nexpect: 100-continue\r\n"]) {
    const { transport, served } = await converse([
      `POST / HTTP/1.1\r\nhost: a\r\n${fields}connection: close\r\n\r\n`,
    ]);
    assertEquals(served.requests[0]?.body, null, fields);
    assertEquals(transport.written, written("POST a / []", "connection: close"), fields);
  }
});

Deno.test("serveHttp1() leaves the last piece of content alone while the next request arrives", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  const next = "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const { ended } = new Served(transport, async ({ body }) => {
    if (body === null) return text("next");
    const piece = await body.next();
    // a backend that takes its time
    transport.send(next);
    await settled();
    body.close();
    return text(latin1(piece!));
  });
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(transport.written, written("abc") + written("next", "connection: close"));
});

Deno.test("serveHttp1() reads no next request while the last piece of content is in use", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  let held: { body: Content; piece: Uint8Array } | undefined;
  const { ended, requests } = new Served(transport, async ({ body }) => {
    if (body === null) return text("next");
    held = { body, piece: (await body.next())! };
    return text("early");
  });
  await transport.has("early");
  transport.send("GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  await settled();
  assertEquals([requests.length, latin1(held!.piece)], [1, "abc"]);
  held!.body.close();
  await transport.has("next");
  transport.end();
  await ended;
});

Deno.test("serveHttp1() asks for the content of a client that waits to be asked", async () => {
  const head = (rest: string) => `POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\n${rest}\r\n`;
  const close = "connection: close";
  for (
    const [fields, content] of [
      ["content-length: 3\r\n", "abc"],
      ["transfer-encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"],
    ] as const
  ) {
    const transport = new FakeTransport(head(`${fields}${close}\r\n`));
    const { ended } = new Served(transport, echo);
    await transport.has("HTTP/1.1 100 Continue\r\n\r\n");
    transport.send(content);
    await transport.writeClosed();
    transport.end();
    await ended;
    assertEquals(transport.written, `HTTP/1.1 100 Continue\r\n\r\n${written("POST a / [abc]", close)}`);
  }
});

Deno.test("serveHttp1() asks once, and not for what is there or is not wanted", async () => {
  const cases: [name: string, version: string, pieces: string[], answer: Answer, expected: string][] = [
    ["there already", "1.1", ["abc"], echo, written("POST a / [abc]", "connection: close")],
    ["not wanted", "1.1", [], () => text("no"), written("no", "connection: close")],
    ["HTTP/1.0", "1.0", ["abc"], echo, written("POST a / [abc]", "connection: close")],
  ];
  for (const [name, version, pieces, answer, expected] of cases) {
    const head = `POST / HTTP/${version}\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n` +
      "connection: close\r\n\r\n";
    const { transport } = await converse([head + pieces.join("")], { answer });
    assertEquals(transport.written, expected, name);
  }
  const transport = new FakeTransport(
    "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n",
  );
  const { ended } = new Served(transport, echo);
  await transport.has("100 Continue");
  for (const piece of "abc") {
    transport.send(piece);
    await settled();
  }
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(
    transport.written,
    `HTTP/1.1 100 Continue\r\n\r\n${written("POST a / [abc]", "connection: close")}`,
  );
});

Deno.test("serveHttp1() closes a connection on which content may still come that nobody wanted", async () => {
  const head = "POST / HTTP/1.1\r\nhost: a\r\n";
  const next = "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const cases: [name: string, sent: string, goesOn: boolean][] = [
    ["all is here", `${head}content-length: 3\r\n\r\nabc`, true],
    ["all chunks are here", `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, true],
    ["a part is here", `${head}content-length: 300\r\n\r\nabc`, false],
    ["the client was not asked", `${head}content-length: 3\r\nexpect: 100-continue\r\n\r\n`, false],
    ["the last chunk is missing", `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`, false],
  ];
  for (const [name, sent, goesOn] of cases) {
    const { transport, served } = await converse(goesOn ? [sent + next] : [sent], {
      answer: () => text("no"),
    });
    assertEquals(
      transport.written,
      goesOn ? written("no") + written("no", "connection: close") : written("no", "connection: close"),
      name,
    );
    assertEquals(served.outcomes.length, goesOn ? 2 : 1, name);
  }
});

Deno.test("serveHttp1() sends an answer also when content that nobody wanted is malformed", async () => {
  const body = new ScriptedContent(2, () => Promise.resolve(bytesOf("no")));
  const { transport, served } = await converse(
    ["POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc"],
    { answer: () => ({ status: 200, fields: Fields.of([]), body }) },
  );
  assertEquals(transport.written, written("no", "connection: close"));
  assertEquals([body.closed, served.outcomes.length], [1, 1]);
});

Deno.test("serveHttp1() answers before it has read all", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc");
  const { ended, outcomes } = new Served(transport, async ({ body }) => {
    const first = latin1((await body!.next())!);
    body!.close();
    return text(`early ${first}`);
  });
  await transport.writeClosed();
  assertEquals(transport.written, written("early abc", "connection: close"));
  // the client goes on sending until it has read the answer
  transport.send("def").send("ghi").end();
  await ended;
  assertEquals(outcomes, [{ received: 3, sent: 9, isComplete: true }]);
});

Deno.test("serveHttp1() streams an answer while content still comes", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  const { ended, outcomes } = new Served(transport, ({ body }) => {
    const copied = async () => (await body!.next())?.slice();
    return {
      status: 200,
      fields: Fields.of([]),
      body: new ScriptedContent(undefined, copied, copied, copied),
    };
  });
  await transport.has("\r\n\r\n");
  for (const letter of "ab") {
    transport.send(`1\r\n${letter}\r\n`);
    await transport.has(`1\r\n${letter}\r\n`);
  }
  transport.send("0\r\n\r\n");
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(
    transport.written,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
  );
  assertEquals(outcomes, [{ received: 2, sent: 2, isComplete: true }]);
});

Deno.test("serveHttp1() frames an answer for the client that gets it", async () => {
  const stream = (length?: number) =>
    new ScriptedContent(length, ...["ab", "c"].map((piece) => () => Promise.resolve(bytesOf(piece))));
  const chunks = "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  const cases: [line: string, Content, head: string, body: string][] = [
    ["GET / HTTP/1.1", stream(), "transfer-encoding: chunked", chunks],
    ["GET / HTTP/1.1", stream(3), "content-length: 3", "abc"],
    ["GET / HTTP/1.0", stream(), "connection: close", "abc"],
    ["GET / HTTP/1.0", stream(3), "content-length: 3\r\nconnection: close", "abc"],
  ];
  for (const [line, body, head, content] of cases) {
    const transport = new FakeTransport(`${line}\r\nhost: a\r\n\r\n`);
    const { ended } = new Served(transport, () => ({ status: 200, fields: Fields.of([]), body }));
    await transport.has(content);
    transport.end();
    await ended;
    assertEquals(transport.written, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${content}`);
  }
});

Deno.test("serveHttp1() cuts the connection when an answer breaks off", async () => {
  const broken = () => Promise.reject(new Error("the backend is gone"));
  const body = new ScriptedContent(undefined, () => Promise.resolve(bytesOf("abc")), broken);
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const { ended, outcomes } = new Served(transport, () => ({ status: 200, fields: Fields.of([]), body }));
  await ended;
  assertEquals(transport.written, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  assertEquals([transport.isClosed, transport.isWriteClosed, body.closed], [true, false, 1]);
  assertEquals(outcomes, [{ received: 0, sent: 3, isComplete: false }]);
});

Deno.test("serveHttp1() passes informational responses on, before the final one only", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const { ended, requests } = new Served(transport, async ({ inform }) => {
    await inform!(103, Fields.of([["link", "</a.css>"]]));
    // nobody waits for the second one
    inform!(103, Fields.of([["link", "</b.css>"]]));
    return text("x");
  });
  await transport.writeClosed();
  await requests[0]!.inform!(103, Fields.of([["link", "</late.css>"]]));
  transport.end();
  await ended;
  assertEquals(
    transport.written,
    "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </b.css>\r\n\r\n" +
      written("x", "connection: close"),
  );
});

Deno.test("serveHttp1() passes no informational response on to HTTP/1.0", async () => {
  const { served } = await converse(["GET / HTTP/1.0\r\nhost: a\r\n\r\n"]);
  assertEquals(served.requests.map(({ inform }) => inform), [undefined]);
});

Deno.test("serveHttp1() knows a request to change the protocol", async () => {
  const fields = "connection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n";
  const cases: [line: string, fields: string, upgrade: "websocket" | undefined][] = [
    ["GET / HTTP/1.1", fields, "websocket"],
    ["GET / HTTP/1.0", fields, undefined],
    ["POST / HTTP/1.1", fields, undefined],
    ["GET / HTTP/1.1", "upgrade: websocket\r\n", undefined],
    ["GET / HTTP/1.1", "connection: upgrade\r\n", undefined],
    ["GET / HTTP/1.1", "connection: upgrade\r\nupgrade: h2c\r\n", undefined],
  ];
  for (const [line, fields, upgrade] of cases) {
    const transport = new FakeTransport(`${line}\r\nhost: a\r\n${fields}\r\n`);
    const { ended, requests } = new Served(transport, echo);
    await transport.has("[]");
    transport.end();
    await ended;
    assertEquals(requests[0]?.upgrade, upgrade, `${line} ${fields}`);
  }
});

/** A request to change the protocol, which is granted. @returns both ends. */
function tunnelled(sent: string, first: string, options: Partial<Http1Options> = {}) {
  const client = new FakeTransport(
    `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${sent}`,
  );
  const backend = new FakeTransport();
  const tunnel = {
    first: bytesOf(first),
    read: (into: Piece) => backend.read(into),
    write: (bytes: Piece) => backend.write(bytes),
    closeWrite: () => backend.closeWrite(),
    close: () => backend.close(),
  };
  const served = new Served(
    client,
    () => ({ status: 101, fields: Fields.of([]), body: null, tunnel }),
    options,
  );
  return { client, backend, served };
}

const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

Deno.test("serveHttp1() becomes a tunnel", async () => {
  const { client, backend, served } = tunnelled("early", "first");
  await client.has(`${SWITCHED}first`);
  await backend.has("early");
  client.send("ping");
  await backend.has("ping");
  backend.send("pong");
  await client.has("pong");
  // the client ends its direction, the other one goes on
  client.end();
  await backend.writeClosed();
  backend.send("bye").end();
  await client.writeClosed();
  await served.ended;
  assertEquals([client.written, backend.written], [`${SWITCHED}firstpongbye`, "earlyping"]);
  assertEquals([client.isClosed, backend.isClosed], [true, true]);
  assertEquals(served.outcomes, [{ received: 9, sent: 12, isComplete: true }]);
});

Deno.test("serveHttp1() lets a tunnel live on whose client sends no more", async () => {
  const { client, backend, served } = tunnelled("", "", { clientTimeout: SHORT });
  await client.has(SWITCHED);
  client.end();
  await backend.writeClosed();
  await lookedAt(served.deadlines);
  backend.send("bye").end();
  await within(served.ended, "the end");
  assertEquals(client.written, `${SWITCHED}bye`);
});

Deno.test("serveHttp1() ends a tunnel when one side fails or both are silent", async () => {
  const ends: [string, Partial<Http1Options>, (client: FakeTransport, backend: FakeTransport) => void][] = [
    ["the client fails", {}, (client) => client.fail(new Deno.errors.ConnectionReset("reset"))],
    ["the backend fails", {}, (_, backend) => backend.fail(new Deno.errors.ConnectionReset("reset"))],
    ["silence", { streamTimeout: SHORT }, () => {}],
  ];
  for (const [name, options, end] of ends) {
    const { client, backend, served } = tunnelled("", "", options);
    await client.has(SWITCHED);
    end(client, backend);
    await served.ended;
    assertEquals([client.isClosed, backend.isClosed, served.outcomes.length], [true, true, 1], name);
  }
});

Deno.test("serveHttp1() closes the backend's side of a tunnel that the client does not take", async () => {
  const { client, backend, served } = tunnelled("", "", { clientTimeout: SHORT });
  client.stall();
  await served.ended;
  assertEquals([client.isClosed, backend.isClosed], [true, true]);
  assertEquals(served.outcomes.map(({ isComplete }) => isComplete), [false]);
});

Deno.test("serveHttp1() closes a connection that waits too long, without a word", async () => {
  const cases: [string, Partial<Http1Options>, sent: string][] = [
    ["no request", { headTimeout: SHORT }, ""],
    ["no next request", { idleTimeout: SHORT }, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
  ];
  for (const [name, options, sent] of cases) {
    const transport = new FakeTransport(...sent === "" ? [] : [sent]);
    await new Served(transport, echo, options).ended;
    assertEquals([transport.isClosed, transport.written], [true, sent && written("GET a / []")], name);
  }
});

Deno.test("serveHttp1() tells a client whose head or content does not come in time", async () => {
  const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
  const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  const cases: [name: string, Partial<Http1Options>, pieces: string[], detail: string][] = [
    ["head", { headTimeout: SHORT }, ["GET / HT"], "The head took too long"],
    ["next head", { headTimeout: SHORT }, [get, "GET / HT"], "The head took too long"],
    [
      "head that came with the last one",
      { headTimeout: SHORT },
      [`${get}GET / HT`],
      "The head took too long",
    ],
    ["content", { clientTimeout: SHORT }, [`${post}abc`], "The content took too long"],
    ["all content", { clientTimeout: SHORT }, [post], "The content took too long"],
  ];
  for (const [name, options, pieces, detail] of cases) {
    const transport = new FakeTransport(...pieces);
    const { ended } = new Served(transport, async ({ body }) => {
      try {
        return text(await readAll(body));
      } catch (error) {
        assert(error instanceof MessageError);
        return errorResponse(error.reason, error.message);
      }
    }, options);
    await ended;
    assertStringIncludes(transport.written, "HTTP/1.1 408 Request Timeout\r\n", name);
    assertStringIncludes(transport.written, detail, name);
    assert(transport.isClosed, name);
  }
});

Deno.test("serveHttp1() tells also a client whose head began before it was asked", async () => {
  const transport = new FakeTransport("GET / HT");
  const keeper = { deadlines: new Deadlines(), connections: new Set<Closable>() };
  const connection = new Connection(transport, CLIENT, keeper);
  // somebody looked how the connection begins
  await connection.reader.fill();
  const handler: Handler = {
    handle: () => Promise.resolve(text("")),
    refuse: ({ reason }) => errorResponse(reason),
  };
  const ended = serveHttp1(connection, { ...OPTIONS, handler, headTimeout: SHORT });
  assertEquals(connection.isWaiting, false, "a request has begun");
  await within(ended, "the end");
  assertStringIncludes(transport.written, "HTTP/1.1 408 ");
});

Deno.test("serveHttp1() does not hurry the handler, nor a client that waits for it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const transport = new FakeTransport(
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
  );
  const { ended, deadlines } = new Served(transport, async (request) => {
    const response = await echo(request);
    await promise;
    return response;
  }, { headTimeout: SHORT, clientTimeout: SHORT, idleTimeout: SHORT });
  await lookedAt(deadlines);
  resolve();
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(transport.written, written("POST a / [x]", "connection: close"));
});

Deno.test("serveHttp1() closes a connection whose client takes nothing", async () => {
  const body = new ScriptedContent(undefined, () => Promise.resolve(bytesOf("abc")));
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").stall();
  const { ended, outcomes, requests } = new Served(
    transport,
    () => ({ status: 200, fields: Fields.of([]), body }),
    {
      clientTimeout: SHORT,
    },
  );
  await ended;
  assertEquals([transport.isClosed, body.closed], [true, 1]);
  assertEquals(outcomes.map(({ isComplete }) => isComplete), [false]);
  assert(requests[0]?.cancellation.isCancelled);
});

Deno.test("serveHttp1() notices a client that is gone while its request is answered", async () => {
  const cases: [string, (transport: FakeTransport) => void][] = [
    ["it reset the connection", (transport) => transport.fail(new Deno.errors.ConnectionReset("reset"))],
    [
      "it closed the connection, and its system says so when something is sent",
      (transport) => transport.end().fail(new Deno.errors.BrokenPipe("gone")),
    ],
  ];
  const requests: [string, string][] = [
    ["GET", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
    ["POST", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"],
    ["chunked POST", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
  ];
  for (const [name, leave] of cases) {
    for (const [kind, request] of requests) {
      const transport = new FakeTransport(request);
      const cancelled = Promise.withResolvers<void>();
      const { ended, outcomes } = new Served(transport, async ({ body, cancellation }) => {
        await readAll(body);
        cancellation.listen(cancelled.resolve);
        leave(transport);
        await within(cancelled.promise, `the cancellation of a ${kind} when ${name}`);
        return text("nobody reads this");
      });
      await ended;
      assertEquals(outcomes.map(({ isComplete }) => isComplete), [false], `${kind}: ${name}`);
    }
  }
});

Deno.test("serveHttp1() answers a client that only sends no more, whenever the answer comes", async () => {
  const cases: [string, (transport: FakeTransport) => Promise<void>][] = [
    ["before it is known", () => Promise.resolve()],
    ["after the first probe", (transport) => transport.has("H")],
    ["after the second probe", (transport) => transport.has("HT")],
    ["at the same time as a probe", () => settled()],
    ["while a probe is written", async (transport) => (await settled(), transport.has("H"))],
  ];
  // so many steps pass until the end of the stream is seen, before its first probe is due
  for (let steps = 1; steps < 40; steps++) {
    cases.push([`after ${steps} steps`, async () => {
      for (let step = 0; step < steps; step++) await Promise.resolve();
    }]);
  }
  for (const [name, wait] of cases) {
    const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").end();
    const body = new ScriptedContent(3, async () => {
      await settled();
      return bytesOf("abc");
    });
    const { ended, outcomes } = new Served(transport, async ({ cancellation }) => {
      await wait(transport);
      assert(!cancellation.isCancelled);
      return { status: 200, fields: Fields.of([]), body };
    });
    await ended;
    await settled();
    // whether the end was seen before the head was written decides about the connection field
    const whole = transport.written.replace("connection: close\r\n", "");
    assertEquals(whole, written("abc"), name);
    assertEquals(outcomes, [{ received: 0, sent: 3, isComplete: true }], name);
  }
});

Deno.test("serveHttp1() probes in front of an informational response too", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").end();
  const { ended } = new Served(transport, async ({ inform }) => {
    await transport.has("HT");
    await inform!(103, Fields.of([]));
    return text("x");
  });
  await ended;
  assertEquals(
    transport.written,
    `HTTP/1.1 103 Early Hints\r\n\r\n${written("x", "connection: close")}`,
  );
});

Deno.test("serveHttp1() waits no longer than a deadline for a client that has ended and reads", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").end();
  const never = Promise.withResolvers<undefined>();
  const body = new ScriptedContent(undefined, () => Promise.resolve(bytesOf("abc")), () => never.promise);
  const { requests, ended } = new Served(transport, () => ({ status: 200, fields: Fields.of([]), body }), {
    clientTimeout: SHORT,
  });
  await transport.closed();
  assert(requests[0]?.cancellation.isCancelled);
  // a backend's connection is closed when it is cancelled
  never.reject(new Error("closed"));
  await ended;
});

Deno.test("serveHttp1() makes each answer the last one while it drains", async () => {
  let isDraining = false;
  const transport = new FakeTransport("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
  const { ended, requests } = new Served(transport, async (request) => {
    // it begins while the second request is answered
    isDraining = request.target === "/2";
    return await echo(request);
  }, { isDraining: () => isDraining });
  await transport.has("/1 []");
  transport.send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\nGET /3 HTTP/1.1\r\nhost: a\r\n\r\n");
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(transport.written, written("GET a /1 []") + written("GET a /2 []", "connection: close"));
  assertEquals(requests.length, 2);
});

Deno.test("serveHttp1() says when its connection may be closed without loss", async () => {
  const transport = new FakeTransport();
  const seen: boolean[] = [];
  const { ended, connections } = new Served(transport, async (request) => {
    seen.push(connection!.isWaiting);
    const response = await echo(request);
    seen.push(connection!.isWaiting);
    return response;
  });
  const [connection] = connections;
  await settled();
  assertEquals(connection!.isWaiting, true, "no request yet");
  transport.send("POST / HTTP/1.1\r\n");
  await settled();
  assertEquals(connection!.isWaiting, false, "half a head");
  transport.send("host: a\r\ncontent-length: 1\r\n\r\n").send("x");
  await transport.has("[x]");
  await settled();
  assertEquals([...seen, connection!.isWaiting], [false, false, true], "the next request");
  connection!.close();
  await ended;
  assertEquals([connections.size, transport.isClosed], [0, true]);
});

Deno.test("serveHttp1() lets a client read its last answer before it closes", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const { ended } = new Served(transport, echo);
  await transport.writeClosed();
  transport.send("x".repeat(100_000));
  await settled();
  assert(!transport.isClosed, "bytes of the client that are not read would reset the connection");
  transport.end();
  await ended;
});

Deno.test("serveHttp1() does not wait for ever for a client to close after its last answer", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  await new Served(transport, echo).ended;
  assertEquals([transport.isWriteClosed, transport.isClosed], [true, true]);
});

Deno.test("serveHttp1() closes after its last answer on a client that sends without end", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const { ended } = new Served(transport, echo);
  for (let sent = 0; sent < 20; sent++) transport.send("x".repeat(64 * 1024));
  await ended;
  assert(transport.isClosed);
});
