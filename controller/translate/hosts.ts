/** The one spelling of a host of an Ingress: lower case, no trailing dot. */
export function canonicalHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}
