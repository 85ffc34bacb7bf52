import { createHash } from "node:crypto";
import type { CookieAffinity, ServiceBackend } from "@pingress/config";
import { FieldName } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import { cookieOf } from "./cookies.ts";

/** What a client's cookie says of its endpoint. To clients it is one opaque text. */
export interface Session {
  /** What leads to the endpoint. */
  key: string;
  /** The {@linkcode backendId} of the backend that it is one of; a cookie of another program may say nothing of it. */
  backend: string | undefined;
}

/** Reads the cookie of a request. */
export function sessionOf(fields: Fields, { name }: Pick<CookieAffinity, "name">): Session | undefined {
  const [key, backend] = cookieOf(fields, name)?.split("|") ?? [];
  return key ? { key, backend } : undefined;
}

/** How a cookie names a backend: as ingress-nginx does, so that clients keep their place when they come from it. */
export function backendId(backend: ServiceBackend): string {
  const name = nameOf(backend);
  return md5(`${md5(name)}${name}`);
}

/** How a cookie names an endpoint of a backend, as ingress-nginx does. */
export function endpointId(backend: ServiceBackend, endpoint: string): string {
  return md5(`${nameOf(backend)}${endpoint}`);
}

function nameOf({ namespace, name, port }: ServiceBackend): string {
  return `${namespace}-${name}-${port}`;
}

/** Nothing is kept secret by it. */
function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** What the cookie's attributes depend on. */
export interface CookieOptions {
  /** Does the client speak HTTPS? */
  isHttps: boolean;
  /** The time, in milliseconds since 1970. */
  now: number;
  /** The client's User-Agent. */
  userAgent: string | undefined;
}

/** Writes Set-Cookie. Scripts never see the cookie. */
export function setSessionCookie(
  { key, backend }: Session,
  { name, attributes, isSecure = false, omitsSameSiteNone = false }: CookieAffinity,
  { isHttps, now, userAgent = "" }: CookieOptions,
): string {
  const { expires, maxAge, domain, path, sameSite } = attributes;
  const hasSameSite = sameSite !== undefined &&
    !(omitsSameSiteNone && sameSite === "None" && knowsNoNone(userAgent));
  return [
    `${name}=${key}|${backend}`,
    ...expires !== undefined ? [`Expires=${cookieTime(now + expires * 1000)}`] : [],
    ...maxAge !== undefined ? [`Max-Age=${maxAge}`] : [],
    ...domain !== undefined ? [`Domain=${domain}`] : [],
    ...path !== undefined ? [`Path=${path}`] : [],
    ...isSecure || isHttps ? ["Secure"] : [],
    "HttpOnly",
    ...hasSameSite ? [`SameSite=${sameSite}`] : [],
  ].join("; ");
}

/** Browsers that drop cookies with `SameSite=None` (https://www.chromium.org/updates/same-site/incompatible-clients). */
const KNOWS_NO_NONE = /Chrome\/[456]|CPU iPhone OS 12|iPad; CPU OS 12/;
const OLD_SAFARI = ["Macintosh", "Intel Mac OS X 10_14", "Safari"];

/** One expression for all of it would go through a long name again and again. */
function knowsNoNone(userAgent: string): boolean {
  if (KNOWS_NO_NONE.test(userAgent)) return true;
  if (userAgent.includes("Chrome")) return false;
  let end = 0;
  return OLD_SAFARI.every((part) => {
    const start = userAgent.indexOf(part, end);
    end = start + part.length;
    return start !== -1;
  });
}

/** The older form of a cookie's date, with two digits of the year, such as `Thu, 26-Nov-26 06:40:38 GMT`. */
function cookieTime(milliseconds: number): string {
  const [weekday = "", day, month, year = "", time] = new Date(milliseconds).toUTCString().split(" ");
  return `${weekday} ${day}-${month}-${year.slice(-2)} ${time} GMT`;
}

/** Who the client says that it is. */
export const USER_AGENT: FieldName = FieldName.of("user-agent");
