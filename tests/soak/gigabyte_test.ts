import { createHash } from "node:crypto";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { assertEquals, assertLess } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { randomBytes, rule, tlsFiles } from "../testing.ts";
import { addressOf, pause, ProxyProgram, report, rssMebibytes } from "./programs.ts";

const GIBIBYTE = 1024 ** 3;

/** What one end has sent and got, as SHA-256. */
interface Digests {
  sent: string;
  received: string;
}

Deno.test("1 GiB up and down at once through HTTP and HTTPS: equal at both ends, in little memory", async () => {
  using backend = await Backend.listen();
  const pair = await selfSigned(["localhost"]);
  await using proxy = await ProxyProgram.start({
    rules: [rule("localhost", "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [`127.0.0.1:${backend.port}`] },
    files: { "a.cert": pair.cert, "a.key": pair.key },
    flags: ["--workers=1"],
  });
  const http = addressOf(proxy.addresses.http);
  const https = addressOf(proxy.addresses.https);
  const openers = {
    http: () => connect(http.port, http.hostname),
    https: () =>
      connectTls({
        host: https.hostname,
        port: https.port,
        servername: "localhost",
        rejectUnauthorized: false,
      }),
  };
  const warmUp = (length: number) =>
    Promise.all(Object.entries(openers).map(([name, open]) => upAndDown(open(), `warm-${name}`, length)));
  await warmUp(1e6);
  const cold = rssMebibytes(proxy.pid);
  // garbage that is not collected yet is no growth: as much of it as there will ever be
  await warmUp(256e6);
  const before = rssMebibytes(proxy.pid);
  let most = before;
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await pause(50)) most = Math.max(most, rssMebibytes(proxy.pid));
  })();
  const start = performance.now();
  const names = Object.keys(openers) as (keyof typeof openers)[];
  const results = await Promise.all(names.map((name) => upAndDown(openers[name](), name, GIBIBYTE)));
  isOver = true;
  await watching;
  for (const [index, name] of names.entries()) {
    const { sent, received } = results[index]!;
    assertEquals({ sent: received, received: sent }, backend.digests.get(`/${name}`), name);
  }
  const seconds = (performance.now() - start) / 1000;
  report(
    `RSS ${cold.toFixed(0)} MiB after 1 MB, ${before.toFixed(0)} after 256 MB, at most ${
      most.toFixed(0)
    } MiB; 4 GiB in ${seconds.toFixed(0)} s`,
  );
  assertLess(most - before, 64);
});

/** A backend that answers with as much as it is sent, but not the same, and without waiting for the end of it. */
class Backend implements Disposable {
  readonly digests = new Map<string, Digests>();
  readonly #server = createServer((socket) => this.#serve(socket).catch(() => socket.destroy()));

  static async listen(): Promise<Backend> {
    const backend = new Backend();
    await new Promise<void>((resolve) => backend.#server.listen(0, "127.0.0.1", resolve));
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const reader = new HeadedReader(socket);
    const head = await reader.head();
    const length = lengthOf(head);
    const [received, sent] = await Promise.all([
      reader.digest(length),
      send(socket, `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`, length),
    ]);
    this.digests.set(head.split(" ")[1]!, { received, sent });
    socket.end();
  }
}

/** Sends so many bytes, and reads the answer at the same time. */
async function upAndDown(socket: Socket, name: string, length: number): Promise<Digests> {
  const reader = new HeadedReader(socket);
  const head = `PUT /${name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
  const [received, sent] = await Promise.all([
    reader.head().then((head) => reader.digest(lengthOf(head))),
    send(socket, head, length),
  ]);
  socket.destroy();
  return { received, sent };
}

function lengthOf(head: string): number {
  return Number(/^content-length: ([0-9]+)$/im.exec(head)?.[1]);
}

/** Sends a head and so much content. @returns its SHA-256. */
async function send(socket: Socket, head: string, length: number): Promise<string> {
  const hash = createHash("sha256");
  const piece = randomBytes(256 * 1024);
  socket.write(head);
  for (let left = length; left > 0;) {
    // no two pieces are the same
    crypto.getRandomValues(piece.subarray(0, 64));
    const part = piece.slice(0, Math.min(left, piece.length));
    hash.update(part);
    left -= part.length;
    await new Promise<void>((resolve, reject) =>
      socket.write(part, (error) => error ? reject(error) : resolve())
    );
  }
  return hash.digest("hex");
}

/** Reads a head, then content. */
class HeadedReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest = new Uint8Array(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  async head(): Promise<string> {
    let text = "";
    for (;;) {
      const { value } = await this.#chunks.next();
      text += new TextDecoder("latin1").decode(value);
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) continue;
      this.#rest = value.slice(value.length - (text.length - end - 4));
      return text.slice(0, end);
    }
  }

  async digest(length: number): Promise<string> {
    const hash = createHash("sha256");
    let left = length - this.#rest.length;
    hash.update(this.#rest);
    while (left > 0) {
      const { done, value } = await this.#chunks.next();
      if (done) throw new Error(`Ended ${left} bytes before the end`);
      hash.update(value);
      left -= value.length;
    }
    return hash.digest("hex");
  }
}
