import type { BackendTraffic, Traffic } from "./api.ts";
import type { MetricSample } from "./exposition.ts";

/** What a proxy had counted at one moment. */
export interface Counts {
  /** When, in milliseconds of a clock that is never set. */
  at: number;
  /** The answers with each status. */
  byStatus: ReadonlyMap<string, number>;
  /** How many requests took no longer than each time, which is in seconds. */
  durations: ReadonlyMap<number, number>;
  /** Of each backend, as `namespace/name:port`. */
  backends: ReadonlyMap<string, BackendCounts>;
}

/** The requests for a backend. */
export interface BackendCounts {
  requests: number;
  /** Answers with 5xx. */
  errors: number;
}

/** What one or several proxies did between two moments. */
export interface Work {
  /** For how long, in milliseconds. */
  interval: number;
  requests: number;
  /** Answers with 5xx. */
  errors: number;
  /** How many requests took no longer than each time, which is in seconds. */
  durations: ReadonlyMap<number, number>;
  /** Of each backend that has had any, as `namespace/name:port`. */
  backends: ReadonlyMap<string, BackendCounts>;
}

/** The metrics that {@linkcode readCounts} reads, and {@linkcode BACKEND_METRICS}. */
export const TRAFFIC_METRICS = [
  "pingress_requests_total",
  "pingress_request_duration_seconds_bucket",
] as const;

/** What proxies count of each backend. */
export const BACKEND_METRICS = ["pingress_backend_requests_total", "pingress_backend_errors_total"] as const;

/** Adds up what a proxy says of its requests, whatever other labels there are. */
export function readCounts(samples: readonly MetricSample[], at: number): Counts {
  const [requests, buckets] = TRAFFIC_METRICS;
  const byStatus = new Map<string, number>();
  const durations = new Map<number, number>();
  const backends = new Map<string, BackendCounts>();
  const [backendRequests, backendErrors] = BACKEND_METRICS;
  for (const { name, labels, value } of samples) {
    if (!Number.isFinite(value)) continue;
    if (name === requests) add(byStatus, labels.code ?? "", value);
    if (name === buckets) add(durations, labels.le === "+Inf" ? Infinity : Number(labels.le), value);
    if (name !== backendRequests && name !== backendErrors) continue;
    const key = labels.backend ?? "";
    const counts = backends.get(key) ?? { requests: 0, errors: 0 };
    counts[name === backendErrors ? "errors" : "requests"] += value;
    backends.set(key, counts);
  }
  return { at, byStatus, durations, backends };
}

/**
 * What a proxy did between two moments. One that has started anew meanwhile counts from 0 on: then all that it has
 * counted is new.
 */
export function workBetween(before: Counts, after: Counts): Work {
  const isSame = [...before.byStatus].every(([status, count]) => (after.byStatus.get(status) ?? 0) >= count);
  const increase = <K>(one: ReadonlyMap<K, number>, other: ReadonlyMap<K, number>) =>
    new Map(
      [...other].map(([key, count]) => [key, Math.max(0, isSame ? count - (one.get(key) ?? 0) : count)]),
    );
  const statuses = increase(before.byStatus, after.byStatus);
  return {
    interval: after.at - before.at,
    requests: sum(statuses.values()),
    errors: sum([...statuses].filter(([status]) => status.startsWith("5")).map(([, count]) => count)),
    durations: increase(before.durations, after.durations),
    backends: backendsBetween(isSame ? before.backends : new Map(), after.backends),
  };
}

/** A backend that was gone for a while is counted from 0 on, too. */
function backendsBetween(
  before: ReadonlyMap<string, BackendCounts>,
  after: ReadonlyMap<string, BackendCounts>,
): Map<string, BackendCounts> {
  const between = new Map<string, BackendCounts>();
  for (const [key, { requests, errors }] of after) {
    const last = before.get(key);
    const isSame = last !== undefined && last.requests <= requests && last.errors <= errors;
    const done = isSame
      ? { requests: requests - last.requests, errors: errors - last.errors }
      : { requests, errors };
    if (done.requests > 0) between.set(key, done);
  }
  return between;
}

/** What several proxies do together for each backend that has any requests, as `namespace/name:port`. */
export function backendTraffic(work: readonly Work[]): Map<string, BackendTraffic> {
  const sums = new Map<string, BackendCounts & { rate: number }>();
  for (const { interval, backends } of work) {
    for (const [key, { requests, errors }] of backends) {
      const sum = sums.get(key) ?? { requests: 0, errors: 0, rate: 0 };
      sum.requests += requests;
      sum.errors += errors;
      sum.rate += requests * 1000 / interval;
      sums.set(key, sum);
    }
  }
  return new Map(
    [...sums].map(([key, { requests, errors, rate }]) => [key, { rate, errorShare: errors / requests }]),
  );
}

/** What several proxies do together; nothing without any. */
export function trafficOf(work: readonly Work[]): Traffic | undefined {
  if (work.length === 0) return undefined;
  const durations = new Map<number, number>();
  for (const one of work) for (const [bound, count] of one.durations) add(durations, bound, count);
  const requests = sum(work.map((one) => one.requests));
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(durations, share));
  return {
    rate: sum(work.map((one) => one.requests * 1000 / one.interval)),
    errorShare: requests === 0 ? 0 : sum(work.map((one) => one.errors)) / requests,
    ...p50 !== undefined && { p50 },
    ...p99 !== undefined && { p99 },
  };
}

/**
 * The time that a share of the requests did not exceed, in milliseconds: within a bucket they are taken to be spread
 * evenly, and what is beyond the last bound is not known to be longer than that
 * (https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile).
 */
export function quantile(durations: ReadonlyMap<number, number>, share: number): number | undefined {
  const buckets = [...durations].sort(([one], [other]) => one - other);
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  const rank = share * total;
  let [from, below] = [0, 0];
  for (const [bound, count] of buckets) {
    if (count >= rank) {
      if (bound === Infinity) break;
      const within = count === below ? 1 : (rank - below) / (count - below);
      return (from + (bound - from) * within) * 1000;
    }
    [from, below] = [bound, count];
  }
  return from * 1000;
}

function add<K>(map: Map<K, number>, key: K, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
