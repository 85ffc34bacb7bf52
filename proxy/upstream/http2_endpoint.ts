import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { type Address, errorMessage, formatAddress } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Content, Piece } from "../exchange.ts";
import { NOT_IN_TRAILERS } from "../filters/response_headers.ts";
import { Cable } from "../http2/cable.ts";
import { Http2Content, SilenceError } from "../http2/http2_content.ts";
import { fromNode, toNode } from "../http2/node_fields.ts";
import { StreamWriter } from "../http2/stream_writer.ts";
import { FieldName } from "../http1/field_name.ts";
import { isWithoutContent } from "../http1/response.ts";
import type { Transport } from "../transport.ts";
import type { EndpointOptions, EndpointProtocol } from "./endpoint.ts";
import { BackendWire } from "./backend_wire.ts";
import { PassedOver } from "./passed_over.ts";
import {
  DownstreamBodyError,
  type RoundTripOptions,
  type UpstreamRequest,
  type UpstreamResponse,
} from "./round_trip.ts";

/** The backend has not begun to work on a request (RFC 9113, section 8.7): it may be sent again, if it can be. */
export class RefusedStreamError extends ProxyError {
  override name = "RefusedStreamError";

  /** The message is for the log. */
  constructor(message: string) {
    super("upstream_unreachable", message);
  }
}

const CONTENT_LENGTH = FieldName.of("content-length");

/** How many requests a connection may have before the backend has said how many. */
const USUAL_STREAMS = 100;

/** A connection with the requests that share it. */
interface Lane {
  readonly session: ClientHttp2Session;
  readonly cable: Cable;
  readonly wire: BackendWire;
  /** Ends those that the backend will not work on, by what it says of its last stream. */
  readonly refusals: Set<(lastStream: number) => void>;
  running: number;
  /** How many there may be. */
  most: number;
  /** Has the backend said that it takes no more? */
  isLeaving: boolean;
}

/** One address of a backend that speaks HTTP/2, with the connection that its requests share, or more than one. */
export class Http2Endpoint {
  /** The same as of an endpoint that speaks HTTP/1.1. */
  readonly name: string;
  readonly #address: Address;
  readonly #protocol: EndpointProtocol;
  readonly #passedOver = new PassedOver();
  readonly #options: EndpointOptions;
  readonly #lanes: Lane[] = [];
  #opening: Promise<void> | undefined;
  #idleSince = 0;
  #running = 0;

  /** An endpoint without a connection. */
  constructor(address: Address, protocol: EndpointProtocol, options: EndpointOptions) {
    this.name = formatAddress(address);
    this.#address = address;
    this.#protocol = protocol;
    this.#options = options;
  }

  /** How many requests it has to do with now. */
  get load(): number {
    return this.#running;
  }

  /** Could it not be reached lately? */
  get isPassedOver(): boolean {
    return this.#passedOver.isNow;
  }

  /** Is there nothing to remember of it? */
  get isForgettable(): boolean {
    return this.#running === 0 && this.#lanes.length === 0 && !this.isPassedOver;
  }

  /**
   * A connection with room for one more request, which is opened if there is none; that may take `connectTimeout`
   * milliseconds.
   *
   * @throws {ProxyError} when the endpoint refuses or takes too long.
   */
  async open(connectTimeout = this.#options.connectTimeout): Promise<ClientHttp2Session> {
    const end = this.#begin();
    try {
      const lane = await this.#take(connectTimeout);
      giveBack(lane);
      return lane.session;
    } finally {
      end();
    }
  }

