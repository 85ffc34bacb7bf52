import type { TLSSocket } from "node:tls";

/** What a TLSSocket of Deno 2.9 stands on. */
interface Handle {
  onread: (plaintext?: ArrayBuffer) => void;
  onerror: (error: Error) => void;
}

/** What its prototype has. The handle's own functions of these names would go on to Node's streams. */
interface Methods {
  readStart(): void;
  readBuffer(ciphertext: Uint8Array): void;
  writeBuffer(request: Request, plaintext: Uint8Array): number;
  shutdown(request: Request): number;
  drainEncOut(): Uint8Array<ArrayBuffer>;
}

/** Told when something has been written to the stream below, which is never asked to. */
interface Request {
  oncomplete: () => void;
}

const METHODS = ["readStart", "readBuffer", "writeBuffer", "shutdown", "drainEncOut"] as const;

/** What an engine has to say. */
export interface TlsEvents {
  /** Something was decrypted. */
  arrived: (plaintext: ArrayBuffer) => void;
  /** The other side sends no more. */
  ended: () => void;
  /** The other side does not speak TLS as it should. */
  failed: (error: Error) => void;
}

/**
 * TLS itself: ciphertext in, plaintext out, and the other way around; it reads and writes nothing. There is no
 * public way to it but what a TLSSocket hides. Node's streams around it cost more than it does: a small GET
 * over HTTPS took 1.73 times as much CPU time as nginx's through them, and 1.14 times without.
 */
export class TlsEngine {
  readonly #handle: Handle;
  readonly #methods: Methods;
  readonly #request: Request = { oncomplete: () => {} };

  private constructor(handle: Handle, methods: Methods) {
    this.#handle = handle;
    this.#methods = methods;
  }

  /** That of a socket which stands on a stream; nothing when this Deno has none that is known. */
  static of(socket: TLSSocket): TlsEngine | undefined {
    const handle = (socket as TLSSocket & { _handle?: Handle | null })._handle;
    const methods: Methods | undefined = handle ? Object.getPrototypeOf(handle) : undefined;
    if (!handle || METHODS.some((name) => typeof methods?.[name] !== "function")) return undefined;
    return methods && new TlsEngine(handle, methods);
  }

  /** Tells `events`, and no longer the socket, what comes; the socket hears of failures too. */
  tell(events: TlsEvents): void {
    const handle = this.#handle;
    const tellSocket = handle.onerror;
    handle.onread = (plaintext) => plaintext === undefined ? events.ended() : events.arrived(plaintext);
    handle.onerror = (error) => {
      events.failed(error);
      tellSocket.call(handle, error);
    };
    // a client's socket has begun to listen already
    this.#methods.readStart.call(handle);
  }

  /** Takes ciphertext, and tells within this call what is in it. */
  decrypt(ciphertext: Uint8Array): void {
    this.#methods.readBuffer.call(this.#handle, ciphertext);
  }

  /** Encrypts so many bytes that they fit: see {@linkcode MOST_ENCRYPTED}. @returns what is to be sent. */
  encrypt(plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#methods.writeBuffer.call(this.#handle, this.#request, plaintext);
    const ciphertext = this.output();
    // the rest would stay in it until something else happens
    if (ciphertext.length < plaintext.length) throw new Error("TLS took only a part of what was written");
    return ciphertext;
  }

  /** What it has to send by itself: its part of the handshake, an alert. */
  output(): Uint8Array<ArrayBuffer> {
    return this.#methods.drainEncOut.call(this.#handle);
  }

  /** Says that nothing more is written. @returns what is to be sent. */
  end(): Uint8Array<ArrayBuffer> {
    this.#methods.shutdown.call(this.#handle, this.#request);
    return this.output();
  }
}

/** The most that it encrypts at once, in bytes: it holds up to 64 KiB in records of 16 KiB. */
export const MOST_ENCRYPTED = 48 * 1024;
