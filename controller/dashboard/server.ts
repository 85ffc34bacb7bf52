import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { errorMessage, type Log, parseAuthority, type RequestHandler, requestPath } from "@pingress/config";
import type { RowQuery } from "./configuration_view.ts";
import type { Dashboard } from "./dashboard.ts";
import { UrlError } from "./explain.ts";

/** A file that browsers may ask for. */
export interface Asset {
  /** Its media type. */
  type: string;
  /** What it holds. */
  body: string;
}

/** Options of {@linkcode dashboardHandler}. */
export interface DashboardHandlerOptions {
  /** What is shown. */
  dashboard: Dashboard;
  /** The files, by their paths; `/` is the page itself. */
  assets: ReadonlyMap<string, Asset>;
  /** Told of what fails. */
  log: Log;
}

/** On every answer: a page of the dashboard loads nothing from elsewhere, and nobody else's page has it in it. */
export const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The longest text that is looked for, in characters. */
const MOST_SEARCH_CHARACTERS = 253;

/** The longest URL that is explained, in characters. */
const MOST_URL_CHARACTERS = 16_384;

/** The most rows of a page. */
const MOST_ROWS = 1000;

/** Of what is handed out whole unless less is asked for. */
const ANY_NUMBER = { usual: Number.MAX_SAFE_INTEGER, from: 1, to: Number.MAX_SAFE_INTEGER };

/** The request cannot be answered, and why. */
class RequestError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Serves the dashboard. It is for who may be on this machine, or in this Pod (`kubectl port-forward` is): others are
 * refused, and so are pages of other sites that a browser has open, by whatever name they call this address.
 */
export function dashboardHandler(options: DashboardHandlerOptions): RequestHandler {
  const { assets, log } = options;
  const files = new Map([...assets].map(([path, asset]) => [path, { ...asset, tag: entityTag(asset.body) }]));
  return async (request, { remoteAddr }) => {
    const path = requestPath(request);
    const isApi = path === "/api" || path.startsWith("/api/");
    let response: Response;
    try {
      checkAsker(request, { address: remoteAddr.hostname, isApi });
      response = isApi ? await answerApi(path, request, options) : answerAsset(path, request);
    } catch (error) {
      if (!(error instanceof RequestError)) {
        log.error("The dashboard could not answer", { path, error: errorMessage(error) });
      }
      const { status, message } = error instanceof RequestError
        ? error
        : { status: 500, message: "The dashboard failed: the controller's log says why" };
      response = isApi ? json({ error: message }, status) : new Response(`${message}\n`, { status });
      if (status === 405) response.headers.set("allow", "GET, HEAD");
    }
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
    return response; // of which HEAD gets no content
  };

  function answerAsset(path: string, request: Request): Response {
    const file = files.get(path);
    if (file === undefined) throw new RequestError(404, `There is no ${path}`);
    const { type, body, tag } = file;
    const headers = { "content-type": type, "cache-control": "no-cache", etag: tag };
    const known = (request.headers.get("if-none-match") ?? "").split(",").map((text) =>
      text.trim().replace(/^W\//, "")
    );
    if (known.includes(tag) || known.includes("*")) return new Response(null, { status: 304, headers });
    return new Response(body, { headers });
  }
}

/** @throws {RequestError} for who may not ask, and for what may not be asked. */
function checkAsker(request: Request, { address, isApi }: { address: string; isApi: boolean }): void {
  if (!isLoopback(address)) {
    throw new RequestError(
      403,
      "The dashboard is for this machine alone: reach it by kubectl port-forward, or by ssh -L",
    );
  }
  const host = parseAuthority(request.headers.get("host") ?? "")?.host ?? "";
  // a site whose name leads here could read everything otherwise (DNS rebinding)
  if (host !== "localhost" && !host.endsWith(".localhost") && isIP(host.replace(/^\[(.*)\]$/, "$1")) === 0) {
    throw new RequestError(403, "The dashboard is found at an IP address or localhost, not by other names");
  }
  // a name of which every part would do may be none as a whole, such as xn--.localhost
  if (!URL.canParse(request.url)) throw new RequestError(400, `There is no host named ${host}`);
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new RequestError(405, "The dashboard changes nothing: it answers GET and HEAD alone");
  }
  // https://www.w3.org/TR/fetch-metadata/: a link may lead to the page, and no other page may use what it uses
  const site = request.headers.get("sec-fetch-site") ?? "none";
  const isLink = !isApi && request.headers.get("sec-fetch-mode") === "navigate";
  if (site !== "same-origin" && site !== "none" && !isLink) {
    throw new RequestError(403, "The dashboard's answers are for its own page");
  }
}

