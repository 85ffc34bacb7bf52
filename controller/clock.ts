/** Measures time and lets it pass. */
export interface Clock {
  /** Milliseconds since some moment. It never goes back and knows nothing of the time of day. */
  now(): number;
  /** Resolves after so many milliseconds and not before, or at once when the signal aborts. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The clock of this machine. */
export const SYSTEM_CLOCK: Clock = { now: () => performance.now(), wait };

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  // fractions would be cut off
  const timer = setTimeout(end, Math.ceil(milliseconds));
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
