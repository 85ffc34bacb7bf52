import { assert } from "@std/assert";
import { FakeTransport } from "../fakes.ts";
import { latin1 } from "../testing.ts";
import { MAX_RESPONSE_HEAD_BYTES, PIECE_BYTES, readResponse, serve } from "./glue.ts";
import { LIMITS } from "./reference.ts";

/** Whoever reads so many bytes does not stop at all. */
const TOO_MUCH = 4 * 1024 * 1024;

/** Bytes without an end: `start` once, then `more` again and again, until something is answered. */
class EndlessTransport extends FakeTransport {
  /** How many bytes were read before anything was answered. */
  bytesRead = 0;
  #hasAnswer = false;
  #rest: string;
  readonly #more: string;

  constructor(start: string, more: string) {
    super();
    this.#rest = start;
    this.#more = more;
  }

  override async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    await Promise.resolve();
    if (this.#hasAnswer || this.bytesRead > TOO_MUCH) return null;
    while (this.#rest.length < into.length) this.#rest += this.#more.repeat(100);
    for (let index = 0; index < into.length; index++) into[index] = this.#rest.charCodeAt(index);
    this.#rest = this.#rest.slice(into.length);
    this.bytesRead += into.length;
    return into.length;
  }

  override async write(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
    this.#hasAnswer ||= !latin1(bytes).startsWith("HTTP/1.1 100 ");
    return await super.write(bytes);
  }
}

Deno.test("a request without an end is refused before it fills the memory", async () => {
  const post = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
  const cases: [start: string, more: string][] = [
    ["", "x"],
    ["", "\r\n"],
    ["GET /", "x"],
    ["GET / HTTP/1.1\r\n", "X"],
    ["GET / HTTP/1.1\r\nX: ", "y"],
    ["GET / HTTP/1.1\r\n", "X: y\r\n"],
    [post, "0"],
    [`${post}1;`, "e"],
    [`${post}1\r\nx`, "y"],
    [`${post}0\r\nX: `, "y"],
    [`${post}0\r\n`, "X: y\r\n"],
  ];
  for (const [start, more] of cases) {
    const transport = new EndlessTransport(start, more);
    await serve(transport);
    const what = JSON.stringify([start, more]);
    assert(transport.written.startsWith("HTTP/1.1 4"), `${what}: ${transport.written.slice(0, 100)}`);
    assert(transport.bytesRead <= LIMITS.trailers + PIECE_BYTES, `${what}: ${transport.bytesRead} bytes`);
  }
});

Deno.test("a response without an end is given up before it fills the memory", async () => {
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const cases: [start: string, more: string][] = [
    ["", "x"],
    ["HTTP/1.1 200 ", "x"],
    ["HTTP/1.1 200 OK\r\n", "X"],
    ["HTTP/1.1 200 OK\r\nX: ", "y"],
    ["HTTP/1.1 200 OK\r\n", "X: y\r\n"],
    [chunked, "0"],
    [`${chunked}1;`, "e"],
    [`${chunked}0\r\nX: `, "y"],
    [`${chunked}0\r\n`, "X: y\r\n"],
  ];
  for (const [start, more] of cases) {
    const transport = new EndlessTransport(start, more);
    const { isWhole } = await readResponse(transport, "GET");
    const what = JSON.stringify([start, more]);
    assert(!isWhole, what);
    assert(transport.bytesRead <= 2 * MAX_RESPONSE_HEAD_BYTES, `${what}: ${transport.bytesRead} bytes`);
  }
});

Deno.test("content without an end is handed out in pieces", async () => {
  const cases: [fields: string, start: string][] = [
    ["Content-Length: 3000000\r\n", ""],
    ["Transfer-Encoding: chunked\r\n", "2dc6c0\r\n"],
    ["", ""],
  ];
  for (const [fields, start] of cases) {
    const transport = new EndlessTransport(`HTTP/1.1 200 OK\r\n${fields}\r\n${start}`, "x");
    const { longestPiece } = await readResponse(transport, "GET");
    assert(longestPiece > 0 && longestPiece <= PIECE_BYTES, `${fields}: ${longestPiece}`);
  }
});
