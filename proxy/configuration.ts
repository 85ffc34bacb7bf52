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

/** A file's text and what it means: while the text stays the same, so does the object. */
interface Loaded<T> {
  text: string;
  value: T;
}

/**
 * Reads the configuration, the endpoints and the certificates. What cannot be read, or is wrong, leaves the
 * last good one of its kind in place, with the reason in the log.
 */
export class StateLoader {
  readonly #options: StateLoaderOptions;
  readonly #endpointsFile: string;
  readonly #faults = new Map<string, string>();
  #config: Loaded<ProxyConfig> | undefined;
  #endpoints: Loaded<EndpointsFile> | undefined;
  #loaded: { config: Loaded<ProxyConfig>; endpoints: Loaded<EndpointsFile> | undefined } | undefined;
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

  /** Reads everything anew, once at a time. @returns whether the state is another one now. */
  async load(): Promise<boolean> {
    const config = this.#config = await this.#loadJson(
      this.#options.configFile,
      parseProxyConfig,
      this.#config,
    );
    const endpoints = this.#endpoints = await this.#loadJson(
      this.#endpointsFile,
      parseEndpointsFile,
      this.#endpoints,
    );
    // with a broken list of endpoints no backend would be found where it is
    const isBlind = endpoints === undefined && this.#faults.has(this.#endpointsFile);
    if (config === undefined || isBlind) return false;
    const certificates = await this.#loadCertificates(config.value);
    const isSame = this.#loaded?.config === config && this.#loaded.endpoints === endpoints &&
      this.#state?.certificates.equals(certificates);
    if (isSame) return false;
    this.#loaded = { config, endpoints };
    this.#state = {
      routes: new RoutingTable(config.value),
      // where there never was such a file every backend is looked up in DNS
      endpoints: new Endpoints(endpoints?.value ?? {}),
      certificates,
    };
    this.#options.log.info("Configuration loaded", {
      rules: config.value.rules.length,
      backends: Object.keys(endpoints?.value ?? {}).length,
      certificates: certificates.size,
    });
    return true;
  }

  /** @returns `last` when the file says the same as then, or nothing usable. */
  async #loadJson<T>(
    file: string,
    parse: (value: unknown) => T,
    last: Loaded<T> | undefined,
  ): Promise<Loaded<T> | undefined> {
    const loaded = await this.#attempt(file, async () => {
      try {
        const text = await Deno.readTextFile(file);
        return last?.text === text ? last : { text, value: parse(JSON.parse(text)) };
      } catch (error) {
        // a file that never was there is not wrong: it may come
        if (error instanceof Deno.errors.NotFound && last === undefined) return undefined;
        throw error;
      }
    });
    return loaded ?? last;
  }

  async #loadCertificates(config: ProxyConfig): Promise<CertificateStore> {
    const known = new Map([...this.#state?.certificates.pairs() ?? []].map((pair) => [identity(pair), pair]));
    const loadPair = async (files: TlsFiles) => {
      const text = { cert: await Deno.readTextFile(files.cert), key: await Deno.readTextFile(files.key) };
      const same = known.get(identity(text));
      if (same !== undefined) return same;
      const { cert, key } = checkKeyPair(text);
      // the last word is with the TLS server: what it refuses would fail every handshake
      Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
      // the same pair in two spellings is one, too
      const pair = known.get(identity({ cert, key })) ?? { cert, key };
      known.set(identity(text), pair).set(identity(pair), pair);
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
