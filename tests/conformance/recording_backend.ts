import { Buffer } from "node:buffer";
import { formatAddress } from "@pingress/config";
import { bytesOf } from "../testing.ts";
import { type Answer, BACKEND_OK, type BackendStep } from "./case.ts";
import { Signal } from "./signal.ts";
import { quoted, takeBody, takeHead, type WireField, wireFraming, wireValues } from "./wire.ts";

/** A request that the backend got. */
export interface RecordedRequest {
  /** The request line. */
  line: string;
  /** The fields, as they were written. */
  fields: WireField[];
  /** The content, as far as it came. */
  body: string;
  /** Did all of it come? */
  isWhole: boolean;
  /** The number of its connection. */
  connection: number;
}

/** A backend that keeps every byte that it gets, and takes nothing that is not a request to the letter. */
export class RecordingBackend implements Disposable {
  /** Where it listens, as `endpoints.json` spells it. */
  readonly endpoint: string;
  /** What it got since {@linkcode begin}. */
  requests: RecordedRequest[] = [];
  /** What it got and should not have got. */
  violations: string[] = [];
  /** Told whenever anything happens. */
  readonly signal = new Signal();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<BackendConnection>();
  #answers: Answer[] = [];
  #clientText: () => string = () => "";
  #count = 0;

