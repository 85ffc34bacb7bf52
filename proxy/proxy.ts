import {
  type Address,
  errorMessage,
  FileWatcher,
  formatAddress,
  type Log,
  serveAdmin,
  type TlsFiles,
} from "@pingress/config";
import { clientAddress, denoHandler } from "./deno_server.ts";
import { FailureLog } from "./failure_log.ts";
import { createHandler } from "./handler.ts";
import { type ProxyState, StateLoader } from "./state.ts";
import { listenErrorMessage, SniListener } from "./tls/sni_listener.ts";
import { Uploads } from "./uploads.ts";
import { UpstreamClient } from "./upstream/client.ts";
import { UpstreamPool } from "./upstream/pool.ts";

/** Options of {@linkcode Proxy}. */
export interface ProxyOptions {
  /** The path of `proxy.json`. */
  configFile: string;
  /** The directory whose changes are followed. */
  watchDirectory: string;
  /** Where HTTP is served. */
  listenHttp: Address;
  /** Where HTTPS is served. */
  listenHttps: Address;
  /** Where the probes are served, if at all. */
  listenAdmin?: Address;
  /** The certificate for names that have none. */
  defaultTls?: TlsFiles;
  /** How long connecting to a backend may take, in milliseconds. */
  connectTimeout: number;
  /** How long a backend may do nothing before its response starts, in milliseconds. */
  responseTimeout: number;
  /** Everything is read anew this often even when no file event came, in milliseconds. */
  rereadInterval?: number;
  /** How long running requests may take to finish at the end, in milliseconds. */
  drainTimeout?: number;
  /** Told of each new state, from the first one on. */
  onReload?: () => void;
  /** Told what happens, but for single requests. */
  log: Log;
}

/** Less than the time that Kubernetes gives a Pod of the DaemonSet to end. */
const DRAIN_MILLISECONDS = 50_000;

/** The proxy: files in, traffic through. */
export class Proxy {
  readonly #options: ProxyOptions;
  readonly #loader: StateLoader;
  readonly #pool: UpstreamPool;
  readonly #uploads = new Uploads();
  readonly #watcher: FileWatcher;
  readonly #admin: Deno.HttpServer<Deno.NetAddr> | undefined;
  readonly #firstState = Promise.withResolvers<void>();
  #http: Deno.HttpServer<Deno.NetAddr> | undefined;
  #https: SniListener | undefined;
  #isStopping = false;

  /** Starts following the files. @throws {Error} when the admin address is taken. */
  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#loader = new StateLoader(options);
    this.#pool = new UpstreamPool(options);
    const { listenAdmin } = options;
    this.#admin = listenAdmin && listening(listenAdmin, () => serveAdmin(listenAdmin, () => this.isReady));
    this.#watcher = new FileWatcher({
      directory: options.watchDirectory,
      reload: () => this.#reload(),
      log: options.log,
      ...options.rereadInterval !== undefined && { rereadInterval: options.rereadInterval },
    });
  }

  /** Does it serve traffic? */
  get isReady(): boolean {
    return this.#https !== undefined && !this.#isStopping;
  }

  /** Where it listens, once {@linkcode start} has resolved. */
  get addresses(): { http: Address; https: Address } {
    if (this.#http === undefined || this.#https === undefined) {
      throw new Error("The proxy does not listen yet");
    }
    return { http: this.#http.addr, https: this.#https.address };
  }

  /**
   * Waits for a first good configuration, then listens.
   *
   * @throws {Error} when an address cannot be listened on, in words for the user.
   */
  async start(): Promise<void> {
    if (!await this.#watcher.reload()) {
      this.#options.log.info("Waiting for a configuration", { file: this.#options.configFile });
    }
    await this.#firstState.promise;
    const failures = new FailureLog(this.#options.log);
    const upstream = new UpstreamClient({
      pool: this.#pool,
      responseTimeout: this.#options.responseTimeout,
      onBrokenOff: (error) => failures.report(error),
    });
    const state = () => this.#state();
    const handler = createHandler({ state, upstream, failures });
    const { listenHttp, listenHttps, log } = this.#options;
    const http = denoHandler(handler, {
      scheme: "http",
      client: (remote) => ({ address: clientAddress(remote), mayUseHttp2: false }),
      uploads: this.#uploads,
      log,
    });
    this.#http = listening(
      listenHttp,
      () => Deno.serve({ hostname: listenHttp.hostname, port: listenHttp.port, onListen: () => {} }, http),
    );
    this.#https = listening(listenHttps, () =>
      new SniListener({
        address: listenHttps,
        certificates: () => state().certificates,
        serve: (pair, client) => {
          const server = Deno.serve(
            { hostname: "127.0.0.1", port: 0, cert: pair.cert, key: pair.key, onListen: () => {} },
            denoHandler(handler, { scheme: "https", client, uploads: this.#uploads, log }),
          );
          return { port: server.addr.port, shutdown: () => this.#shutdown(server) };
        },
        log,
      }));
    const { http: plain, https } = this.addresses;
    log.info("Serving", { http: formatAddress(plain), https: formatAddress(https) });
  }

  /** Stops accepting, finishes what runs, but not for ever, and closes everything. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#watcher.close();
    const finished = Promise.all([this.#http && this.#shutdown(this.#http), this.#https?.shutdown()]);
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), this.#options.drainTimeout ?? DRAIN_MILLISECONDS);
    if (await Promise.race([finished, late]) === "late") {
      this.#options.log.warn("Not all requests have finished");
    }
    clearTimeout(timer);
    this.#pool.close();
    await this.#admin?.shutdown();
  }

  async #shutdown(server: Deno.HttpServer<Deno.NetAddr>): Promise<void> {
    await this.#uploads.none();
    await server.shutdown();
  }

  async #reload(): Promise<boolean> {
    const hasChanged = await this.#loader.load();
    if (this.#loader.state !== undefined) this.#firstState.resolve();
    if (hasChanged) {
      this.#https?.certificatesChanged();
      this.#options.onReload?.();
    }
    return hasChanged;
  }

  #state(): ProxyState {
    const { state } = this.#loader;
    if (state === undefined) throw new Error("BUG: a request before the first configuration");
    return state;
  }
}

function listening<T>(address: Address, listen: () => T): T {
  try {
    return listen();
  } catch (error) {
    throw new Error(listenErrorMessage(error, address), { cause: errorMessage(error) });
  }
}
