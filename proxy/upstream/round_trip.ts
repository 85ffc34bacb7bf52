import { errorMessage } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Cancellation, Content, Piece, Tunnel } from "../exchange.ts";
import { type ContentReader, contentReader } from "../http1/content.ts";
import { FieldName } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import type { Framing } from "../http1/head.ts";
import { MessageError } from "../http1/message_error.ts";
import { LAST_CHUNK, Output } from "../http1/output.ts";
import { writeRequestHead } from "../http1/request.ts";
import { keepsAlive, responseFraming, type ResponseHead } from "../http1/response.ts";
import type { UpstreamConnection } from "./connection.ts";

const UPGRADE = FieldName.of("upgrade");

/** A request as a backend gets it. */
export interface UpstreamRequest {
  /** As the client sent it. */
  method: string;
  /** Path and query, or `*`. */
  target: string;
  /** Whose it is: for the Host field. */
  authority: string;
  /** All fields but Host and those that frame the content. */
  fields: Fields;
  /** The content. */
  body: Content | null;
  /** The protocol that the client wants to change to. */
  upgrade: string | undefined;
  /** Tells when the client has gone. */
  cancellation: Cancellation;
  /** Passes on an informational response. */
  inform: ((status: number, fields: Fields) => Promise<void>) | undefined;
}

/** What a backend answered. */
export interface UpstreamResponse {
  /** From 200 to 599, or 101 with a tunnel. */
  status: number;
  /** The fields, as sent. */
  fields: Fields;
  /** The content; reading it fails when the backend breaks off, so that nothing short looks whole. */
  body: Content | null;
  /** The backend's bytes, when it has changed the protocol. */
  tunnel?: Tunnel;
}

/** Options of {@linkcode roundTrip}. */
export interface RoundTripOptions {
  /** How long the backend may do nothing before its response starts, in milliseconds. */
  responseTimeout: number;
  /** How long it may do nothing in the middle of its response, in milliseconds. */
  streamTimeout: number;
  /** How long a connection to it may take, in milliseconds; the pool knows unless told. */
  connectTimeout?: number | undefined;
  /** How long it may take nothing of a request, in milliseconds; as {@linkcode responseTimeout} unless told. */
  sendTimeout?: number;
  /** Told when a backend breaks off in the middle of a response. */
  onBrokenOff?: (error: ProxyError) => void;
}

/** A kept connection was dead before the backend answered anything. */
export class StaleConnectionError extends Error {
  override name = "StaleConnectionError";
  /** Can the backend not have seen any of the request? */
  readonly isUnsent: boolean;

  /** The cause is what the connection said. */
  constructor(message: string, { isUnsent, cause }: { isUnsent: boolean; cause: unknown }) {
    super(message, { cause });
    this.isUnsent = isUnsent;
  }
}

/** Methods whose content is expected: without any they say so (RFC 9110, section 8.6). */
const METHODS_WITH_CONTENT = new Set(["POST", "PUT", "PATCH"]);

const MAX_INFORMATIONAL_RESPONSES = 10;

/**
 * Sends a request over a connection and reads the response. The connection belongs to the round trip until
 * the response's content is closed.
 *
 * @throws {StaleConnectionError} when a kept connection was dead.
 * @throws {ProxyError} for everything else that goes wrong before the response starts.
 */
export function roundTrip(
  connection: UpstreamConnection,
  request: UpstreamRequest,
  options: RoundTripOptions,
): Promise<UpstreamResponse> {
  return new RoundTrip(connection, request, options).run();
}

/** One exchange; after the head of the response it is the response's content. */
class RoundTrip implements Content {
  length: number | undefined;
  readonly #connection: UpstreamConnection;
  readonly #request: UpstreamRequest;
  readonly #options: RoundTripOptions;
  #content: ContentReader | undefined;
  #isReusable = false;
  #isResponseOver = false;
  #isOver = false;
  #sending: "head" | "content" | "nothing" = "head";
  #isAnswered = false;
  #sendError: unknown;
  #patience: number;

  constructor(connection: UpstreamConnection, request: UpstreamRequest, options: RoundTripOptions) {
    this.#connection = connection;
    this.#request = request;
    this.#options = options;
    this.#patience = options.responseTimeout;
  }

