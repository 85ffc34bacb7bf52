import { type Address, errorMessage, formatAddress } from "@pingress/config";
import type { BackendTraffic, ProxyView, Traffic, TrafficPoint } from "./api.ts";
import {
  ENDPOINT_METRICS,
  EndpointHealth,
  NOTHING_KNOWN,
  type PassedOver,
  readPassedOver,
} from "./endpoint_health.ts";
import { type MetricSample, parseExposition } from "./exposition.ts";
import {
  BACKEND_METRICS,
  backendTraffic,
  type Counts,
  readCounts,
  TRAFFIC_METRICS,
  trafficOf,
  type Work,
  workBetween,
} from "./traffic.ts";

/** A proxy that can be asked. */
export interface KnownProxy {
  /** Its Pod, or its address where there is none. */
  name: string;
  /** The node that it is on. */
  node?: string;
  /** Its admin port; none while it has no address. */
  admin?: Address | undefined;
}

/** Finds the proxies, as long as somebody wants to know. */
export interface ProxyFinder {
  /** Those that there are. Rejects where that cannot be found out before the signal aborts. */
  find(signal: AbortSignal): Promise<readonly KnownProxy[]>;
  /** Looks for them no more, until they are to be found again. */
  close(): Promise<void>;
}

/** Options of {@linkcode ProxyFigures}. */
export interface ProxyFiguresOptions {
  /** Finds them. */
  finder: ProxyFinder;
  /** How often they are asked, in milliseconds. */
  interval?: number;
  /** How long an answer may take, in milliseconds. */
  timeout?: number;
  /** The time of day, in milliseconds since 1970. */
  now?: () => number;
}

/** How long what all proxies did is remembered, in milliseconds. */
const HISTORY_MILLISECONDS = 15 * 60 * 1000;

/** The largest answer that is read, in bytes: with a label for each host there may be many series. */
const MOST_BYTES = 16 * 1024 * 1024;

/** The longest line of it, in characters. */
const MOST_LINE = 65_536;

/** How many series are left of it when hosts and the like are added up. */
const MOST_SERIES = 2000;

/** The labels that tell them apart. */
const KEPT_LABELS = ["address", "code", "le", "revision"];

/** How many more there may be of backends: what is beyond that is not shown. */
const MOST_BACKEND_SERIES = 40_000;

/** The longest name of a backend: two DNS labels and a port's name, in characters. */
const MOST_BACKEND_CHARACTERS = 63 + 1 + 63 + 1 + 63;

/** How long what proxies said of endpoints is good for, in milliseconds: one is passed over for no longer at a time. */
const HEALTH_MILLISECONDS = 30_000;

/** How many proxies are asked at a time. */
const ASKED_AT_A_TIME = 4;

const WANTED: ReadonlySet<string> = new Set([
  ...TRAFFIC_METRICS,
  ...BACKEND_METRICS,
  ...ENDPOINT_METRICS,
  "pingress_config_info",
  "pingress_connections",
  "pingress_reload_failures_total",
  "pingress_reloads_total",
  "pingress_workers",
]);

const OF_BACKENDS: ReadonlySet<string> = new Set(BACKEND_METRICS);

/** Asks the proxies' admin ports every few seconds while somebody watches. */
export class ProxyFigures {
  /** What was found out of each when they were last asked. */
  proxies: readonly ProxyView[] = [];
  /** When that was, in milliseconds since 1970. */
  scrapedAt: number | undefined;
  /** What all of them did between the last two times. */
  traffic: Traffic | undefined;
  /** What they did for each backend, as `namespace/name:port`. */
  backends: ReadonlyMap<string, BackendTraffic> = new Map();
  /** What all of them did in the last minutes. */
  history: readonly TrafficPoint[] = [];
  readonly #finder: ProxyFinder;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #now: () => number;
  #counts: ReadonlyMap<string, Counts> = new Map();
  #health = NOTHING_KNOWN;
  #asking: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onScraped: (() => void) | undefined;
  #stop = new AbortController();

