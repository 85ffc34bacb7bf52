import { errorMessage, type Log } from "@pingress/config";
import { errorResponse } from "./errors.ts";
import type { DownstreamRequest, DownstreamResponse, Handler, HeaderList } from "./exchange.ts";

/** The client behind a connection. */
export interface ClientInfo {
  /** Its IP address. */
  address: string;
  /** May it speak HTTP/2? Over HTTP/2 there is no Host header. */
  mayUseHttp2: boolean;
}

/** Options of {@linkcode denoHandler}. */
export interface DenoHandlerOptions {
  /** Which of the two ports is served. */
  scheme: "http" | "https";
  /** Finds the client behind a connection. */
  client: (remote: Deno.NetAddr) => ClientInfo;
  /** Told when an answer cannot be written. */
  log: Log;
}

/**
 * The seam between `Deno.serve` and the proxy: turns a Request into what every protocol delivers, and the
 * answer back into a Response.
 */
export function denoHandler(handler: Handler, options: DenoHandlerOptions): Deno.ServeHandler<Deno.NetAddr> {
  return async (request, info) => {
    const downstream = readRequest(request, { ...options, client: options.client(info.remoteAddr) });
    const response = "status" in downstream ? downstream : await handler(downstream);
    try {
      return writeResponse(response);
    } catch (error) {
      if (response.body instanceof ReadableStream) response.body.cancel().catch(() => {});
      options.log.error("A response could not be written", { error: errorMessage(error) });
      return writeResponse(errorResponse("upstream_invalid"));
    }
  };
}

/** Methods whose content `Deno.serve` does not deliver: it reads the content and drops it. */
const METHODS_WITHOUT_CONTENT = new Set(["GET", "HEAD"]);

function readRequest(
  request: Request,
  { scheme, client }: { scheme: "http" | "https"; client: ClientInfo },
): DownstreamRequest | DownstreamResponse {
  const headers: HeaderList = [...request.headers];
  const [authority, target] = splitUrl(request.url);
  const host = request.headers.get("host");
  // The URL is glued together from Host and target. Where they contradict each other one of them is forged:
  // a target in absolute-form (RFC 9112, section 3.2.2), a Host with a path in it, two different authorities.
  if (host === null ? !client.mayUseHttp2 : host !== authority) {
    return errorResponse("bad_request", "the Host header is missing or is not that of the request target");
  }
  const length = request.headers.get("content-length");
  if (length !== null && !/^[0-9]{1,15}$/.test(length)) {
    return errorResponse("bad_request", "invalid Content-Length");
  }
  const contentLength = length === null ? undefined : Number(length);
  const coding = request.headers.get("transfer-encoding");
  if (coding !== null && coding.toLowerCase() !== "chunked") return errorResponse("coding_not_supported");
  if (METHODS_WITHOUT_CONTENT.has(request.method) && (contentLength || coding !== null)) {
    return errorResponse("body_not_supported");
  }
  // over HTTP/1.1 a request that announces no content has none (RFC 9112, section 6.3)
  const hasContent = request.body !== null && contentLength !== 0 &&
    (client.mayUseHttp2 || contentLength !== undefined || coding !== null);
  return {
    method: request.method,
    scheme,
    authority,
    target,
    headers,
    body: hasContent ? request.body : null,
    contentLength,
    clientAddress: client.address,
    signal: request.signal,
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

function writeResponse({ status, headers, body }: DownstreamResponse): Response {
  if (!STATUSES_WITHOUT_CONTENT.has(status)) return new Response(body, { status, headers });
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
  return new Response(null, { status, headers });
}
