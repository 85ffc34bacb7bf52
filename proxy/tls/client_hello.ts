/** What a client says before its connection is encrypted (RFC 8446, section 4.1.2). */
export interface ClientHello {
  /** The name that it asks for (SNI, RFC 6066, section 3), as sent. */
  serverName: string | undefined;
  /** The protocols that it offers (ALPN, RFC 7301). */
  protocols: string[];
}

/** The client does not speak TLS, or wrongly. */
export class ClientHelloError extends Error {
  override name = "ClientHelloError";
}

/** A ClientHello with post-quantum key shares has about 2,000 bytes. */
export const MAX_CLIENT_HELLO_BYTES = 16 * 1024;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_ALPN = 16;

/**
 * Reads the ClientHello at the start of a connection.
 *
 * @returns nothing while more bytes are needed.
 * @throws {ClientHelloError} when the bytes are no ClientHello.
 */
export function parseClientHello(bytes: Uint8Array): ClientHello | undefined {
  const message = handshakeMessage(bytes);
  if (message === undefined) return undefined;
  const fields = new Fields(message);
  fields.skip(2 + 32); // legacy version, random
  fields.vector(1); // legacy session id
  fields.vector(2); // cipher suites
  fields.vector(1); // legacy compression methods
  const hello: ClientHello = { serverName: undefined, protocols: [] };
  if (fields.isAtEnd) return hello;
  const extensions = fields.vector(2);
  while (!extensions.isAtEnd) {
    const type = extensions.integer(2);
    const extension = extensions.vector(2);
    if (type === EXTENSION_SERVER_NAME) hello.serverName = readServerName(extension);
    if (type === EXTENSION_ALPN) hello.protocols = readProtocols(extension);
  }
  return hello;
}

/** Joins the records that the first handshake message is cut into (RFC 8446, section 5.1). */
function handshakeMessage(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) {
    throw new ClientHelloError("The client does not speak TLS");
  }
  const message = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at + 5 <= bytes.length;) {
    const recordLength = integerAt(bytes, { at: at + 3, size: 2 });
    if (bytes[at] !== HANDSHAKE_RECORD || bytes[at + 1] !== 3 || recordLength === 0 || recordLength > 16384) {
      throw new ClientHelloError("Invalid TLS record");
    }
    const fragment = bytes.subarray(at + 5, at + 5 + recordLength);
    message.set(fragment, length);
    length += fragment.length;
    if (length > 0 && message[0] !== CLIENT_HELLO) {
      throw new ClientHelloError("The first message is no ClientHello");
    }
    if (length >= 4) {
      const size = integerAt(message, { at: 1, size: 3 });
      if (size > MAX_CLIENT_HELLO_BYTES) throw new ClientHelloError("The ClientHello is too long");
      if (length >= 4 + size) return message.subarray(4, 4 + size);
    }
    at += 5 + recordLength;
  }
  return undefined;
}

function integerAt(bytes: Uint8Array, { at, size }: { at: number; size: number }): number {
  let value = 0;
  for (let index = at; index < at + size; index++) value = (value << 8) | (bytes[index] ?? 0);
  return value;
}

function readServerName(extension: Fields): string | undefined {
  const names = extension.vector(2);
  while (!names.isAtEnd) {
    const type = names.integer(1);
    const name = names.vector(2);
    if (type === 0) return name.text();
  }
  return undefined;
}

function readProtocols(extension: Fields): string[] {
  const names = extension.vector(2);
  const protocols: string[] = [];
  while (!names.isAtEnd) protocols.push(names.vector(1).text());
  return protocols;
}

/** Reads the fields of a TLS message one after the other; none of them may go past the end. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(count: number): Uint8Array {
    const start = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      throw new ClientHelloError("A field of the ClientHello goes past its end");
    }
    return this.#bytes.subarray(start, this.#at);
  }

  integer(size: number): number {
    return integerAt(this.skip(size), { at: 0, size });
  }

  /** A field behind its length, which has `size` bytes. */
  vector(size: number): Fields {
    return new Fields(this.skip(this.integer(size)));
  }

  text(): string {
    return String.fromCharCode(...this.skip(this.#bytes.length - this.#at));
  }
}
