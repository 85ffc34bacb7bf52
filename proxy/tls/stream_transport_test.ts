import { type AddressInfo, createServer, type Socket } from "node:net";
import { createSecureContext, type TLSSocket } from "node:tls";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { selfSigned } from "../../tests/certificates.ts";
import { bytesOf, latin1, randomBytes, sha256, within } from "../../tests/testing.ts";
import { writeAll } from "../transport.ts";
import { startTls, StreamTransport } from "./stream_transport.ts";

const PAIR = await selfSigned(["a.test"]);

/** Both ends of a TLS connection: the server's as the proxy has it, the client's as Deno has it. */
class Setup implements AsyncDisposable {
  readonly transport: StreamTransport;
  readonly client: Deno.TlsConn;
  readonly raw: Socket;
  readonly #closeServer: () => Promise<void>;

  private constructor(raw: Socket, tls: TLSSocket, client: Deno.TlsConn, closeServer: () => Promise<void>) {
    this.raw = raw;
    this.transport = new StreamTransport(tls, raw);
    this.client = client;
    this.#closeServer = closeServer;
  }

  static async make(): Promise<Setup> {
    const server = createServer({ allowHalfOpen: true });
    const accepted = Promise.withResolvers<[Socket, TLSSocket]>();
    server.on("connection", (raw) => {
      const tls = startTls(raw, { secureContext: createSecureContext(PAIR) });
      tls.on("error", () => {});
      raw.on("error", () => {});
      tls.once("secure", () => accepted.resolve([raw, tls]));
    });
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    const { port } = server.address() as AddressInfo;
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    const client = await Deno.startTls(tcp, { hostname: "a.test", caCerts: [PAIR.cert] });
    await client.handshake();
    const [raw, tls] = await within(accepted.promise, "a TLS handshake");
    const closeServer = () => new Promise<void>((resolve) => server.close(() => resolve()));
    return new Setup(raw, tls, client, closeServer);
  }

  /** What comes next. */
  async read(size = 64 * 1024): Promise<string | null> {
    const into = new Uint8Array(size);
    const count = await within(this.transport.read(into), "bytes");
    return count === null ? null : latin1(into.subarray(0, count));
  }

  /** Everything up to the end. */
  async readAll(): Promise<string> {
    let text = "";
    for (let piece; (piece = await this.read()) !== null;) text += piece;
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.transport.close();
    try {
      this.client.close();
    } catch {
      // closed by the test
    }
    await this.#closeServer();
  }
}

Deno.test("StreamTransport reads what the other side writes, piece by piece", async () => {
  await using setup = await Setup.make();
  for (const text of ["hello", "world"]) {
    await writeAll(setup.client, bytesOf(text));
    assertEquals(await setup.read(), text);
  }
  const waiting = setup.read();
  await writeAll(setup.client, bytesOf("late"));
  assertEquals(await waiting, "late");
});

Deno.test("StreamTransport.read() takes as much as there is room for, and the rest later", async () => {
  await using setup = await Setup.make();
  const waiting = setup.read(2);
  await writeAll(setup.client, bytesOf("hello"));
  assertEquals(await waiting, "he");
  assertEquals([await setup.read(2), await setup.read(2)], ["ll", "o"]);
});

Deno.test("StreamTransport.write() writes all of what it takes", async () => {
  await using setup = await Setup.make();
  for (const text of ["hello", "x".repeat(40_000), "y".repeat(32 * 1024)]) {
    assertEquals(await setup.transport.write(bytesOf(text)), text.length);
    let read = "";
    const into = new Uint8Array(64 * 1024);
    while (read.length < text.length) {
      const count = await within(setup.client.read(into), "bytes");
      read += latin1(into.subarray(0, count ?? 0));
    }
    assertEquals(read, text);
  }
});

Deno.test("StreamTransport.write() has copied its bytes when it has resolved", async () => {
  await using setup = await Setup.make();
  for (const size of [5, 32 * 1024, 200_000]) {
    const bytes = new Uint8Array(size).fill(97);
    const writing = setup.transport.write(bytes);
    const reading = (async () => {
      let count = 0;
      let isIntact = true;
      const into = new Uint8Array(64 * 1024);
      while (count < size) {
        const read = await within(setup.client.read(into), "bytes") ?? 0;
        isIntact &&= into.subarray(0, read).every((byte) => byte === 97);
        count += read;
      }
      return isIntact;
    })();
    await writing;
    bytes.fill(98);
    assertEquals(await reading, true, `${size} bytes`);
  }
});

