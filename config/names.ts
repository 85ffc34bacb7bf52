/** Is this a name of a Service or namespace, as DNS needs it: lower-case letters, digits, `-` and `.`? */
export function isDnsName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text);
}

/** Is this a port's name (https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports)? */
export function isPortName(text: string): boolean {
  return /^[a-z0-9-]{1,63}$/.test(text);
}

/** Fields that only the proxy itself tells a backend: those of the connection, and who the client is. */
const PROXYS_OWN = new Set([
  ...["close", "connection", "content-length", "expect", "host", "http2-settings", "keep-alive", "te"],
  ...["proxy-authenticate", "proxy-authorization", "proxy-connection", "trailer", "transfer-encoding"],
  ...["upgrade", "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"],
  ...["x-real-ip", "x-request-id"],
]);

/** Is this the name of a header field that somebody else than the proxy may tell a backend? */
export function isPassableField(name: string): boolean {
  return /^[!#$%&'*+\-.^`|~0-9A-Za-z]+$/.test(name) && !PROXYS_OWN.has(name.toLowerCase());
}
