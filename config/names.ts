/** Is this a name of a Service or namespace, as DNS needs it: lower-case letters, digits, `-` and `.`? */
export function isDnsName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text);
}

/** Is this a port's name (https://kubernetes.io/docs/concepts/services-networking/service/#field-spec-ports)? */
export function isPortName(text: string): boolean {
  return /^[a-z0-9-]{1,63}$/.test(text);
}
