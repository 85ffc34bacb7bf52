import { errorMessage, type Log } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import {
  Cancellation,
  type Client,
  type Content,
  type DownstreamRequest,
  type DownstreamResponse,
  type Handler,
  type HeaderList,
  type Outcome,
  type Piece,
} from "../exchange.ts";
import { StreamContent } from "./stream_content.ts";

/** An HTTP/2 connection and the requests on it. */
export interface Http2Client {
  /** Who is at the other end. */
  readonly client: Client;
  /** Called when a request begins on it. */
  began(): void;
  /** Called when one has ended. */
  ended(): void;
}

/** Options of {@linkcode denoHandler}. */
export interface DenoHandlerOptions {
  /** Answers the requests. */
  handler: Handler;
  /** The address on loopback that it listens on, as the authorities that Deno may make of it. */
  ownAuthorities: () => string[];
  /** Finds the client behind a loopback connection. */
  client: (remote: Deno.NetAddr) => Http2Client | undefined;
  /** How long a client may send nothing in the middle of its request's content, in milliseconds. */
  clientTimeout: number;
  /** Told when an answer cannot be written. */
  log: Log;
}

/**
 * The seam between `Deno.serve`, which speaks HTTP/2, and the proxy: turns a Request into what every protocol
 * delivers, and the answer back into a Response.
 */
export function denoHandler(options: DenoHandlerOptions): Deno.ServeHandler<Deno.NetAddr> {
  return async (request, { remoteAddr, completed }) => {
    const http2 = options.client(remoteAddr);
    // a program of this machine that found the port
    if (http2 === undefined) return new Response(null, { status: 421 });
    http2.began();
    completed.catch(() => {}).finally(() => http2.ended());
    const downstream = await readRequest(request, http2.client, options);
    const response = downstream instanceof ProxyError
      ? options.handler.refuse({
        client: http2.client,
        reason: downstream.reason,
        detail: downstream.message,
      })
      : await options.handler.handle(downstream);
    const outcome: Outcome = { received: 0, sent: 0, isComplete: false };
    let isDone = false;
    const done = (isComplete: boolean) => {
      if (isDone) return;
      isDone = true;
      if (!(downstream instanceof ProxyError) && downstream.body instanceof StreamContent) {
        outcome.received = downstream.body.received;
        downstream.body.close();
      }
      response.done?.({ ...outcome, isComplete });
    };
    completed.then(() => done(true), () => done(false));
    try {
      return writeResponse(response, { method: request.method, outcome, timeout: options.clientTimeout });
    } catch (error) {
      if (response.body !== null && "close" in response.body) response.body.close();
      options.log.error("A response could not be written", { error: errorMessage(error) });
      return new Response(null, { status: 502 });
    }
  };
}

/** Methods whose content `Deno.serve` does not deliver: it reads the content and drops it. */
const METHODS_WITHOUT_CONTENT = new Set(["GET", "HEAD"]);

async function readRequest(
  request: Request,
  client: Client,
  options: DenoHandlerOptions,
): Promise<DownstreamRequest | ProxyError> {
  const headers: HeaderList = [...request.headers];
  const [authority, target] = splitUrl(request.url);
  // Deno glues the asterisk of `OPTIONS *` to the URL like a path
  const isAsterisk = target === "/*" && request.method === "OPTIONS";
  const host = request.headers.get("host");
  // without either Deno takes the address that it listens on itself
  if (host === null && options.ownAuthorities().includes(authority)) {
    return new ProxyError("bad_request", "no :authority and no Host");
  }
  // where :authority and Host contradict each other one of them is forged (RFC 9113, section 8.3.1)
  if (host !== null && host !== authority) {
    return new ProxyError("bad_request", "the Host header is not that of the request target");
  }
  const length = request.headers.get("content-length");
  if (length !== null && !/^[0-9]{1,15}$/.test(length)) {
    return new ProxyError("bad_request", "invalid Content-Length");
  }
  const contentLength = length === null ? undefined : Number(length);
  if (METHODS_WITHOUT_CONTENT.has(request.method) && contentLength) {
    return new ProxyError("body_not_supported", `over HTTP/2 a ${request.method} cannot have content here`);
  }
  const expectation = request.headers.get("expect");
  if (expectation !== null && expectation.toLowerCase() !== "100-continue") {
    return new ProxyError("expectation_failed", "an expectation other than 100-continue");
  }
  const cancellation = new Cancellation();
  request.signal.addEventListener("abort", () => cancellation.cancel());
  let body: Content | null = null;
  if (request.body !== null && contentLength !== 0) {
    const content = new StreamContent(request.body, {
      length: contentLength,
      timeout: options.clientTimeout,
    });
    try {
      // content comes without being announced: whether there is any is seen by its first piece
      if (contentLength !== undefined || await content.hasAny()) body = content;
    } catch (error) {
      return error instanceof ProxyError ? error : new ProxyError("client_gone", errorMessage(error));
    }
  }
  return {
    client,
    protocol: "HTTP/2",
    method: request.method,
    authority,
    target: isAsterisk ? "*" : target,
    headers,
    body,
    upgrade: undefined,
    cancellation,
  };
}

