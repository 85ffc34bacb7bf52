import { COLON, CR, IS_TEXT, LF, LOWER, NAME_KIND, SPACE } from "./characters.ts";
import { type Fields, MARKS, REMOVED } from "./fields.ts";
import { MessageError } from "./message_error.ts";

/** Outputs of one size. Those that are given back are kept for others, so many at most. */
interface Size {
  readonly bytes: number;
  readonly most: number;
  readonly kept: Output[];
}

/** Enough for a head: as many are on their way at once where a worker is busy. */
const SMALL: Size = { bytes: 4 * 1024, most: 1024, kept: [] };
/** Holds what a connection without a large buffer reads at once, with its framing. */
const MIDDLE: Size = { bytes: 33 * 1024, most: 64, kept: [] };
/** Holds the largest piece of content that is read at once, with its framing. */
const LARGE: Size = { bytes: 257 * 1024, most: 64, kept: [] };
/** Room for what goes around a piece of content. */
const FRAMING_BYTES = 1024;
const FEW_BYTES = 64;

/** What ends content in the chunked coding, without trailers (RFC 9112, section 7.1). */
export const LAST_CHUNK: Uint8Array<ArrayBuffer> = new TextEncoder().encode("0\r\n\r\n");

/**
 * Bytes on their way out: heads are written straight into them, character by character, which needs neither
 * strings nor copies in between.
 */
export class Output {
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;
  #isFree = false;

  private constructor(size: number) {
    this.#buffer = new Uint8Array(size);
  }

  /** Takes an empty one with room for `bytes` and a little more. It belongs to the caller until {@linkcode free}. */
  static take(bytes = 0): Output {
    const size = sizeFor(bytes + FRAMING_BYTES);
    const output = size.kept.pop() ?? new Output(size.bytes);
    output.#isFree = false;
    return output;
  }

  /** Gives it back: nobody uses its bytes any more. Done twice, two would write into the same bytes. */
  free(): void {
    if (this.#isFree) throw new Error("BUG: an output was given back twice");
    this.#isFree = true;
    this.#length = 0;
    const { bytes, most, kept } = sizeFor(this.#buffer.length);
    if (this.#buffer.length === bytes && kept.length < most) kept.push(this);
  }

  /** What was written, all of it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(0, this.#length);
  }

  /** How many bytes were written. */
  get length(): number {
    return this.#length;
  }

  /** Forgets what was written. */
  clear(): void {
    this.#length = 0;
  }

  /** How many bytes more there is room for without a larger buffer. */
  get room(): number {
    return this.#buffer.length - this.#length;
  }

  /** Writes a text of visible characters, spaces and tabs. @throws {MessageError} for any other character. */
  text(text: string): this {
    this.#reserve(text.length);
    this.#putText(text);
    return this;
  }

  /** Writes a token, such as a method or a field's name (RFC 9110, section 5.6.2). @throws {MessageError} for none. */
  token(text: string): this {
    if (text === "") throw new MessageError("A name that is empty");
    this.#reserve(text.length);
    this.#putName(text);
    return this;
  }

  /** Ends a line. */
  lineEnd(): this {
    this.#reserve(2);
    this.#buffer[this.#length++] = CR;
    this.#buffer[this.#length++] = LF;
    return this;
  }

  /** Writes a header field. */
  field(name: string, value: string): this {
    if (name === "") throw new MessageError("A name that is empty");
    this.#reserve(name.length + value.length + 4);
    this.#putName(name);
    this.#buffer[this.#length++] = COLON;
    this.#buffer[this.#length++] = SPACE;
    this.#putText(value);
    this.#buffer[this.#length++] = CR;
    this.#buffer[this.#length++] = LF;
    return this;
  }

  /** Writes header fields, names in lower case. Those that were received were checked then. */
  fields({ bytes, marks, added, shared, sharedAfter }: Fields): this {
    // beside the name and the value there is room for a colon, a space and the line end
    this.#reserve((marks.at(-1) ?? 0) - (marks[1] ?? 0) + 4 * marks.length / MARKS);
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === REMOVED) continue;
      const buffer = this.#buffer;
      let at = this.#length;
      let from = marks[mark + 1] ?? 0;
      for (let code; (code = bytes[from] ?? COLON) !== COLON; from++) buffer[at++] = LOWER[code] ?? 0;
      buffer[at++] = COLON;
      buffer[at++] = SPACE;
      this.#length = at;
      this.#putBytes(bytes, marks[mark + 2] ?? 0, marks[mark + 3] ?? 0);
      buffer[this.#length++] = CR;
      buffer[this.#length++] = LF;
    }
    for (let index = 0; index <= added.length; index++) {
      if (index === sharedAfter && shared !== undefined) this.append(shared.bytes);
      const field = added[index];
      if (field !== undefined) this.field(field[0], field[1]);
    }
    return this;
  }

  /** Writes bytes as they are. */
  append(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#putBytes(bytes, 0, bytes.length);
    return this;
  }

  /** Writes a piece of content as a chunk (RFC 9112, section 7.1); an empty one would be the last. */
  chunk(piece: Uint8Array): this {
    if (piece.length === 0) return this;
    return this.text(piece.length.toString(16)).lineEnd().append(piece).lineEnd();
  }

  /** Writes where there is room for it. A few bytes cost less than calling set() for them. */
  #putBytes(bytes: Uint8Array, start: number, end: number): void {
    const buffer = this.#buffer;
    const at = this.#length;
    if (end - start > FEW_BYTES) buffer.set(bytes.subarray(start, end), at);
    else for (let from = start; from < end; from++) buffer[at + from - start] = bytes[from] ?? 0;
    this.#length = at + end - start;
  }

  /** Writes where there is room for it. */
  #putText(text: string): void {
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (IS_TEXT[code] !== 1) {
        throw new MessageError("A character that has no place in a message's head");
      }
      buffer[at++] = code;
    }
    this.#length = at;
  }

  /** Writes where there is room for it. */
  #putName(text: string): void {
    const buffer = this.#buffer;
    let at = this.#length;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (!((NAME_KIND[code] ?? 0) > 0)) throw new MessageError("A character that has no place in a name");
      buffer[at++] = code;
    }
    this.#length = at;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.bytes);
    this.#buffer = larger;
  }
}

/** The smallest one that has room for `bytes`, or the largest. */
function sizeFor(bytes: number): Size {
  return bytes <= SMALL.bytes ? SMALL : bytes <= MIDDLE.bytes ? MIDDLE : LARGE;
}
