import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Address, checkKeyPair } from "@pingress/config";
import { selfSigned } from "../../tests/certificates.ts";
import { recordingLog, TempDir, within } from "../../tests/testing.ts";
import type { Connection } from "../accept/connection.ts";
import { Gate } from "../accept/gate.ts";
import { Deadlines } from "../deadlines.ts";
import { IpRanges } from "../ip_ranges.ts";
import { CertificateStore } from "./certificate_store.ts";
import { HttpsListener } from "./https_listener.ts";

/** Is there an openssl that may be run? */
async function hasOpenssl(): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "run", command: "openssl" });
  if (state !== "granted") return false;
  return await new Deno.Command("openssl", { args: ["version"] }).output().then(() => true, () => false);
}

const ignore = !await hasOpenssl();

/** A listener that sends back what it gets. */
class Listening implements AsyncDisposable {
  readonly #gate = new Gate({ deadlines: new Deadlines(), maxConnections: 10, maxConnectionsPerClient: 0 });
  readonly #listener: HttpsListener;
  /** Why connections ended. */
  readonly ends: string[] = [];

  private constructor(certificates: CertificateStore) {
    const serve = (connection: Connection) => this.#serve(connection);
    this.#listener = new HttpsListener({
      address: { hostname: "127.0.0.1", port: 0 },
      reusePort: false,
      gate: this.#gate,
      proxyProtocolFrom: new IpRanges([]),
      handshakeTimeout: 5000,
      certificates: () => certificates,
      serveHttp1: serve,
      serveHttp2: serve,
      log: recordingLog().log,
    });
  }

  static async start(): Promise<Listening> {
    const pair = checkKeyPair(await selfSigned(["a.test"]));
    return new Listening(new CertificateStore({ byHost: new Map([["a.test", pair]]), fallback: undefined }));
  }

  get address(): Address {
    return this.#listener.address;
  }

  async #serve(connection: Connection): Promise<void> {
    const { reader } = connection;
    try {
      while (await reader.fill()) await connection.tell(reader.take(Infinity));
      await connection.closeWrite();
      this.ends.push("");
    } catch (error) {
      this.ends.push(String(error));
    } finally {
      connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await within(this.#listener.ended(), "the end of all connections");
  }
}

/** A client of openssl's, which takes commands: a line with one letter. */
class Client implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #text = "";
  #read = Promise.withResolvers<void>();

  constructor({ hostname, port }: Address, ...args: string[]) {
    this.#process = new Deno.Command("openssl", {
      args: ["s_client", "-connect", `${hostname}:${port}`, "-servername", "a.test", ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = Promise.all([this.#collect(this.#process.stdout), this.#collect(this.#process.stderr)]);
  }

  /** Writes a line, and waits until openssl has said something since. */
  async say(line: string, expected = line): Promise<void> {
    const from = this.#text.length;
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    await this.#has(expected, from);
  }

  /** All that openssl has said when it has ended. */
  async end(): Promise<string> {
    await this.#input.close().catch(() => {});
    await within(this.#reading, "the end of openssl");
    return this.#text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#process.status;
  }

  async #has(text: string, from: number): Promise<void> {
    while (!this.#text.includes(text, from)) {
      this.#read = Promise.withResolvers();
      await within(this.#read.promise, `${text} in what openssl says:\n${this.#text}`);
    }
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += text;
      this.#read.resolve();
    }
    this.#read.resolve();
  }
}

Deno.test({
  name: "HttpsListener goes on with new keys, as often as a client that speaks too changes them",
  ignore,
  fn: async () => {
    await using listening = await Listening.start();
    await using client = new Client(listening.address, "-tls1_3");
    // K wants new keys of the other side too
    for (let turn = 0; turn < 100; turn++) {
      await client.say(turn % 2 === 0 ? "K" : "k", "KEYUPDATE");
      await client.say(`line ${turn}.`);
    }
    await client.end();
    assertEquals(listening.ends, [""]);
  },
});

Deno.test({
  name: "HttpsListener closes a connection of a client that does nothing but change its keys",
  ignore,
  fn: async () => {
    await using listening = await Listening.start();
    await using client = new Client(listening.address, "-tls1_3");
    await client.say("line");
    for (let turn = 0; turn < 100 && listening.ends.length === 0; turn++) {
      await client.say("K", "KEYUPDATE").catch(() => {});
    }
    await client.end();
    assertEquals(listening.ends.length, 1);
    assertMatch(listening.ends[0] ?? "", /TooManyKeyUpdateRequests/);
  },
});

Deno.test({
  name: "HttpsListener tells a client at once that it does no second handshake",
  ignore,
  fn: async () => {
    await using listening = await Listening.start();
    await using client = new Client(listening.address, "-tls1_2");
    await client.say("line");
    await client.say("R", "no renegotiation");
  },
});

Deno.test({
  name: "HttpsListener resumes sessions",
  ignore,
  fn: async () => {
    await using listening = await Listening.start();
    await using directory = await TempDir.make();
    const session = `${directory.path}/session`;
    for (const version of ["-tls1_2", "-tls1_3"]) {
      const said: string[] = [];
      for (const flag of ["-sess_out", "-sess_in"]) {
        await using client = new Client(listening.address, version, flag, session);
        // of TLS 1.3 tickets come after the handshake
        await client.say("line");
        said.push(await client.end());
      }
      assert(
        said[0]?.includes("\nNew, ") && said[1]?.includes("\nReused, "),
        `${version}: ${said.join("\n")}`,
      );
    }
    assertEquals(listening.ends, ["", "", "", ""]);
  },
});