/** Not all of 127.0.0.0/8: sidecars of service meshes pass on what other Pods send from other addresses of it. */
function isLoopback(address: string): boolean {
  return /^(?:::ffff:)?127\.0\.0\.1$/i.test(address) || address === "::1";
}

async function answerApi(
  path: string,
  request: Request,
  { dashboard }: DashboardHandlerOptions,
): Promise<Response> {
  const parameters = new URL(request.url).searchParams;
  const [, , resource = "", ...names] = path.split("/");
  switch (names.length === 0 ? resource : "") {
    case "overview":
      return json(ready(dashboard.overview()));
    case "routes":
      return json(ready(dashboard.routes(rowQuery(parameters))));
    case "endpoints": {
      const key = parameters.get("backend") ?? "";
      const backend = ready(dashboard.view).backend(key, dashboard.health);
      if (backend === undefined) throw new RequestError(404, `No route leads to ${key}`);
      return json(backend);
    }
    case "filters":
      return json(ready(dashboard.view).filters);
    case "ingresses":
      return json(ready(dashboard.view).ingresses(rowQuery(parameters)));
    case "certificates":
      return json(ready(dashboard.view).certificates.slice(0, wholeNumber(parameters, "limit", ANY_NUMBER)));
    case "proxies":
      await dashboard.refreshProxies();
      return json(dashboard.proxies());
    case "explain":
      return json(ready(explainUrl(dashboard, parameters.get("url") ?? "")));
    case "live":
      return request.method === "HEAD" ? eventStream(null) : eventStream(followed(dashboard));
  }
  const [namespace, name] = names.map(decoded);
  if (resource === "ingresses" && names.length === 2 && namespace && name) {
    ready(dashboard.view);
    const ingress = await dashboard.ingress(namespace, name);
    if (ingress === undefined) {
      throw new RequestError(404, `Pingress serves no Ingress ${namespace}/${name}`);
    }
    return json(ingress);
  }
  throw new RequestError(404, `There is no ${path}`);
}

function explainUrl(dashboard: Dashboard, url: string) {
  if (url.trim() === "" || url.length > MOST_URL_CHARACTERS) {
    throw new RequestError(400, `Give a url of 1 to ${MOST_URL_CHARACTERS} characters`);
  }
  try {
    return dashboard.explain(url);
  } catch (error) {
    if (error instanceof UrlError) throw new RequestError(400, error.message);
    throw error;
  }
}

function followed(dashboard: Dashboard): ReadableStream<Uint8Array> {
  const stream = dashboard.live.open();
  if (stream === undefined) {
    throw new RequestError(503, "Too many pages of the dashboard are open: close some");
  }
  return stream;
}

function eventStream(body: ReadableStream<Uint8Array> | null): Response {
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

function ready<T>(value: T | undefined): T {
  if (value === undefined) {
    throw new RequestError(503, "The controller has not read everything yet: try again in a moment");
  }
  return value;
}

/** @throws {RequestError} for what makes no sense. */
function rowQuery(parameters: URLSearchParams): RowQuery {
  const search = parameters.get("search") ?? "";
  if (search.length > MOST_SEARCH_CHARACTERS) {
    throw new RequestError(400, `search takes at most ${MOST_SEARCH_CHARACTERS} characters`);
  }
  const [namespace, host] = [parameters.get("namespace") ?? "", parameters.get("host") ?? ""];
  return {
    search,
    // a filter that nobody has chosen is an empty one
    ...namespace !== "" && { namespace },
    ...host !== "" && { host },
    problems: parameters.get("problems") === "1",
    passedOver: parameters.get("passedOver") === "1",
    offset: wholeNumber(parameters, "offset", { usual: 0, from: 0, to: Number.MAX_SAFE_INTEGER }),
    limit: wholeNumber(parameters, "limit", { usual: 200, from: 1, to: MOST_ROWS }),
  };
}

function wholeNumber(
  parameters: URLSearchParams,
  name: string,
  { usual, from, to }: { usual: number; from: number; to: number },
): number {
  const text = parameters.get(name) ?? `${usual}`;
  const number = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || number < from || number > to) {
    throw new RequestError(400, `${name} takes a whole number from ${from} to ${to}`);
  }
  return number;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  });
}

function entityTag(body: string): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
}
