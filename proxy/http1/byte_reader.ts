import { CR, LF } from "./characters.ts";
import { latin1 } from "./fields.ts";
import type { HeadLines } from "./head.ts";
import { MessageError } from "./message_error.ts";

/** Where bytes come from: a connection, or a test. */
export interface ByteSource {
  /** Reads into `into`; resolves to how many bytes, or null at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
}

/** What uses bytes where they have arrived. */
export interface Borrower {
  /** They will be overwritten now: to be copied if they are still needed. */
  keep(): void;
}

/** Enough for most heads: what a connection that waits for its next request holds. */
const START_BYTES = 4 * 1024;

/** Enough for streaming. */
const STREAM_BYTES = 32 * 1024;

/** With half as much large contents cost half as much CPU time again, but so much is not for everybody. */
const LARGE_BYTES = 256 * 1024;
const MOST_LARGE = 64;
/** Large buffers that nobody uses: warm memory is faster than new memory. */
const spare: Uint8Array<ArrayBuffer>[] = [];
let largeInUse = 0;

/**
 * Reads a connection piece by piece, with what was read too far kept for the next one. The bytes that it hands
 * out are its own: they are valid until the next {@linkcode fill}.
 */
export class ByteReader {
  readonly #source: ByteSource;
  readonly #first = new Uint8Array(START_BYTES);
  #buffer = this.#first;
  #start = 0;
  #end = 0;
  #isReading = false;
  #filled: Promise<boolean> | undefined;
  #resolve: (hasMore: boolean) => void = nothing;
  #reject: (error: unknown) => void = nothing;
  #watcher: ((hasMore: boolean) => void) | undefined;
  #borrower: Borrower | undefined;
  #interruption: Error | undefined;
  #received = 0;
  #hasEnded = false;
  #wasFilled = false;
  #isLarge = false;
  #isClosed = false;

  /** Reads from `source`, which nobody else reads any more. */
  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** How many bytes have arrived and are not taken yet. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  /** How many bytes have arrived since the last {@linkcode resetReceived}. */
  get received(): number {
    return this.#received;
  }

  /** Has the stream ended, so that nothing more comes than is here? */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Starts counting anew, for the next message. */
  resetReceived(): void {
    this.#received = this.buffered;
  }

