import type { Snapshot } from "../store.ts";

/** Where Ingresses and what belongs to them come from. */
export interface Source {
  /**
   * Starts following the objects. `tick` is called when every kind has been read once, and whenever anything
   * changes after that; what has changed is found in the snapshot.
   */
  start(tick: () => void): Promise<void>;
  /**
   * Follows these Secrets (`namespace/name`), too, and no others but those of certificates; for a source that does
   * not read all of them anyway.
   *
   * @returns whether all of them have been read once: else a tick will follow.
   */
  followSecrets?(keys: ReadonlySet<string>): boolean;
  /** All objects as they are now. */
  snapshot(): Snapshot;
  /** Stops following. */
  close(): Promise<void>;
}
