/**
 * The frames of HTTP/2, written by hand (RFC 9113, section 4), so that they can be wrong. Header blocks are
 * literals without Huffman coding or indexing (RFC 7541, section 6.2.2). Bytes are texts of as many characters.
 *
 * @module
 */

/** What a client begins with (RFC 9113, section 3.4), its empty SETTINGS included. */
export const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** The types of frames. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Flags of frames. */
export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8 } as const;

/** A frame. */
export interface Frame {
  /** One of {@linkcode FRAME}. */
  type: number;
  /** Some of {@linkcode FLAG}. */
  flags?: number;
  /** The stream's number; 0 for the connection. */
  stream?: number;
  /** What is in it. */
  payload?: string;
}

/** A number of so many bytes. */
export function bytesOfNumber(value: number, count: number): string {
  return Array.from(
    { length: count },
    (_, index) => String.fromCharCode((value >>> (8 * (count - 1 - index))) & 255),
  )
    .join("");
}

/** Writes a frame. */
export function frame({ type, flags = 0, stream = 0, payload = "" }: Frame): string {
  return bytesOfNumber(payload.length, 3) + bytesOfNumber(type, 1) + bytesOfNumber(flags, 1) +
    bytesOfNumber(stream, 4) + payload;
}

/** Fields as literals. */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): string {
  return fields.map(([name, value]) => `\0${literal(name)}${literal(value)}`).join("");
}

/** A text behind its length (RFC 7541, section 5.2). */
function literal(text: string): string {
  if (text.length < 127) return String.fromCharCode(text.length) + text;
  let length = "\x7f";
  let rest = text.length - 127;
  for (; rest >= 128; rest >>= 7) length += String.fromCharCode(128 | (rest & 127));
  return length + String.fromCharCode(rest) + text;
}

/** Takes the frames that have come whole. */
export function takeFrames(text: string): Required<Frame>[] {
  const frames: Required<Frame>[] = [];
  for (let at = 0; at + 9 <= text.length;) {
    const length = numberAt(text, { at, count: 3 });
    if (text.length < at + 9 + length) break;
    frames.push({
      type: numberAt(text, { at: at + 3, count: 1 }),
      flags: numberAt(text, { at: at + 4, count: 1 }),
      stream: numberAt(text, { at: at + 5, count: 4 }),
      payload: text.slice(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return frames;
}

/** Reads the next frame with a function that reads so many bytes. */
export async function readFrame(read: (count: number) => Promise<string>): Promise<Required<Frame>> {
  const head = await read(9);
  const [next] = takeFrames(head + await read(numberAt(head, { at: 0, count: 3 })));
  if (next === undefined) throw new Error("Less was read than was asked for");
  return next;
}

/** Reads a number of `count` bytes. */
export function numberAt(text: string, { at, count }: { at: number; count: number }): number {
  return [...text.slice(at, at + count)].reduce(
    (value, character) => value * 256 + character.charCodeAt(0),
    0,
  );
}

/** Statuses of the static table (RFC 7541, appendix A), from its index 8 on. */
const STATIC_STATUSES = [200, 204, 206, 304, 400, 404, 500];

/** The status at the start of a response's header block, where it comes first; 0 for what cannot be read. */
export function statusOf(block: string): number {
  let at = 0;
  // size updates of the table come before it
  while ((block.charCodeAt(at) & 0xe0) === 0x20) at++;
  const first = block.charCodeAt(at);
  if (first & 0x80) return STATIC_STATUSES[(first & 0x7f) - 8] ?? 0;
  const lengthByte = block.charCodeAt(at + 1);
  const value = block.slice(at + 2, at + 2 + (lengthByte & 0x7f));
  return Number(lengthByte & 0x80 ? huffmanDigits(value) : value);
}

/** Digits in Huffman coding (RFC 7541, appendix B): 0 to 2 have five bits, 3 to 9 have six. */
function huffmanDigits(text: string): string {
  const bits = [...text].map((character) => character.charCodeAt(0).toString(2).padStart(8, "0")).join("");
  let digits = "";
  for (let at = 0; digits.length < 3 && at < bits.length;) {
    const five = parseInt(bits.slice(at, at + 5), 2);
    if (five <= 2) {
      digits += five;
      at += 5;
    } else {
      digits += parseInt(bits.slice(at, at + 6), 2) - 0b011001 + 3;
      at += 6;
    }
  }
  return digits;
}
