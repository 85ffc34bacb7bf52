import {
  type Address,
  type CheckedKeyPair,
  EVERY_NAME,
  exposition,
  type Sample,
  serveAdmin,
} from "@pingress/config";
import type { CertificateSet } from "./configuration.ts";
import { FAMILIES } from "./observe/families.ts";
import { boundPassedOver } from "./observe/passed_over_samples.ts";

/** Options of {@linkcode Admin}. */
export interface AdminOptions {
  /** Does the proxy serve traffic? */
  isReady: () => boolean;
  /** Do metrics have hosts as a label? */
  withHosts: boolean;
  /** What the main thread has counted. */
  counts: () => {
    reloads: number;
    /** Of the last one. */
    reloadSeconds: number;
    reloadFailures: number;
    workers: number;
    workerRestarts: number;
    accessLogDropped: number;
  };
  /** The revision of the routes and endpoints that it serves; none before the first one. */
  revision: () => string | undefined;
  /** The certificates of this moment. */
  certificates: () => CertificateSet | undefined;
  /** What the workers have counted. */
  samples: () => Promise<Sample[]>;
}

/** The admin port: probes and metrics. */
export class Admin {
  readonly #options: AdminOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Starts listening. @throws {Deno.errors.AddrInUse} and what else `Deno.serve` throws. */
  constructor(address: Address, options: AdminOptions) {
    this.#options = options;
    this.#server = serveAdmin(address, { isReady: options.isReady, metrics: () => this.#metrics() });
  }

  /** Where it listens. */
  get address(): Address {
    return this.#server.addr;
  }

  /** Stops. */
  async close(): Promise<void> {
    await this.#server.shutdown();
  }

  async #metrics(): Promise<string> {
    const counts = this.#options.counts();
    const revision = this.#options.revision();
    return exposition(FAMILIES, [
      ...boundPassedOver(await this.#options.samples()),
      ...revision === undefined
        ? []
        : [["pingress_config_info", `revision="${revision}"`, 1] satisfies Sample],
      ["pingress_reloads_total", "", counts.reloads],
      ["pingress_reload_duration_seconds", "", counts.reloadSeconds],
      ["pingress_reload_failures_total", "", counts.reloadFailures],
      ["pingress_workers", "", counts.workers],
      ["pingress_worker_restarts_total", "", counts.workerRestarts],
      ["pingress_access_log_dropped_total", "", counts.accessLogDropped],
      ...this.#expirySamples(),
    ]);
  }

  #expirySamples(): Sample[] {
    const { byHost = new Map<string, CheckedKeyPair>(), fallback } = this.#options.certificates() ?? {};
    const pairs = [...byHost, ...fallback === undefined ? [] : [[EVERY_NAME, fallback] as const]];
    const name = "pingress_certificate_expiry_timestamp_seconds";
    const expiries = pairs.map((
      [host, pair],
    ): Sample => [name, `host="${host}"`, Math.floor(pair.notAfter / 1000)]);
    if (this.#options.withHosts || expiries.length === 0) return expiries;
    return [[name, "", Math.min(...expiries.map(([, , expiry]) => expiry))]];
  }
}
