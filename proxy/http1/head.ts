import type { HeaderList } from "../exchange.ts";
import type { ByteReader } from "./byte_reader.ts";
import { MessageError } from "./message_error.ts";

/** The most header fields that a head may have. */
export const MAX_HEADER_FIELDS = 200;

/** How the end of a message's content is found (RFC 9112, section 6.3). */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; length: number }
  | { kind: "chunked" }
  | { kind: "until-close" };

/** Options of {@linkcode HeadReader}. */
export interface HeadReaderOptions {
  /** The longest head that is read, in bytes. */
  maxBytes: number;
  /** How many empty lines before it are passed over (RFC 9112, section 2.2); none unless told. */
  emptyLines?: number;
  /** Called once for a head of which a part is there and the rest must be waited for. */
  onBegin?: () => void;
}

const LF = 10;

/** Reads the heads of a connection's messages, one after the other. */
export class HeadReader {
  readonly #reader: ByteReader;
  readonly #options: HeadReaderOptions;
  #searched = 0;
  #emptyLines = 0;
  #hasBegun = false;

  /** Reads what comes on `reader`. */
  constructor(reader: ByteReader, options: HeadReaderOptions) {
    this.#reader = reader;
    this.#options = options;
  }

  /**
   * The next head, if all of it has arrived: its lines, each with its line end, without the empty line behind
   * them. Until then it is to be called again whenever more has.
   *
   * @throws {MessageError} for a line end that is not CRLF, and a head that is too large.
   */
  arrived(): string | undefined {
    const reader = this.#reader;
    const { maxBytes, emptyLines = 0 } = this.#options;
    while (reader.buffered > this.#searched) {
      const end = reader.findHead(this.#searched);
      if (end === 2 && this.#emptyLines < emptyLines) {
        this.#emptyLines++;
        reader.skip(2);
        this.#searched = 0;
        continue;
      }
      if (end !== -1 && end <= maxBytes) {
        this.#searched = this.#emptyLines = 0;
        this.#hasBegun = false;
        const head = reader.takeText(end - 2);
        reader.skip(2);
        return head;
      }
      this.#searched = reader.buffered;
      if (end !== -1 || this.#searched > maxBytes) throw tooLarge(reader.peek(), maxBytes);
      if (!this.#hasBegun) this.#options.onBegin?.();
      this.#hasBegun = true;
    }
    return undefined;
  }

  /** The stream has ended. @throws {MessageError} when that was within a head. */
  end(): void {
    if (this.#searched > 0) throw new MessageError("The connection ended within the head");
  }
}

function tooLarge(bytes: Uint8Array, maxBytes: number): MessageError {
  const isFirstLine = bytes.subarray(0, maxBytes).indexOf(LF) === -1;
  return new MessageError(
    `The head is larger than ${maxBytes} bytes`,
    isFirstLine ? "target_too_long" : "head_too_large",
  );
}

/** Field lines: a name that is a token, no space before the colon, no control characters in the value. */
const FIELD_LINES = /(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*/y;

/**
 * Reads the field lines of a head from `start` on; names become lower case.
 *
 * @throws {MessageError} for anything that two parsers could read differently: folded lines, spaces before a
 * colon, control characters (RFC 9112, section 5).
 */
export function parseFields(head: string, start: number): HeaderList {
  // one look at all lines costs less than one at each
  FIELD_LINES.lastIndex = start;
  FIELD_LINES.test(head);
  if (FIELD_LINES.lastIndex !== head.length) {
    const invalid = FIELD_LINES.lastIndex;
    const line = head.slice(invalid, head.indexOf("\r\n", invalid));
    throw new MessageError(`Invalid header line ${JSON.stringify(line.slice(0, 80))}`);
  }
  const fields: HeaderList = [];
  for (let at = start; at < head.length;) {
    const colon = head.indexOf(":", at);
    const end = head.indexOf("\r\n", colon);
    if (fields.length === MAX_HEADER_FIELDS) {
      throw new MessageError(`More than ${MAX_HEADER_FIELDS} header fields`, "head_too_large");
    }
    fields.push([head.slice(at, colon).toLowerCase(), trimSpace(head.slice(colon + 1, end))]);
    at = end + 2;
  }
  return fields;
}

/**
 * A value without the spaces and tabs around it, which is what HTTP takes for whitespace (RFC 9110, section
 * 5.6.3); `trim()` takes more for it. An expression would go through long runs of them again and again.
 */
export function trimSpace(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9;
}

const NONE: readonly string[] = [];

/** The values of a field, in order. */
export function valuesOf(headers: HeaderList, name: string): readonly string[] {
  let values: string[] | undefined;
  for (const field of headers) {
    if (field[0] !== name) continue;
    if (values === undefined) values = [field[1]];
    else values.push(field[1]);
  }
  return values ?? NONE;
}

/** Is `token` an element of a field that is a list (RFC 9110, section 5.6.1)? `token` is in lower case. */
export function listHas(values: readonly string[], token: string): boolean {
  return values.some((value) =>
    value === token ||
    value.toLowerCase().split(",").some((element) => trimSpace(element) === token)
  );
}

/**
 * The one Content-Length of a message.
 *
 * @throws {MessageError} for several of them, also when they agree, and for anything but digits
 * (RFC 9112, section 6.3).
 */
export function contentLengthOf(headers: HeaderList): number | undefined {
  const values = valuesOf(headers, "content-length");
  if (values.length > 1) throw new MessageError("Several Content-Length fields");
  const [value] = values;
  if (value === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(value)) {
    throw new MessageError(`Invalid Content-Length ${JSON.stringify(value.slice(0, 80))}`);
  }
  return Number(value);
}
