import { createSecureContext } from "node:tls";
import {
  type CheckedKeyPair,
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
/** A checked pair of each host, and the one for every other name. */
export interface CertificateSet {
  /** By an exact name or a wildcard. */
  byHost: ReadonlyMap<string, CheckedKeyPair>;
  /** For names that have none. */
  fallback: CheckedKeyPair | undefined;
}

/** All that the proxy works by, as plain data. It is never changed, only replaced. */
export interface Configuration {
  /** What `proxy.json` says. */
  config: ProxyConfig;
  /** What `endpoints.json` says. */
  endpoints: EndpointsFile;
  /** The certificates. */
  certificates: CertificateSet;
}

/** Options of {@linkcode ConfigurationLoader}. */
export interface ConfigurationLoaderOptions {
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
export class ConfigurationLoader {
  readonly #options: ConfigurationLoaderOptions;
  readonly #endpointsFile: string;
  readonly #faults = new Map<string, string>();
  #config: Loaded<ProxyConfig> | undefined;
  #endpoints: Loaded<EndpointsFile> | undefined;
  #configuration: Configuration | undefined;
  #failures = 0;

  /** Reads nothing yet. */
  constructor(options: ConfigurationLoaderOptions) {
    this.#options = options;
    this.#endpointsFile = options.configFile.replace(/[^/]*$/, ENDPOINTS_FILE);
  }

  /** The last good configuration, once there was one. */
  get configuration(): Configuration | undefined {
    return this.#configuration;
  }

  /** How often something could not be loaded. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Reads everything anew, once at a time.
   *
   * @returns what is another one now, if anything is.
   */
  async load(): Promise<Partial<Configuration> | undefined> {
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
    if (config === undefined || isBlind) return undefined;
    const next: Configuration = {
      config: config.value,
      // where there never was such a file every backend is looked up in DNS
      endpoints: endpoints?.value ?? NO_ENDPOINTS,
      certificates: await this.#loadCertificates(config.value),
    };
    const change = changeBetween(this.#configuration, next);
    if (change === undefined) return undefined;
    this.#configuration = next;
    this.#options.log.info("Configuration loaded", {
      rules: next.config.rules.length,
      backends: Object.keys(next.endpoints).length,
      certificates: next.certificates.byHost.size,
    });
    return change;
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

  async #loadCertificates(config: ProxyConfig): Promise<CertificateSet> {
    const last = this.#configuration?.certificates;
    const known = new Map(pairsOf(last).map((pair) => [identity(pair), pair]));
    const loadPair = async (files: TlsFiles) => {
      const text = { cert: await Deno.readTextFile(files.cert), key: await Deno.readTextFile(files.key) };
      const same = known.get(identity(text));
      if (same !== undefined) return same;
      const checked = checkKeyPair(text);
      checkServed(checked);
      // the same pair in two spellings is one, too
      const pair = known.get(identity(checked)) ?? checked;
      known.set(identity(text), pair).set(identity(pair), pair);
      return pair;
    };
    const byHost = new Map<string, CheckedKeyPair>();
    for (const { host, tls } of namesWithTls(config)) {
      if (byHost.has(host)) continue;
      const pair = await this.#attempt(`the certificate of ${host}`, () => loadPair(tls)) ??
        last?.byHost.get(host);
      if (pair !== undefined) byHost.set(host, pair);
    }
    const { defaultTls } = this.#options;
    const fallback = defaultTls &&
      (await this.#attempt("the default certificate", () => loadPair(defaultTls)) ?? last?.fallback);
    return { byHost, fallback };
  }

  /** Tries to load one thing. Each fault is logged when it appears or changes, and when it is gone. */
  async #attempt<T>(what: string, load: () => Promise<T>): Promise<T | undefined> {
    try {
      const loaded = await load();
      if (this.#faults.delete(what)) this.#options.log.info(`Good again: ${what}`);
      return loaded;
    } catch (error) {
      const message = errorMessage(error);
      this.#failures++;
      if (this.#faults.get(what) !== message) {
        this.#faults.set(what, message);
        const consequence = this.#configuration === undefined ? "it is left out" : "the last good one stays";
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

const NO_ENDPOINTS: EndpointsFile = {};

/** The parts that are another one now; nothing when none is. */
function changeBetween(
  last: Configuration | undefined,
  next: Configuration,
): Partial<Configuration> | undefined {
  if (last === undefined) return next;
  const change: Partial<Configuration> = {};
  if (next.config !== last.config) change.config = next.config;
  if (next.endpoints !== last.endpoints) change.endpoints = next.endpoints;
  if (!isSameSet(next.certificates, last.certificates)) change.certificates = next.certificates;
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Does every name have the same pair in both? */
function isSameSet(one: CertificateSet, other: CertificateSet): boolean {
  return one.fallback === other.fallback && one.byHost.size === other.byHost.size &&
    [...one.byHost].every(([host, pair]) => other.byHost.get(host) === pair);
}

/** The last word is with the TLS server: what it refuses would fail every handshake. */
function checkServed({ cert, key }: CheckedKeyPair): void {
  createSecureContext({ cert, key });
  Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
}

/** Every pair once. */
function pairsOf(set: CertificateSet | undefined): CheckedKeyPair[] {
  if (set === undefined) return [];
  return [...new Set([...set.byHost.values(), ...set.fallback === undefined ? [] : [set.fallback]])];
}

function identity(pair: KeyPair): string {
  return `${pair.cert}\0${pair.key}`;
}
