import { LF } from "./characters.ts";
import type { ByteReader } from "./byte_reader.ts";
import { FieldName } from "./field_name.ts";
import type { Fields } from "./fields.ts";
import { MessageError } from "./message_error.ts";

/** How the end of a message's content is found (RFC 9112, section 6.3). */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; length: number }
  | { kind: "chunked" }
  | { kind: "until-close" };

/** Where a head is: its lines, each with its line end, without the empty line behind them. */
export interface HeadLines {
  /** What it is in: valid until more is read. */
  bytes: Uint8Array;
  /** Where it starts. */
  start: number;
  /** Where it ends. */
  end: number;
}

/** Options of {@linkcode HeadReader}. */
export interface HeadReaderOptions<Head> {
  /** The longest head that is read, in bytes. */
  maxBytes: number;
  /** Reads its lines. @throws {MessageError} when they are no head. */
  parse: (lines: HeadLines) => Head;
  /** How many empty lines before it are passed over (RFC 9112, section 2.2); none unless told. */
  emptyLines?: number;
  /** Called once for a head of which a part is there and the rest must be waited for. */
  onBegin?: () => void;
}

/** Reads the heads of a connection's messages, one after the other. */
export class HeadReader<Head extends { fields: Fields }> {
  readonly #reader: ByteReader;
  readonly #options: HeadReaderOptions<Head>;
  #searched = 0;
  #emptyLines = 0;
  #hasBegun = false;

  /** Reads what comes on `reader`. */
  constructor(reader: ByteReader, options: HeadReaderOptions<Head>) {
    this.#reader = reader;
    this.#options = options;
  }

  /**
   * The next head, if all of it has arrived. Until then it is to be called again whenever more has.
   *
   * @throws {MessageError} for a line end that is not CRLF, a head that is too large, and what is no head.
   */
  arrived(): Head | undefined {
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
        const head = this.#options.parse(reader.takeLines(end));
        reader.lend(head.fields);
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

const CONTENT_LENGTH = FieldName.of("content-length");

/**
 * The one Content-Length of a message.
 *
 * @throws {MessageError} for several of them, also when they agree, and for anything but digits
 * (RFC 9112, section 6.3).
 */
export function contentLengthOf(fields: Fields): number | undefined {
  const count = fields.count(CONTENT_LENGTH);
  if (count === 0) return undefined;
  if (count > 1) throw new MessageError("Several Content-Length fields");
  const length = fields.number(CONTENT_LENGTH);
  if (length !== undefined) return length;
  throw new MessageError(
    `Invalid Content-Length ${JSON.stringify(fields.get(CONTENT_LENGTH)?.slice(0, 80))}`,
  );
}