  /** The bytes that have arrived and are not taken yet. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Where the head of a message ends, if it has arrived; see {@linkcode endOfHead}. */
  findHead(searched: number): number {
    return endOfHead(this.#buffer, { start: this.#start, from: this.#start + searched, end: this.#end });
  }

  /**
   * Waits for more bytes; false at the end of the stream. A second call before the first one has ended waits
   * for the same bytes.
   */
  fill(): Promise<boolean> {
    if (this.#filled !== undefined) return this.#filled;
    if (this.#interruption !== undefined) return Promise.reject(this.#interruption);
    this.#filled = new Promise(this.#onWait);
    this.#read();
    return this.#filled;
  }

  /**
   * Has `watcher` called once, when more bytes have come, or with false when none will. Nobody need take them:
   * whoever calls {@linkcode fill} meanwhile waits for the same ones.
   */
  watch(watcher: (hasMore: boolean) => void): void {
    this.#watcher = watcher;
    this.#read();
  }

  /** Fails whoever waits for more bytes, now and from now on. What has arrived can still be taken. */
  interrupt(error: Error): void {
    this.#interruption = error;
    this.#fail(error);
  }

  /** Takes up to `most` of the bytes that have arrived. */
  take(most: number): Uint8Array<ArrayBuffer> {
    const end = Math.min(this.#end, this.#start + most);
    const bytes = this.#buffer.subarray(this.#start, end);
    this.#start = end;
    return bytes;
  }

  /** Takes the `count` bytes of a head that has arrived, without the line end that is its end. */
  takeLines(count: number): HeadLines {
    const start = this.#start;
    this.#start += count;
    return { bytes: this.#buffer, start, end: this.#start - 2 };
  }

  /** Tells `borrower`, instead of the one before, when the bytes that were handed out are to be overwritten. */
  lend(borrower: Borrower | undefined): void {
    this.#borrower = borrower;
  }

  /** Takes `count` bytes that have arrived as a string, one character for each byte. */
  takeText(count: number): string {
    const start = this.#start;
    this.#start += count;
    return latin1(this.#buffer, start, this.#start);
  }

  /** Takes `count` bytes that have arrived, for nobody. */
  skip(count: number): void {
    this.#start += count;
  }

  /** Gives back a buffer that grew; to be called when no bytes that were handed out are in use. */
  shrink(): void {
    if (this.#isReading || this.buffered > 0 || this.#buffer === this.#first) return;
    // another reader may overwrite it
    this.#borrower?.keep();
    this.#borrower = undefined;
    if (this.#isLarge && this.#buffer.length === LARGE_BYTES) spare.push(this.#buffer);
    this.#leaveLarge();
    this.#buffer = this.#first;
    this.#start = this.#end = 0;
    this.#wasFilled = false;
  }

  /**
   * Nobody reads on, or only to see that there is nothing more. Bytes that were handed out may still be in use:
   * no other reader gets their buffer.
   */
  close(): void {
    this.#isClosed = true;
    this.#leaveLarge();
  }

  readonly #onWait = (resolve: (hasMore: boolean) => void, reject: (error: unknown) => void): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };

  #read(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#makeRoom();
    const into = this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
    this.#source.read(into).then(this.#onRead, this.#onFailure);
  }

  readonly #onRead = (count: number | null): void => {
    this.#isReading = false;
    if (this.#interruption !== undefined) return;
    if (count === null) this.#hasEnded = true;
    else {
      this.#end += count;
      this.#received += count;
      this.#wasFilled = this.#end === this.#buffer.length;
    }
    this.#filled = undefined;
    this.#resolve(count !== null);
    this.#tellWatcher(count !== null);
  };

  readonly #onFailure = (error: unknown): void => {
    this.#isReading = false;
    this.#fail(error);
    this.#tellWatcher(false);
  };

  #fail(error: unknown): void {
    this.#filled = undefined;
    this.#reject(error);
  }

  #tellWatcher(hasMore: boolean): void {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher?.(hasMore);
  }

  #leaveLarge(): void {
    if (this.#isLarge) largeInUse--;
    this.#isLarge = false;
  }

  #takeBuffer(): Uint8Array<ArrayBuffer> {
    // nobody would give it back
    if (this.#isClosed || largeInUse === MOST_LARGE) return new Uint8Array(STREAM_BYTES);
    largeInUse++;
    this.#isLarge = true;
    return spare.pop() ?? new Uint8Array(LARGE_BYTES);
  }

  #makeRoom(): void {
    const { length } = this.#buffer;
    // what comes goes behind all that was handed out
    if (this.#start < this.#end && this.#end < length) return;
    this.#borrower?.keep();
    this.#borrower = undefined;
    if (this.#start === this.#end) {
      this.#start = this.#end = 0;
      // as much as there was room for has come: there is more
      if (this.#wasFilled && length < STREAM_BYTES) this.#buffer = this.#takeBuffer();
      return;
    }
    const rest = this.peek();
    // somebody waits for the end of something that is longer than the buffer
    if (rest.length > length / 2) this.#buffer = new Uint8Array(length * 2);
    this.#buffer.set(rest);
    this.#start = 0;
    this.#end = rest.length;
  }
}

function nothing(): void {}

/**
 * Looks for the empty line behind the head that starts at `start`, from `from` on.
 *
 * @returns how many bytes the head has with this line, or -1.
 * @throws {MessageError} for a line feed alone: parsers differ on whether it ends a line.
 */
function endOfHead(
  bytes: Uint8Array,
  { start, from, end }: { start: number; from: number; end: number },
): number {
  for (let at = from; at < end; at++) {
    if (bytes[at] !== LF) continue;
    if (at === start || bytes[at - 1] !== CR) throw new MessageError("A line that does not end with CRLF");
    if (at === start + 1 || bytes[at - 2] === LF) return at + 1 - start;
  }
  return -1;
}
