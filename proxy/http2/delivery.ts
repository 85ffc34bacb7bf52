import { errorMessage } from "@pingress/config";
import type { Deadlines, Expiring } from "../deadlines.ts";
import type { Content, Outcome, Piece } from "../exchange.ts";

/** Options of {@linkcode Delivery}. */
export interface DeliveryOptions {
  /** Is told how many bytes are sent. */
  outcome: Outcome;
  /** Looks after its deadline. */
  deadlines: Deadlines;
  /** How long a client may take nothing of what there is for it, in milliseconds. */
  timeout: number;
  /** Called when that was too long. */
  onStall: () => void;
}

/**
 * Content on its way to a client, as the source of a stream. `Deno.serve` reads some of it ahead, and sees no
 * error of a stream whose client gives no window (RFC 9113, section 5.2): whoever waits for such a one must be
 * told here.
 */
export class Delivery implements UnderlyingDefaultSource<Piece>, Expiring {
  /** See {@linkcode Expiring}; there is none while the content is waited for. */
  deadline: number;
  readonly #content: Content;
  readonly #options: DeliveryOptions;
  #controller: ReadableStreamDefaultController<Piece> | undefined;
  #isClosed = false;

  /** Delivers content, until {@linkcode end} is called. */
  constructor(content: Content, options: DeliveryOptions) {
    this.#content = content;
    this.#options = options;
    options.deadlines.add(this);
    this.deadline = this.#nextDeadline;
  }

  /** A stream takes the next piece. It is copied: it is kept for longer than until the one after it. */
  async pull(controller: ReadableStreamDefaultController<Piece>): Promise<void> {
    this.#controller = controller;
    this.deadline = Infinity;
    try {
      const piece = this.#content.arrived() ?? await this.#content.next();
      if (piece !== undefined) {
        this.#options.outcome.sent += piece.length;
        controller.enqueue(piece.slice());
      }
      if (piece === undefined || this.#content.hasEnded) {
        this.#close();
        controller.close();
      }
    } catch (error) {
      this.#close();
      controller.error(shortened(error));
    }
    this.deadline = this.#nextDeadline;
  }

  /** A stream takes no more. */
  cancel(): void {
    this.#close();
  }

  /** See {@linkcode Expiring}. */
  expire(): void {
    this.#close();
    this.#controller?.error(shortened("The client takes nothing"));
    this.#options.onStall();
  }

  /** All of it has been sent, or cannot be. */
  end(): void {
    this.#options.deadlines.delete(this);
    this.#close();
  }

  get #nextDeadline(): number {
    return this.#options.deadlines.now + this.#options.timeout;
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#content.close();
  }
}

/** Deno prints why a response broke off: in a line, not with all that led to it. */
function shortened(error: unknown): Error {
  const reason = new Error(errorMessage(error));
  reason.stack = reason.message;
  return reason;
}
