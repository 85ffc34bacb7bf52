import type { Connection } from "../accept/connection.ts";
import {
  Cancellation,
  type DownstreamRequest,
  type DownstreamResponse,
  type Handler,
  type Piece,
} from "../exchange.ts";
import { splitTarget } from "../request_target.ts";
import { runTunnel } from "../tunnel.ts";
import { contentReader } from "./content.ts";
import { FieldName } from "./field_name.ts";
import type { Fields } from "./fields.ts";
import { type Framing, type HeadLines, HeadReader } from "./head.ts";
import { HalfCloseProbe } from "./half_close_probe.ts";
import { MessageError } from "./message_error.ts";
import { Output } from "./output.ts";
import { parseRequestHead, requestFraming, type RequestHead, wantsKeepAlive } from "./request.ts";
import { RequestContent } from "./request_content.ts";
import { writeStatusLine } from "./response.ts";
import { type AnsweredRequest, ResponseWriter } from "./response_writer.ts";
import type { Turns } from "./turns.ts";

/** Options of {@linkcode serveHttp1}. */
export interface Http1Options {
  /** Answers the requests. */
  handler: Handler;
  /** The longest head that is read, in bytes. */
  maxHeadBytes: number;
  /** The longest request target, in bytes. */
  maxTargetBytes: number;
  /** How long a request's head may take, in milliseconds. */
  headTimeout: number;
  /** How long a connection may wait for its next request, in milliseconds. */
  idleTimeout: number;
  /** How long a client may neither send nor take anything in the middle of an exchange, in milliseconds. */
  clientTimeout: number;
  /** How long a tunnel may be silent, in milliseconds. */
  streamTimeout: number;
  /** Says when a connection may wait for its next request. */
  turns: Turns;
  /** Is this the last request of each connection? */
  isDraining: () => boolean;
}

const HOST = FieldName.of("host");
const EXPECT = FieldName.of("expect");
const UPGRADE = FieldName.of("upgrade");
const CONNECTION = FieldName.of("connection");

/** Empty lines that are passed over before a request (RFC 9112, section 2.2). */
const EMPTY_LINES = 4;

/** How long an answer may take before its client is watched, in milliseconds: most come sooner, and cost less so. */
const WATCH_AFTER_MILLISECONDS = 50;

/** How long a client that is refused may go on sending: closing at once could take the answer from it. */
const LINGER_MILLISECONDS = 2000;
const LINGER_BYTES = 1024 * 1024;

/** Speaks HTTP/1.x on a connection until it ends, and closes it. */
export async function serveHttp1(connection: Connection, options: Http1Options): Promise<void> {
  await new Session(connection, options).run();
}

class Session {
  readonly #connection: Connection;
  readonly #options: Http1Options;
  readonly #heads: HeadReader<RequestHead>;
  readonly #probe: HalfCloseProbe;
  /**
   * What the client must do before the deadline: begin a request, finish its head or content, or read; while it
   * waits for its answer it is watched from then on.
   */
  #awaited: "request" | "head" | "content" | "reading" | "answer" = "request";
  /** The head of the request, as long as nothing else is read. */
  #lines: HeadLines | undefined;
  #request: DownstreamRequest | undefined;
  /** Has the final response begun, or been written? */
  #responding: "not yet" | "now" | "done" = "not yet";
  /** What is still read of a request that has its answer. */
  #rest: RequestContent | undefined;
  #telling: Promise<void> | undefined;

