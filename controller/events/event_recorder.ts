import type { ObjectReference } from "@cloudydeno/kubernetes-apis/core/v1";
import { errorMessage, type Log } from "@pingress/config";
import { isForbidden, isRefusal } from "../kubernetes_client.ts";
import { Pace, type PaceOptions, tellRetry } from "../pace.ts";
import type { Outcome, Reporter } from "../reporter.ts";
import { selectIngresses } from "../translate/select_ingresses.ts";
import { type EventApi, recordEvent } from "./event_api.ts";
import { aboutKey, type Finding, findings, steps } from "./findings.ts";
import { TokenBucket, type TokenBucketOptions } from "../token_bucket.ts";

/** Options of {@linkcode EventRecorder}. */
export interface EventRecorderOptions {
  /** Talks to the cluster. */
  api: EventApi;
  /** The controller's own namespace. */
  namespace: string;
  /** May anything be written now? */
  canWrite: () => boolean;
  /** Told of Events that cannot be written. */
  log: Log;
  /** How many Events there may be about one object. */
  limitPerObject?: TokenBucketOptions;
  /** How many Events there may be in all. */
  limit?: TokenBucketOptions;
  /** How fast it follows. */
  pace?: Pick<PaceOptions, "collect" | "interval" | "burst" | "retryAfter">;
}

/**
 * Tells in Events what is wrong with Ingresses, and when it is solved; and that the configuration could not be
 * written, about its ConfigMap. What a limit holds back is told later, if it is still so.
 */
export class EventRecorder implements Reporter {
  readonly #options: Required<EventRecorderOptions>;
  readonly #pace: Pace;
  readonly #bucket: TokenBucket;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #told = new Map<string, Finding>();
  #current: ReadonlyMap<string, Finding> = new Map();
  #ours: ReadonlySet<string> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Writes nothing yet. */
  constructor(options: EventRecorderOptions) {
    this.#options = {
      limitPerObject: { burst: 25, interval: 5000 },
      limit: { burst: 50, interval: 100 },
      pace: {},
      ...options,
    };
    this.#bucket = new TokenBucket(this.#options.limit, performance.now());
    this.#pace = new Pace({
      ...this.#options.pace,
      run: () => this.#tell(),
      onFailure: tellRetry(options.log, "Events cannot be written"),
    });
  }

  /** Needs nothing. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Compares what there is to tell with what has been told. */
  report(outcome: Outcome): void {
    const ingresses = selectIngresses(outcome.snapshot);
    this.#current = findings(outcome, { ingresses, namespace: this.#options.namespace });
    this.#ours = new Set(ingresses.map(({ metadata }) => metadata.uid ?? ""));
    this.#pace.tick();
  }

  /** Lets the request under way end, and makes no others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#pace.close();
    clearTimeout(this.#timer);
  }

  async #tell(): Promise<void> {
    const { api, canWrite, log } = this.#options;
    clearTimeout(this.#timer);
    // whoever writes instead tells everything anew, and so does this one when it is its turn again
    if (!canWrite()) return this.#told.clear();
    this.#forgetBuckets();
    let wait = Infinity;
    let forbidden: unknown;
    for (
      const { finding, isSo, key, notice } of steps(this.#current, { told: this.#told, isOurs: this.#isOurs })
    ) {
      if (this.#isClosed || !canWrite()) return;
      if (notice !== undefined) {
        const delay = this.#takeToken(finding.about);
        if (delay > 0) {
          wait = Math.min(wait, delay);
          continue;
        }
        try {
          await recordEvent(api, { about: finding.about, ...notice });
        } catch (error) {
          if (isRefusal(error)) {
            log.debug("An Event cannot be written", {
              about: aboutKey(finding.about),
              error: errorMessage(error),
            });
          } else if (isForbidden(error)) {
            // a quota or a policy of one namespace holds up no other, and may be another one later
            forbidden ??= error;
            continue;
          } else throw error;
        }
      }
      if (isSo) this.#told.set(key, finding);
      else this.#told.delete(key);
    }
    if (forbidden !== undefined) throw forbidden;
    if (wait < Infinity && !this.#isClosed) this.#timer = setTimeout(() => this.#pace.tick(), wait);
  }

  readonly #isOurs = ({ kind, uid }: ObjectReference): boolean =>
    kind !== "Ingress" || this.#ours.has(uid ?? "");

  /** @returns 0, or how long to wait, in milliseconds. */
  #takeToken(about: ObjectReference): number {
    const now = performance.now();
    const key = aboutKey(about);
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#options.limitPerObject, now);
    this.#buckets.set(key, bucket);
    const wait = Math.max(bucket.untilToken(now), this.#bucket.untilToken(now));
    if (wait === 0) { for (const each of [bucket, this.#bucket]) each.take(now); }
    return wait;
  }

  /** A bucket that is full is like a new one. */
  #forgetBuckets(): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull(performance.now())) this.#buckets.delete(key);
    }
  }
}
