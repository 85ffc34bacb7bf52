import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytesOf, eachForm, latin1 } from "../../tests/testing.ts";
import type { Content, DownstreamResponse, HeaderList, Piece } from "../exchange.ts";
import { Fields } from "./fields.ts";
import { MessageError } from "./message_error.ts";
import { Output } from "./output.ts";
import { type AnsweredRequest, ResponseWriter } from "./response_writer.ts";

/** Content in pieces: those before the first `null` have arrived, each other one is waited for. */
class Pieces implements Content {
  readonly length: number | undefined;
  closed = 0;
  readonly #pieces: (string | null | Error)[];

  constructor(length: number | undefined, ...pieces: (string | null | Error)[]) {
    this.length = length;
    this.#pieces = pieces;
  }

  get hasEnded(): boolean {
    return this.#pieces.length === 0;
  }

  arrived(): Piece | undefined {
    const [piece] = this.#pieces;
    return typeof piece === "string" ? this.#take() : undefined;
  }

  async next(): Promise<Piece | undefined> {
    await Promise.resolve();
    if (this.#pieces[0] === null) this.#pieces.shift();
    return this.#take();
  }

  close(): void {
    this.closed++;
  }

  #take(): Piece | undefined {
    const piece = this.#pieces.shift();
    if (piece instanceof Error) throw piece;
    return piece === undefined || piece === null ? undefined : bytesOf(piece);
  }
}

const GET: AnsweredRequest = { method: "GET", minorVersion: 1, keepsAlive: true };

function response(
  body: DownstreamResponse["body"],
  changes: Partial<DownstreamResponse> = {},
): DownstreamResponse {
  return { status: 200, fields: Fields.of([]), body, ...changes };
}

interface Sink {
  write: (bytes: Piece) => Promise<void>;
  outcome: { sent: number };
}

/** Writes a response as a connection does. @returns whether another request may follow. */
async function writeResponse(
  answer: DownstreamResponse,
  request: AnsweredRequest,
  { write, outcome }: Sink,
): Promise<boolean> {
  const writer = new ResponseWriter(answer, request, outcome);
  try {
    await write(writer.start);
    if (!writer.isComplete) await writer.writeRest(write);
  } finally {
    writer.close();
  }
  return writer.keepsAlive;
}

/** Writes a response. @returns what was written with each write, and what was said about it. */
async function write(answer: DownstreamResponse, request: Partial<AnsweredRequest> = {}) {
  const writes: string[] = [];
  const outcome = { sent: 0 };
  const keepsAlive = await writeResponse(answer, { ...GET, ...request }, {
    write: async (bytes) => {
      await Promise.resolve();
      writes.push(latin1(bytes));
    },
    outcome,
  });
  return { writes, text: writes.join(""), keepsAlive, sent: outcome.sent };
}

Deno.test("ResponseWriter frames content for the client that gets it", async () => {
  const chunks = "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  const stream = () => new Pieces(undefined, "ab", "c");
  const known = () => new Pieces(3, "ab", "c");
  const cases: [DownstreamResponse, Partial<AnsweredRequest>, text: string, keepsAlive: boolean][] = [
    [response(null), {}, "200 OK\r\ncontent-length: 0\r\n\r\n", true],
    [response(bytesOf("abc")), {}, "200 OK\r\ncontent-length: 3\r\n\r\nabc", true],
    [response(known()), {}, "200 OK\r\ncontent-length: 3\r\n\r\nabc", true],
    [response(new Pieces(0)), {}, "200 OK\r\ncontent-length: 0\r\n\r\n", true],
    [response(stream()), {}, `200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`, true],
    [response(new Pieces(undefined)), {}, "200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", true],
    [response(stream()), { minorVersion: 0 }, "200 OK\r\nconnection: close\r\n\r\nabc", false],
    [
      response(known()),
      { minorVersion: 0 },
      "200 OK\r\ncontent-length: 3\r\nconnection: keep-alive\r\n\r\nabc",
      true,
    ],
    [
      response(known()),
      { keepsAlive: false },
      "200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
      false,
    ],
    [
      response(known()),
      { minorVersion: 0, keepsAlive: false },
      "200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
      false,
    ],
    [response(null, { status: 404 }), {}, "404 Not Found\r\ncontent-length: 0\r\n\r\n", true],
    [response(null, { status: 299 }), {}, "299 \r\ncontent-length: 0\r\n\r\n", true],
  ];
  for (const [answer, request, text, keepsAlive] of cases) {
    const result = await write(answer, request);
    assertEquals([result.text, result.keepsAlive], [`HTTP/1.1 ${text}`, keepsAlive]);
  }
});