  constructor(connection: Connection, options: Http1Options) {
    this.#connection = connection;
    this.#options = options;
    this.#heads = new HeadReader(connection.reader, {
      maxBytes: options.maxHeadBytes,
      emptyLines: EMPTY_LINES,
      parse: (lines) => {
        this.#proceed();
        this.#lines = lines;
        return parseRequestHead(lines, options);
      },
      onBegin: () => this.#await("head", options.headTimeout),
    });
    this.#probe = new HalfCloseProbe((bytes) => connection.tell(bytes));
    connection.onExpire = () => this.#expire();
  }

  async run(): Promise<void> {
    const { headTimeout, idleTimeout } = this.#options;
    try {
      this.#await("request", headTimeout);
      while (await this.#exchange()) {
        this.#connection.reader.shrink();
        const turn = this.#options.turns.next();
        if (turn !== undefined) {
          // its next request may be here already: it is not closed as one that waits for it
          this.#proceed();
          await turn;
          if (this.#connection.isClosed) return;
        }
        if (this.#options.isDraining()) break;
        this.#await("request", idleTimeout);
      }
      await this.#linger();
    } catch {
      // the connection failed, was closed, or had to be cut off
    } finally {
      this.#probe.stop();
      this.#request?.cancellation.cancel();
      this.#connection.close();
    }
  }

  #await(awaited: "request" | "head" | "content", timeout: number): void {
    this.#awaited = awaited;
    if (awaited === "request") return this.#connection.wait(timeout);
    this.#connection.isWaiting = false;
    this.#connection.expireIn(timeout);
  }

  /** A client that has its answer must hurry: perhaps it sends no more. */
  get #contentTimeout(): number {
    const { clientTimeout } = this.#options;
    return this.#responding === "done" ? Math.min(clientTimeout, LINGER_MILLISECONDS) : clientTimeout;
  }

  #proceed(): void {
    this.#awaited = "reading";
    this.#connection.isWaiting = false;
    this.#connection.deadline = Infinity;
  }

  #expire(): void {
    if (this.#awaited === "answer" && this.#responding === "not yet") return this.#watch();
    if (this.#awaited === "request" || this.#responding !== "not yet") {
      this.#connection.close();
      this.#rest?.close();
      return this.#request?.cancellation.cancel();
    }
    const what = this.#awaited === "head" ? "head" : "content";
    this.#connection.reader.interrupt(new MessageError(`The ${what} took too long`, "client_timeout"));
  }

  /** Serves one request. @returns whether another one may follow. */
  async #exchange(): Promise<boolean> {
    const { handler } = this.#options;
    this.#lines = undefined;
    let head, request, content;
    try {
      while ((head = this.#heads.arrived()) === undefined) {
        if (await this.#connection.reader.fill()) continue;
        this.#heads.end();
        return false;
      }
      content = this.#content(head);
      request = this.#downstreamRequest(head, content);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      const refusal = { client: this.#connection.client, reason: error.reason, detail: error.message };
      // whoever asks with HEAD reads no content, whatever is wrong with the rest
      const method = this.#lines !== undefined && beginsWithHead(this.#lines) ? "HEAD" : "";
      await this.#respond(handler.refuse(refusal), { method, minorVersion: 1, keepsAlive: false });
      return false;
    }
    this.#request = request;
    const staysOpen = wantsKeepAlive(head);
    if (content === undefined) this.#watchSoon();
    const response = await handler.handle(request);
    // content that nobody wanted is passed over if it is here, so that the connection can go on
    const isRead = content === undefined || content.drain();
    const keepsAlive = isRead && staysOpen && !this.#options.isDraining() &&
      !this.#connection.reader.hasEnded;
    const { method, minorVersion } = head;
    const goesOn = await this.#respond(response, { method, minorVersion, keepsAlive }, content);
    this.#telling = undefined;
    this.#request = undefined;
    this.#responding = "not yet";
    this.#connection.reader.lend(undefined);
    return goesOn;
  }

  #content(head: RequestHead): RequestContent | undefined {
    const framing = requestFraming(head);
    const expects = head.minorVersion === 1 && head.fields.has(EXPECT);
    if (expects && !head.fields.lists(EXPECT, "100-continue")) {
      throw new MessageError("An expectation other than 100-continue", "expectation_failed");
    }
    if (framing.kind === "none" || (framing.kind === "length" && framing.length === 0)) return undefined;
    return this.#requestContent(framing, { expects });
  }

  #requestContent(framing: Framing, { expects }: { expects: boolean }): RequestContent {
    let isContinued = !expects;
    return new RequestContent(contentReader(this.#connection.reader, framing), {
      length: framing.kind === "length" ? framing.length : undefined,
      onWait: () => {
        if (!isContinued) this.#tell(100);
        isContinued = true;
        // while the response is written, the client's reading is what is waited for
        if (this.#responding !== "now") this.#await("content", this.#contentTimeout);
      },
      onArrival: () => {
        if (this.#responding === "not yet" && this.#awaited === "content") this.#proceed();
        // the one who reads it must go on, too
        if (this.#responding === "done") this.#connection.expireIn(this.#options.clientTimeout);
      },
      onEnd: () => this.#watchSoon(),
    });
  }

  #downstreamRequest(head: RequestHead, content: RequestContent | undefined): DownstreamRequest {
    const { method, fields, minorVersion } = head;
    const host = fields.get(HOST);
    if (host === undefined) throw new MessageError("No Host field");
    if (fields.count(HOST) > 1) throw new MessageError("Several Host fields");
    const whole = splitTarget(head.target, { method, host });
    if (typeof whole === "string") throw new MessageError(whole);
    const isUpgrade = minorVersion === 1 && method === "GET" &&
      fields.lists(UPGRADE, "websocket") && fields.lists(CONNECTION, "upgrade");
    // whose bytes would it be, the request's or the new protocol's?
    if (isUpgrade && content !== undefined) {
      throw new MessageError("Content in a request to change the protocol");
    }
    return {
      client: this.#connection.client,
      protocol: minorVersion === 0 ? "HTTP/1.0" : "HTTP/1.1",
      method,
      authority: whole.authority,
      target: whole.target,
      fields,
      body: content ?? null,
      upgrade: isUpgrade ? "websocket" : undefined,
      cancellation: new Cancellation(),
      inform: minorVersion === 0 ? undefined : this.#inform,
    };
  }

  #watchSoon(): void {
    this.#awaited = "answer";
    if (this.#responding === "not yet") this.#connection.expireIn(WATCH_AFTER_MILLISECONDS);
    else this.#watch();
  }

  /**
   * Notices when the client goes while its request is answered. Closing and only sending no more look the
   * same from here: the difference is whether somebody takes what is written.
   */
  #watch(): void {
    const { reader } = this.#connection;
    if (reader.buffered === 0) reader.watch(this.#onArrival);
  }

  readonly #onArrival = (hasMore: boolean): void => {
    if (hasMore || this.#request === undefined) return;
    const { cancellation } = this.#request;
    if (!this.#connection.reader.hasEnded) cancellation.cancel();
    else if (this.#responding !== "not yet") this.#connection.expireIn(this.#options.clientTimeout);
    else this.#startProbe(cancellation);
  };

  /** Not in the middle of what is told now. */
  async #startProbe(cancellation: Cancellation): Promise<void> {
    await this.#telling;
    if (this.#responding !== "not yet" || this.#request?.cancellation !== cancellation) return;
    this.#probe.start(() => cancellation.cancel());
  }

  readonly #inform = (status: number, fields: Fields) => this.#tell(status, fields);

  /** Sends an informational response, unless the final one has begun. */
  #tell(status: number, fields?: Fields): Promise<void> {
    const before = this.#telling;
    const tell = async () => {
      await before;
      if (this.#responding !== "not yet") return;
      const output = Output.take();
      // nobody waits for a client that does not read what it is told
      const timer = setTimeout(() => this.#connection.close(), this.#options.clientTimeout);
      try {
        writeStatusLine(output, status);
        if (fields !== undefined) output.fields(fields);
        output.lineEnd();
        await this.#connection.tell(await this.#probe.withoutProbed(output.bytes));
      } finally {
        clearTimeout(timer);
        output.free();
      }
    };
    this.#telling = tell().catch(() => this.#request?.cancellation.cancel());
    return this.#telling;
  }

  async #respond(
    response: DownstreamResponse,
    request: AnsweredRequest,
    content?: RequestContent,
  ): Promise<boolean> {
    const outcome = { received: 0, sent: 0, isComplete: false };
    let isTunnel = false;
    try {
      if (this.#telling !== undefined) await this.#telling;
      this.#responding = "now";
      this.#probe.stop();
      const writer = new ResponseWriter(response, request, outcome);
      try {
        await this.#write(writer.start);
        if (!writer.isComplete) {
          if (this.#awaited === "answer") this.#watch();
          await writer.writeRest(this.#write);
        }
      } finally {
        writer.close();
      }
      outcome.isComplete = true;
      if (response.tunnel === undefined) {
        this.#responding = "done";
        if (content?.isInUse) await this.#restOfContent(content);
        return writer.keepsAlive;
      }
      isTunnel = true;
      this.#request = undefined;
      const { timeout = this.#options.streamTimeout } = response.tunnel;
      await runTunnel(this.#connection, response.tunnel, { timeout, outcome });
      return false;
    } finally {
      if (!isTunnel) response.tunnel?.close();
      outcome.received += content?.received ?? 0;
      response.done?.(outcome);
    }
  }

  /** A backend may have answered before it was sent everything, and go on reading; or the last piece is on its way. */
  async #restOfContent(content: RequestContent): Promise<void> {
    this.#rest = content;
    this.#connection.expireIn(
      content.isClientAwaited ? this.#contentTimeout : this.#options.clientTimeout,
    );
    await content.closed();
    this.#rest = undefined;
  }

  readonly #write = (bytes: Piece): Promise<void> => {
    if (this.#probe.isUsed || this.#connection.reader.hasEnded) return this.#writeToHalfClosed(bytes);
    return this.#connection.write(bytes, this.#options.clientTimeout);
  };

  async #writeToHalfClosed(bytes: Piece): Promise<void> {
    const { clientTimeout } = this.#options;
    this.#connection.expireIn(clientTimeout);
    await this.#connection.write(await this.#probe.withoutProbed(bytes), clientTimeout);
    // one that sends no more may be gone: it is not waited with for ever
    this.#connection.expireIn(clientTimeout);
  }

  /** Lets the client read the last answer before the connection is closed. */
  async #linger(): Promise<void> {
    const { reader } = this.#connection;
    if (reader.hasEnded) return;
    this.#connection.onExpire = () => this.#connection.close();
    this.#connection.expireIn(LINGER_MILLISECONDS);
    await this.#connection.closeWrite();
    for (let left = LINGER_BYTES; left > 0;) {
      left -= reader.buffered;
      reader.skip(reader.buffered);
      if (!await reader.fill()) return;
    }
  }
}

function beginsWithHead({ bytes, start }: HeadLines): boolean {
  return HEAD.every((code, index) => bytes[start + index] === code);
}

const HEAD = new TextEncoder().encode("HEAD ");
