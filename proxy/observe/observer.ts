import type { ErrorReason } from "../errors.ts";
import type { Client, DownstreamRequest, Outcome } from "../exchange.ts";
import type { FailureLog } from "../failure_log.ts";
import type { Route } from "../routing_table.ts";
import type { Attempts } from "../upstream/client.ts";
import type { AccessLog } from "./access_log.ts";
import type { Metrics } from "./metrics.ts";

/** What is known of one exchange, more and more of it until it has ended. */
export class ExchangeRecord implements Attempts {
  /** When it began, in milliseconds of `performance.now()`. */
  readonly started = performance.now();
  /** Who is at the other end of the connection. */
  readonly client: Client;
  /** Whose it is, once that is known: an IP address. */
  address: string;
  /** The request; nothing when it could not be read as one. */
  request: DownstreamRequest | undefined;
  /** The host that routes were matched with. */
  host: string | undefined;
  /** The path that routes were matched with. */
  path: string | undefined;
  /** Its id in all logs. */
  requestId: string | undefined;
  /** Where it went. */
  route: Route | undefined;
  /** See {@linkcode Attempts}. */
  endpoint?: string;
  /** See {@linkcode Attempts}. */
  retries = 0;
  /** Why Pingress answered itself, if it did. */
  reason: ErrorReason | undefined;
  /** The answer's status. */
  status = 0;

  /** The record of an exchange that begins. */
  constructor(client: Client) {
    this.client = client;
    this.address = client.address;
  }
}

/** Where everything that happens is counted and told. */
export class Observer {
  readonly #metrics: Metrics;
  readonly #failures: FailureLog;
  readonly #accessLog: AccessLog | undefined;

  /** Without an access log none is written. */
  constructor(options: { metrics: Metrics; failures: FailureLog; accessLog?: AccessLog | undefined }) {
    this.#metrics = options.metrics;
    this.#failures = options.failures;
    this.#accessLog = options.accessLog;
  }

  /** An exchange begins. */
  begin(client: Client): ExchangeRecord {
    this.#metrics.requestsInFlight++;
    return new ExchangeRecord(client);
  }

  /** Something went wrong that an operator may want to know. */
  failed(error: unknown): void {
    this.#failures.report(error);
  }

  /** An exchange has ended. */
  finished(record: ExchangeRecord, outcome: Outcome): void {
    const milliseconds = performance.now() - record.started;
    this.#metrics.requestsInFlight--;
    this.#metrics.count(record, outcome, milliseconds);
    if (record.route?.isLogged !== false) this.#accessLog?.add(record, outcome, milliseconds);
  }
}
