/**
 * A configuration at work without sockets: requests go through the proxy's handler with all policies, and what
 * would have been sent to backends, or to servers that are asked, is looked at.
 *
 * @module
 */
import type { ProxyConfig } from "@pingress/config";
import type { DownstreamRequest, DownstreamResponse } from "../../proxy/exchange.ts";
import { Cancellation } from "../../proxy/exchange.ts";
import { FailureLog } from "../../proxy/failure_log.ts";
import { createHandler, type HandlerOptions } from "../../proxy/handler.ts";
import type { Fields } from "../../proxy/http1/fields.ts";
import { IpRanges } from "../../proxy/ip_ranges.ts";
import { Metrics } from "../../proxy/observe/metrics.ts";
import { Observer } from "../../proxy/observe/observer.ts";
import { compilePolicies } from "../../proxy/policies/compile.ts";
import { limitMemory, LimitTable } from "../../proxy/policies/limit_table.ts";
import { PasswordChecker } from "../../proxy/policies/password_checker.ts";
import { RoutingTable } from "../../proxy/routing_table.ts";
import type { UpstreamRequest } from "../../proxy/upstream/round_trip.ts";
import { environmentOf } from "../policies.ts";
import { fieldsOf, recordingLog } from "../testing.ts";

/** A request for a {@linkcode RuleSite}. */
export interface SiteRequest {
  /** Whom it is for. */
  authority: string;
  /** GET unless told. */
  method?: string;
  /** Path and query. */
  target: string;
  /** Header lines, each with its line end. */
  lines?: string;
  /** What the backend answers, as header lines. */
  answer?: { status: number; lines: string };
}

/** More than this is no message: in characters of a target, and of all fields together. */
const MOST_TARGET = 32 * 1024;
const MOST_FIELDS = 128 * 1024;

/** These are large, and know nothing of configurations. */
const LIMITS = new LimitTable(limitMemory());
const PASSWORDS = new PasswordChecker();

/** A compiled configuration. */
export class RuleSite {
  readonly #handle: (request: DownstreamRequest) => Promise<DownstreamResponse>;
  readonly #record = recordingLog();
  #answer = { status: 200, lines: "" };
  #sent: UpstreamRequest[] = [];

  /** Compiles a configuration; `files` has the texts of files that rules name. @throws {Error} if that cannot be. */
  constructor(config: ProxyConfig, files: ReadonlyMap<string, string>) {
    const answer = (request: UpstreamRequest) => {
      this.#sent.push(request);
      const { status, lines } = this.#answer;
      return Promise.resolve({ status, fields: fieldsOf(lines), body: null });
    };
    const policies = environmentOf({
      limits: LIMITS,
      passwords: PASSWORDS,
      fileText: (path) => files.get(path),
      ask: (_, request) => answer(request),
      send: (request) => answer(request),
    });
    const routes = new RoutingTable(config, (options) => compilePolicies(options, policies));
    const addresses = [{ hostname: "10.0.0.1", port: 80 }];
    // of both only these members are used
    const state = { routes, endpoints: { of: () => addresses } } as unknown as ReturnType<
      HandlerOptions["state"]
    >;
    const upstream = { send: answer } as unknown as HandlerOptions["upstream"];
    const observer = new Observer({
      metrics: new Metrics({ withHosts: false }),
      failures: new FailureLog(this.#record.log),
    });
    const handler = createHandler({
      state: () => state,
      upstream,
      observer,
      trustedProxies: new IpRanges([]),
      sendsForwarded: true,
      maxBodyBytes: 0,
    });
    this.#handle = (request) => handler.handle(request);
  }

  /** Sends a request. @returns the answer's status. @throws {Error} for what must never be. */
  async ask({ authority, method = "GET", target, lines = "", answer }: SiteRequest): Promise<number> {
    this.#answer = answer ?? { status: 200, lines: "" };
    this.#sent = [];
    const { status, fields } = await this.#handle({
      client: { address: "192.0.2.1", scheme: "https", covers: () => true },
      protocol: "HTTP/1.1",
      method,
      authority,
      target,
      fields: fieldsOf(lines),
      body: null,
      upgrade: undefined,
      cancellation: new Cancellation(),
    });
    const [failure] = this.#record.lines.filter((line) => line.includes("in the proxy itself"));
    if (failure !== undefined) throw new Error(failure);
    if (!(status >= 200 && status <= 599)) throw new Error(`The status is ${status}`);
    checkFields(fields, "The answer");
    for (const request of this.#sent) {
      checkFields(request.fields, "A request");
      if (!/^[\x21-\x7e\x80-\xff]+$/.test(request.target) || request.target.length > MOST_TARGET) {
        throw new Error(
          `The target has ${request.target.length} characters: ${
            JSON.stringify(request.target.slice(0, 200))
          }`,
        );
      }
      if (!/^[\x21-\x7e]+$/.test(request.authority)) {
        throw new Error(`The authority is ${JSON.stringify(request.authority)}`);
      }
    }
    return status;
  }
}

function checkFields(fields: Fields, whose: string): void {
  let length = 0;
  for (const [name, value] of fields.list()) {
    length += name.length + value.length + 4;
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) {
      throw new Error(`${whose} has a field ${JSON.stringify(name)}`);
    }
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      throw new Error(`${whose} has ${name}: ${JSON.stringify(value.slice(0, 200))}`);
    }
  }
  if (length > MOST_FIELDS) throw new Error(`${whose} has ${length} characters of fields`);
}
