import { errorMessage, type Log } from "./log.ts";

/** Options of {@linkcode FileWatcher}. */
export interface FileWatcherOptions {
  /** The directory that is watched, with all below it. */
  directory: string;
  /** Reads everything anew; resolves to whether anything had changed. */
  reload: () => Promise<boolean>;
  /** Everything is read anew this often even when no event came, in milliseconds. */
  rereadInterval?: number;
  /** Told when the directory is waited for. */
  log: Log;
}

/** Changes come in bursts (kubelet writes a directory, then swaps a link to it): wait for quiet, not for long. */
const QUIET_MILLISECONDS = 30;
const MOST_MILLISECONDS = 250;

/** How often a directory that is not there is looked for. */
const REWATCH_MILLISECONDS = 500;

/**
 * Calls `reload` when something below a directory changes, and slowly without any event: file events get lost
 * on some file systems, and with a directory that is removed and made again.
 */
export class FileWatcher {
  readonly #options: FileWatcherOptions;
  readonly #rereadTimer: ReturnType<typeof setInterval>;
  #watcher: Deno.FsWatcher | undefined;
  #quietTimer: ReturnType<typeof setTimeout> | undefined;
  #rewatchTimer: ReturnType<typeof setTimeout> | undefined;
  #burstStart: number | undefined;
  #isBlind = false;
  #reloading: Promise<void> = Promise.resolve();
  #closed = false;

  /** Starts watching. */
  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#watch();
    this.#rereadTimer = setInterval(() => this.#reload("timer"), options.rereadInterval ?? 10_000);
  }

  /** Stops watching. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#rereadTimer);
    clearTimeout(this.#quietTimer);
    clearTimeout(this.#rewatchTimer);
    this.#watcher?.close();
  }

  async #watch(): Promise<void> {
    const { directory, log } = this.#options;
    this.#watcher?.close();
    clearTimeout(this.#rewatchTimer);
    try {
      const watcher = Deno.watchFs(directory, { recursive: true });
      // what changed while nobody watched is found by looking
      if (this.#watcher !== undefined || this.#isBlind) this.#onEvent();
      this.#watcher = watcher;
      this.#isBlind = false;
      for await (const event of watcher) {
        if (event.kind !== "access") this.#onEvent();
        if (event.kind === "remove" && event.paths.includes(directory)) throw new Error("it was removed");
      }
    } catch (error) {
      if (this.#closed) return;
      if (!this.#isBlind) log.info(`Waiting for directory ${directory}`, { error: errorMessage(error) });
      this.#isBlind = true;
      this.#rewatchTimer = setTimeout(() => this.#watch(), REWATCH_MILLISECONDS);
    }
  }

  #onEvent(): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#burstStart ??= now;
    const wait = Math.max(0, Math.min(QUIET_MILLISECONDS, this.#burstStart + MOST_MILLISECONDS - now));
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => {
      this.#burstStart = undefined;
      this.#reload("event");
    }, wait);
  }

  #reload(cause: "event" | "timer"): void {
    this.#reloading = this.#reloading.then(async () => {
      if (this.#closed) return;
      const hasChanged = await this.#options.reload();
      // a change that no event told of: the watch is no longer on the directory that has this name
      if (hasChanged && cause === "timer" && !this.#closed) this.#watch();
    }).catch((error) => this.#options.log.error("A reload failed", { error: errorMessage(error) }));
  }
}