  /** Asks nobody yet. */
  constructor({ finder, interval = 3000, timeout = 2000, now = Date.now }: ProxyFiguresOptions) {
    this.#finder = finder;
    this.#interval = interval;
    this.#timeout = timeout;
    this.#now = now;
  }

  /** What they said of endpoints, unless that was long ago. */
  get health(): EndpointHealth {
    const passed = this.#now() - (this.scrapedAt ?? -Infinity);
    return passed >= 0 && passed < HEALTH_MILLISECONDS ? this.#health : NOTHING_KNOWN;
  }

  /** Begins to ask; `onScraped` is told each time. */
  start(onScraped: () => void): void {
    const isRunning = this.#onScraped !== undefined;
    this.#onScraped = onScraped;
    if (!isRunning) void this.#turn();
  }

  /** Asks nobody any more, and waits until that is so. */
  async stop(): Promise<void> {
    this.#onScraped = undefined;
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#stop = new AbortController();
    await this.#asking;
    if (this.#onScraped === undefined) await this.#finder.close();
  }

  /** Asks once, unless that was done a moment ago: rates over a moment say nothing. */
  async refresh(): Promise<void> {
    // a clock that was set back says nothing of when that was
    const passed = this.#now() - (this.scrapedAt ?? -Infinity);
    if (passed >= 0 && passed < this.#interval / 2) return;
    await (this.#asking ??= this.#askAll().finally(() => this.#asking = undefined));
    if (this.#onScraped === undefined) await this.#finder.close();
  }

  async #turn(): Promise<void> {
    await this.refresh();
    if (this.#onScraped === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#turn(), this.#interval);
    this.#onScraped();
  }

  async #askAll(): Promise<void> {
    const { signal } = this.#stop;
    let known: readonly KnownProxy[];
    try {
      known = await within(this.#timeout, signal, (signal) => this.#finder.find(signal));
    } catch {
      return; // those that were there are shown until the cluster answers again
    }
    const counts = new Map<string, Counts>();
    const work: Work[] = [];
    const views: ProxyView[] = [];
    const said: PassedOver[] = [];
    const queue = [...known.entries()];
    const askNext = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [index, proxy] = next;
        const { view, counted, passedOver } = await this.#askOne(proxy, signal);
        if (passedOver !== undefined) said.push(passedOver);
        const before = this.#counts.get(proxy.name);
        if (counted !== undefined) {
          counts.set(proxy.name, counted);
          // after a pause the average says little of now
          if (before !== undefined && counted.at - before.at < 10 * this.#interval) {
            const done = workBetween(before, counted);
            work.push(done);
            const traffic = trafficOf([done]);
            if (traffic !== undefined) view.traffic = traffic;
          }
        }
        views[index] = view;
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_A_TIME }, askNext));
    if (signal.aborted) return;
    const now = this.#now();
    this.#counts = counts;
    this.#health = new EndpointHealth(said);
    this.proxies = views;
    this.scrapedAt = now;
    this.traffic = trafficOf(work);
    this.backends = backendTraffic(work);
    const recent = this.history.filter(({ at }) => at > now - HISTORY_MILLISECONDS && at <= now);
    this.history = this.traffic === undefined ? recent : [...recent, { at: now, ...this.traffic }];
  }

  async #askOne(
    { name, node, admin }: KnownProxy,
    stop: AbortSignal,
  ): Promise<{ view: ProxyView; counted?: Counts; passedOver?: PassedOver | undefined }> {
    const common = { name, ...node !== undefined && { node } };
    if (admin === undefined) {
      return { view: { ...common, address: "", isReady: false, failure: "It has no address yet" } };
    }
    const address = formatAddress(admin);
    try {
      const [isReady, samples] = await within(this.#timeout, stop, (signal) =>
        Promise.all([
          isOk(`http://${address}/readyz`, signal),
          readSamples(`http://${address}/metrics`, signal),
        ]));
      const counted = readCounts(samples, performance.now());
      const view = { ...common, address, isReady, ...figuresOf(samples) };
      return { view, counted, passedOver: readPassedOver(samples) };
    } catch (error) {
      return { view: { ...common, address, isReady: false, failure: reasonOf(error) } };
    }
  }
}

