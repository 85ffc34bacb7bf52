import { createHash } from "node:crypto";
import { assertEquals, assertLess } from "@std/assert";
import { writeAll } from "../../proxy/transport.ts";
import { selfSigned } from "../certificates.ts";
import { addressOf } from "../programs.ts";
import { rule, tlsFiles } from "../test_proxy.ts";
import { bytesOf, latin1, pause, randomBytes } from "../testing.ts";
import { ProxyProgram, report, rssMebibytes } from "./programs.ts";

const GIBIBYTE = 1024 ** 3;

/** What one end has sent and got, as SHA-256. */
interface Digests {
  sent: string;
  received: string;
}

Deno.test("1 GiB up and down at once through HTTP and HTTPS: equal at both ends, in little memory", async () => {
  using backend = new Backend();
  const pair = await selfSigned(["localhost"]);
  await using proxy = await ProxyProgram.start({
    rules: [rule("localhost", "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [`127.0.0.1:${backend.port}`] },
    files: { "a.cert": pair.cert, "a.key": pair.key },
    flags: ["--workers=1"],
  });
  // Deno's connections, since a TLS client of node:tls reads on while nobody takes what it has read
  const openers = {
    http: () => Deno.connect(addressOf(proxy.addresses.http)),
    https: async () => {
      const connection = await Deno.connect(addressOf(proxy.addresses.https));
      return await Deno.startTls(connection, { hostname: "localhost", caCerts: [pair.cert] });
    },
  };
  const transfer = (length: number) =>
    Promise.all(
      Object.entries(openers).map(async ([name, open]) => {
        using connection = await open();
        const { sent, received } = await upAndDown(connection, name, length);
        assertEquals(await backend.digests.get(`/${name}`), { sent: received, received: sent }, name);
      }),
    );
  await transfer(1e6);
  const cold = await rssMebibytes(proxy.pid);
  let most = cold;
  let isOver = false;
  const watching = (async () => {
    for (; !isOver; await pause(50)) {
      const rss = await rssMebibytes(proxy.pid);
      most = Math.max(most, rss);
    }
  })();
  const start = performance.now();
  await transfer(GIBIBYTE).finally(() => isOver = true);
  await watching;
  const seconds = (performance.now() - start) / 1000;
  report(
    `RSS ${cold.toFixed(0)} MiB after 1 MB, at most ${most.toFixed(0)} MiB; 4 GiB in ${seconds.toFixed(0)} s`,
  );
  assertLess(most - cold, 40);
});

/** A backend that answers with as much as it is sent, but not the same, and without waiting for the end of it. */
class Backend implements Disposable {
  /** Of the last request for each path. */
  readonly digests = new Map<string, Promise<Digests>>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor() {
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    // a request that fails shows at its client
    for await (const connection of this.#listener) this.#serve(connection).catch(() => {});
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    using _ = connection;
    const reader = new HeadedReader(connection);
    for (;;) {
      const head = await reader.head();
      const length = lengthOf(head);
      const digests = both(
        send(connection, `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`, length),
        reader.digest(length),
      );
      this.digests.set(head.split(" ")[1]!, digests);
      await digests;
    }
  }
}

/** Sends so many bytes, and reads the answer at the same time. */
async function upAndDown(connection: Deno.Conn, name: string, length: number): Promise<Digests> {
  const reader = new HeadedReader(connection);
  const head = `PUT /${name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
  return await both(
    send(connection, head, length),
    reader.head().then((head) => reader.digest(lengthOf(head))),
  );
}

async function both(sending: Promise<string>, receiving: Promise<string>): Promise<Digests> {
  const [sent, received] = await Promise.all([sending, receiving]);
  return { sent, received };
}

function lengthOf(head: string): number {
  return Number(/^content-length: ([0-9]+)$/im.exec(head)?.[1]);
}

/** Sends a head and so much content. @returns its SHA-256. */
async function send(connection: Deno.Conn, head: string, length: number): Promise<string> {
  const hash = createHash("sha256");
  const piece = randomBytes(256 * 1024);
  await writeAll(connection, bytesOf(head));
  for (let left = length; left > 0;) {
    // no two pieces are the same
    crypto.getRandomValues(piece.subarray(0, 64));
    const part = piece.subarray(0, Math.min(left, piece.length));
    hash.update(part);
    left -= part.length;
    await writeAll(connection, part);
  }
  return hash.digest("hex");
}

const NOTHING = new Uint8Array(0);

/** Reads a head, then content, then a head again. */
class HeadedReader {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(64 * 1024);
  #rest = NOTHING;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  async head(): Promise<string> {
    let text = "";
    for (;;) {
      const bytes = this.#rest.length > 0 ? this.#rest : await this.#read();
      this.#rest = NOTHING;
      text += latin1(bytes);
      const end = text.indexOf("\r\n\r\n");
      if (end === -1) continue;
      this.#rest = bytes.slice(bytes.length - (text.length - end - 4));
      return text.slice(0, end);
    }
  }

  async digest(length: number): Promise<string> {
    const hash = createHash("sha256");
    for (let left = length; left > 0;) {
      const bytes = this.#rest.length > 0 ? this.#rest : await this.#read();
      // what is behind it is the next request: the answer to this one may have ended already
      const content = bytes.subarray(0, left);
      this.#rest = bytes.slice(content.length);
      hash.update(content);
      left -= content.length;
    }
    return hash.digest("hex");
  }

  async #read(): Promise<Uint8Array<ArrayBuffer>> {
    const count = await this.#connection.read(this.#buffer);
    if (count === null) throw new Error("Ended too early");
    return this.#buffer.subarray(0, count);
  }
}
