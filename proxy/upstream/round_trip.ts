import { errorMessage } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Body, HeaderList } from "../exchange.ts";
import { type ContentReader, contentReader, ContentWriter } from "../http1/content.ts";
import {
  type Framing,
  keepsAlive,
  MessageError,
  readResponseHead,
  type RequestHead,
  responseFraming,
  type ResponseHead,
  serializeRequestHead,
} from "../http1/message.ts";
import type { UpstreamConnection } from "./connection.ts";

/** A request as a backend gets it. */
export interface UpstreamRequest {
  /** As the client sent it. */
  method: string;
  /** Path and query. */
  target: string;
  /** All fields but those that frame the content. */
  headers: HeaderList;
  /** The content. */
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The content's length in bytes, where it is known. */
  contentLength: number | undefined;
  /** Aborts when the client goes away. */
  signal: AbortSignal;
}

/** What a backend answered. */
export interface UpstreamResponse {
  /** From 200 to 599. */
  status: number;
  /** The fields, as sent. */
  headers: HeaderList;
  /** The content; a stream of it fails when the backend breaks off, so that nothing short looks whole. */
  body: Body;
}

/** Options of {@linkcode roundTrip}. */
export interface RoundTripOptions {
  /** How long the backend may do nothing before its response starts, in milliseconds. */
  responseTimeout: number;
  /** Takes the connection back when it can be used again; otherwise it is closed. */
  release: (connection: UpstreamConnection) => void;
  /** Told when a backend breaks off in the middle of a response. */
  onBrokenOff?: (error: ProxyError) => void;
}

/** A kept connection was dead before the backend answered anything: the request was probably never read. */
export class StaleConnectionError extends Error {
  override name = "StaleConnectionError";
}

/** Methods whose content is expected: without any they say so (RFC 9110, section 8.6). */
const METHODS_WITH_CONTENT = new Set(["POST", "PUT", "PATCH"]);

const MAX_INFORMATIONAL_RESPONSES = 10;

/**
 * Sends a request over a connection and reads the response. The connection belongs to the round trip until
 * the response's content has been read to its end.
 *
 * @throws {StaleConnectionError} when a kept connection was dead.
 * @throws {ProxyError} for everything else that goes wrong before the response starts.
 */
export async function roundTrip(
  connection: UpstreamConnection,
  request: UpstreamRequest,
  options: RoundTripOptions,
): Promise<UpstreamResponse> {
  const trip = new RoundTrip(connection, request, options);
  return await trip.run();
}

class RoundTrip {
  readonly #connection: UpstreamConnection;
  readonly #request: UpstreamRequest;
  readonly #options: RoundTripOptions;
  readonly #abort = () => this.#connection.close();
  #sent = false;
  #pieces: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  #silent: "client" | "backend" | undefined;

  constructor(connection: UpstreamConnection, request: UpstreamRequest, options: RoundTripOptions) {
    this.#connection = connection;
    this.#request = request;
    this.#options = options;
  }