  async run(): Promise<UpstreamResponse> {
    const { method, cancellation } = this.#request;
    this.#connection.reader.resetReceived();
    cancellation.listen(() => this.#connection.close());
    try {
      this.#connection.expireIn(this.#options.responseTimeout);
      const output = this.#writeHead();
      try {
        await this.#connection.write(output.bytes);
      } finally {
        output.free();
      }
      this.#sending = this.#request.body === null ? "nothing" : "content";
      // its answer may come before all of the request is sent
      if (this.#request.body !== null) this.#sendContent(this.#request.body);
      let head = this.#arrivedHead();
      for (let informational = 0; head === undefined || isInformational(head);) {
        if (head === undefined) {
          if (!await this.#connection.reader.fill()) throw this.#ended();
        } else {
          if (head.status !== 100) await this.#request.inform?.(head.status, head.fields);
          if (informational++ === MAX_INFORMATIONAL_RESPONSES) {
            throw new MessageError(`More than ${MAX_INFORMATIONAL_RESPONSES} informational responses`);
          }
        }
        head = this.#arrivedHead();
      }
      this.#isAnswered = true;
      if (head.status === 101) return this.#tunnel(head);
      const body = this.#body(head, responseFraming(head, method));
      return { status: head.status, fields: head.fields, body };
    } catch (error) {
      this.#end({ isReusable: false });
      throw this.#explain(this.#sendError ?? error);
    }
  }

  get hasEnded(): boolean {
    return this.#content?.hasEnded ?? true;
  }

  arrived(): Piece | undefined {
    try {
      return this.#content?.arrived();
    } catch (error) {
      throw this.#brokenOff(error);
    }
  }

  async next(): Promise<Piece | undefined> {
    this.#connection.expireIn(this.#options.streamTimeout);
    try {
      return await this.#content?.next();
    } catch (error) {
      throw this.#brokenOff(error);
    }
  }

  close(): void {
    this.#connection.reader.lend(undefined); // the head has been used as well
    const isReusable = this.#isReusable && this.hasEnded;
    // a backend that has answered all the same may still read the rest of the request
    if (isReusable && this.#sending === "content") this.#awaitRestOfRequest();
    else this.#end({ isReusable });
  }

  /** The response is over before all of the request is sent: that goes on, unless the backend ends it. */
  #awaitRestOfRequest(): void {
    this.#isResponseOver = true;
    const giveUp = () => {
      if (this.#isOver) return;
      this.#request.body?.close();
      this.#end({ isReusable: false });
    };
    this.#connection.reader.watch(giveUp);
  }

  #writeHead(): Output {
    const { body, method, target, authority, fields, upgrade } = this.#request;
    const output = Output.take();
    try {
      writeRequestHead(output, {
        method,
        target,
        authority,
        fields,
        framing: framingFor(method, body),
        upgrade,
      });
      return output;
    } catch (error) {
      output.free();
      throw error;
    }
  }

  async #sendContent(body: Content): Promise<void> {
    const isChunked = body.length === undefined;
    let left = body.length ?? Infinity;
    try {
      for (;;) {
        // the client has deadlines of its own
        this.#expireIn(Infinity);
        const piece = await body.next().catch((cause) => {
          throw new DownstreamBodyError(cause);
        });
        const { responseTimeout, sendTimeout = responseTimeout } = this.#options;
        this.#expireIn(piece === undefined ? responseTimeout : sendTimeout);
        if (piece === undefined) break;
        left -= piece.length;
        // whatever is too much or too little would be read as the next request
        if (left < 0) throw new DownstreamBodyError(new Error("The content is longer than announced"));
        await (isChunked ? this.#writeChunk(piece) : this.#connection.write(piece));
      }
      if (isChunked) await this.#connection.write(LAST_CHUNK);
      else if (left > 0) throw new DownstreamBodyError(new Error("The content is shorter than announced"));
      this.#sending = "nothing";
    } catch (error) {
      this.#sendError = error;
      // the backend may have answered before it stopped reading; a client that broke off wants no answer
      if (error instanceof DownstreamBodyError) this.#connection.close();
    } finally {
      body.close();
      if (this.#isResponseOver) this.#end({ isReusable: true });
    }
  }

  async #writeChunk(piece: Piece): Promise<void> {
    const output = Output.take(piece.length);
    try {
      await this.#connection.write(output.chunk(piece).bytes);
    } finally {
      output.free();
    }
  }

  #expireIn(milliseconds: number): void {
    this.#patience = milliseconds;
    if (!this.#isAnswered || this.#isResponseOver) this.#connection.expireIn(milliseconds);
  }

  #arrivedHead(): ResponseHead | undefined {
    return this.#connection.heads.arrived();
  }

  #ended(): MessageError {
    this.#connection.heads.end();
    return new MessageError("The connection ended before the response");
  }

  #tunnel(head: ResponseHead): UpstreamResponse {
    const { upgrade } = this.#request;
    if (upgrade === undefined || !head.fields.lists(UPGRADE, upgrade)) {
      throw new MessageError("101 Switching Protocols that nobody asked for");
    }
    const { reader, transport } = this.#connection;
    this.#connection.deadline = Infinity;
    const tunnel: Tunnel = {
      first: reader.take(Infinity),
      timeout: this.#options.streamTimeout,
      read: (into) => transport.read(into),
      write: (bytes) => transport.write(bytes),
      closeWrite: () => transport.closeWrite(),
      close: () => this.#end({ isReusable: false }),
    };
    return { status: 101, fields: head.fields, body: null, tunnel };
  }

