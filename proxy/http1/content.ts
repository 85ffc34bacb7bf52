import type { ByteReader } from "./byte_reader.ts";
import { Fields } from "./fields.ts";
import type { Framing } from "./head.ts";
import { MessageError } from "./message_error.ts";

const CHUNK_LINE_BYTES = 4096;
const TRAILER_BYTES = 16 * 1024;

/** The most that is handed out at once, in bytes. */
export const PIECE_BYTES = 256 * 1024;

/** Reads the content of a message piece by piece. A piece is valid until the next call. */
export abstract class ContentReader {
  /** What it is read from. */
  protected readonly reader: ByteReader;

  /** Reads what comes next on `reader`. */
  constructor(reader: ByteReader) {
    this.reader = reader;
  }

  /** Has all of it been read? */
  abstract readonly hasEnded: boolean;

  /**
   * The next piece, if it has arrived already.
   *
   * @throws {MessageError} when the content is not framed as it should be.
   */
  abstract arrived(): Uint8Array<ArrayBuffer> | undefined;

  /** The stream has ended before the content. */
  protected abstract onStreamEnd(): void;

  /**
   * Waits for the next piece; undefined at the end.
   *
   * @throws {MessageError} when the content breaks off or is not framed as it should be.
   */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const piece = this.arrived();
      if (piece !== undefined || this.hasEnded) return piece;
      if (!await this.reader.fill()) this.onStreamEnd();
    }
  }
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

class LengthReader extends ContentReader {
  #left: number;

  constructor(reader: ByteReader, length: number) {
    super(reader);
    this.#left = length;
  }

  get hasEnded(): boolean {
    return this.#left === 0;
  }

  arrived(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#left === 0 || this.reader.buffered === 0) return undefined;
    const piece = this.reader.take(Math.min(this.#left, PIECE_BYTES));
    this.#left -= piece.length;
    return piece;
  }

  protected onStreamEnd(): void {
    throw new MessageError(`The connection ended ${this.#left} bytes before the end of the content`);
  }
}

class UntilCloseReader extends ContentReader {
  hasEnded = false;

  arrived(): Uint8Array<ArrayBuffer> | undefined {
    return this.reader.buffered === 0 ? undefined : this.reader.take(PIECE_BYTES);
  }

  protected onStreamEnd(): void {
    this.hasEnded = true;
  }
}

/** The chunked coding (RFC 9112, section 7.1). Chunk extensions and trailers are checked and dropped. */
class ChunkedReader extends ContentReader {
  #expected: "size" | "data" | "line end" | "trailer" | "nothing" = "size";
  #left = 0;
  #trailerBytes = 0;
  #failure: unknown;

  get hasEnded(): boolean {
    return this.#expected === "nothing";
  }

  arrived(): Uint8Array<ArrayBuffer> | undefined {
    // whoever goes on behind a fault reads something else than was meant
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#advance();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #advance(): Uint8Array<ArrayBuffer> | undefined {
    while (this.#expected !== "data") {
      if (this.#expected === "nothing" || !this.#readLine()) return undefined;
    }
    if (this.reader.buffered === 0) return undefined;
    const piece = this.reader.take(Math.min(this.#left, PIECE_BYTES));
    this.#left -= piece.length;
    if (this.#left === 0) this.#expected = "line end";
    return piece;
  }

  protected onStreamEnd(): void {
    throw new MessageError("The connection ended within the chunked coding");
  }

  /** Reads one of the lines around the data, if it has arrived. */
  #readLine(): boolean {
    switch (this.#expected) {
      case "size": {
        const line = this.#line(CHUNK_LINE_BYTES);
        if (line === undefined) return false;
        this.#left = parseChunkSize(line);
        this.#expected = this.#left === 0 ? "trailer" : "data";
        return true;
      }
      case "line end": {
        const line = this.#line(2); // of two bytes only CRLF is a line
        if (line === undefined) return false;
        this.#expected = "size";
        return true;
      }
      default: {
        const bytes = this.reader.peek();
        const line = this.#line(TRAILER_BYTES - this.#trailerBytes);
        if (line === undefined) return false;
        this.#trailerBytes += line.length + 2;
        if (line === "") this.#expected = "nothing";
        else Fields.parse(bytes, { start: 0, end: line.length + 2 });
        return true;
      }
    }
  }

  /** Takes a line that ends with CRLF and has no CR or LF within it; `most` counts the CRLF. */
  #line(most: number): string | undefined {
    const bytes = this.reader.peek();
    const end = bytes.indexOf(10);
    if (end >= most || (end === -1 && bytes.length >= most)) {
      throw new MessageError("A line of the chunked coding is too long");
    }
    if (end === -1) return undefined;
    const line = this.reader.takeText(end + 1);
    if (!line.endsWith("\r\n") || line.indexOf("\r") !== line.length - 2) {
      throw new MessageError("A bare line end in the chunked coding");
    }
    return line.slice(0, -2);
  }
}

function parseChunkSize(line: string): number {
  const match = /^([0-9a-fA-F]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
  if (match?.[1] === undefined) {
    throw new MessageError(`Invalid chunk size ${JSON.stringify(line.slice(0, 80))}`);
  }
  return parseInt(match[1], 16);
}
