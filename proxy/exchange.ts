/**
 * The narrow seam between the protocols and the rest of the proxy: whoever speaks to the client turns what it
 * reads into a {@linkcode DownstreamRequest} and writes the {@linkcode DownstreamResponse} that it gets for it.
 *
 * @module
 */

/** Header fields in order; names in lower case, values as Latin-1 strings (RFC 9110, section 5.5). */
export type HeaderList = [name: string, value: string][];

/** A message's content: none, all of it, or a stream that is read as fast as the other side takes it. */
export type Body = null | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;

/** A request as every protocol delivers it; nothing in it is trusted yet. */
export interface DownstreamRequest {
  /** Case-sensitive (RFC 9110, section 9.1). */
  method: string;
  /** Which of the two ports it came in by; never what the client claims. */
  scheme: "http" | "https";
  /** The Host header or `:authority`, as sent; empty when there was none. */
  authority: string;
  /** Path and query, as sent (origin-form, RFC 9112, section 3.2.1). */
  target: string;
  /** The fields, as sent. */
  headers: HeaderList;
  /** The content; its length is {@linkcode contentLength} where that is known. */
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The content's length in bytes, where the client declared it. */
  contentLength: number | undefined;
  /** The client's IP address. */
  clientAddress: string;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
}

/** The answer to a request. */
export interface DownstreamResponse {
  /** From 200 to 599. */
  status: number;
  /** The fields, without those of the connection. */
  headers: HeaderList;
  /** The content. */
  body: Body;
}

/** Answers requests; it never rejects. */
export type Handler = (request: DownstreamRequest) => Promise<DownstreamResponse>;
