import { isIP } from "node:net";
import { ProxyError } from "../errors.ts";
import { LOCAL_RANGES } from "../ip_ranges.ts";
import type { UpstreamClient } from "./client.ts";
import type { Resolver } from "./resolver.ts";
import type { UpstreamRequest, UpstreamResponse } from "./round_trip.ts";

/** A server that is no backend of a rule. */
export interface AskedServer {
  /** What counts together when its addresses take turns. */
  key: string;
  /** How it is spoken to; its certificate is not checked. */
  scheme: "http" | "https";
  /** A DNS name or an IP address. */
  hostname: string;
  /** Its port. */
  port: number;
}

/** Sends a request to a server. @throws {ProxyError} when it does not answer. */
export type Ask = (server: AskedServer, request: UpstreamRequest) => Promise<UpstreamResponse>;

/** Options of {@linkcode createAsk}. */
export interface AskOptions {
  /** Sends requests. */
  upstream: UpstreamClient;
  /** Looks names up. */
  resolver: Resolver;
  /** May addresses be {@linkcode LOCAL_RANGES}? The resolver decides that for names. */
  allowsLocal: boolean;
}

/** Makes an {@linkcode Ask} that has the backends' connections and deadlines. */
export function createAsk({ upstream, resolver, allowsLocal }: AskOptions): Ask {
  return async ({ key, scheme, hostname, port }, request) => {
    const isAddress = isIP(hostname) !== 0;
    if (isAddress && !allowsLocal && LOCAL_RANGES.has(hostname)) {
      throw new ProxyError(
        "upstream_unreachable",
        `${hostname} is this machine or its link: if that is meant, give --allow-local-upstreams`,
      );
    }
    const found = isAddress ? [hostname] : await resolver.resolve(hostname);
    return await upstream.send(request, {
      key,
      addresses: found.map((address) => ({ hostname: address, port })),
      protocol: scheme === "https" ? { name: "HTTPS", serverName: hostname } : { name: "HTTP" },
    }, { retries: 0 });
  };
}
