import type { Outcome } from "../exchange.ts";
import { FieldName } from "../http1/field_name.ts";
import type { ExchangeRecord } from "./observer.ts";

/** What is logged. */
export const ACCESS_LOGS = ["off", "sampled", "all"] as const;

/** One of {@linkcode ACCESS_LOGS}. */
export type AccessLogMode = typeof ACCESS_LOGS[number];

/** Options of {@linkcode AccessLog}. */
export interface AccessLogOptions {
  /** Which part of all requests is logged: more than 0, at most 1. Those that fail with 5xx always are. */
  rate: number;
  /** Takes some lines, each with its line end; it must not wait. */
  write: (lines: string) => void;
  /** Tells the time, in milliseconds since 1970. */
  now?: () => number;
}

const USER_AGENT = FieldName.of("user-agent");

/** Lines are collected for so long, in milliseconds, or until there are so many characters. */
const COLLECT_MILLISECONDS = 100;
const COLLECT_CHARACTERS = 32 * 1024;

/** Writes a JSON line about each request; docs/access_log.md lists the fields. */
export class AccessLog {
  readonly #options: AccessLogOptions;
  #lines = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #millisecond = NaN;
  #timeText = "";

  /** A log with no line. */
  constructor(options: AccessLogOptions) {
    this.#options = options;
  }

  /** Adds an exchange that has ended, if it is to be logged. */
  add(record: ExchangeRecord, outcome: Outcome, milliseconds: number): void {
    const { rate } = this.#options;
    if (rate < 1 && record.status < 500 && Math.random() >= rate) return;
    this.#lines += `${this.#line(record, outcome, milliseconds)}\n`;
    if (this.#lines.length >= COLLECT_CHARACTERS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), COLLECT_MILLISECONDS);
  }

  /** Writes what was collected. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines === "") return;
    this.#options.write(this.#lines);
    this.#lines = "";
  }

  #line(record: ExchangeRecord, outcome: Outcome, milliseconds: number): string {
    const { request, client } = record;
    return JSON.stringify({
      time: this.#time(),
      client: record.address,
      peer: client.address === record.address ? undefined : client.address,
      scheme: client.scheme,
      protocol: request?.protocol,
      method: request?.method,
      host: record.host,
      path: record.path,
      status: record.status,
      error: record.reason,
      complete: outcome.isComplete,
      duration_ms: Math.round(milliseconds * 1000) / 1000,
      received: outcome.received,
      sent: outcome.sent,
      backend: record.route?.key,
      endpoint: record.endpoint,
      retries: record.retries,
      request_id: record.requestId,
      user_agent: request?.fields.get(USER_AGENT),
    });
  }

  /** Many requests end in the same millisecond, and to write its text takes as long as all the rest of a line. */
  #time(): string {
    const now = this.#options.now?.() ?? Date.now();
    if (now !== this.#millisecond) {
      this.#millisecond = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }
}
