import { setImmediate } from "node:timers";
import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { errorMessage, type Log } from "@pingress/config";
import type { Connection } from "../accept/connection.ts";
import type { Deadlines, Expiring } from "../deadlines.ts";
import { ProxyError } from "../errors.ts";
import {
  Cancellation,
  type Content,
  type DownstreamRequest,
  type DownstreamResponse,
  type Handler,
  type Outcome,
} from "../exchange.ts";
import { NOT_PASSED_ON } from "../filters/request_headers.ts";
import { FieldName } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import { Cable } from "./cable.ts";
import type { Http2Client } from "./deno_server.ts";
import { brokenOff, inGrpc, isGrpc } from "./grpc.ts";
import { Http2Content, SilenceError } from "./http2_content.ts";
import { fromNode, toNode } from "./node_fields.ts";
import { PREFACE } from "./preface.ts";
import { StreamWriter } from "./stream_writer.ts";

const EXPECT = FieldName.of("expect");
const CONTENT_LENGTH = FieldName.of("content-length");

/** How many requests a client may have at once: each may keep 64 KiB of content waiting. */
const MOST_STREAMS = 128;

/**
 * GOAWAY that still lets a client begin requests: those on their way when it is told count too (RFC 9113,
 * section 6.8). Node would close an idle connection with it, and what is on its way would be lost.
 */
