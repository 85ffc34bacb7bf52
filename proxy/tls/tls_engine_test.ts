import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { connect, createSecureContext, TLSSocket } from "node:tls";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { selfSigned } from "../../tests/certificates.ts";
import { latin1, randomBytes, within } from "../../tests/testing.ts";
import { MOST_ENCRYPTED, TlsEngine } from "./tls_engine.ts";

const PAIR = await selfSigned(["a.test"]);

/** A stream that nothing comes from, and that nothing may be written to. */
function silent(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(new Error("BUG: written to")) });
}

/** An engine, and what it has told. */
class End {
  readonly engine: TlsEngine;
  readonly socket: TLSSocket;
  readonly arrived: Uint8Array[] = [];
  readonly failures: string[] = [];
  hasEnded = false;

  constructor(socket: TLSSocket) {
    const engine = TlsEngine.of(socket);
    assert(engine !== undefined, "This Deno has another TLS than the one that is known");
    this.engine = engine;
    this.socket = socket.on("error", () => {});
    engine.tell({
      arrived: (plaintext) => this.arrived.push(new Uint8Array(plaintext)),
      ended: () => this.hasEnded = true,
      failed: (error) => this.failures.push(error.message),
    });
  }

  /** All that has arrived, as far as it has not been taken. */
  take(): Uint8Array {
    const bytes = new Uint8Array(this.arrived.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.arrived.splice(0)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}

/** Both ends of a connection after their handshake, between which a test carries the bytes. */
class Pair implements AsyncDisposable {
  readonly server: End;
  readonly client: End;

  private constructor(server: End, client: End) {
    this.server = server;
    this.client = client;
  }

  static async make(): Promise<Pair> {
    const secureContext = createSecureContext(PAIR);
    const server = new End(new TLSSocket(silent(), { isServer: true, secureContext }));
    const client = new End(connect({ socket: silent(), servername: "a.test", rejectUnauthorized: false }));
    let hello = client.engine.output();
    const secured = [server, client].map(({ socket }) =>
      new Promise((resolve) => socket.once("secure", resolve))
    );
    await new Promise<void>((resolve) => nextTick(resolve));
    while (hello.length > 0) {
      server.engine.decrypt(hello);
      client.engine.decrypt(server.engine.output());
      hello = client.engine.output();
    }
    await within(Promise.all(secured), "a TLS handshake");
    return new Pair(server, client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = [this.server, this.client].map(({ socket }) =>
      new Promise((resolve) => socket.once("close", resolve).destroy())
    );
    await Promise.all(closed);
  }
}

Deno.test("TlsEngine is found in this Deno's sockets, and tells what comes within the call", async () => {
  await using pair = await Pair.make();
  for (const [from, to] of [[pair.server, pair.client], [pair.client, pair.server]] as const) {
    for (const size of [1, 16_384, 16_385, MOST_ENCRYPTED]) {
      const bytes = randomBytes(size);
      to.engine.decrypt(from.engine.encrypt(bytes));
      assertEquals(to.take(), bytes);
    }
    assertEquals([from.engine.output().length, from.engine.encrypt(new Uint8Array(0)).length], [0, 0]);
  }
});

Deno.test("TlsEngine takes ciphertext however it is cut", async () => {
  await using pair = await Pair.make();
  const ciphertext = pair.client.engine.encrypt(new TextEncoder().encode("hello"));
  for (let at = 0; at < ciphertext.length; at++) pair.server.engine.decrypt(ciphertext.subarray(at, at + 1));
  assertEquals(latin1(pair.server.take()), "hello");
});

Deno.test("TlsEngine.encrypt() takes all or nothing", async () => {
  await using pair = await Pair.make();
  assertThrows(() => pair.server.engine.encrypt(randomBytes(1024 * 1024)), Error, "only a part");
});

Deno.test("TlsEngine.end() ends one direction", async () => {
  await using pair = await Pair.make();
  pair.client.engine.decrypt(pair.server.engine.end());
  assertEquals([pair.client.hasEnded, pair.server.hasEnded], [true, false]);
  pair.server.engine.decrypt(pair.client.engine.encrypt(new TextEncoder().encode("late")));
  assertEquals(latin1(pair.server.take()), "late");
  pair.server.engine.decrypt(pair.client.engine.end());
  assert(pair.server.hasEnded);
  assertEquals(pair.server.engine.end().length, 0);
});

Deno.test("TlsEngine fails on what is no TLS, and has an alert for the other side", async () => {
  await using pair = await Pair.make();
  pair.server.engine.decrypt(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  assertEquals([pair.server.failures.length, pair.client.failures], [1, []]);
  pair.client.engine.decrypt(pair.server.engine.output());
  assertEquals(pair.client.failures.length, 1);
});

Deno.test("TlsEngine has nothing to do with a socket that was destroyed", async () => {
  const pair = await Pair.make();
  const ciphertext = pair.client.engine.encrypt(new TextEncoder().encode("late"));
  await pair[Symbol.asyncDispose]();
  pair.server.engine.decrypt(ciphertext);
  assertEquals([pair.server.take().length, pair.server.engine.output().length], [0, 0]);
  assertThrows(() => pair.server.engine.encrypt(new Uint8Array(1)));
  assertEquals(pair.server.engine.end().length, 0);
});

Deno.test("TlsEngine.of() finds none where there is something else", () => {
  const sockets = [{}, { _handle: null }, { _handle: {} }, { _handle: Object.create({ readBuffer() {} }) }];
  for (const socket of sockets) assertEquals(TlsEngine.of(socket as unknown as TLSSocket), undefined);
});
