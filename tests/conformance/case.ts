/**
 * How an exchange is written down. A theme is a list of {@linkcode Case}s in a file of its own: to add an
 * exchange is to add an object, or a line to one of the tables.
 *
 * @module
 */

import type { TestProxyOptions } from "../test_proxy.ts";

/** How a client's bytes reach the proxy. */
export type Way = "http" | "https" | "bytewise";

/** What a client does: sends a text of characters up to U+00FF, or something else. */
export type ClientStep =
  | string
  /** Waits until it has got this text. */
  | { awaits: string }
  /** Waits until the backend has got this text in this case. */
  | { backendHas: string }
  /** Says that it sends no more. */
  | { halfCloses: true }
  /** Sends a byte every 50 ms until it is cut off: it takes too long, and never for long. */
  | { drips: string }
  /** Takes nothing more of what comes. */
  | { stopsReading: true }
  /** Goes away. */
  | { goes: true };

/** What the backend does from the head of a request on. */
export type BackendStep =
  | string
  /** Waits for all of the request. */
  | { awaitsRequest: true }
  /** Waits until the client has got this text. */
  | { clientHas: string }
  /** Closes its connection. */
  | { closes: true }
  /** Says that it sends no more. */
  | { halfCloses: true }
  /** Sends back what comes, in `<` and `>`, until the other side ends. */
  | { echoes: true }
  /** Does nothing more until the other side ends. */
  | { hangs: true };

/** An answer of the backend: a text that it sends when all of the request has come, or single steps. */
export type Answer = string | readonly BackendStep[];

/** A header's value: exactly this one, one like this, all of these in order, or none at all. */
export type ExpectedValue = string | RegExp | readonly string[] | null;

/** Values by name. `{scheme}`, `{port}` in them depend on the {@linkcode Way}. */
export type ExpectedHeaders = Readonly<Record<string, ExpectedValue>>;

/** What a client must get. */
export interface ExpectedResponse {
  /** Its status. */
  status: number;
  /** Why Pingress refused; without it the answer must not be one of Pingress itself. */
  error?: string;
  /** Some of its header fields. */
  headers?: ExpectedHeaders;
  /** Its content, as far as it came. */
  body?: string | RegExp;
  /** Has it no content because HEAD was asked? */
  toHead?: boolean;
  /** Must the client see that it broke off? */
  isCut?: true;
  /** May it break off before its first byte? */
  mayBeMissing?: true;
}

/**
 * What the backend must have got, and nothing else: `GET /path`, and behind another space the content; or more
 * than that.
 */
export type ExpectedRequest = string | {
  /** Method, target and perhaps content. */
  is: string;
  /** Some of its header fields. */
  headers?: ExpectedHeaders;
  /** Did it break off, so that the backend can see it? What came of its content is not looked at. */
  isCut?: true;
};

/** One exchange, or several on one connection. */
export interface Case {
  /** What it is about; a number of hardening.md where it has one. */
  name: string;
  /** The section that it comes from. */
  rfc: string;
  /** What the client does. */
  client: string | readonly ClientStep[];
  /** What the backend does, one answer for each request; 200 and `ok` unless told. */
  backend?: Answer | { answers: readonly Answer[] };
  /** What the client gets. */
  expect: readonly ExpectedResponse[];
  /**
   * What becomes of the connection: another request is served on it, it is closed, either of both, the client
   * has gone, or it is a tunnel over which the client has got these bytes. Open unless told.
   */
  then?: "open" | "closed" | "either" | "gone" | { tunnel: string };
  /** What the backend gets; nothing unless told. */
  gets?: readonly ExpectedRequest[];
  /** Must the proxy use the backend's connection again after the last request, or close it? */
  upstream?: "kept" | "closed";
  /** The ways that it makes sense for. */
  over?: readonly Way[];
}

/** A list of cases, and the proxy that they are for. */
export interface Theme {
  /** Its name. */
  name: string;
  /** Its exchanges. */
  cases: readonly Case[];
  /** Options of the proxy, beyond those that all have. */
  proxy?: Partial<TestProxyOptions>;
  /** The ways that its cases go; all of them unless told. */
  over?: readonly Way[];
  /** What every connection to the proxy must begin with. */
  sentinelPrefix?: string;
}

/** The answer that the backend gives unless told. */
export const BACKEND_OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** The same as a client gets it. */
export const OK: ExpectedResponse = { status: 200, body: "ok" };

/** The start of a GET that needs no more than an empty line. */
export const GET = "GET /x HTTP/1.1\r\nHost: a.test\r\n";

/** The start of a POST. */
export const POST = "POST /x HTTP/1.1\r\nHost: a.test\r\n";

/** A request that no backend may ever see. */
export const EVIL = "GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n";

/** Another request than {@linkcode GET}. */
export const NEXT = "GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n";

const STATUSES: Record<string, number> = {
  bad_request: 400,
  no_route: 404,
  method_not_allowed: 405,
  client_timeout: 408,
  body_too_large: 413,
  target_too_long: 414,
  expectation_failed: 417,
  misdirected: 421,
  head_too_large: 431,
  body_not_supported: 501,
  coding_not_supported: 501,
  upstream_unreachable: 502,
  upstream_invalid: 502,
  no_endpoint: 503,
  upstream_timeout: 504,
  version_not_supported: 505,
};

/** An answer of Pingress itself. */
export function refused(error: string): ExpectedResponse {
  return { status: STATUSES[error] ?? 0, error };
}

/** Text of so many characters. */
export function filled(length: number): string {
  return "x".repeat(length);
}
