import {
  checkKeyPair,
  ENDPOINTS_FILE,
  type EndpointsFile,
  errorMessage,
  type KeyPair,
  type Log,
  parseEndpointsFile,
  parseProxyConfig,
  type ProxyConfig,
  type TlsFiles,
} from "@pingress/config";
import type { RoutingState } from "./handler.ts";
import { RoutingTable } from "./routing_table.ts";
import { CertificateStore } from "./tls/certificate_store.ts";
import { Endpoints } from "./upstream/endpoints.ts";

/** All that the proxy works by. It is never changed, only replaced as a whole. */
export interface ProxyState extends RoutingState {
  /** The certificates by name. */
  readonly certificates: CertificateStore;
}

/** Options of {@linkcode StateLoader}. */
export interface StateLoaderOptions {
  /** The path of `proxy.json`; `endpoints.json` is looked for beside it. */
  configFile: string;
  /** The certificate for names that have none. */
  defaultTls?: TlsFiles;
  /** Told what was loaded and what could not be. */
  log: Log;
}

/**
 * Reads the configuration, the endpoints and the certificates. What cannot be read, or is wrong, leaves the
 * last good one of its kind in place, with the reason in the log.
 */
export class StateLoader {
  readonly #options: StateLoaderOptions;
  readonly #endpointsFile: string;
  readonly #faults = new Map<string, string>();
  #texts = new Map<string, string>();
  #config: ProxyConfig | undefined;
  #endpoints: EndpointsFile | undefined;
  #state: ProxyState | undefined;

  /** Reads nothing yet. */
  constructor(options: StateLoaderOptions) {
    this.#options = options;
    this.#endpointsFile = options.configFile.replace(/[^/]*$/, ENDPOINTS_FILE);
  }

  /** The last good state, once there was one. */
  get state(): ProxyState | undefined {
    return this.#state;
  }

  /** Reads everything anew. @returns whether the state is another one now. */
  async load(): Promise<boolean> {
    const before = this.#texts;
    this.#texts = new Map();
    this.#config = await this.#loadConfig() ?? this.#config;
    this.#endpoints = await this.#loadEndpoints() ?? this.#endpoints;
    const endpoints = this.#endpoints ?? {};
    if (this.#config === undefined) return false;
    const certificates = await this.#loadCertificates(this.#config);
    if (this.#state !== undefined && isEqual(before, this.#texts)) return false;
    this.#state = {
      routes: new RoutingTable(this.#config),
      endpoints: new Endpoints(endpoints),
      certificates,
    };
    this.#options.log.info("Configuration loaded", {
      rules: this.#config.rules.length,
      backends: Object.keys(endpoints).length,
      certificates: certificates.size,
    });
    return true;
  }

  async #loadConfig(): Promise<ProxyConfig | undefined> {
    const file = this.#options.configFile;
    return await this.#attempt(file, async () => {
      try {
        return parseProxyConfig(JSON.parse(await this.#read(file)));
      } catch (error) {
        // before the first configuration there is nothing to be wrong: it is waited for
        if (error instanceof Deno.errors.NotFound && this.#config === undefined) return undefined;
        throw error;
      }
    });
  }

  /** Where there never was such a file every backend is looked up in DNS. */
  async #loadEndpoints(): Promise<EndpointsFile | undefined> {
    const file = this.#endpointsFile;
    return await this.#attempt(file, async () => {
      try {
        return parseEndpointsFile(JSON.parse(await this.#read(file)));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound && this.#endpoints === undefined) return undefined;
        throw error;
      }
    });
  }

  async #loadCertificates(config: ProxyConfig): Promise<CertificateStore> {
    const known = new Map([...this.#state?.certificates.pairs() ?? []].map((pair) => [identity(pair), pair]));
    const loadPair = async (files: TlsFiles) => {
      const pair = { cert: await this.#read(files.cert), key: await this.#read(files.key) };
      const same = known.get(identity(pair));
      if (same !== undefined) return same;
      checkKeyPair(pair);
      known.set(identity(pair), pair);
      return pair;
    };
    const byHost = new Map<string, KeyPair>();
    for (const { host, tls } of namesWithTls(config)) {
      if (byHost.has(host)) continue;
      const pair = await this.#attempt(`the certificate of ${host}`, () => loadPair(tls)) ??
        this.#state?.certificates.get(host);
      if (pair !== undefined) byHost.set(host, pair);
    }
    const { defaultTls } = this.#options;
    if (defaultTls === undefined) return new CertificateStore(byHost);
    const fallback = await this.#attempt("the default certificate", () => loadPair(defaultTls)) ??
      this.#state?.certificates.find(undefined);
    return new CertificateStore(byHost, fallback);
  }

  async #read(file: string): Promise<string> {
    const text = this.#texts.get(file) ?? await Deno.readTextFile(file);
    this.#texts.set(file, text);
    return text;
  }

  /** Tries to load one thing. Each fault is logged when it appears or changes, and when it is gone. */
  async #attempt<T>(what: string, load: () => Promise<T>): Promise<T | undefined> {
    try {
      const loaded = await load();
      if (this.#faults.delete(what)) this.#options.log.info(`Good again: ${what}`);
      return loaded;
    } catch (error) {
      const message = errorMessage(error);
      if (this.#faults.get(what) !== message) {
        this.#faults.set(what, message);
        const consequence = this.#state === undefined ? "it is left out" : "the last good one stays";
        this.#options.log.error(`Cannot load ${what}: ${consequence}`, { error: message });
      }
      return undefined;
    }
  }
}

function namesWithTls(config: ProxyConfig): { host: string; tls: TlsFiles }[] {
  const names = (config.certificates ?? []).map(({ host, key, cert }) => ({ host, tls: { key, cert } }));
  for (const { host, tls } of config.rules) {
    if (host !== undefined && tls !== undefined) names.push({ host, tls });
  }
  return names;
}

function identity(pair: KeyPair): string {
  return `${pair.cert}\0${pair.key}`;
}

function isEqual(one: Map<string, string>, other: Map<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