function figuresOf(samples: readonly MetricSample[]): Partial<ProxyView> {
  const values = new Map(samples.map(({ name, value }) => [name, value]));
  const revision = samples.find(({ name }) => name === "pingress_config_info")?.labels.revision;
  const number = (
    key: "workers" | "connections" | "passedOver" | "reloads" | "reloadFailures",
    name: string,
  ) => {
    const value = values.get(name);
    return value !== undefined && Number.isFinite(value) ? { [key]: value } : {};
  };
  return {
    ...revision !== undefined && { revision },
    ...number("workers", "pingress_workers"),
    ...number("connections", "pingress_connections"),
    ...number("passedOver", "pingress_upstream_passed_over_endpoints"),
    ...number("reloads", "pingress_reloads_total"),
    ...number("reloadFailures", "pingress_reload_failures_total"),
  };
}

/** Does something that takes a signal, which aborts after a while, or with another one. */
async function within<T>(
  milliseconds: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new Error(`There was no answer within ${milliseconds / 1000} seconds`)),
    milliseconds,
  );
  try {
    return await work(AbortSignal.any([stop, late.signal]));
  } finally {
    clearTimeout(timer);
    // what is still under way of it
    late.abort();
  }
}

/** That nobody listens is in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  return errorMessage(cause ?? error).replace(/^error sending request for url \([^)]*\): /, "");
}

async function isOk(url: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(url, { signal, redirect: "error" });
  await response.body?.cancel();
  return response.ok;
}

/**
 * Reads the samples of an answer that is not too large, line by line, and adds up those that differ by labels of
 * nobody's concern, such as hosts: all of its text, or of its samples, would take much room.
 */
async function readSamples(url: string, signal: AbortSignal): Promise<MetricSample[]> {
  const response = await fetch(url, { signal, redirect: "error" });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${new URL(url).pathname} is answered with ${response.status}`);
  }
  const decoder = new TextDecoder();
  const sums = new Map<string, MetricSample>();
  const ofBackends = new Map<string, MetricSample>();
  let [rest, bytes] = ["", 0];
  for await (const chunk of response.body) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`Its metrics are larger than ${MOST_BYTES / 1024 / 1024} MiB`);
    const text = rest + decoder.decode(chunk, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    rest = text.slice(end);
    if (rest.length > MOST_LINE) {
      throw new Error(`A line of its metrics is longer than ${MOST_LINE} characters`);
    }
    for (const sample of parseExposition(text.slice(0, end), WANTED)) {
      if (!OF_BACKENDS.has(sample.name)) {
        const hasRoom = addUp(sample, sums, { kept: KEPT_LABELS, most: MOST_SERIES });
        if (!hasRoom) throw new Error(`Its metrics have more than ${MOST_SERIES} series`);
      } else if ((sample.labels.backend ?? "").length <= MOST_BACKEND_CHARACTERS) {
        addUp(sample, ofBackends, { kept: ["backend"], most: MOST_BACKEND_SERIES });
      }
    }
  }
  return [...sums.values(), ...ofBackends.values()];
}

/** Adds up what differs by other labels than some. @returns false where there is no room for one more. */
function addUp(
  { name, labels, value }: MetricSample,
  sums: Map<string, MetricSample>,
  { kept, most }: { kept: readonly string[]; most: number },
): boolean {
  const key = [name, ...kept.map((label) => labels[label])].join(" ");
  const known = sums.get(key);
  if (known !== undefined) {
    known.value += value;
    return true;
  }
  if (sums.size >= most) return false;
  const entries = kept.flatMap((label) => labels[label] === undefined ? [] : [[label, labels[label]]]);
  sums.set(key, { name, labels: Object.fromEntries(entries), value });
  return true;
}
