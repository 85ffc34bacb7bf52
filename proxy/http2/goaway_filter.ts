import type { Piece } from "../exchange.ts";

const FRAME_HEAD = 9;
const GOAWAY = 7;
/** Larger frames are refused by whoever reads them. */
const LARGEST_FRAME = 16 * 1024;

/**
 * Takes GOAWAY out of the frames of an HTTP/2 connection. Deno 2.9.6 answers it in the middle of reading it, and
 * the memory of the whole program is broken then: any client could end the proxy with one.
 */
export class GoawayFilter {
  readonly #onGoaway: (lastStream: number) => void;
  /** How much of what comes is of a frame that is passed on. */
  #passing: number;
  /** The start of a frame that is not known yet. */
  #held = new Uint8Array(0);

  /** Passes on the first `skipped` bytes, which are no frames. `onGoaway` is told of the last stream that counts. */
  constructor(skipped: number, onGoaway: (lastStream: number) => void) {
    this.#passing = skipped;
    this.#onGoaway = onGoaway;
  }

  /** Takes what has come. @returns what is to be read of it. */
  pass(piece: Piece): Piece {
    const bytes = this.#held.length === 0 ? piece : joined([this.#held, piece]);
    const kept: Piece[] = [];
    let start = 0;
    let at = Math.min(this.#passing, bytes.length);
    this.#passing -= at;
    for (; at < bytes.length;) {
      const isKnown = bytes.length - at >= FRAME_HEAD;
      const end = at + FRAME_HEAD + (isKnown ? numberAt(bytes, at, 3) : 0);
      const isGoaway = isKnown && bytes[at + 3] === GOAWAY && isRight(end - at, numberAt(bytes, at + 5, 4));
      if (isKnown && !isGoaway) {
        this.#passing = Math.max(0, end - bytes.length);
        at = Math.min(end, bytes.length);
        continue;
      }
      kept.push(bytes.subarray(start, at));
      start = bytes.length;
      if (!isKnown || end > bytes.length) break;
      this.#onGoaway(numberAt(bytes, at + FRAME_HEAD, 4) & 0x7fffffff);
      start = at = end;
    }
    this.#held = bytes.slice(at);
    kept.push(bytes.subarray(start, at));
    return kept.length === 1 ? bytes.subarray(start, at) : joined(kept);
  }
}

/** One that is wrong is left to the one who reads it, who ends the connection for it (RFC 9113, section 6.8). */
function isRight(length: number, stream: number): boolean {
  return length >= FRAME_HEAD + 8 && length <= FRAME_HEAD + LARGEST_FRAME && stream === 0;
}

function numberAt(bytes: Piece, at: number, count: number): number {
  let number = 0;
  for (let index = at; index < at + count; index++) number = number * 256 + (bytes[index] ?? 0);
  return number;
}

/** Several pieces as one. */
export function joined(pieces: readonly Piece[]): Piece {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