  #body(head: ResponseHead, framing: Framing): Content | null {
    this.#isReusable = keepsAlive(head, framing);
    if (framing.kind === "none") {
      head.fields.keep(); // the connection may be another exchange's before anybody has used them
      this.close();
      return null;
    }
    if (framing.kind === "length") this.length = framing.length;
    this.#content = contentReader(this.#connection.reader, framing);
    return this;
  }

  /** The exchange is over. A connection on which the request is still being sent is of no more use. */
  #end({ isReusable }: { isReusable: boolean }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.cancellation.listen(undefined);
    this.#connection.endpoint.release(this.#connection, {
      isReusable: isReusable && this.#sending === "nothing",
    });
  }

  #brokenOff(error: unknown): Error {
    const message = `${this.#connection.endpoint.name}: the response broke off: ${errorMessage(error)}`;
    const reason = this.#connection.isExpired ? "upstream_timeout" : "upstream_invalid";
    const brokenOff = new ProxyError(reason, message);
    const isClients = this.#request.cancellation.isCancelled ||
      this.#sendError instanceof DownstreamBodyError;
    if (!isClients) this.#options.onBrokenOff?.(brokenOff);
    return brokenOff;
  }

  #explain(error: unknown): Error {
    const { endpoint, exchanges, reader, isExpired } = this.#connection;
    if (error instanceof DownstreamBodyError) return error.explained;
    const message = `${endpoint.name}: ${errorMessage(error)}`;
    if (this.#request.cancellation.isCancelled) {
      return new ProxyError("client_gone", message, { cause: error });
    }
    if (isExpired) {
      const seconds = this.#patience / 1000;
      return new ProxyError("upstream_timeout", `${endpoint.name}: did nothing for ${seconds} s`, {
        cause: error,
      });
    }
    // its own end counted already
    if (exchanges > 1 && reader.received === 0) {
      return new StaleConnectionError(message, { isUnsent: this.#sending === "head", cause: error });
    }
    return new ProxyError(
      error instanceof MessageError && reader.received > 0 ? "upstream_invalid" : "upstream_unreachable",
      message,
      { cause: error },
    );
  }
}

/** Is it passed on and the final one waited for? 100 is for us: we sent the content (RFC 9110, section 10.1.1). */
function isInformational({ status }: ResponseHead): boolean {
  return status < 200 && status !== 101;
}

function framingFor(method: string, body: Content | null): Framing {
  if (body !== null) {
    return body.length === undefined ? { kind: "chunked" } : { kind: "length", length: body.length };
  }
  return METHODS_WITH_CONTENT.has(method) ? { kind: "length", length: 0 } : { kind: "none" };
}

/** The client's side of a request failed, not the backend. */
export class DownstreamBodyError extends Error {
  override name = "DownstreamBodyError";
  /** What it is for the client. */
  readonly explained: Error;

  /** The cause is what reading the content said. */
  constructor(cause: unknown) {
    super(errorMessage(cause), { cause });
    const reason = cause instanceof MessageError || cause instanceof ProxyError
      ? cause.reason
      : "client_gone";
    this.explained = new ProxyError(reason, this.message, { cause });
  }
}