  async run(): Promise<UpstreamResponse> {
    const { signal, method } = this.#request;
    this.#connection.reader.resetReceived();
    signal.addEventListener("abort", this.#abort);
    if (signal.aborted) this.#abort();
    try {
      const head = await this.#exchangeHeads();
      const framing = responseFraming(head, method);
      return { status: head.status, headers: head.headers, body: await this.#body(head, framing) };
    } catch (error) {
      this.#fail();
      throw this.#explain(error);
    }
  }

  /** Sends the request and reads the head of its answer, which may come before all of the request is sent. */
  async #exchangeHeads(): Promise<ResponseHead> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const restartTimer = (silent: "client" | "backend") => {
      clearTimeout(timer);
      if (isOver) return;
      timer = setTimeout(() => {
        this.#silent = silent;
        this.#connection.close();
      }, this.#options.responseTimeout);
    };
    restartTimer("backend");
    let sendError: unknown;
    this.#send(restartTimer).then(() => this.#sent = true, (error) => {
      sendError = error;
      // the backend may have answered before it stopped reading; a client that broke off wants no answer
      if (error instanceof DownstreamBodyError) this.#connection.close();
    });
    try {
      return await this.#finalHead();
    } catch (error) {
      throw sendError ?? error;
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  async #send(restartTimer: (silent: "client" | "backend") => void): Promise<void> {
    const { body, contentLength, method, target, headers } = this.#request;
    const framing: RequestHead["framing"] = body !== null
      ? contentLength === undefined ? { kind: "chunked" } : { kind: "length", length: contentLength }
      : METHODS_WITH_CONTENT.has(method)
      ? { kind: "length", length: 0 }
      : { kind: "none" };
    await this.#connection.write(serializeRequestHead({ method, target, headers, framing }));
    if (body === null) return;
    const writer = new ContentWriter(framing, (bytes) => this.#connection.write(bytes));
    const pieces = this.#pieces = body.getReader();
    try {
      for (;;) {
        restartTimer("client");
        const { done, value } = await pieces.read().catch((cause) => {
          throw new DownstreamBodyError("The client broke off its request", { cause });
        });
        restartTimer("backend");
        if (done) break;
        await writer.write(value);
      }
      await writer.end();
    } catch (error) {
      pieces.cancel(error).catch(() => {});
      if (error instanceof MessageError) throw new DownstreamBodyError(error.message, { cause: error });
      throw error;
    }
  }

  async #finalHead(): Promise<ResponseHead> {
    for (let informational = 0; informational <= MAX_INFORMATIONAL_RESPONSES; informational++) {
      const head = await readResponseHead(this.#connection.reader);
      if (head === undefined) throw new MessageError("The connection ended before the response");
      if (head.status >= 200) return head;
      if (head.status === 101) throw new MessageError("101 Switching Protocols that nobody asked for");
    }
    throw new MessageError(`More than ${MAX_INFORMATIONAL_RESPONSES} informational responses`);
  }

  async #body(head: ResponseHead, framing: Framing): Promise<Body> {
    const content = contentReader(this.#connection.reader, framing);
    const isReusable = keepsAlive(head, framing);
    if (framing.kind === "none") return this.#end(null, isReusable);
    if (framing.kind === "length" && framing.length <= this.#connection.reader.buffered) {
      // all of it is here already: no stream is needed
      const bytes = await content.next() ?? new Uint8Array(0);
      if (bytes.length === framing.length) return this.#end(bytes, isReusable);
      return this.#stream(content, { isReusable, first: bytes });
    }
    return this.#stream(content, { isReusable });
  }

  #stream(
    content: ContentReader,
    { isReusable, first }: { isReusable: boolean; first?: Uint8Array<ArrayBuffer> },
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream({
      start: (controller) => {
        if (first !== undefined) controller.enqueue(first);
      },
      pull: async (controller) => {
        try {
          const piece = await content.next();
          if (piece !== undefined) return controller.enqueue(piece);
          this.#end(null, isReusable);
          controller.close();
        } catch (error) {
          this.#fail();
          controller.error(this.#brokenOff(error));
        }
      },
      cancel: () => this.#fail(),
    }, { highWaterMark: 0 });
  }

  /** The response is whole. A connection on which the request is still being sent is of no more use. */
  #end<T>(body: T, isReusable: boolean): T {
    this.#request.signal.removeEventListener("abort", this.#abort);
    if (isReusable && this.#sent) this.#options.release(this.#connection);
    else this.#fail();
    return body;
  }

  #fail(): void {
    this.#request.signal.removeEventListener("abort", this.#abort);
    this.#connection.close();
    if (!this.#sent) this.#pieces?.cancel(new Error("The exchange is over")).catch(() => {});
  }

  /** Deno prints why a response broke off: in a line, not with all that led to it. */
  #brokenOff(error: unknown): Error {
    const message = `${this.#connection.endpoint}: the response broke off: ${errorMessage(error)}`;
    if (!this.#request.signal.aborted) {
      this.#options.onBrokenOff?.(new ProxyError("upstream_invalid", message));
    }
    const reason = new Error(message);
    reason.stack = message;
    return reason;
  }

  #explain(error: unknown): Error {
    const { endpoint, exchanges, reader } = this.#connection;
    const message = `${endpoint}: ${errorMessage(error)}`;
    if (this.#request.signal.aborted || error instanceof DownstreamBodyError) {
      return new ProxyError("bad_request", message, { cause: error });
    }
    const seconds = this.#options.responseTimeout / 1000;
    if (this.#silent === "client") {
      return new ProxyError("client_timeout", `The client sent nothing for ${seconds} s`, { cause: error });
    }
    if (this.#silent === "backend") {
      return new ProxyError("upstream_timeout", `${endpoint}: did nothing for ${seconds} s`, {
        cause: error,
      });
    }
    if (exchanges > 0 && reader.received === 0) return new StaleConnectionError(message, { cause: error });
    return new ProxyError(
      error instanceof MessageError && reader.received > 0 ? "upstream_invalid" : "upstream_unreachable",
      message,
      { cause: error },
    );
  }
}

/** The client's side of the request failed, not the backend. */
class DownstreamBodyError extends Error {
  override name = "DownstreamBodyError";
}
