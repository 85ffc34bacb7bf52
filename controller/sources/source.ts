import type { Snapshot } from "../store.ts";

/** Where Ingresses and what belongs to them come from. */
export interface Source {
  /**
   * Starts following the objects. `tick` is called when every kind has been read once, and whenever anything
   * changes after that; what has changed is found in the snapshot.
   */
  start(tick: () => void): Promise<void>;
  /** All objects as they are now. */
  snapshot(): Snapshot;
  /** Stops following. */
  close(): Promise<void>;
}
