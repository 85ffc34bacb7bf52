import type { ByteReader } from "./byte_reader.ts";
import { latin1Decode } from "./latin1.ts";
import { type Framing, MAX_HEAD_BYTES, MessageError } from "./message.ts";

const CHUNK_LINE_BYTES = 4096;
const PIECE_BYTES = 64 * 1024;

/** Reads the content of a message piece by piece. */
export interface ContentReader {
  /** The next piece, or undefined at the end. @throws {MessageError} when the content breaks off. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

/** Makes the reader for a framing. */
export function contentReader(reader: ByteReader, framing: Framing): ContentReader {
  switch (framing.kind) {
    case "none":
      return new LengthReader(reader, 0);
    case "length":
      return new LengthReader(reader, framing.length);
    case "chunked":
      return new ChunkedReader(reader);
    case "until-close":
      return new UntilCloseReader(reader);
  }
}

class LengthReader implements ContentReader {
  readonly #reader: ByteReader;
  #left: number;

  constructor(reader: ByteReader, length: number) {
    this.#reader = reader;
    this.#left = length;
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#left === 0) return undefined;
    if (this.#reader.buffered === 0 && !await this.#reader.fill()) {
      throw new MessageError(`The connection ended ${this.#left} bytes before the end of the content`);
    }
    const piece = this.#reader.take(Math.min(this.#left, PIECE_BYTES));
    this.#left -= piece.length;
    return piece;
  }
}

class UntilCloseReader implements ContentReader {
  readonly #reader: ByteReader;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#reader.buffered === 0 && !await this.#reader.fill()) return undefined;
    return this.#reader.take(PIECE_BYTES);
  }
}

/** The chunked coding (RFC 9112, section 7.1). Chunk extensions and trailers are read and dropped. */
class ChunkedReader implements ContentReader {
  readonly #reader: ByteReader;
  #left = 0;
  #withinChunk = false;
  #ended = false;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#ended) return undefined;
    if (this.#left === 0) {
      if (this.#withinChunk) await this.#endChunk();
      this.#left = parseChunkSize(await this.#readLine(CHUNK_LINE_BYTES));
      if (this.#left === 0) {
        await this.#skipTrailers();
        this.#ended = true;
        return undefined;
      }
    }
    this.#withinChunk = true;
    if (this.#reader.buffered === 0) await this.#fill();
    const piece = this.#reader.take(Math.min(this.#left, PIECE_BYTES));
    this.#left -= piece.length;
    return piece;
  }

  /** Reads the line end after a chunk; not before its data is passed on, for it may come late. */
  async #endChunk(): Promise<void> {
    await this.#readLine(2); // of two bytes only CRLF is a line
    this.#withinChunk = false;
  }

  async #skipTrailers(): Promise<void> {
    for (let left = MAX_HEAD_BYTES;;) {
      const line = await this.#readLine(left);
      if (line === "") return;
      left -= line.length + 2;
    }
  }

  /** Reads a line that ends with CRLF and has no CR or LF within it; `most` counts the CRLF. */
  async #readLine(most: number): Promise<string> {
    for (;;) {
      const bytes = this.#reader.peek();
      const end = bytes.indexOf(10);
      if (end >= most || (end === -1 && bytes.length >= most)) {
        throw new MessageError("A line of the chunked coding is too long");
      }
      if (end !== -1) {
        const line = latin1Decode(this.#reader.take(end + 1));
        if (!line.endsWith("\r\n") || line.indexOf("\r") !== line.length - 2) {
          throw new MessageError("A bare line end in the chunked coding");
        }
        return line.slice(0, -2);
      }
      await this.#fill();
    }
  }

  async #fill(): Promise<void> {
    if (!await this.#reader.fill()) throw new MessageError("The connection ended within the chunked coding");
  }
}

function parseChunkSize(line: string): number {
  const match = /^([0-9a-fA-F]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (match?.[1] === undefined) {
    throw new MessageError(`Invalid chunk size ${JSON.stringify(line.slice(0, 80))}`);
  }
  return parseInt(match[1], 16);
}

const CRLF = new Uint8Array([13, 10]);
const LAST_CHUNK = new TextEncoder().encode("0\r\n\r\n");

/** Writes content with the framing that its head announced. */
export class ContentWriter {
  readonly #write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
  readonly #chunked: boolean;
  #left: number;

  /** `write` writes all that it is given. */
  constructor(framing: Framing, write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#write = write;
    this.#chunked = framing.kind === "chunked";
    this.#left = framing.kind === "length" ? framing.length : 0;
  }

  /** Writes a piece. @throws {MessageError} for more than the announced length. */
  async write(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    if (piece.length === 0) return; // an empty chunk would be the last one
    if (!this.#chunked) {
      if (piece.length > this.#left) throw new MessageError("The content is longer than announced");
      this.#left -= piece.length;
      return await this.#write(piece);
    }
    const size = new TextEncoder().encode(`${piece.length.toString(16)}\r\n`);
    const chunk = new Uint8Array(size.length + piece.length + 2);
    chunk.set(size);
    chunk.set(piece, size.length);
    chunk.set(CRLF, size.length + piece.length);
    await this.#write(chunk);
  }

  /** Ends the content. @throws {MessageError} for less than the announced length. */
  async end(): Promise<void> {
    if (this.#chunked) await this.#write(LAST_CHUNK);
    else if (this.#left > 0) {
      throw new MessageError(`The content is ${this.#left} bytes shorter than announced`);
    }
  }
}
