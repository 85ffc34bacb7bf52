import type { Piece } from "../exchange.ts";
import { RESPONSE_START } from "./response.ts";

/** When the next byte is sent, in milliseconds after the one before. */
const PAUSES = [0, 100, 1000, 4000, 10_000, 20_000, 40_000, 80_000];

/**
 * Tells a client that only sends no more, and waits for its answer, from one that has closed its connection.
 * Both look alike until something is sent to them: then the system of the one that has closed answers with a
 * reset. So the first bytes of the answer are sent early, one at a time: they are the same for every answer.
 */
export class HalfCloseProbe {
  readonly #tell: (bytes: Piece) => Promise<void>;
  readonly #start = new TextEncoder().encode(RESPONSE_START);
  #sent = 0;
  #sending: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell` writes to the client. */
  constructor(tell: (bytes: Piece) => Promise<void>) {
    this.#tell = tell;
  }

  /** Has it sent anything of the answer? */
  get isUsed(): boolean {
    return this.#sent > 0;
  }

  /** Begins to probe; `gone` is called when the client has closed its connection. */
  start(gone: () => void): void {
    const pause = PAUSES[this.#sent];
    if (pause === undefined) return;
    this.#timer = setTimeout(() => {
      const byte = this.#start.subarray(this.#sent, this.#sent + 1);
      this.#sent++;
      this.#sending = this.#tell(byte).then(() => this.start(gone), gone);
    }, pause);
  }

  /** Sends no more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The rest of an answer's first bytes, of which the client has some already. */
  async withoutProbed(bytes: Piece): Promise<Piece> {
    this.stop();
    await this.#sending;
    this.stop();
    const rest = bytes.subarray(this.#sent);
    this.#sent = 0;
    return rest;
  }
}