  /** Starts listening. */
  constructor() {
    this.endpoint = formatAddress(this.#listener.addr);
    this.#accept();
  }

  /** Starts a case: its answers come first, then every request is answered with 200. */
  begin(answers: readonly Answer[], clientText: () => string): void {
    this.requests = [];
    this.violations = [];
    this.#answers = [...answers];
    this.#clientText = clientText;
    for (const connection of this.#connections) connection.begin();
  }

  /** All bytes of this case. */
  get received(): string {
    return [...this.#connections].map((connection) => connection.received).join("");
  }

  /** Is a connection open, as far as is known? */
  isOpen(number: number): boolean {
    return [...this.#connections].some((connection) => connection.number === number && !connection.hasEnded);
  }

  /** Bytes of this case that are no whole request, on connections that are open. */
  get unfinished(): string[] {
    return [...this.#connections].filter((connection) => !connection.hasEnded && connection.rest !== "")
      .map((connection) => connection.rest);
  }

  /** What comes next in the script. */
  nextAnswer(): Answer {
    return this.#answers.shift() ?? BACKEND_OK;
  }

  /** Waits until the client has got a text. */
  async clientHas(text: string, ended: () => boolean): Promise<void> {
    await this.signal.until(
      () => this.#clientText().includes(text) || ended(),
      `the client to get ${quoted(text)}`,
    );
  }

  /** Closes it with all its connections. */
  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) {
        connection.setNoDelay(true);
        const recorded = new BackendConnection(connection, this, ++this.#count);
        this.#connections.add(recorded);
        recorded.run();
      }
    } catch {
      // a connection was reset before it was accepted
    }
  }
}

class BackendConnection {
  readonly number: number;
  /** All bytes since the case began. */
  received = "";
  /** What of them is not part of a request yet. */
  rest = "";
  hasEnded = false;
  readonly #connection: Deno.TcpConn;
  readonly #backend: RecordingBackend;
  #isTunnel = false;
  #isClosed = false;

  constructor(connection: Deno.TcpConn, backend: RecordingBackend, number: number) {
    this.#connection = connection;
    this.#backend = backend;
    this.number = number;
    this.#pump();
  }

  begin(): void {
    this.received = "";
  }

  async run(): Promise<void> {
    try {
      while (await this.#serve());
    } catch (error) {
      this.#backend.violations.push(error instanceof Error ? error.message : String(error));
    } finally {
      this.close();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
  }

  async #serve(): Promise<boolean> {
    let head: ReturnType<typeof takeHead>;
    await this.#until(() => (head = takeHead(this.rest)) !== undefined);
    if (head === undefined) {
      if (this.rest !== "") this.#backend.violations.push(`Half a head: ${quoted(this.rest)}`);
      return false;
    }
    this.rest = this.rest.slice(head.length);
    const { start: line, fields } = head;
    const request = { line, fields, body: "", isWhole: false, connection: this.number };
    checkRequest(request);
    this.#backend.requests.push(request);
    const answer = this.#backend.nextAnswer();
    const framing = wireFraming(fields) ?? 0;
    const read = () => {
      if (request.isWhole || this.#isTunnel) return request.isWhole;
      const body = takeBody(this.rest, framing);
      request.body = body.content;
      request.isWhole = body.isWhole;
      if (body.isWhole) this.rest = this.rest.slice(body.length);
      return body.isWhole;
    };
    const whole = () => this.#until(read);
    read();
    this.#backend.signal.tell();
    const steps = typeof answer === "string" ? [{ awaitsRequest: true } as const, answer] : answer;
    for (const step of steps) {
      if (!await this.#step(step, whole)) return false;
    }
    await whole();
    return request.isWhole;
  }

  /** @returns whether the connection goes on. */
  async #step(step: BackendStep, whole: () => Promise<void>): Promise<boolean> {
    if (typeof step === "string") return await this.#write(step);
    if ("awaitsRequest" in step) {
      await whole();
      return true;
    }
    if ("clientHas" in step) {
      await this.#backend.clientHas(step.clientHas, () => this.hasEnded);
      return true;
    }
    if ("halfCloses" in step) {
      await this.#connection.closeWrite();
      return true;
    }
    if ("closes" in step) return false;
    if ("echoes" in step) {
      this.#isTunnel = true;
      while (this.rest !== "" || !this.hasEnded) {
        await this.#until(() => this.rest !== "");
        const text = this.rest;
        this.rest = "";
        if (text !== "") await this.#write(`<${text}>`);
      }
      return false;
    }
    await this.#until(() => this.hasEnded);
    return false;
  }

  async #write(text: string): Promise<boolean> {
    const bytes = bytesOf(text);
    try {
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
      return true;
    } catch {
      return false; // the proxy has closed it
    }
  }

  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      const { changed } = this.#backend.signal;
      if (condition() || this.hasEnded) return;
      await changed;
    }
  }

  async #pump(): Promise<void> {
    const bytes = new Uint8Array(64 * 1024);
    try {
      for (let count; (count = await this.#connection.read(bytes)) !== null;) {
        const text = Buffer.from(bytes.buffer, 0, count).toString("latin1");
        this.received += text;
        this.rest += text;
        this.#backend.signal.tell();
      }
    } catch {
      // reset, or closed from this side
    }
    this.hasEnded = true;
    this.#backend.signal.tell();
  }
}

const NEVER_FORWARDED = [
  "expect",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
];
const EXACTLY_ONCE = ["host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto"];

/** What every request that the proxy writes must be like. */
export function checkRequest({ line, fields }: Pick<RecordedRequest, "line" | "fields">): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:\/[\x21-\x7e]*|\*) HTTP\/1\.1$/.test(line)) {
    throw new Error(`The request line ${quoted(line)}`);
  }
  if (line.includes("/evil")) throw new Error(`Smuggled: ${line}`);
  for (const name of NEVER_FORWARDED) {
    if (wireValues(fields, name).length > 0) throw new Error(`${name} was forwarded`);
  }
  for (const name of EXACTLY_ONCE) {
    const values = wireValues(fields, name);
    if (values.length !== 1) throw new Error(`${name}: ${quoted(values.join(" | "))}`);
  }
  const names = fields.map(([name]) => name.toLowerCase());
  if (names.some((name) => name.includes("_"))) throw new Error("A name with an underscore was forwarded");
  const upgrade = wireValues(fields, "upgrade");
  const connection = wireValues(fields, "connection").join().toLowerCase();
  const isRight = upgrade.length === 0
    ? connection === ""
    : upgrade.join() === "websocket" && connection === "upgrade";
  if (!isRight) throw new Error(`Upgrade: ${upgrade.join()}, Connection: ${connection}`);
}
