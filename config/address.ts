import { isIP } from "node:net";

/** A name or IP address and a port. */
export interface Address {
  /** A DNS name or an IP address; an IPv6 address without its brackets. */
  hostname: string;
  /** From 0 (any free port, for listening) to 65535. */
  port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9a-zA-Z._-]+)):([0-9]{1,5})$/;

/**
 * Reads `host:port` or `[ipv6]:port`.
 *
 * @returns the address, or nothing when the text is not one.
 */
export function parseAddress(text: string): Address | undefined {
  const match = ADDRESS.exec(text);
  const hostname = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return hostname === undefined || port > 65535 ? undefined : { hostname, port };
}

/** Writes an address the way {@linkcode parseAddress} reads it. */
export function formatAddress(address: Address): string {
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

/** Is this an IP address, or a CIDR block such as `10.0.0.0/8` or `fd00::/8`? */
export function isAddressRange(text: string): boolean {
  const [address = "", prefix, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0 || address.includes("%")) return false;
  return prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}
