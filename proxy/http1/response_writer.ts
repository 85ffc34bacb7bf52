import type { Content, DownstreamResponse, Outcome, Piece } from "../exchange.ts";
import type { Framing } from "./head.ts";
import { LAST_CHUNK, Output } from "./output.ts";
import { writeFraming } from "./request.ts";
import { isWithoutContent, writeStatusLine } from "./response.ts";

/** What decides how a request is answered. */
export interface AnsweredRequest {
  /** Its method. */
  method: string;
  /** Its minor version. */
  minorVersion: 0 | 1;
  /** May another request follow on its connection? */
  keepsAlive: boolean;
}

/** Where a response goes. */
export interface ResponseSink {
  /** Writes all of `bytes`. */
  write: (bytes: Piece) => Promise<void>;
  /** Counts the content that was sent. */
  outcome: Pick<Outcome, "sent">;
}

/** Room for the size of a chunk, its line ends, and the last chunk. */
const CHUNK_OVERHEAD = 24;

/**
 * Writes a response with a framing of its own, whatever the backend's was; what has arrived of its content
 * goes out together with its head.
 *
 * @returns whether another request may follow.
 * @throws {Error} when the content breaks off: the connection must be cut, so that nothing short looks whole.
 */
export async function writeResponse(
  response: DownstreamResponse,
  request: AnsweredRequest,
  sink: ResponseSink,
): Promise<boolean> {
  const { status, body } = response;
  const framing = framingFor(response, request);
  const keepsAlive = request.keepsAlive && framing.kind !== "until-close" && status !== 101;
  const output = Output.take();
  try {
    writeHead(output, response, { framing, keepsAlive, minorVersion: request.minorVersion });
    if (body !== null && framing.kind !== "none" && status !== 205) {
      if (isContent(body)) await writeContent(output, body, { framing, sink });
      else {
        sink.outcome.sent += body.length;
        output.append(body);
      }
    }
    await sink.write(output.bytes);
    return keepsAlive;
  } finally {
    output.free();
    if (body !== null && isContent(body)) body.close();
  }
}

function writeHead(
  output: Output,
  { status, headers }: DownstreamResponse,
  { framing, keepsAlive, minorVersion }: { framing: Framing; keepsAlive: boolean; minorVersion: 0 | 1 },
): void {
  writeStatusLine(output, status);
  // only where there is no content it says what there would be (RFC 9110, section 8.6)
  const keepsLength = framing.kind === "none" && status !== 204 && status !== 101;
  for (const field of headers) {
    if (keepsLength || field[0] !== "content-length") output.field(field[0], field[1]);
  }
  writeFraming(output, framing);
  if (status === 101) output.field("connection", "upgrade").field("upgrade", "websocket");
  else if (!keepsAlive) output.field("connection", "close");
  else if (minorVersion === 0) output.field("connection", "keep-alive");
  output.lineEnd();
}

/** Puts content behind a head, and writes all but what fits into the output with its end. */
function writeContent(
  output: Output,
  content: Content,
  options: { framing: Framing; sink: ResponseSink },
): Promise<void> | undefined {
  const writer = new ContentWriter(output, content, options);
  try {
    return writer.gather() ? undefined : writer.writeRest();
  } catch (error) {
    // what came before the fault is the client's, so that it sees where it broke off
    return options.sink.write(output.bytes).then(() => Promise.reject(error));
  }
}

function isContent(body: Piece | Content): body is Content {
  return "close" in body;
}

function framingFor(
  { status, body }: DownstreamResponse,
  { method, minorVersion }: AnsweredRequest,
): Framing {
  if (isWithoutContent(status, method)) return { kind: "none" };
  // a 205 has no content either, but must say so (RFC 9110, section 15.3.6)
  if (body === null || status === 205) return { kind: "length", length: 0 };
  if (body.length !== undefined) return { kind: "length", length: body.length };
  return minorVersion === 1 ? { kind: "chunked" } : { kind: "until-close" };
}

/** Writes content behind what an output has already, and leaves in it what is still to be written. */
class ContentWriter {
  readonly #output: Output;
  readonly #content: Content;
  readonly #sink: ResponseSink;
  readonly #isChunked: boolean;
  #left: number;
  /** What did not fit into the output. */
  #piece: Piece | undefined;

  constructor(output: Output, content: Content, { framing, sink }: { framing: Framing; sink: ResponseSink }) {
    this.#output = output;
    this.#content = content;
    this.#sink = sink;
    this.#isChunked = framing.kind === "chunked";
    this.#left = framing.kind === "length" ? framing.length : Infinity;
  }

  /** Takes what has arrived, as far as there is room. @returns whether that was all of the content. */
  gather(): boolean {
    let piece = this.#piece;
    this.#piece = undefined;
    for (piece ??= this.#content.arrived(); piece !== undefined; piece = this.#content.arrived()) {
      if (piece.length + CHUNK_OVERHEAD > this.#output.room) {
        this.#piece = piece;
        return false;
      }
      this.#count(piece);
      if (this.#isChunked) this.#output.chunk(piece);
      else this.#output.append(piece);
    }
    return this.#content.hasEnded && this.#end();
  }

  /** Writes what is left after {@linkcode gather} has said that there is more. */
  async writeRest(): Promise<void> {
    const { write } = this.#sink;
    do {
      if (this.#output.length > 0) {
        await write(this.#output.bytes);
        this.#output.clear();
      }
      const piece = this.#piece ??= await this.#content.next();
      if (piece === undefined) {
        this.#end();
        return;
      }
      if (piece.length + CHUNK_OVERHEAD <= this.#output.room) continue;
      this.#piece = undefined;
      this.#count(piece);
      await (this.#isChunked ? writeLargeChunk(piece, write) : write(piece));
    } while (!this.gather());
  }

  #count(piece: Piece): void {
    this.#left -= piece.length;
    // the rest would be read as the next response
    if (this.#left < 0) throw new Error("The content is longer than announced");
    this.#sink.outcome.sent += piece.length;
  }

  #end(): true {
    if (this.#isChunked) this.#output.append(LAST_CHUNK);
    else if (this.#left > 0 && this.#left < Infinity) {
      throw new Error("The content is shorter than announced");
    }
    return true;
  }
}

async function writeLargeChunk(piece: Piece, write: ResponseSink["write"]): Promise<void> {
  const output = Output.take(piece.length);
  try {
    await write(output.chunk(piece).bytes);
  } finally {
    output.free();
  }
}
