import { type Address, FileWatcher, formatAddress, type Log, type TlsFiles } from "@pingress/config";
import { listenErrorMessage } from "./accept/listen_error.ts";
import { Admin } from "./admin.ts";
import { type Configuration, ConfigurationLoader } from "./configuration.ts";
import { LineSink, type Writer } from "./observe/line_sink.ts";
import type { ServerOptions } from "./server.ts";
import { startThread } from "./worker_thread.ts";
import { startHere, Workers } from "./workers.ts";

/** Options of {@linkcode Proxy}. */
export interface ProxyOptions {
  /** What each worker is told. */
  server: ServerOptions;
  /** The path of `proxy.json`. */
  configFile: string;
  /** The directory whose changes are followed. */
  watchDirectory: string;
  /** How many threads serve; 0 to serve in this one. */
  workers: number;
  /** Where the probes and metrics are served, if at all. */
  listenAdmin?: Address;
  /** The certificate for names that have none. */
  defaultTls?: TlsFiles;
  /** Everything is read anew this often even when no file event came, in milliseconds. */
  rereadInterval?: number;
  /** How long it goes on serving after it has said that it is not ready, in milliseconds. */
  shutdownDelay: number;
  /** How long running requests may take to finish at the end, in milliseconds. */
  drainTimeout: number;
  /** Told of each new configuration, from the first one on. */
  onReload?: () => void;
  /** Takes the access log. */
  accessLog: Writer;
  /** Told what happens, but for single requests. */
  log: Log;
}

/** How long the rest of the access log may take at the end, in milliseconds. */
const FLUSH_MILLISECONDS = 1000;

/** The proxy: files in, traffic through. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #loader: ConfigurationLoader;
  readonly #watcher: FileWatcher;
  readonly #sink: LineSink;
  readonly #admin: Admin | undefined;
  readonly #firstConfiguration = Promise.withResolvers<Configuration>();
  #workers: Workers | undefined;
  #addresses: { http: Address; https: Address } | undefined;
  #reloads = 0;
  #reloadSeconds = 0;
  #isStopping = false;

  /** Starts following the files. @throws {Error} when the admin address is taken. */
  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#loader = new ConfigurationLoader(options);
    this.#sink = new LineSink(options.accessLog);
    this.#admin = this.#startAdmin();
    this.#watcher = new FileWatcher({
      directory: options.watchDirectory,
      reload: () => this.#reload(),
      log: options.log,
      ...options.rereadInterval !== undefined && { rereadInterval: options.rereadInterval },
    });
  }

  /** Does it serve traffic? */
  get isReady(): boolean {
    return this.#addresses !== undefined && !this.#isStopping;
  }

  /** Where it listens, once {@linkcode start} has resolved. */
  get addresses(): { http: Address; https: Address; admin: Address | undefined } {
    if (this.#addresses === undefined) throw new Error("The proxy does not listen yet");
    return { ...this.#addresses, admin: this.#admin?.address };
  }

  /**
   * Waits for a first good configuration, then listens.
   *
   * @throws {Error} when an address cannot be listened on, in words for the user.
   */
  async start(): Promise<void> {
    const { log, workers: count } = this.#options;
    if (!await this.#watcher.reload()) {
      log.info("Waiting for a configuration", { file: this.#options.configFile });
    }
    const configuration = await this.#firstConfiguration.promise;
    this.#workers = new Workers(configuration, {
      options: this.#options.server,
      count: Math.max(1, count),
      start: count === 0 ? startHere : startThread,
      writeAccessLog: (lines) => this.#sink.write(lines),
      log,
    });
    this.#addresses = await this.#workers.start();
    const { http, https } = this.#addresses;
    log.info("Serving", { http: formatAddress(http), https: formatAddress(https), workers: count });
  }

  /**
   * Says that it is not ready, goes on for a while, stops accepting, finishes what runs, but not for ever, and
   * closes everything.
   */
  async stop(): Promise<void> {
    const { shutdownDelay, drainTimeout, log } = this.#options;
    this.#isStopping = true;
    if (shutdownDelay > 0) {
      // a request that comes just when its connection is closed would be lost
      this.#workers?.leave();
      await pause(shutdownDelay);
    }
    await this.#watcher.close();
    if (!await endsWithin(drainTimeout, this.#workers?.stop())) {
      log.warn("Not all requests have finished");
      this.#workers?.terminate();
    }
    // nobody may be reading it
    await endsWithin(FLUSH_MILLISECONDS, this.#sink.flush());
    await this.#admin?.close();
  }

  async #reload(): Promise<boolean> {
    const start = performance.now();
    const change = await this.#loader.load();
    if (this.#loader.configuration !== undefined) {
      this.#firstConfiguration.resolve(this.#loader.configuration);
    }
    if (change === undefined) return false;
    this.#reloads++;
    this.#workers?.configure(change);
    this.#reloadSeconds = (performance.now() - start) / 1000;
    this.#options.onReload?.();
    return true;
  }

  #startAdmin(): Admin | undefined {
    const { listenAdmin, server } = this.#options;
    if (listenAdmin === undefined) return undefined;
    try {
      return new Admin(listenAdmin, {
        isReady: () => this.isReady,
        withHosts: server.metricsWithHosts,
        counts: () => ({
          reloads: this.#reloads,
          reloadSeconds: this.#reloadSeconds,
          reloadFailures: this.#loader.failures,
          workers: this.#workers?.count ?? 0,
          workerRestarts: this.#workers?.restarts ?? 0,
          accessLogDropped: this.#sink.dropped,
        }),
        revision: () => this.#loader.revision,
        certificates: () => this.#loader.configuration?.certificates,
        samples: async () => await this.#workers?.samples() ?? [],
      });
    } catch (error) {
      throw new Error(listenErrorMessage(error, listenAdmin), { cause: error });
    }
  }
}

/** Waits for a promise, but not for ever. @returns whether it has ended. */
async function endsWithin(milliseconds: number, promise: Promise<void> | undefined): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), milliseconds);
  try {
    return await Promise.race([Promise.resolve(promise).then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
