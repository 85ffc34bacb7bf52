import type { ErrorReason } from "../errors.ts";

/** A peer does not speak HTTP/1.1 as RFC 9112 says. */
export class MessageError extends Error {
  override name = "MessageError";
  /** What a client is told whose message it is. */
  readonly reason: ErrorReason;

  /** The message names the rule that was broken. */
  constructor(message: string, reason: ErrorReason = "bad_request") {
    super(message);
    this.reason = reason;
  }
}