  /**
   * Sends a request and reads the head of its response.
   *
   * @throws {RefusedStreamError} when the backend has not begun to work on it.
   * @throws {ProxyError} for everything else that goes wrong before the response starts.
   */
  async send(request: UpstreamRequest, options: RoundTripOptions): Promise<UpstreamResponse> {
    const leave = this.#begin();
    let lane: Lane | undefined;
    const end = () => {
      request.cancellation.listen(undefined);
      if (lane !== undefined) giveBack(lane);
      lane = undefined;
      leave();
    };
    try {
      lane = await this.#take(options.connectTimeout);
      lane.wire.bePatient(options.sendTimeout ?? options.responseTimeout);
      const stream = lane.session.request(this.#headersOf(request), {
        endStream: request.body === null,
        waitForTrailers: request.body?.trailers !== undefined,
      });
      return await this.#exchange(stream, request, { ...options, lane, end });
    } catch (error) {
      end();
      if (error instanceof ProxyError) throw error;
      throw new ProxyError("upstream_unreachable", `${this.name}: ${errorMessage(error)}`, { cause: error });
    }
  }

  /** Closes the connections when they have waited for too long. */
  sweep(): void {
    if (this.#running === 0 && performance.now() - this.#idleSince > this.#options.idleTimeout) this.close();
  }

  /** Closes the connections. */
  close(): void {
    for (const { session } of this.#lanes.splice(0)) session.close();
  }

  /** Something has to do with it from now on: it is neither swept nor forgotten. @returns what ends that. */
  #begin(): () => void {
    this.#running++;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--this.#running === 0) this.#idleSince = performance.now();
    };
  }

  /**
   * Takes a place on a connection, to be given back with {@linkcode giveBack}; when there may be no more
   * connections, on one that has no room.
   */
  async #take(connectTimeout = this.#options.connectTimeout): Promise<Lane> {
    for (;;) {
      // those that have ended, and their events are yet to come
      for (const lane of this.#lanes.filter(({ session }) => session.closed || session.destroyed)) {
        this.#forget(lane);
      }
      const [first, ...others] = this.#lanes;
      const free = this.#lanes.find(({ running, most }) => running < most) ??
        (this.#lanes.length < this.#options.maxConnections
          ? undefined
          : others.reduce((least, lane) => least && lane.running < least.running ? lane : least, first));
      if (free !== undefined) {
        free.running++;
        return free;
      }
      await (this.#opening ??= this.#connect(connectTimeout).finally(() => this.#opening = undefined));
    }
  }

  /** A connection is of no more use. */
  #forget(lane: Lane): void {
    const index = this.#lanes.indexOf(lane);
    if (index !== -1) this.#lanes.splice(index, 1);
  }

  async #connect(connectTimeout: number): Promise<void> {
    const { onConnect, dial } = this.#options;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), connectTimeout);
    try {
      const transport = await dial(this.#address, { protocol: this.#protocol, signal: deadline.signal });
      const lane = await this.#speak(transport, deadline.signal);
      this.#passedOver.succeeded();
      onConnect?.(true);
      this.#lanes.push(lane);
    } catch (cause) {
      this.#passedOver.failed();
      onConnect?.(false);
      throw deadline.signal.aborted
        ? new ProxyError("upstream_timeout", `${this.name}: no connection within ${connectTimeout} ms`, {
          cause,
        })
        : new ProxyError("upstream_unreachable", `${this.name}: ${errorMessage(cause)}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The backend takes no more requests: those that it works on go on, and the connection ends with the last one. */
  #leave(lane: Lane, lastStream: number): void {
    this.#forget(lane);
    lane.isLeaving = true;
    for (const refuse of lane.refusals) refuse(lastStream);
    if (lane.running === 0) lane.session.close();
  }

  /** Begins to speak HTTP/2, and waits until the backend has said how it speaks it. */
  async #speak(transport: Transport, signal: AbortSignal): Promise<Lane> {
    const { deadlines, connectTimeout } = this.#options;
    const wire = new BackendWire(transport, { name: this.name, deadlines, patience: connectTimeout });
    const cable = new Cable(wire, { onGoaway: (lastStream) => this.#leave(lane, lastStream) });
    const session = connect(`http://${this.name}`, { createConnection: () => cable });
    const lane: Lane = {
      ...{ session, cable, wire, refusals: new Set() },
      ...{ running: 0, most: USUAL_STREAMS, isLeaving: false },
    };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // these stay: without a listener an error would end the program
    session.on("error", (error) => {
      reject(error);
      this.#forget(lane);
    });
    session.on("close", () => {
      reject(new Error("The connection was closed"));
      this.#forget(lane);
    });
    session.on("remoteSettings", ({ maxConcurrentStreams = Infinity }) => {
      lane.most = Math.max(1, maxConcurrentStreams);
      resolve();
    });
    signal.addEventListener("abort", () => reject(signal.reason));
    try {
      await promise;
      return lane;
    } catch (error) {
      session.destroy();
      cable.destroy();
      throw error;
    }
  }

  async #exchange(
    stream: ClientHttp2Stream,
    request: UpstreamRequest,
    { responseTimeout, streamTimeout, onBrokenOff, lane, end }: RoundTripOptions & {
      lane: Lane;
      end: () => void;
    },
  ): Promise<UpstreamResponse> {
    const { deadlines } = this.#options;
    // it ends by itself then
    let isWithout = false;
    let isRefused = false;
    const refuse = (lastStream: number) => {
      if ((stream.id ?? Infinity) <= lastStream) return;
      isRefused = true;
      stream.close(constants.NGHTTP2_CANCEL);
    };
    lane.refusals.add(refuse);
    const head = Promise.withResolvers<{ flags: number; raw: readonly string[] }>();
    const content = new Http2Content(stream, {
      deadlines,
      timeout: streamTimeout,
      notPassedOn: NOT_IN_TRAILERS,
      onClose: ({ isOver }) => {
        if (!isOver && !isWithout) stream.close(constants.NGHTTP2_CANCEL);
        stream.resume();
        lane.refusals.delete(refuse);
        end();
      },
      explain: (cause) => {
        const error = new ProxyError(
          cause instanceof SilenceError ? "upstream_timeout" : "upstream_invalid",
          `${this.name}: the response broke off: ${errorMessage(cause)}`,
        );
        if (!request.cancellation.isCancelled) onBrokenOff?.(error);
        return error;
      },
    });
    stream.once(
      "response",
      (_headers: unknown, flags: number, raw: readonly string[]) => head.resolve({ flags, raw }),
    );
    stream.on("error", (error: Error) => head.reject(error));
    stream.once("close", () => head.reject(new Error("The stream was closed before the response")));
    request.cancellation.listen(() => stream.close(constants.NGHTTP2_CANCEL));
    const waiting = {
      deadline: deadlines.now + responseTimeout,
      expire: () => {
        stream.session?.close(); // perhaps nothing comes on this connection any more
        head.reject(
          new ProxyError("upstream_timeout", `${this.name}: did nothing for ${responseTimeout / 1000} s`),
        );
      },
    };
    deadlines.add(waiting);
    if (request.body !== null) {
      const onSent = () => {
        waiting.deadline = deadlines.now + responseTimeout;
        content.extend();
      };
      sendContent(stream, request.body, { cable: lane.cable, onSent }).catch(head.reject);
    }
    try {
      const { flags, raw } = await head.promise;
      const status = raw[0] === ":status" ? Number(raw[1]) : NaN;
      if (!(status >= 200 && status <= 599)) {
        throw new ProxyError("upstream_invalid", `${this.name}: Invalid status ${raw[1]}`);
      }
      const fields = fromNode(raw);
      isWithout = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0 ||
        isWithoutContent(status, request.method);
      if (isWithout) {
        content.close();
        return { status, fields, body: null };
      }
      content.length = fields.number(CONTENT_LENGTH);
      return { status, fields, body: content };
    } catch (error) {
      isRefused ||= stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
      content.close();
      if (request.cancellation.isCancelled) {
        throw new ProxyError("client_gone", errorMessage(error), { cause: error });
      }
      throw isRefused ? new RefusedStreamError(`${this.name}: ${errorMessage(error)}`) : error;
    } finally {
      deadlines.delete(waiting);
    }
  }

  #headersOf({ method, target, authority, fields }: UpstreamRequest): OutgoingHttpHeaders {
    const { name } = this.#protocol;
    return {
      ":method": method,
      ":path": target,
      ":scheme": name === "GRPCS" ? "https" : "http",
      ":authority": authority,
      ...toNode(fields),
      // whatever the client has said of its own connection: those of gRPC are passed on
      ...name !== "H2C" && { te: "trailers" },
    };
  }
}

function giveBack(lane: Lane): void {
  lane.running--;
  if (lane.isLeaving && lane.running === 0) lane.session.close();
}

async function sendContent(
  stream: ClientHttp2Stream,
  body: Content,
  { cable, onSent }: { cable: Cable; onSent: () => void },
): Promise<void> {
  const writer = new StreamWriter(stream, cable);
  stream.once("wantTrailers", () => {
    const trailers = body.trailers?.();
    stream.sendTrailers(trailers === undefined ? {} : toNode(trailers));
  });
  try {
    for (;;) {
      const piece = await next(body);
      // the backend wants no more (RFC 9113, section 8.1): to write would destroy what there is to read
      if (piece === undefined || stream.closed) break;
      await writer.write(piece);
      onSent();
    }
    stream.end();
  } catch (cause) {
    stream.close(constants.NGHTTP2_CANCEL);
    throw cause instanceof DownstreamBodyError ? cause.explained : cause;
  } finally {
    body.close();
  }
}

async function next(body: Content): Promise<Piece | undefined> {
  try {
    return body.arrived() ?? await body.next();
  } catch (cause) {
    throw new DownstreamBodyError(cause);
  }
}
