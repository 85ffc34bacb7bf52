import { canonicalHost } from "./host.ts";

const AUTHORITY = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[-a-z0-9_.]*))(?::([0-9]{0,5}))?$/i;

/** A Host header or `:authority`, taken apart. */
export interface Authority {
  /** In lower case, without port and trailing dot: what routes are matched with. */
  readonly host: string;
  /** The port, where one was sent. */
  readonly port: number | undefined;
}

/**
 * Reads a Host header (RFC 9110, section 7.2) strictly: a DNS name or an IP address and perhaps a port.
 * User information, several hosts, spaces and anything else that two parsers could read differently is refused.
 *
 * @returns nothing for what is not a valid authority.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseAuthority } from "./authority.ts";
 *
 * assertEquals(parseAuthority("Example.COM.:8080"), { host: "example.com", port: 8080 });
 * assertEquals(parseAuthority("user@example.com"), undefined);
 * ```
 */
export function parseAuthority(text: string): Authority | undefined {
  let authority = known.get(text);
  if (authority !== undefined) return authority;
  authority = read(text);
  if (authority === undefined || text.length > LONGEST_KNOWN) return authority;
  if (known.size === MOST_KNOWN) known.clear();
  known.set(text, authority);
  return authority;
}

/** What was read lately: the same hosts are asked for again and again. */
const known = new Map<string, Authority>();
const MOST_KNOWN = 1024;
const LONGEST_KNOWN = 128;

function read(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  if (match?.[1] === undefined) return undefined;
  const port = match[2] ? Number(match[2]) : undefined;
  const host = canonicalHost(match[1]);
  if (host === undefined || (port !== undefined && port > 65535)) return undefined;
  return { host, port };
}
