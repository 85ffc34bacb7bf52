const LABEL = "[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?";
const HOST_PATTERN = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/**
 * Is this a host that a rule may have: a DNS name in lower case, or a wildcard for its first label?
 * The rule is Kubernetes' own for `spec.rules[].host`
 * (https://kubernetes.io/docs/concepts/services-networking/ingress/#hostname-wildcards).
 *
 * @example
 * ```ts
 * import { assert, assertFalse } from "@std/assert";
 * import { isHostPattern } from "./host.ts";
 *
 * assert(isHostPattern("*.example.com"));
 * assertFalse(isHostPattern("*"));
 * ```
 */
export function isHostPattern(host: string): boolean {
  return host.length <= 253 && HOST_PATTERN.test(host);
}

/** Stands for every name where a certificate's name stands: that certificate is for those that have no other one. */
export const EVERY_NAME = "*";

/** Is this what a certificate may be for: a host as rules have it, or {@linkcode EVERY_NAME}? */
export function isCertificateName(name: string): boolean {
  return name === EVERY_NAME || isHostPattern(name);
}

/**
 * The wildcard that covers a host: `*.example.com` for `www.example.com`, nothing for a single label.
 * A wildcard stands for exactly one label.
 */
export function wildcardOf(host: string): string | undefined {
  const dot = host.indexOf(".");
  return dot > 0 ? `*${host.slice(dot)}` : undefined;
}

/** The one spelling of a host name: lower case, no trailing dot. Nothing for a name with an empty label. */
export function canonicalHost(name: string): string | undefined {
  const host = name.toLowerCase().replace(/\.$/, "");
  return host === "" || host.startsWith(".") || host.endsWith(".") || host.includes("..") ? undefined : host;
}
