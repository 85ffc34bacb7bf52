import type { Snapshot } from "./store.ts";
import type { Translation } from "./translate/translate.ts";

/** What a run of the reconcile loop came to. */
export interface Outcome {
  /** What was translated. */
  snapshot: Snapshot;
  /** What it was translated to. */
  translation: Translation;
  /** Why that could not be applied, or not all of it. */
  failure?: string;
}

/** Tells the cluster's users what became of their Ingresses. */
export interface Reporter {
  /** Gets ready; a cluster that does not answer holds nothing up. */
  start(): Promise<void>;
  /** Takes the outcome of each run, and tells about the last one in its own time: it does not throw. */
  report(outcome: Outcome): void;
  /** Ends what is under way. */
  close(): Promise<void>;
}