Deno.test("ResponseWriter writes no content where there is none, and says its length", async () => {
  const length: HeaderList = [["content-length", "7"]];
  const cases: [status: number, method: string, HeaderList, body: string | undefined, lines: string][] = [
    [200, "HEAD", length, undefined, "content-length: 7\r\n"],
    [200, "HEAD", length, "abc", "content-length: 7\r\n"],
    [200, "HEAD", [], "abc", ""],
    [304, "GET", length, undefined, "content-length: 7\r\n"],
    [304, "GET", [], "abc", ""],
    [204, "GET", length, "abc", ""],
    [204, "HEAD", length, undefined, ""],
    [205, "GET", length, "abc", "content-length: 0\r\n"],
    [205, "GET", [], undefined, "content-length: 0\r\n"],
  ];
  for (const [status, method, headers, content, lines] of cases) {
    const bodies = content === undefined
      ? [null]
      : [new Pieces(3, content), new Pieces(undefined, content), bytesOf(content)];
    for (const body of bodies) {
      const answer = response(body, { status, fields: Fields.of([...headers]) });
      const { text, keepsAlive, sent } = await write(answer, { method });
      const what = `${status} to ${method}`;
      assertEquals(text.slice(text.indexOf("\r\n") + 2), `${lines}\r\n`, what);
      assertEquals([keepsAlive, sent], [true, 0], what);
      if (body instanceof Pieces) assertEquals(body.closed, 1);
    }
  }
});

Deno.test("ResponseWriter keeps fields in order, but no Content-Length of its own", async () => {
  const headers: HeaderList = [["a", "1"], ["content-length", "9"], ["set-cookie", "b"], ["set-cookie", "c"]];
  for (const fields of eachForm(headers)) {
    const { text } = await write(response(bytesOf("abc"), { fields }));
    assertEquals(
      text,
      "HTTP/1.1 200 OK\r\na: 1\r\nset-cookie: b\r\nset-cookie: c\r\ncontent-length: 3\r\n\r\nabc",
    );
  }
});

Deno.test("ResponseWriter changes the protocol", async () => {
  const { text, keepsAlive } = await write(response(null, { status: 101, fields: Fields.of([["a", "1"]]) }));
  assertEquals(
    [text, keepsAlive],
    ["HTTP/1.1 101 Switching Protocols\r\na: 1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", false],
  );
});

Deno.test("ResponseWriter writes at once what has arrived, and waits for nothing before it", async () => {
  const head = (line: string) => `HTTP/1.1 200 OK\r\n${line}\r\n\r\n`;
  const chunked = head("transfer-encoding: chunked");
  const cases: [Pieces, writes: string[]][] = [
    [new Pieces(4, "ab", "cd"), [`${head("content-length: 4")}abcd`]],
    [new Pieces(4, null, "abcd"), [head("content-length: 4"), "abcd"]],
    [new Pieces(4, "ab", null, "cd"), [`${head("content-length: 4")}ab`, "cd"]],
    [new Pieces(undefined, "ab", "cd"), [`${chunked}2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n`]],
    [new Pieces(undefined, null, "ab", null, "cd"), [chunked, "2\r\nab\r\n", "2\r\ncd\r\n0\r\n\r\n"]],
  ];
  for (const [body, writes] of cases) assertEquals((await write(response(body))).writes, writes);
});

Deno.test("ResponseWriter writes content of every size as it is", async () => {
  const sizes = [1, 2000, 3900, 4071, 4072, 4073, 4096, 5000, 65_536, 81_890, 81_920, 100_000, 300_000];
  for (const size of sizes) {
    const piece = "0123456789".repeat(size / 10 + 1).slice(0, size);
    for (const pieces of [[piece], [null, piece], [piece, piece], [piece, null, piece], ["a", piece, "b"]]) {
      const content = pieces.join("");
      const known = await write(response(new Pieces(content.length, ...pieces)));
      const what = `${size} bytes in ${pieces.length}`;
      assert(known.text.slice(known.text.indexOf("\r\n\r\n") + 4) === content, what);
      const chunked = await write(response(new Pieces(undefined, ...pieces)));
      const chunks = pieces.filter((piece) => piece !== null).map((piece) =>
        `${piece.length.toString(16)}\r\n${piece}\r\n`
      );
      assert(
        chunked.text.slice(chunked.text.indexOf("\r\n\r\n") + 4) === `${chunks.join("")}0\r\n\r\n`,
        what,
      );
      assertEquals([known.sent, chunked.sent], [content.length, content.length], what);
    }
  }
});

