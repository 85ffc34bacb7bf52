/**
 * The narrow seam between the protocols and the rest of the proxy: whoever speaks to the client turns what it
 * reads into a {@linkcode DownstreamRequest} and writes the {@linkcode DownstreamResponse} that it gets for it.
 *
 * @module
 */
import type { ErrorReason } from "./errors.ts";
import type { Fields } from "./http1/fields.ts";
import type { Transport } from "./transport.ts";

/** Header fields in order; names in lower case, values as Latin-1 strings (RFC 9110, section 5.5). */
export type HeaderList = [name: string, value: string][];

/** Bytes that are read from one side and written to the other. */
export type Piece = Uint8Array<ArrayBuffer>;

/** A message's content, read as fast as the other side takes it. A piece is valid until the next call. */
export interface Content {
  /** How many bytes it has, where that is known beforehand. */
  readonly length: number | undefined;
  /** Has all of it been read? */
  readonly hasEnded: boolean;
  /** The next piece, if it need not be waited for. @throws like {@linkcode next}. */
  arrived(): Piece | undefined;
  /** Waits for the next piece; undefined at the end. @throws {Error} when the content breaks off. */
  next(): Promise<Piece | undefined>;
  /** The trailers, once it has ended (RFC 9110, section 6.5). Without this it can have none that are passed on. */
  readonly trailers?: (() => Fields | undefined) | undefined;
  /** To be called once, when no more of it is read: its last piece is of no more use then. */
  close(): void;
}

/** Who is at the other end of a connection, and how it is spoken to. */
export interface Client {
  /** Its IP address: that of the connection, or what a PROXY protocol header says. */
  readonly address: string;
  /** Which of the two ports it came in by; never what the client claims. */
  readonly scheme: "http" | "https";
  /** The name that it asked for in TLS, if any. */
  readonly serverName?: string | undefined;
  /** Does this connection's certificate cover a host (RFC 9110, section 15.5.20)? Over HTTP every host is. */
  covers(host: string): boolean;
}

/** Tells the one who works for a request that its client has gone. */
export class Cancellation {
  #isCancelled = false;
  #listener: (() => void) | undefined;

  /** Has the client gone? */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Calls `listener`, instead of the one before, when the client goes; at once if it has gone. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener;
    if (this.#isCancelled) listener?.();
  }

  /** The client has gone. */
  cancel(): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#listener?.();
  }
}

/** A request as every protocol delivers it; nothing in it is trusted yet. */
export interface DownstreamRequest {
  /** Whose it is. */
  readonly client: Client;
  /** How it was spoken. */
  readonly protocol: "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";
  /** Can the answer have trailers, without which there is no gRPC? */
  readonly takesTrailers?: boolean;
  /** Case-sensitive (RFC 9110, section 9.1). */
  readonly method: string;
  /** What the target says, or the Host header or `:authority`, as sent; empty when there was none. */
  readonly authority: string;
  /** Path and query, as sent (origin-form, RFC 9112, section 3.2.1), or `*`. */
  readonly target: string;
  /** The fields, as sent; those that are not passed on are removed from it. */
  readonly fields: Fields;
  /** The content; null when there is none. */
  readonly body: Content | null;
  /** The protocol that the client wants to change to, if it is one that is passed on. */
  readonly upgrade: "websocket" | undefined;
  /** Tells when the client has gone. */
  readonly cancellation: Cancellation;
  /** Sends an informational response (RFC 9110, section 15.2), where the protocol can. */
  readonly inform?: ((status: number, fields: Fields) => Promise<void>) | undefined;
}

/** The answer to a request. */
export interface DownstreamResponse {
  /** From 200 to 599, or 101 with a tunnel. */
  status: number;
  /** The fields, without those of the connection. A Content-Length counts only where there is no content. */
  fields: Fields;
  /** The content. */
  body: null | Piece | Content;
  /** After a 101: the bytes of the other side. */
  tunnel?: Tunnel | undefined;
  /** Why it is Pingress' own, where it is an error. */
  reason?: ErrorReason;
  /** To be called once, when the answer has been sent or could not be. */
  done?: (outcome: Outcome) => void;
}

/** The other side of a connection that has changed its protocol. */
export interface Tunnel extends Transport {
  /** What has been read of it already. */
  readonly first: Piece;
  /** How long both sides may be silent, in milliseconds, if that is not as everywhere. */
  readonly timeout?: number;
}

/** What became of an exchange. */
export interface Outcome {
  /** How many bytes of content the client sent. */
  received: number;
  /** How many bytes of content it was sent. */
  sent: number;
  /** Did it get all of the answer? */
  isComplete: boolean;
}

/** A request that is refused before it is one: what is known of it, and why. */
export interface Refusal {
  /** Whose it is. */
  client: Client;
  /** Why. */
  reason: ErrorReason;
  /** The rule that was broken. */
  detail?: string;
}

/** Answers requests; it never throws or rejects. */
export interface Handler {
  /** Answers a request. */
  handle(request: DownstreamRequest): Promise<DownstreamResponse>;
  /** Answers what could not be read as a request. */
  refuse(refusal: Refusal): DownstreamResponse;
}
