import { errorMessage, type Log } from "@pingress/config";
import { errorResponse } from "./errors.ts";
import { unlessEmpty, type Uploads } from "./uploads.ts";
import type { DownstreamRequest, DownstreamResponse, Handler, HeaderList } from "./exchange.ts";

/** The client behind a connection. */
export interface ClientInfo {
  /** Its IP address. */
  address: string;
  /** May it speak HTTP/2? Over HTTP/2 there is no Host header. */
  mayUseHttp2: boolean;
}

/** The client's IP address; one of IPv4 in its own form, also where the port is of both families. */
export function clientAddress({ hostname }: Deno.NetAddr): string {
  return hostname.replace(/^::ffff:(?=[0-9]+\.)/i, "");
}

/** Options of {@linkcode denoHandler}. */
export interface DenoHandlerOptions {
  /** Which of the two ports is served. */
  scheme: "http" | "https";
  /** Finds the client behind a connection. */
  client: (remote: Deno.NetAddr) => ClientInfo;
  /** Counts the requests whose content is being read. */
  uploads: Uploads;
  /** Told when an answer cannot be written. */
  log: Log;
}

/**
 * The seam between `Deno.serve` and the proxy: turns a Request into what every protocol delivers, and the
 * answer back into a Response.
 */
export function denoHandler(handler: Handler, options: DenoHandlerOptions): Deno.ServeHandler<Deno.NetAddr> {
  return async (request, info) => {
    const client = options.client(info.remoteAddr);
    const response = await answer(request, { ...options, handler, client });
    try {
      return writeResponse(response, request.method);
    } catch (error) {
      if (response.body instanceof ReadableStream) response.body.cancel().catch(() => {});
      options.log.error("A response could not be written", { error: errorMessage(error) });
      return writeResponse(errorResponse("upstream_invalid"), request.method);
    }
  };
}

async function answer(
  request: Request,
  options: { handler: Handler; scheme: "http" | "https"; client: ClientInfo; uploads: Uploads },
): Promise<DownstreamResponse> {
  const downstream = readRequest(request, options);
  if ("status" in downstream) return downstream;
  if (downstream.body === null) return await options.handler(downstream);
  const upload = options.uploads.track(downstream.body);
  try {
    // over HTTP/2 content comes without being announced; whether there is any is seen by its first piece
    const isAnnounced = !options.client.mayUseHttp2 || downstream.contentLength !== undefined;
    const body = isAnnounced ? upload.content : await unlessEmpty(upload.content);
    return await options.handler({ ...downstream, body });
  } catch (error) {
    return errorResponse("bad_request", errorMessage(error));
  } finally {
    upload.answered();
  }
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
const STATUSES_WITHOUT_CONTENT = new Set([204, 304]);

function writeResponse({ status, headers, body }: DownstreamResponse, method: string): Response {
  // Deno frames a 205 like a 204, and its client would wait for the end: so it becomes one
  if (status === 205) return writeResponse({ status: 204, headers, body }, method);
  if (
    method === "HEAD" && !STATUSES_WITHOUT_CONTENT.has(status) && body === null &&
    !headers.some(([name]) => name === "content-length")
  ) {
    // without any body Deno would say that there are 0 bytes, which nobody knows (RFC 9110, section 8.6)
    return new Response(emptyStream(), { status, headers });
  }
  if (!STATUSES_WITHOUT_CONTENT.has(status)) return new Response(body, { status, headers });
  if (body instanceof ReadableStream) body.cancel().catch(() => {});
  return new Response(null, { status, headers });
}

function emptyStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ pull: (controller) => controller.close() }, { highWaterMark: 0 });
}
