import { errorMessage, type KeyPair, type Log } from "@pingress/config";
import { type Election, NO_ELECTION } from "./leadership.ts";
import { Metrics } from "./metrics.ts";
import type { Output } from "./outputs/output.ts";
import { Pace, type PaceOptions, tellRetry } from "./pace.ts";
import type { Outcome, Reporter } from "./reporter.ts";
import type { Source } from "./sources/source.ts";
import type { Problem } from "./translate/problem.ts";
import { translate } from "./translate/translate.ts";

/** Options of {@linkcode Controller}. */
export interface ControllerOptions {
  /** Where Ingresses come from. */
  source: Source;
  /** Where the configuration goes. */
  output: Output;
  /** Tell of each run what came of it. */
  reporters?: readonly Reporter[];
  /** Told of each run what came of it, also where another controller leads and nothing is applied. */
  observe?: (outcome: Outcome) => void;
  /** Told of problems and of what is written. */
  log: Log;
  /** Decides whether this controller applies anything; it does unless told. */
  election?: Election;
  /** The TLS Secret (`namespace/name`) with the certificate of all names that have none. */
  defaultCertificate?: string | undefined;
  /** Classes of another controller whose Ingresses are served, too: nothing is written to them. */
  guestClasses?: readonly string[];
  /** Counts what is done; nobody asks unless given. */
  metrics?: Metrics;
  /** How fast it follows. */
  pace?: Pick<PaceOptions, "collect" | "interval" | "burst" | "retryAfter">;
}

/**
 * The reconcile loop. Every tick means the same: translate everything there is, and apply it. Nothing happens
 * before the source has read every kind once.
 *
 * Of several controllers the leader applies. The others do all but that, so that they can take over at once.
 */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #pace: Pace;
  readonly #metrics: Metrics;
  readonly #election: Election;
  #lastGood: ReadonlyMap<string, KeyPair> = new Map();
  #problems = new Map<string, Problem>();
  #defaultFault: string | undefined;
  #hasTranslated = false;
  #hasApplied = false;
  /** When the first change was seen that is not applied yet. */
  #changedAt: number | undefined;

  /** Does nothing yet. */
  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? new Metrics();
    this.#pace = new Pace({
      ...options.pace,
      run: () => this.#run(),
      onFailure: tellRetry(options.log, "Reconciling failed"),
    });
    this.#election = options.election ?? NO_ELECTION;
    this.#metrics.isLeader = this.#election.isLeader;
    this.#election.onChange(() => this.#leadOrFollow());
  }

  /** Has everything been applied once? Who follows need only be able to. */
  get isReady(): boolean {
    return this.#hasApplied || (this.#hasTranslated && !this.#election.isLeader);
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
    await Promise.all(this.#reporters.map((reporter) => reporter.start()));
    await source.start(tick);
  }

  /** Ends it; what was applied stays. */
  async stop(): Promise<void> {
    await this.#pace.close();
    await Promise.all(this.#reporters.map((reporter) => reporter.close()));
    // nothing is being written any more: another may begin
    await this.#election.stop();
    await Promise.all([this.#options.source.close(), this.#options.output.close()]);
  }

  async #run(): Promise<void> {
    const startedAt = performance.now();
    const changedAt = this.#changedAt ?? startedAt;
    this.#changedAt = undefined;
    let succeeded = false;
    try {
      const isApplied = await this.#reconcile();
      succeeded = true;
      if (isApplied) this.#metrics.countChange((performance.now() - changedAt) / 1000);
    } finally {
      // what failed is tried again, and is as old then as it is
      if (!succeeded) this.#changedAt = changedAt;
      this.#metrics.countReconcile((performance.now() - startedAt) / 1000, { succeeded });
    }
  }

  /** @returns whether everything is applied, which only the leader does. */
  async #reconcile(): Promise<boolean> {
    const { source, output, log, defaultCertificate, guestClasses = [] } = this.#options;
    const { keysDirectory, isSharded } = output;
    const snapshot = source.snapshot();
    this.#metrics.setObjects(snapshot);
    const translation = translate(snapshot, {
      keysDirectory,
      isSharded,
      defaultCertificate,
      lastGood: this.#lastGood,
      now: Date.now(),
      guestClasses,
    });
    // who would seem to be unknown only because a Secret was not read yet must not be turned away
    if (source.followSecrets?.(translation.namedSecrets) === false) return false;
    this.#lastGood = new Map(
      [...translation.certificates.values()].map(({ secret, cert, key }) => [secret, { cert, key }]),
    );
    this.#metrics.setProblems(translation.problems);
    this.#logProblems(translation.problems);
    this.#logDefaultFault(translation.defaultFault);
    this.#hasTranslated = true;
    // who does not see the cluster yet could not lead
    this.#election.start();
    let outcome: Outcome = { snapshot, translation };
    try {
      if (!this.#election.isLeader) return false;
      await output.apply(translation);
      this.#report(outcome);
      return this.#hasApplied = true;
    } catch (error) {
      if (!this.#election.isLeader) {
        log.warn("Applying was broken off", { error: errorMessage(error) });
        return false;
      }
      outcome = { ...outcome, failure: errorMessage(error) };
      this.#report(outcome);
      throw error;
    } finally {
      this.#options.observe?.(outcome);
    }
  }

  /** Who begins to lead goes on from where the one before has ended. */
  #leadOrFollow(): void {
    this.#metrics.isLeader = this.#election.isLeader;
    if (!this.#election.isLeader) return;
    this.#lastGood = new Map([...this.#lastGood, ...this.#options.output.lastGood()]);
    this.#pace.tick();
  }

  #report(outcome: Outcome): void {
    for (const reporter of this.#reporters) reporter.report(outcome);
  }

  get #reporters(): readonly Reporter[] {
    return this.#options.reporters ?? [];
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

  #logDefaultFault(fault: string | undefined): void {
    if (fault === this.#defaultFault) return;
    this.#defaultFault = fault;
    const { log } = this.#options;
    if (fault === undefined) return log.info("The default certificate is good again");
    log.error("The default certificate cannot be used, the last good one stays if there was one", {
      error: fault,
    });
  }
}

function fieldsOf({ reason, ingress, field }: Problem) {
  return { reason, ingress, field };
}
