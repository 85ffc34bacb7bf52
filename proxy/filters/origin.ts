import { isIP } from "node:net";
import { type Authority, parseAuthority } from "@pingress/config";
import type { Client, DownstreamRequest } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import { type IpRanges, plainAddress } from "../ip_ranges.ts";

const FORWARDED_FOR = FieldName.of("x-forwarded-for");
const FORWARDED_PROTO = FieldName.of("x-forwarded-proto");
const FORWARDED_HOST = FieldName.of("x-forwarded-host");
const FORWARDED_PORT = FieldName.of("x-forwarded-port");

/** Where a request comes from: from the connection, or from what trusted proxies in front of us say. */
export interface Origin {
  /** The client's IP address. */
  address: string;
  /** The addresses for X-Forwarded-For: the client, then the proxies that it came by. */
  chain: string;
  /** The scheme that the client used. */
  scheme: "http" | "https";
  /** The host that the client asked for, as sent. */
  host: string;
  /** The port that the client asked. */
  port: number;
}

/**
 * Finds where a request comes from. X-Forwarded-For is read from the right, past the addresses of trusted
 * proxies: what is left of the first one that is not trusted may be invented.
 */
export function originOf(
  request: Pick<DownstreamRequest, "client" | "fields" | "authority">,
  authority: Authority,
  trusted: IpRanges,
): Origin {
  const { client, fields } = request;
  let own = origins.get(client);
  if (own?.host !== request.authority) {
    own = {
      address: client.address,
      chain: client.address,
      scheme: client.scheme,
      host: request.authority,
      port: authority.port ?? (client.scheme === "https" ? 443 : 80),
    };
    origins.set(client, own);
  }
  if (!trusted.has(client.address)) return own;
  const hops = fields.values(FORWARDED_FOR).join(",").split(",").map((hop) => hop.trim());
  const known: string[] = [];
  let address = client.address;
  for (const hop of hops.reverse()) {
    const next = hopAddress(hop);
    if (next === undefined) break;
    known.unshift(next);
    address = next;
    if (!trusted.has(next)) break;
  }
  const scheme = lastOf(fields.values(FORWARDED_PROTO))?.toLowerCase();
  const host = lastOf(fields.values(FORWARDED_HOST));
  const said = host === undefined ? undefined : parseAuthority(host);
  const forwardedPort = portOf(lastOf(fields.values(FORWARDED_PORT)));
  const isScheme = scheme === "http" || scheme === "https";
  return {
    address,
    chain: [...known, client.address].join(", "),
    scheme: isScheme ? scheme : own.scheme,
    host: said === undefined || host === undefined ? own.host : host,
    port: forwardedPort ?? said?.port ?? authority.port ??
      ((isScheme ? scheme : own.scheme) === "https" ? 443 : 80),
  };
}

/** Of each connection its last request's: those that follow on it nearly always have the same. */
const origins = new WeakMap<Client, Origin>();

/** An IP address of X-Forwarded-For; some proxies add a port to it. */
function hopAddress(hop: string): string | undefined {
  const text = isIP(hop) !== 0 ? hop : /^\[([0-9a-f:.]+)\](?::[0-9]+)?$/i.exec(hop)?.[1] ??
    /^([0-9.]+):[0-9]+$/.exec(hop)?.[1] ?? "";
  return isIP(text) === 0 ? undefined : plainAddress(text);
}

function portOf(text: string | undefined): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text ?? "") ? Number(text) : 0;
  return port > 0 && port < 65536 ? port : undefined;
}

/** The last element of a list: what the nearest proxy said. */
function lastOf(values: readonly string[]): string | undefined {
  return values.at(-1)?.split(",").at(-1)?.trim();
}
