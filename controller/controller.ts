import { errorMessage, type KeyPair, type Log } from "@pingress/config";
import { Metrics } from "./metrics.ts";
import type { Output } from "./outputs/output.ts";
import { Pace, type PaceOptions } from "./pace.ts";
import type { Source } from "./sources/source.ts";
import type { Problem } from "./translate/problem.ts";
import { translate } from "./translate/translate.ts";

/** Options of {@linkcode Controller}. */
export interface ControllerOptions {
  /** Where Ingresses come from. */
  source: Source;
  /** Where the configuration goes. */
  output: Output;
  /** Told of problems and of what is written. */
  log: Log;
  /** Counts what is done; nobody asks unless given. */
  metrics?: Metrics;
  /** How fast it follows. */
  pace?: Pick<PaceOptions, "collect" | "interval" | "burst" | "retryAfter">;
}

/**
 * The reconcile loop. Every tick means the same: translate everything there is, and apply it. Nothing happens
 * before the source has read every kind once.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #pace: Pace;
  readonly #metrics: Metrics;
  #lastGood: ReadonlyMap<string, KeyPair> = new Map();
  #problems = new Map<string, Problem>();
  #isReady = false;
  /** When the first change was seen that is not applied yet. */
  #changedAt: number | undefined;

  /** Does nothing yet. */
  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? new Metrics();
    this.#pace = new Pace({
      ...options.pace,
      run: () => this.#run(),
      onFailure: (error, retryIn) => {
        options.log.error("Reconciling failed: trying again", {
          error: errorMessage(error),
          seconds: (retryIn / 1000).toFixed(1),
        });
      },
    });
  }

  /** Has everything been applied once? */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Starts following the source. */
  async start(): Promise<void> {
    const { source, output } = this.#options;
    const tick = () => {
      this.#changedAt ??= performance.now();
      this.#pace.tick();
    };
    await output.start(tick);
    this.#lastGood = output.lastGood();
    await source.start(tick);
  }

  /** Ends it; what was applied stays. */
  async stop(): Promise<void> {
    await this.#pace.close();
    await Promise.all([this.#options.source.close(), this.#options.output.close()]);
  }

  async #run(): Promise<void> {
    const startedAt = performance.now();
    const changedAt = this.#changedAt ?? startedAt;
    this.#changedAt = undefined;
    let succeeded = false;
    try {
      await this.#reconcile();
      succeeded = true;
      this.#metrics.countChange((performance.now() - changedAt) / 1000);
    } finally {
      // what failed is tried again, and is as old then as it is
      if (!succeeded) this.#changedAt = changedAt;
      this.#metrics.countReconcile((performance.now() - startedAt) / 1000, { succeeded });
    }
  }

  async #reconcile(): Promise<void> {
    const { source, output } = this.#options;
    const { keysDirectory, isSharded } = output;
    const snapshot = source.snapshot();
    this.#metrics.setObjects(snapshot);
    const translation = translate(snapshot, { keysDirectory, isSharded, lastGood: this.#lastGood });
    this.#lastGood = new Map(
      [...translation.certificates.values()].map(({ secret, cert, key }) => [secret, { cert, key }]),
    );
    this.#metrics.setProblems(translation.problems);
    this.#logProblems(translation.problems);
    await output.apply(translation);
    this.#isReady = true;
  }

  /** Each problem is told when it appears, and when it is gone. */
  #logProblems(problems: Problem[]): void {
    const current = new Map(problems.map((problem) => [JSON.stringify(problem), problem]));
    for (const [key, problem] of current) {
      if (!this.#problems.has(key)) this.#options.log.warn(problem.message, fieldsOf(problem));
    }
    for (const [key, problem] of this.#problems) {
      if (!current.has(key)) this.#options.log.info("No longer a problem", fieldsOf(problem));
    }
    this.#problems = current;
  }
}

function fieldsOf({ reason, ingress, field }: Problem) {
  return { reason, ingress, field };
}
