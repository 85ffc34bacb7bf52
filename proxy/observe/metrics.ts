import { Histogram, type Sample } from "@pingress/config";
import type { Outcome } from "../exchange.ts";
import type { HostClass, Route } from "../routing_table.ts";
import type { ExchangeRecord } from "./observer.ts";

/** The upper bounds of the duration's buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Methods that have a label of their own: clients can invent others. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** Options of {@linkcode Metrics}. */
export interface MetricsOptions {
  /** Is each rule's host a label? There are as many of them then as rules have hosts. */
  withHosts: boolean;
}

/** What one worker has counted. */
export class Metrics {
  /** Requests that have no complete answer yet. */
  requestsInFlight = 0;
  /** Connections that were opened to backends. */
  upstreamConnects = 0;
  /** Connections that could not be opened. */
  upstreamConnectFailures = 0;
  /** Responses that broke off. */
  upstreamBroken = 0;
  readonly #withHosts: boolean;
  readonly #requests = new Map<string, Map<string, number[]>>();
  readonly #durations = new Map<string, Histogram>();
  /** By the backends' keys. */
  readonly #backends = new Map<string, { requests: number; errors: number }>();
  /** Of each route, made once: they are looked up for every request. */
  readonly #labels = new WeakMap<Route, string>();
  #retries = 0;
  #received = 0;
  #sent = 0;
  #incomplete = 0;

  /** Nothing is counted yet. */
  constructor(options: MetricsOptions) {
    this.#withHosts = options.withHosts;
  }

  /** Counts an exchange that has ended. */
  count(record: ExchangeRecord, outcome: Outcome, milliseconds: number): void {
    const host = this.#hostLabels(record);
    const method = record.request === undefined
      ? ""
      : METHODS.has(record.request.method)
      ? record.request.method
      : "other";
    let byMethod = this.#requests.get(host);
    if (byMethod === undefined) this.#requests.set(host, byMethod = new Map());
    let byStatus = byMethod.get(method);
    if (byStatus === undefined) byMethod.set(method, byStatus = []);
    byStatus[record.status] = (byStatus[record.status] ?? 0) + 1;
    let durations = this.#durations.get(host);
    if (durations === undefined) this.#durations.set(host, durations = new Histogram(BUCKETS));
    durations.observe(milliseconds / 1000);
    if (record.route !== undefined) this.#countBackend(record.route.key, record.status);
    this.#retries += record.retries;
    this.#received += outcome.received;
    this.#sent += outcome.sent;
    if (!outcome.isComplete) this.#incomplete++;
  }

  /** Forgets what was counted of backends that no route leads to any more: Services come and go. */
  keepBackends(keys: ReadonlySet<string>): void {
    for (const key of this.#backends.keys()) if (!keys.has(key)) this.#backends.delete(key);
  }

  /** All numbers of this moment. */
  samples(): Sample[] {
    const samples: Sample[] = [
      ["pingress_requests_in_flight", "", this.requestsInFlight],
      ["pingress_incomplete_responses_total", "", this.#incomplete],
      ["pingress_received_bytes_total", "", this.#received],
      ["pingress_sent_bytes_total", "", this.#sent],
      ["pingress_upstream_connects_total", "", this.upstreamConnects],
      ["pingress_upstream_connect_failures_total", "", this.upstreamConnectFailures],
      ["pingress_upstream_retries_total", "", this.#retries],
      ["pingress_upstream_broken_responses_total", "", this.upstreamBroken],
    ];
    for (const [host, byMethod] of this.#requests) {
      for (const [method, byStatus] of byMethod) {
        byStatus.forEach((value, status) =>
          samples.push(["pingress_requests_total", `${host},method="${method}",code="${status}"`, value])
        );
      }
    }
    for (const [host, durations] of this.#durations) {
      samples.push(...durations.samples("pingress_request_duration_seconds", host));
    }
    for (const [key, { requests, errors }] of this.#backends) {
      const label = `backend="${key}"`;
      samples.push(
        ["pingress_backend_requests_total", label, requests],
        ["pingress_backend_errors_total", label, errors],
      );
    }
    return samples;
  }

  #countBackend(key: string, status: number): void {
    let backend = this.#backends.get(key);
    if (backend === undefined) this.#backends.set(key, backend = { requests: 0, errors: 0 });
    backend.requests++;
    if (status >= 500) backend.errors++;
  }

  #hostLabels({ route }: ExchangeRecord): string {
    if (route === undefined) return this.#labelsOf("none", undefined);
    let labels = this.#labels.get(route);
    if (labels === undefined) {
      this.#labels.set(route, labels = this.#labelsOf(route.hostClass, route.host));
    }
    return labels;
  }

  #labelsOf(hostClass: HostClass | "none", host: string | undefined): string {
    return this.#withHosts ? `host_class="${hostClass}",host="${host ?? ""}"` : `host_class="${hostClass}"`;
  }
}