/** Takes `scheme://authority/path?query` apart without changing anything in it. */
function splitUrl(url: string): [authority: string, target: string] {
  const start = url.indexOf("://") + 3;
  const end = url.slice(start).search(/[/?#]/);
  return end === -1 ? [url.slice(start), "/"] : [url.slice(start, start + end), url.slice(start + end)];
}

/** Statuses with which a Response takes no body (Fetch standard, "null body status"). */
const STATUSES_WITHOUT_CONTENT = new Set([204, 205, 304]);

function writeResponse(
  { status, headers, body }: DownstreamResponse,
  { method, outcome, timeout }: { method: string; outcome: Outcome; timeout: number },
): Response {
  const init = { status, headers: headers.filter(([name]) => name !== "content-length" || body === null) };
  if (STATUSES_WITHOUT_CONTENT.has(status) || method === "HEAD") {
    if (body !== null && "close" in body) body.close();
    const hasLength = init.headers.some(([name]) => name === "content-length");
    // without any body Deno would say that there are 0 bytes, which nobody knows (RFC 9110, section 8.6)
    const isUnknown = !STATUSES_WITHOUT_CONTENT.has(status) && !hasLength;
    return new Response(isUnknown ? new ReadableStream(endsAtOnce, { highWaterMark: 0 }) : null, init);
  }
  if (body === null) return new Response(null, init);
  if (!("close" in body)) {
    outcome.sent += body.length;
    return new Response(body, init);
  }
  if (body.length !== undefined) init.headers.push(["content-length", String(body.length)]);
  return new Response(streamOf(body, { outcome, timeout }), init);
}

const endsAtOnce: UnderlyingSource<Piece> = { pull: (controller) => controller.close() };

/**
 * A stream of content. Pieces are copied: whoever takes them keeps them for longer than until the next one. A
 * client that takes none of them for `timeout` milliseconds is given up.
 */
function streamOf(
  content: Content,
  { outcome, timeout }: { outcome: Outcome; timeout: number },
): ReadableStream<Piece> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new ReadableStream<Piece>({
    pull: async (controller) => {
      clearTimeout(timer);
      try {
        const piece = content.arrived() ?? await content.next();
        if (piece !== undefined) {
          outcome.sent += piece.length;
          controller.enqueue(piece.slice());
        }
        if (piece !== undefined && !content.hasEnded) {
          timer = setTimeout(() => {
            content.close();
            controller.error(shortened("The client takes nothing"));
          }, timeout);
          return;
        }
        content.close();
        controller.close();
      } catch (error) {
        content.close();
        controller.error(shortened(error));
      }
    },
    cancel: () => {
      clearTimeout(timer);
      content.close();
    },
  }, { highWaterMark: 0 });
}

/** Deno prints why a response broke off: in a line, not with all that led to it. */
function shortened(error: unknown): Error {
  const reason = new Error(errorMessage(error));
  reason.stack = reason.message;
  return reason;
}
