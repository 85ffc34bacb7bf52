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
  readonly #closing = Promise.withResolvers<void>();
  #watcher: Deno.FsWatcher | undefined;
  #quietTimer: ReturnType<typeof setTimeout> | undefined;
  #burstStart: number | undefined;
  #reloading: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** Starts watching. */
  constructor(options: FileWatcherOptions) {
    this.#options = options;
    this.#rereadTimer = setInterval(() => this.#reread(), options.rereadInterval ?? 10_000);
    this.#watch();
  }

  /** Reads everything anew, after the reload that is under way. @returns whether anything had changed. */
  reload(): Promise<boolean> {
    const reloading = this.#reloading.then(() => this.#isClosed ? false : this.#options.reload());
    this.#reloading = reloading.catch(() => {});
    return reloading;
  }

  /** Stops watching. Resolves when the reload that is under way has ended, too. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#rereadTimer);
    clearTimeout(this.#quietTimer);
    this.#closing.resolve();
    this.#watcher?.close();
    await this.#reloading;
  }

  /** One watch after the other: a second one of the same directory would see nothing. */
  async #watch(): Promise<void> {
    const { directory, log } = this.#options;
    let isWaiting = false;
    for (let isFirst = true; !this.#isClosed; isFirst = false) {
      try {
        this.#watcher = Deno.watchFs(directory, { recursive: true });
        isWaiting = false;
        // what changed while nobody watched is found by looking
        if (!isFirst) this.#onEvent();
        for await (const { kind, paths } of this.#watcher) {
          if (kind !== "access") this.#onEvent();
          if (kind === "remove" && paths.includes(directory)) throw new Error("it was removed");
        }
      } catch (error) {
        if (this.#isClosed) return;
        if (!isWaiting) log.info(`Waiting for directory ${directory}`, { error: errorMessage(error) });
        isWaiting = true;
        await this.#pause(REWATCH_MILLISECONDS);
      }
    }
  }

  async #pause(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([promise, this.#closing.promise]);
    clearTimeout(timer);
  }

  #onEvent(): void {
    if (this.#isClosed) return;
    const now = performance.now();
    this.#burstStart ??= now;
    const wait = Math.max(0, Math.min(QUIET_MILLISECONDS, this.#burstStart + MOST_MILLISECONDS - now));
    clearTimeout(this.#quietTimer);
    this.#quietTimer = setTimeout(() => {
      this.#burstStart = undefined;
      this.#tryReload();
    }, wait);
  }

  async #reread(): Promise<void> {
    // a change that no event told of: the watch is no longer on the directory that has this name
    if (await this.#tryReload()) this.#watcher?.close();
  }

  async #tryReload(): Promise<boolean> {
    try {
      return await this.reload();
    } catch (error) {
      this.#options.log.error("A reload failed", { error: errorMessage(error) });
      return false;
    }
  }
}