const GOAWAY_SOON = new Uint8Array([0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** Statuses with which Node takes no content (RFC 9110, section 15). */
const STATUSES_WITHOUT_CONTENT = new Set([204, 205, 304]);

/** Options of {@linkcode NodeServer}. */
export interface NodeServerOptions {
  /** Answers the requests. */
  handler: Handler;
  /** Looks after the deadlines of requests and answers. */
  deadlines: Deadlines;
  /** How long a client may neither send nor take anything in the middle of an exchange, in milliseconds. */
  clientTimeout: number;
  /** Told when an answer cannot be written. */
  log: Log;
}

/** Speaks HTTP/2 with all that gRPC needs of it, by `node:http2`: trailers, and both directions at once. */
export class NodeServer {
  readonly #options: NodeServerOptions;
  readonly #sessions = new Map<ServerHttp2Session, Cable>();
  #isStopping = false;

  /** A server without connections. */
  constructor(options: NodeServerOptions) {
    this.#options = options;
  }

  /** Speaks HTTP/2 on a connection until it ends; `http2` is told when something was written too. */
  async serve(connection: Connection, http2: Http2Client & { wrote(): void }): Promise<void> {
    if (this.#isStopping) return;
    const { reader } = connection;
    const cable = new Cable({
      read: async () => {
        return reader.buffered > 0 || await reader.fill() ? reader.take(Infinity).slice() : undefined;
      },
      write: async (bytes) => {
        await connection.write(bytes, this.#options.clientTimeout);
        http2.wrote();
      },
      closeWrite: () => connection.closeWrite(),
      close: () => connection.close(),
    }, { prefaceBytes: PREFACE.length });
    const { promise, resolve } = Promise.withResolvers<void>();
    const exchanges = new Set<Promise<void>>();
    const session = performServerHandshake(cable, { settings: { maxConcurrentStreams: MOST_STREAMS } });
    this.#sessions.set(session, cable);
    session.on("error", () => {}); // it ends then
    session.on("close", resolve);
    session.on(
      "stream",
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: readonly string[]) => {
        const hasEnded = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
        const exchange = new Exchange(stream, { ...this.#options, http2, cable });
        const running = exchange.run({ headers, raw, hasEnded }).finally(() => exchanges.delete(running));
        exchanges.add(running);
      },
    );
    await promise;
    this.#sessions.delete(session);
    await Promise.all([cable.flushed(), ...exchanges]);
  }

  /** Serves no more connections, and tells clients to begin no more requests (RFC 9113, section 6.8); those that they have begun go on. */
  sayGoodbye(): void {
    this.#isStopping = true;
    for (const [session, cable] of this.#sessions) {
      if (session.closed || session.destroyed) continue;
      cable.write(GOAWAY_SOON);
      // what it sent before it knew has come when it answers this
      session.ping(() => setImmediate(() => session.close()));
    }
  }
}

interface ExchangeOptions extends NodeServerOptions {
  http2: Http2Client;
  cable: Cable;
}

interface Head {
  headers: IncomingHttpHeaders;
  /** Names and values in turn. */
  raw: readonly string[];
  /** Does nothing follow? */
  hasEnded: boolean;
}

/** One request and its answer, on their stream. */
class Exchange implements Expiring {
  /** See {@linkcode Expiring}: how long the client may take nothing. */
  deadline = Infinity;
  readonly #stream: ServerHttp2Stream;
  readonly #options: ExchangeOptions;
  readonly #cancellation = new Cancellation();
  readonly #outcome: Outcome = { received: 0, sent: 0, isComplete: false };
  readonly #closed = Promise.withResolvers<void>();
  #giveUp: ((error: Error) => void) | undefined;
  #content: Http2Content | undefined;
  #isHead = false;
  /** May the client send content? */
  #isOpen = false;
  #hasStalled = false;
  #isAnswered = false;
  #isBrokenOff = false;

  constructor(stream: ServerHttp2Stream, options: ExchangeOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on("error", () => {}); // it is closed then
    stream.on("aborted", () => this.#cancellation.cancel());
    stream.once("close", () => {
      if (!this.#isAnswered) this.#cancellation.cancel();
      this.#leave();
    });
  }

  async run(head: Head): Promise<void> {
    const { http2, handler, deadlines } = this.#options;
    http2.began();
    deadlines.add(this);
    const request = this.#read(head);
    const response = request instanceof ProxyError
      ? handler.refuse({ client: http2.client, reason: request.reason, detail: request.message })
      : await handler.handle(request);
    await this.#answer(response, { isForGrpc: !(request instanceof ProxyError) && isGrpc(request.fields) });
    this.#content?.close();
    this.#outcome.received = this.#content?.received ?? 0;
    deadlines.delete(this);
    http2.ended({ isUseless: this.#hasStalled });
    response.done?.(this.#outcome);
  }

  /** See {@linkcode Expiring}. */
  expire(): void {
    this.#hasStalled = true;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#leave();
  }

  #read({ headers, raw, hasEnded }: Head): DownstreamRequest | ProxyError {
    const { http2: { client }, deadlines, clientTimeout } = this.#options;
    const { ":method": method = "", ":path": target = "", ":authority": authority, host } = headers;
    this.#isHead = method === "HEAD";
    this.#isOpen = !hasEnded;
    const fields = fromNode(raw);
    if (!/^[!-~]*$/.test(target)) return new ProxyError("bad_request", "an invalid character in the target");
    // where :authority and Host contradict each other one of them is forged (RFC 9113, section 8.3.1)
    if (authority !== undefined && host !== undefined && authority !== host) {
      return new ProxyError("bad_request", "the Host header is not that of the request target");
    }
    const expectation = fields.get(EXPECT);
    if (expectation !== undefined && expectation.toLowerCase() !== "100-continue") {
      return new ProxyError("expectation_failed", "an expectation other than 100-continue");
    }
    if (!hasEnded) {
      this.#content = new Http2Content(this.#stream, {
        deadlines,
        // a stream of gRPC's may be silent in one direction for as long as it likes
        timeout: isGrpc(fields) ? Infinity : clientTimeout,
        notPassedOn: NOT_PASSED_ON,
        onClose: () => {},
        explain: (cause) =>
          cause instanceof SilenceError
            ? new ProxyError("client_timeout", "The content took too long")
            : new ProxyError("client_gone", "The request broke off", { cause }),
      });
      this.#content.length = fields.number(CONTENT_LENGTH);
      if (expectation !== undefined) this.#stream.additionalHeaders({ ":status": 100 });
    }
    return {
      client,
      protocol: "HTTP/2",
      takesTrailers: true,
      method,
      authority: authority ?? host ?? "",
      target,
      fields,
      body: this.#content ?? null,
      upgrade: undefined,
      cancellation: this.#cancellation,
    };
  }

  async #answer(response: DownstreamResponse, { isForGrpc }: { isForGrpc: boolean }): Promise<void> {
    const answer = isForGrpc ? inGrpc(response) : response;
    const content = answer.body !== null && "close" in answer.body ? answer.body : undefined;
    try {
      await this.#send(answer);
      this.#isAnswered = true;
      await this.#end();
    } catch (error) {
      if (!this.#stream.headersSent && !this.#stream.closed && !this.#stream.destroyed) {
        this.#options.log.error("A response could not be written", { error: errorMessage(error) });
      }
      this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    } finally {
      content?.close();
    }
  }

  async #send({ status, fields, body }: DownstreamResponse): Promise<void> {
    const stream = this.#stream;
    if (stream.closed || stream.destroyed) throw new Error("The client has gone");
    const headers = { ...toNode(fields), ":status": status };
    if (body !== null) delete headers["content-length"];
    if (body === null || this.#isHead || STATUSES_WITHOUT_CONTENT.has(status)) {
      stream.respond(headers, { endStream: true });
    } else if ("close" in body) {
      if (body.length !== undefined) headers["content-length"] = String(body.length);
      stream.respond(headers, { waitForTrailers: true });
      await this.#sendContent(body, isGrpc(fields));
    } else {
      this.#outcome.sent = body.length;
      stream.respond(headers);
      await this.#inTime(new StreamWriter(stream, this.#options.cable).write(body));
      stream.end();
    }
  }

  async #sendContent(content: Content, isOfGrpc: boolean): Promise<void> {
    const stream = this.#stream;
    const writer = new StreamWriter(stream, this.#options.cable);
    let trailers: Fields | undefined;
    stream.once("wantTrailers", () => stream.sendTrailers(trailers === undefined ? {} : toNode(trailers)));
    for (;;) {
      let piece;
      try {
        piece = content.arrived() ?? await content.next();
      } catch (error) {
        if (!isOfGrpc || this.#cancellation.isCancelled) throw error;
        this.#isBrokenOff = true;
        trailers = brokenOff();
        break;
      }
      if (piece === undefined) {
        trailers = content.trailers?.();
        break;
      }
      this.#outcome.sent += piece.length;
      await this.#inTime(writer.write(piece));
    }
    stream.end();
    const { promise, resolve } = Promise.withResolvers<void>();
    stream.once("wantTrailers", resolve);
    await this.#inTime(promise);
  }

  /** Waits until the stream is closed, for which the request need not have come to its end. */
  async #end(): Promise<void> {
    const stream = this.#stream;
    if (this.#isOpen && !this.#content?.hasEnded) {
      // what Node has been told to send it sends with its next turn, and nothing after this
      await new Promise((resolve) => setImmediate(resolve));
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
    stream.resume();
    this.deadline = this.#nextDeadline;
    await this.#closed.promise;
    this.#outcome.isComplete = !this.#isBrokenOff && !this.#hasStalled &&
      stream.rstCode === constants.NGHTTP2_NO_ERROR;
  }

  /** Waits for what needs the client, but not for ever, and not when it has gone. */
  async #inTime(promise: Promise<void>): Promise<void> {
    const { promise: waiting, resolve, reject } = Promise.withResolvers<void>();
    this.#giveUp = reject;
    this.deadline = this.#nextDeadline;
    promise.then(resolve, reject);
    if (this.#stream.destroyed) this.#leave();
    await waiting;
    this.deadline = Infinity;
  }

  #leave(): void {
    this.#closed.resolve();
    this.#giveUp?.(new Error("The stream was closed"));
  }

  get #nextDeadline(): number {
    return this.#options.deadlines.now + this.#options.clientTimeout;
  }
}
