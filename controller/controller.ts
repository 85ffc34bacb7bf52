import { errorMessage, type KeyPair, type Log } from "@pingress/config";
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
  #lastGood: ReadonlyMap<string, KeyPair> = new Map();
  #problems = new Map<string, Problem>();
  #isReady = false;

  /** Does nothing yet. */
  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#pace = new Pace({
      ...options.pace,
      run: () => this.#reconcile(),
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
    const tick = () => this.#pace.tick();
    await output.start(tick);
    this.#lastGood = output.lastGood();
    await source.start(tick);
  }

  /** Ends it; what was applied stays. */
  async stop(): Promise<void> {
    await this.#pace.close();
    await Promise.all([this.#options.source.close(), this.#options.output.close()]);
  }

  async #reconcile(): Promise<void> {
    const { source, output } = this.#options;
    const { keysDirectory, isSharded } = output;
    const translation = translate(source.snapshot(), { keysDirectory, isSharded, lastGood: this.#lastGood });
    this.#lastGood = new Map(
      [...translation.certificates.values()].map(({ secret, cert, key }) => [secret, { cert, key }]),
    );
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
