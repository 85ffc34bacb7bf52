import { isIP } from "node:net";
import type { ByteReader } from "../http1/byte_reader.ts";

/** What a proxy in front of us says about a connection. */
export interface ProxyHeader {
  /** How many bytes it has. */
  length: number;
  /** The client's IP address; nothing when the connection is the proxy's own, or of another kind. */
  source: string | undefined;
}

/** The connection does not begin with a PROXY protocol header. */
export class ProxyHeaderError extends Error {
  override name = "ProxyHeaderError";
}

/** The longest header of version 1; one of version 2 may have more, for its extensions. */
const MAX_V1_BYTES = 107;
const MAX_V2_BYTES = 16 + 4096;

const V1_PREFIX = new TextEncoder().encode("PROXY ");
const V2_SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);

/**
 * Reads the PROXY protocol header at the start of a connection, of version 1 or 2
 * (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt).
 *
 * @returns nothing while more bytes are needed.
 * @throws {ProxyHeaderError} when there is none.
 */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeader | undefined {
  if (startsWith(bytes, V2_SIGNATURE)) return bytes.length < 16 ? undefined : parseV2(bytes);
  if (startsWith(bytes, V1_PREFIX)) return bytes.length < V1_PREFIX.length ? undefined : parseV1(bytes);
  throw new ProxyHeaderError("The connection does not begin with a PROXY protocol header");
}

/**
 * Takes the PROXY protocol header at the start of a connection.
 *
 * @returns the client's address, if it says one.
 * @throws {ProxyHeaderError} when there is none.
 */
export async function readProxyHeader(reader: ByteReader): Promise<string | undefined> {
  for (;;) {
    const header = reader.buffered === 0 ? undefined : parseProxyHeader(reader.peek());
    if (header !== undefined) {
      reader.skip(header.length);
      return header.source;
    }
    if (!await reader.fill()) {
      throw new ProxyHeaderError("The connection ended within the PROXY protocol header");
    }
  }
}

/** Does it, as far as there are bytes? */
function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.subarray(0, bytes.length).every((byte, index) => bytes[index] === byte);
}

function parseV1(bytes: Uint8Array): ProxyHeader | undefined {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf(10);
  if (end === -1) {
    if (bytes.length >= MAX_V1_BYTES) throw new ProxyHeaderError("The PROXY protocol header has no end");
    return undefined;
  }
  const line = String.fromCharCode(...bytes.subarray(0, end + 1));
  const length = end + 1;
  if (/^PROXY UNKNOWN(?: [\x20-\x7e]*)?\r\n$/.test(line)) return { length, source: undefined };
  const [, family, source = "", target = "", ...ports] =
    /^PROXY TCP([46]) (\S+) (\S+) ([0-9]{1,5}) ([0-9]{1,5})\r\n$/.exec(line) ?? [];
  // the zone of an address (%eth0) means something on the proxy's own machine alone
  const isValid =
    [source, target].every((address) => isIP(address) === Number(family) && !address.includes("%")) &&
    ports.every((port) => Number(port) < 65536);
  if (!isValid) throw new ProxyHeaderError("Invalid PROXY protocol header");
  return { length, source };
}

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

function parseV2(bytes: Uint8Array): ProxyHeader | undefined {
  const [command = 0, family = 0] = bytes.subarray(12, 14);
  const length = 16 + ((bytes[14] ?? 0) << 8) + (bytes[15] ?? 0);
  if (command !== LOCAL && command !== PROXY) throw new ProxyHeaderError("Unknown PROXY protocol command");
  if (length > MAX_V2_BYTES) throw new ProxyHeaderError("The PROXY protocol header is too long");
  if (bytes.length < length) return undefined;
  if (command === LOCAL) return { length, source: undefined };
  const [addressBytes, addressesBytes] = family === TCP4 ? [4, 12] : family === TCP6 ? [16, 36] : [0, 0];
  if (length < 16 + addressesBytes) throw new ProxyHeaderError("The PROXY protocol header is too short");
  const address = bytes.subarray(16, 16 + addressBytes);
  return { length, source: addressBytes === 0 ? undefined : ipAddress(address) };
}

function ipAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0),
  );
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return bytes.subarray(12).join(".");
  // a URL writes an address in its one short form (RFC 5952)
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(1, -1);
}