Deno.test("StreamTransport tells the end, and can be written to after it", async () => {
  await using setup = await Setup.make();
  await writeAll(setup.client, bytesOf("last"));
  await setup.client.closeWrite();
  assertEquals([await setup.readAll(), await setup.read()], ["last", null]);
  await setup.transport.write(bytesOf("late"));
  const into = new Uint8Array(10);
  assertEquals(await within(setup.client.read(into), "bytes"), 4);
});

Deno.test("StreamTransport.closeWrite() ends one direction", async () => {
  await using setup = await Setup.make();
  await setup.transport.write(bytesOf("last"));
  await within(setup.transport.closeWrite(), "the end of the writing");
  const into = new Uint8Array(10);
  assertEquals(await within(setup.client.read(into), "bytes"), 4);
  assertEquals(await within(setup.client.read(into), "the end"), null);
  await writeAll(setup.client, bytesOf("late"));
  assertEquals(await setup.read(), "late");
});

Deno.test("StreamTransport.close() fails reads and writes under way, and those to come", async () => {
  await using setup = await Setup.make();
  const reading = assertRejects(() => setup.read());
  setup.transport.close();
  setup.transport.close();
  await reading;
  await assertRejects(() => setup.read());
  await assertRejects(() => within(setup.transport.write(bytesOf("late")), "a failure"));
  await within(setup.transport.closeWrite(), "nothing");
});

Deno.test("StreamTransport fails when the other side is gone without a word", async () => {
  await using setup = await Setup.make();
  const reading = assertRejects(() => setup.read());
  setup.raw.destroy(new Error("reset"));
  await reading;
  await assertRejects(() => within(setup.transport.write(bytesOf("late")), "a failure"));
});

Deno.test("StreamTransport.write() waits for a side that reads nothing", async () => {
  await using setup = await Setup.make();
  const piece = randomBytes(64 * 1024);
  let isStuck = false;
  let written = 0;
  // far more than the buffers of the system hold
  while (!isStuck && written < 64 * 1024 * 1024) {
    const outcome = await Promise.race([
      setup.transport.write(piece),
      new Promise<"stuck">((resolve) => setTimeout(() => resolve("stuck"), 300)),
    ]);
    if (outcome === "stuck") isStuck = true;
    else written += outcome;
  }
  assert(isStuck, `${written} bytes were taken`);
});

Deno.test("StreamTransport takes no more from the network than it may hold, and nothing is lost", async () => {
  await using setup = await Setup.make();
  const bytes = randomBytes(16 * 1024 * 1024);
  let written = 0;
  const writing = (async () => {
    while (written < bytes.length) {
      written += await setup.client.write(bytes.subarray(written, written + 65536));
    }
    await setup.client.closeWrite();
  })();
  // nobody reads: the writer stops when all buffers are full
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  assert(written < bytes.length, "all of it was taken");
  const received = new Uint8Array(bytes.length);
  let count = 0;
  const into = new Uint8Array(64 * 1024);
  for (let read; (read = await within(setup.transport.read(into), "bytes")) !== null;) {
    received.set(into.subarray(0, read), count);
    count += read;
  }
  await writing;
  assertEquals([count, await sha256(received)], [bytes.length, await sha256(bytes)]);
});

Deno.test("StreamTransport leaves no large chunk to the garbage collector: neither ciphertext nor plaintext", async () => {
  await using setup = await Setup.make();
  const piece = randomBytes(256 * 1024);
  const pieces = 256;
  const writing = (async () => {
    for (let written = 0; written < pieces; written++) await writeAll(setup.client, piece);
  })();
  const into = new Uint8Array(64 * 1024);
  const before = Deno.memoryUsage().external;
  let most = before;
  for (let count = 0; count < pieces * piece.length;) {
    count += await within(setup.transport.read(into), "bytes") ?? 0;
    most = Math.max(most, Deno.memoryUsage().external);
  }
  await writing;
  // with either of the two left to it there are more than 40 MiB, otherwise hardly one
  assertLess(most - before, 16 * 1024 * 1024);
});
