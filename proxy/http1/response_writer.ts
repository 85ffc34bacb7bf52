import type { Content, DownstreamResponse, Outcome, Piece } from "../exchange.ts";
import { FieldNames } from "./field_name.ts";
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

const CONTENT_LENGTH = new FieldNames(["content-length"]);

/** Room for the size of a chunk, its line ends, and the last chunk. */
const CHUNK_OVERHEAD = 24;

/**
 * Writes a response with a framing of its own, whatever the backend's was; what has arrived of its content
 * goes out together with its head.
 */
export class ResponseWriter {
  /** May another request follow? */
  readonly keepsAlive: boolean;
  readonly #output = Output.take();
  readonly #body: Piece | Content | null;
  readonly #outcome: Pick<Outcome, "sent">;
  readonly #isChunked: boolean;
  /** How many bytes of content are still due. */
  #left: number;
  /** What did not fit into the output. */
  #piece: Piece | undefined;
  #isComplete = true;
  #fault: unknown;

  /**
   * Begins a response; `outcome` counts the content that is sent.
   *
   * @throws {MessageError} for a field that has no place in a head.
   */
  constructor(response: DownstreamResponse, request: AnsweredRequest, outcome: Pick<Outcome, "sent">) {
    const { status, body } = response;
    const framing = framingFor(response, request);
    this.keepsAlive = request.keepsAlive && framing.kind !== "until-close" && status !== 101;
    this.#body = body;
    this.#outcome = outcome;
    this.#isChunked = framing.kind === "chunked";
    this.#left = framing.kind === "length" ? framing.length : Infinity;
    try {
      const { keepsAlive } = this;
      writeHead(this.#output, response, { framing, keepsAlive, minorVersion: request.minorVersion });
    } catch (error) {
      this.close();
      throw error;
    }
    if (body === null || framing.kind === "none" || status === 205) return;
    try {
      this.#isComplete = isContent(body) ? this.#gather(body) : this.#add(body);
    } catch (error) {
      // what came before the fault is the client's, so that it sees where it broke off
      this.#isComplete = false;
      this.#fault = error;
    }
  }

  /** What is written first: the head, and what has arrived of the content. */
  get start(): Piece {
    return this.#output.bytes;
  }

  /** Was that all? */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /**
   * Writes the rest by `write`, which writes all of what it is given.
   *
   * @throws {Error} when the content breaks off: the connection must be cut, so that nothing short looks whole.
   */
  async writeRest(write: (bytes: Piece) => Promise<void>): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    const content = this.#body;
    if (content === null || !isContent(content)) return;
    const output = this.#output;
    for (let isComplete = false; !isComplete;) {
      output.clear(); // what it held has been written
      const piece = this.#piece ??= await content.next();
      if (piece !== undefined && piece.length + CHUNK_OVERHEAD > output.room) {
        this.#piece = undefined;
        this.#count(piece);
        await (this.#isChunked ? writeLargeChunk(piece, write) : write(piece));
      }
      isComplete = piece === undefined ? this.#end() : this.#gather(content);
      if (output.length > 0) await write(output.bytes);
    }
  }

  /** To be called once, when nothing of it is written any more. */
  close(): void {
    this.#output.free();
    if (this.#body !== null && isContent(this.#body)) this.#body.close();
  }

  /** Takes what has arrived, as far as there is room. @returns whether that was all of the content. */
  #gather(content: Content): boolean {
    let piece = this.#piece;
    this.#piece = undefined;
    for (piece ??= content.arrived(); piece !== undefined; piece = content.arrived()) {
      if (piece.length + CHUNK_OVERHEAD > this.#output.room) {
        this.#piece = piece;
        return false;
      }
      this.#count(piece);
      if (this.#isChunked) this.#output.chunk(piece);
      else this.#output.append(piece);
    }
    return content.hasEnded && this.#end();
  }

  #add(piece: Piece): true {
    this.#outcome.sent += piece.length;
    this.#output.append(piece);
    return true;
  }

  #count(piece: Piece): void {
    this.#left -= piece.length;
    // the rest would be read as the next response
    if (this.#left < 0) throw new Error("The content is longer than announced");
    this.#outcome.sent += piece.length;
  }

  #end(): true {
    if (this.#isChunked) this.#output.append(LAST_CHUNK);
    else if (this.#left > 0 && this.#left < Infinity) {
      throw new Error("The content is shorter than announced");
    }
    return true;
  }
}

function writeHead(
  output: Output,
  { status, fields }: DownstreamResponse,
  { framing, keepsAlive, minorVersion }: { framing: Framing; keepsAlive: boolean; minorVersion: 0 | 1 },
): void {
  writeStatusLine(output, status);
  // only where there is no content it says what there would be (RFC 9110, section 8.6)
  const keepsLength = framing.kind === "none" && status !== 204 && status !== 101;
  if (!keepsLength) fields.remove(CONTENT_LENGTH);
  output.fields(fields);
  writeFraming(output, framing);
  if (status === 101) output.field("connection", "upgrade").field("upgrade", "websocket");
  else if (!keepsAlive) output.field("connection", "close");
  else if (minorVersion === 0) output.field("connection", "keep-alive");
  output.lineEnd();
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

async function writeLargeChunk(piece: Piece, write: (bytes: Piece) => Promise<void>): Promise<void> {
  const output = Output.take(piece.length);
  try {
    await write(output.chunk(piece).bytes);
  } finally {
    output.free();
  }
}
