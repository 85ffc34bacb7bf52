import { canonicalHost, isHostPattern } from "@pingress/config";

/**
 * The one spelling of a host of an Ingress: lower case, no trailing dot.
 *
 * @returns nothing for what cannot be a host: an IP address, or no DNS name with or without a wildcard before it.
 */
export function readHost(host: string): string | undefined {
  const canonical = canonicalHost(host);
  if (canonical === undefined || !isHostPattern(canonical) || endsWithNumber(canonical)) return undefined;
  return canonical;
}

/**
 * Would a name be taken for an IPv4 address? Resolvers read `127.1`, `0x7f.1` and the like as one
 * (https://url.spec.whatwg.org/#ends-in-a-number-checker).
 */
export function endsWithNumber(name: string): boolean {
  return /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(name);
}
