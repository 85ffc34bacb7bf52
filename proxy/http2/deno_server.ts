import { errorMessage, type Log } from "@pingress/config";
import type { Deadlines } from "../deadlines.ts";
import { ProxyError } from "../errors.ts";
import {
  Cancellation,
  type Client,
  type Content,
  type DownstreamRequest,
  type DownstreamResponse,
  type Handler,
  type Outcome,
  type Piece,
} from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { Delivery } from "./delivery.ts";
import { isGrpc } from "./grpc.ts";
import { StreamContent } from "./stream_content.ts";

/** An HTTP/2 connection and the requests on it. */
export interface Http2Client {
  /** Who is at the other end. */
  readonly client: Client;
  /** Called when a request begins on it. */
  began(): void;
  /** Called when one has ended: the connection may be useless, for its client takes nothing, or needs another one. */
  ended(how: { isUseless: boolean }): void;
}

/** Options of {@linkcode denoHandler}. */
export interface DenoHandlerOptions {
  /** Answers the requests. */
  handler: Handler;
  /** The address on loopback that it listens on, as the authorities that Deno may make of it. */
  ownAuthorities: () => string[];
  /** Finds the client behind a loopback connection. */
  client: (remote: Deno.NetAddr) => Http2Client | undefined;
  /** Looks after the deadlines of answers. */
  deadlines: Deadlines;
  /** How long a client may neither send nor take anything in the middle of an exchange, in milliseconds. */
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
    completed.catch(() => {}); // perhaps nobody waits for it yet
    const downstream = await readRequest(request, http2.client, options);
    const response = downstream instanceof ProxyError
      ? options.handler.refuse({
        client: http2.client,
        reason: downstream.reason,
        detail: downstream.message,
      })
      : await options.handler.handle(downstream);
    // its host has had a backend of gRPC's for less long than the client has had the connection
    const isMisdirected = response.status === 421 && !(downstream instanceof ProxyError) &&
      isGrpc(downstream.fields);
    const outcome: Outcome = { received: 0, sent: 0, isComplete: false };
    let delivery: Delivery | undefined;
    let isDone = false;
    const done = ({ isComplete = false, hasStalled = false }) => {
      if (isDone) return;
      isDone = true;
      http2.ended({ isUseless: hasStalled || isMisdirected });
      delivery?.end();
      if (!(downstream instanceof ProxyError) && downstream.body instanceof StreamContent) {
        outcome.received = downstream.body.received;
        downstream.body.close();
      }
      response.done?.({ ...outcome, isComplete });
    };
    completed.then(() => done({ isComplete: true }), () => done({}));
    const deliver = (content: Content) => {
      delivery = new Delivery(content, {
        outcome,
        deadlines: options.deadlines,
        timeout: options.clientTimeout,
        onStall: () => done({ hasStalled: true }),
      });
      return new ReadableStream(delivery, { highWaterMark: 0 });
    };
    try {
      return writeResponse(response, { method: request.method, outcome, deliver });
    } catch (error) {
      if (delivery !== undefined) delivery.end();
      else if (response.body !== null && "close" in response.body) response.body.close();
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
    fields: Fields.of([...request.headers]),
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

interface Writing {
  method: string;
  outcome: Outcome;
  deliver: (content: Content) => ReadableStream<Piece>;
}

function writeResponse(
  { status, fields, body }: DownstreamResponse,
  { method, outcome, deliver }: Writing,
): Response {
  const headers = fields.list().filter(([name]) => name !== "content-length" || body === null);
  const init = { status, headers };
  if (STATUSES_WITHOUT_CONTENT.has(status) || method === "HEAD") {
    if (body !== null && "close" in body) body.close();
    const hasLength = headers.some(([name]) => name === "content-length");
    // without any body Deno would say that there are 0 bytes, which nobody knows (RFC 9110, section 8.6)
    const isUnknown = !STATUSES_WITHOUT_CONTENT.has(status) && !hasLength;
    return new Response(isUnknown ? deliver(NOTHING) : null, init);
  }
  if (body === null) return new Response(null, init);
  if (!("close" in body)) {
    outcome.sent += body.length;
    return new Response(body, init);
  }
  if (body.length !== undefined) headers.push(["content-length", String(body.length)]);
  return new Response(deliver(body), init);
}

const NOTHING: Content = {
  length: undefined,
  hasEnded: true,
  arrived: () => undefined,
  next: () => Promise.resolve(undefined),
  close: () => {},
};
