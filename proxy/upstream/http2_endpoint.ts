import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { type Address, errorMessage, formatAddress } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Content, HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import type { EndpointOptions } from "./endpoint.ts";
import { Http2Content, SilenceError } from "./http2_content.ts";
import { PassedOver } from "./passed_over.ts";
import {
  DownstreamBodyError,
  type RoundTripOptions,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./round_trip.ts";

/** The backend has not begun to work on a request (RFC 9113, section 8.7): it may be sent again. */
export class RefusedStreamError extends ProxyError {
  override name = "RefusedStreamError";

  /** The message is for the log. */
  constructor(message: string) {
    super("upstream_unreachable", message);
  }
}

/** One address of a backend that speaks HTTP/2 in clear, with the one connection that all requests share. */
export class Http2Endpoint {
  /** The same as of an endpoint that speaks HTTP/1.1. */
  readonly name: string;
  readonly #passedOver = new PassedOver();
  readonly #options: EndpointOptions;
  #session: Promise<ClientHttp2Session> | undefined;
  #idleSince = 0;
  #running = 0;

  /** An endpoint without a connection. */
  constructor(address: Address, options: EndpointOptions) {
    this.name = formatAddress(address);
    this.#options = options;
  }

  /** How many requests it has to do with now. */
  get load(): number {
    return this.#running;
  }

  /** Could it not be reached lately? */
  get isPassedOver(): boolean {
    return this.#passedOver.isNow;
  }

  /** Is there nothing to remember of it? */
  get isForgettable(): boolean {
    return this.#running === 0 && this.#session === undefined && !this.isPassedOver;
  }

  /**
   * The connection, which is opened if there is none; that may take `connectTimeout` milliseconds.
   *
   * @throws {ProxyError} when the endpoint refuses or takes too long.
   */
  async open(connectTimeout = this.#options.connectTimeout): Promise<ClientHttp2Session> {
    const end = this.#begin();
    try {
      const opening = this.#opened(connectTimeout);
      const session = await opening;
      if (!session.closed && !session.destroyed) return session;
      // it has ended, and its event is yet to come
      this.#forget(opening);
      return await this.#opened(connectTimeout);
    } finally {
      end();
    }
  }

  /**
   * Sends a request and reads the head of its response.
   *
   * @throws {RefusedStreamError} when it may be sent again.
   * @throws {ProxyError} for everything else that goes wrong before the response starts.
   */
  async send(request: UpstreamRequest, options: RoundTripOptions): Promise<UpstreamResponse> {
    const leave = this.#begin();
    const end = () => {
      request.cancellation.listen(undefined);
      leave();
    };
    try {
      const session = await this.open(options.connectTimeout);
      const stream = session.request(requestHeaders(request), { endStream: request.body === null });
      return await this.#exchange(stream, request, { ...options, end });
    } catch (error) {
      end();
      if (error instanceof ProxyError) throw error;
      throw new ProxyError("upstream_unreachable", `${this.name}: ${errorMessage(error)}`, { cause: error });
    }
  }

  /** Closes the connection when it has waited for too long. */
  sweep(): void {
    if (this.#running === 0 && performance.now() - this.#idleSince > this.#options.idleTimeout) this.close();
  }

  /** Closes the connection. */
  close(): void {
    this.#session?.then((session) => session.close(), () => {});
    this.#session = undefined;
  }

  /** Something has to do with it from now on: it is neither swept nor forgotten. @returns what ends that. */
  #begin(): () => void {
    this.#running++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--this.#running === 0) this.#idleSince = performance.now();
    };
  }

  #opened(connectTimeout: number): Promise<ClientHttp2Session> {
    return this.#session ??= this.#connect(connectTimeout);
  }

  /** A connection is of no more use; there may be another one by now. */
  #forget(opening: Promise<ClientHttp2Session>): void {
    if (this.#session === opening) this.#session = undefined;
  }

  #connect(connectTimeout: number): Promise<ClientHttp2Session> {
    const session = connect(`http://${this.name}`);
    const opening = this.#connected(session, connectTimeout);
    const forget = () => this.#forget(opening);
    // these stay: without a listener an error would end the program
    for (const event of ["error", "goaway", "close"]) session.on(event, forget);
    opening.catch(forget);
    return opening;
  }

  async #connected(session: ClientHttp2Session, connectTimeout: number): Promise<ClientHttp2Session> {
    const { onConnect } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    session.once("error", reject);
    session.once("close", () => reject(new Error("The connection was closed")));
    session.once("connect", () => resolve());
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new Error(`no connection within ${connectTimeout} ms`));
    }, connectTimeout);
    try {
      await promise;
      this.#passedOver.succeeded();
      onConnect?.(true);
      return session;
    } catch (cause) {
      session.destroy();
      this.#passedOver.failed();
      onConnect?.(false);
      const reason = isLate ? "upstream_timeout" : "upstream_unreachable";
      throw new ProxyError(reason, `${this.name}: ${errorMessage(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #exchange(
    stream: ClientHttp2Stream,
    request: UpstreamRequest,
    { responseTimeout, streamTimeout, onBrokenOff, end }: RoundTripOptions & { end: () => void },
  ): Promise<UpstreamResponse> {
    const head = Promise.withResolvers<IncomingHttpHeaders>();
    const content = new Http2Content(stream, {
      timeout: streamTimeout,
      onClose: end,
      explain: (cause) => {
        const error = new ProxyError(
          cause instanceof SilenceError ? "upstream_timeout" : "upstream_invalid",
          `${this.name}: the response broke off: ${errorMessage(cause)}`,
        );
        if (!request.cancellation.isCancelled) onBrokenOff?.(error);
        return error;
      },
    });
    stream.once("response", (headers) => head.resolve(headers));
    stream.on("error", (error: Error) => head.reject(error));
    stream.once("close", () => head.reject(new Error("The stream was closed before the response")));
    request.cancellation.listen(() => stream.close(constants.NGHTTP2_CANCEL));
    const timer = setTimeout(() => {
      stream.session?.close(); // perhaps nothing comes on this connection any more
      head.reject(
        new ProxyError("upstream_timeout", `${this.name}: did nothing for ${responseTimeout / 1000} s`),
      );
    }, responseTimeout);
    if (request.body !== null) sendContent(stream, request.body).catch(head.reject);
    try {
      const headers = await head.promise;
      const status = Number(headers[":status"]);
      if (!(status >= 200 && status <= 599)) {
        throw new ProxyError("upstream_invalid", `${this.name}: Invalid status ${headers[":status"]}`);
      }
      content.expect(status, request.method, headers["content-length"]);
      if (content.hasEnded) content.close();
      return { status, fields: Fields.of(responseHeaders(headers)), body: content.hasEnded ? null : content };
    } catch (error) {
      const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      content.close();
      if (request.cancellation.isCancelled) {
        throw new ProxyError("client_gone", errorMessage(error), { cause: error });
      }
      throw isRefused && request.body === null ? new RefusedStreamError(errorMessage(error)) : error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function requestHeaders({ method, target, authority, fields }: UpstreamRequest): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {
    ":method": method,
    ":path": target,
    ":scheme": "http",
    ":authority": authority,
  };
  for (const [name, value] of fields.list()) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [...Array.isArray(before) ? before : [before], value];
  }
  return headers;
}

function responseHeaders(headers: IncomingHttpHeaders): HeaderList {
  const list: HeaderList = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) list.push([name, one]);
  }
  return list;
}

async function sendContent(stream: ClientHttp2Stream, body: Content): Promise<void> {
  const closed = new Promise<never>((_, reject) =>
    stream.once("close", () => reject(new Error("The stream was closed")))
  );
  closed.catch(() => {}); // perhaps nothing is being written
  try {
    for (;;) {
      const piece = await body.next().catch((cause) => {
        throw new DownstreamBodyError(cause);
      });
      // the backend wants no more (RFC 9113, section 8.1): to write would destroy what there is to read
      if (piece === undefined || stream.closed) break;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      stream.write(piece, (error) => error ? reject(error) : resolve());
      await Promise.race([promise, closed]);
    }
    stream.end();
  } catch (cause) {
    stream.close(constants.NGHTTP2_CANCEL);
    throw cause instanceof DownstreamBodyError ? cause.explained : cause;
  } finally {
    body.close();
  }
}
