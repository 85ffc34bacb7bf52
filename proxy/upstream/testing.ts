/**
 * What the tests of upstream connections share.
 *
 * @module
 */
import type { ServerHttp2Session, ServerHttp2Stream, Settings } from "node:http2";
import { assertEquals, assertRejects } from "@std/assert";
import { Http2Backend } from "../../tests/peers.ts";
import { within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { type ErrorReason, ProxyError } from "../errors.ts";
import { Cancellation } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { dial } from "./dial.ts";
import type { EndpointOptions } from "./endpoint.ts";
import { Http2Endpoint } from "./http2_endpoint.ts";
import type { RoundTripOptions, UpstreamRequest, UpstreamResponse } from "./round_trip.ts";

/** A request for `/` of a.test, but for what is changed of it. */
export function upstreamRequest(
  changes: Pick<UpstreamRequest, "cancellation"> & Partial<UpstreamRequest>,
): UpstreamRequest {
  return {
    method: "GET",
    target: "/",
    authority: "a.test",
    fields: Fields.of([]),
    body: null,
    upgrade: undefined,
    inform: undefined,
    ...changes,
  };
}

/** An endpoint before a backend that a test writes. */
export class Http2Setup implements AsyncDisposable {
  /** That of its requests. */
  readonly cancellation = new Cancellation();
  /** What its responses broke off with. */
  readonly broken: ProxyError[] = [];
  /** Whether it could connect, for each time. */
  readonly connects: boolean[] = [];
  /** Itself. */
  readonly endpoint: Http2Endpoint;
  readonly #times: Partial<RoundTripOptions>;
  readonly #close: () => Promise<void>;

  /** One before a backend on a port of this machine, which `close` ends. */
  constructor(
    port: number,
    close: () => Promise<void>,
    { times = {}, options = {} }: { times?: Partial<RoundTripOptions>; options?: Partial<EndpointOptions> } =
      {},
  ) {
    this.#times = times;
    this.#close = close;
    this.endpoint = new Http2Endpoint({ hostname: "127.0.0.1", port }, { name: "H2C" }, {
      dial,
      deadlines: new Deadlines(),
      ...{ connectTimeout: 5000, idleTimeout: 4000, maxConnections: 10 },
      onConnect: (succeeded) => this.connects.push(succeeded),
      ...options,
    });
  }

  /** One before `Deno.serve`. */
  static serving(handler: (request: Request) => Response | Promise<Response>, options = {}): Http2Setup {
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, handler);
    return new Http2Setup(server.addr.port, () => server.shutdown(), options);
  }

  /** Sends a request; see {@linkcode upstreamRequest}. */
  async send(
    changes: Partial<UpstreamRequest> = {},
    { endpoint = this.endpoint, times = this.#times }: {
      endpoint?: Http2Endpoint;
      times?: Partial<RoundTripOptions>;
    } = {},
  ): Promise<UpstreamResponse> {
    const request = upstreamRequest({ cancellation: this.cancellation, ...changes });
    return await endpoint.send(request, {
      responseTimeout: 5000,
      streamTimeout: 5000,
      onBrokenOff: (error) => this.broken.push(error),
      ...times,
    });
  }

  /** Sends a request that fails for a reason, and then is no load any more. */
  async fails(reason: ErrorReason, changes: Partial<UpstreamRequest> = {}): Promise<void> {
    const error = await assertRejects(() => within(this.send(changes), "a failure"), ProxyError);
    assertEquals([error.reason, this.endpoint.load], [reason, 0], error.message);
  }

  /** Closes it, and ends its backend. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.endpoint.close();
    await within(this.#close(), "the end of the backend");
  }
}

/** An endpoint before a backend that does with each stream and connection what a test says. */
export async function scripted(
  onStream: (stream: ServerHttp2Stream, session: ServerHttp2Session) => void,
  { settings = {}, ...options }: ConstructorParameters<typeof Http2Setup>[2] & { settings?: Settings } = {},
): Promise<Http2Setup> {
  const backend = await Http2Backend.start(onStream, settings);
  return new Http2Setup(backend.address.port, () => backend[Symbol.asyncDispose](), options);
}