Deno.test("ResponseWriter passes over empty pieces: an empty chunk would be the last one", async () => {
  const cases: [pieces: (string | null)[], chunks: string][] = [
    [["a", "", "b"], "1\r\na\r\n1\r\nb\r\n0\r\n\r\n"],
    [[null, "", null, "ab"], "2\r\nab\r\n0\r\n\r\n"],
    [["ab", null, ""], "2\r\nab\r\n0\r\n\r\n"],
    [[""], "0\r\n\r\n"],
  ];
  for (const [pieces, chunks] of cases) {
    const { text } = await write(response(new Pieces(undefined, ...pieces)));
    assertEquals(text, `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`);
  }
});

Deno.test("ResponseWriter writes neither more nor less than announced", async () => {
  for (
    const pieces of [["ab"], ["ab", null], [null, "ab"], [], ["abcd"], ["ab", "cd"], [null, "ab", null, "cd"]]
  ) {
    const body = new Pieces(3, ...pieces);
    const writes: string[] = [];
    const act = writeResponse(response(body), GET, {
      write: (bytes) => {
        writes.push(latin1(bytes));
        return Promise.resolve();
      },
      outcome: { sent: 0 },
    });
    await assertRejects(() => act, Error, "", JSON.stringify(pieces));
    assertEquals(body.closed, 1);
    const [, content = ""] = writes.join("").split("\r\n\r\n");
    assert(content.length <= 3, content);
  }
});

Deno.test("ResponseWriter fails when content breaks off, closes it, and ends nothing", async () => {
  const broken = new Error("the backend is gone");
  for (const size of [3, 5000, 65_536]) {
    for (const length of [undefined, size + 1]) {
      for (const pieces of [["x".repeat(size), null, broken], [null, "x".repeat(size), null, broken]]) {
        const body = new Pieces(length, ...pieces);
        let text = "";
        const outcome = { sent: 0 };
        const write = (bytes: Piece) => Promise.resolve(void (text += latin1(bytes)));
        await assertRejects(
          () => writeResponse(response(body), GET, { write, outcome }),
          Error,
          broken.message,
        );
        assertEquals([body.closed, outcome.sent, text.endsWith("0\r\n\r\n")], [1, size, false]);
        assert(text.startsWith("HTTP/1.1 200 OK\r\n"));
      }
    }
  }
});

Deno.test("ResponseWriter closes content also when the client fails or a field has no place", async () => {
  const gone = () => Promise.reject(new Deno.errors.BrokenPipe("gone"));
  const body = new Pieces(3, "abc");
  const sink = { write: gone, outcome: { sent: 0 } };
  await assertRejects(() => writeResponse(response(body), GET, sink), Deno.errors.BrokenPipe);
  const other = new Pieces(3, "abc");
  const answer = response(other, { fields: Fields.of([["a", "b\r\nc: d"]]) });
  await assertRejects(() => write(answer), MessageError);
  assertEquals([body.closed, other.closed], [1, 1]);
});

Deno.test("ResponseWriter gives no buffer back twice, whatever fails", async () => {
  const broken = new Error("the backend is gone");
  for (const size of [3, 5000, 65_536, 100_000]) {
    for (const length of [undefined, size]) {
      for (const failsAt of [1, 2, 3]) {
        const body = new Pieces(length, "x".repeat(size), null, broken);
        let writes = 0;
        const write = () => ++writes === failsAt ? Promise.reject(broken) : Promise.resolve();
        await assertRejects(() => writeResponse(response(body), GET, { write, outcome: { sent: 0 } }), Error);
        for (const bytes of [0, 64 * 1024]) {
          const outputs = Array.from({ length: 5 }, () => Output.take(bytes));
          const different = new Set(outputs).size;
          for (const output of new Set(outputs)) output.free();
          assertEquals(different, 5, "two answers would share a buffer");
        }
      }
    }
  }
});
