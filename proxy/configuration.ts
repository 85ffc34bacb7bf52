import { createSecureContext } from "node:tls";
import {
  checkAuthorities,
  type CheckedKeyPair,
  checkKeyPair,
  configRevision,
  ENDPOINTS_FILE,
  type EndpointsFile,
  errorMessage,
  EVERY_NAME,
  type KeyPair,
  type Log,
  MAX_SHARDS,
  parseEndpointsFile,
  type ProxyConfig,
  readProxyConfig,
  shardFile,
  textDigest,
  type TlsFiles,
  type UsableConfig,
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
  /** The texts of other files that rules name, by their paths. */
  files: ReadonlyMap<string, string>;
}

/** Options of {@linkcode ConfigurationLoader}. */
export interface ConfigurationLoaderOptions {
  /** The path of `proxy.json`; `endpoints.json` and further shards are looked for beside it. */
  configFile: string;
  /** The certificate for names that have none, instead of the configuration's. */
  defaultTls?: TlsFiles;
  /** Told what was loaded and what could not be. */
  log: Log;
}

/** A file's text and what it means: while the text stays the same, so does the object. */
interface Loaded {
  text: string;
  digest: string;
  value: unknown;
}

/** The files that hold routes and endpoints, all of one time, and what they say together. */
interface ShardSet extends Pick<Configuration, "config" | "endpoints"> {
  configs: readonly UsableConfig[];
  endpointLists: readonly EndpointsFile[];
  revision: string;
}

/**
 * Reads the configuration, the endpoints and the certificates. What cannot be read, or is wrong, leaves the
 * last good one of its kind in place, with the reason in the log; a single rule that is wrong is closed.
 */
export class ConfigurationLoader {
  readonly #options: ConfigurationLoaderOptions;
  readonly #endpointsFile: string;
  readonly #faults = new Map<string, string>();
  readonly #loaded = new Map<string, Loaded>();
  #closed: ReadonlySet<string> = new Set();
  #shards: ShardSet | undefined;
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

  /** The revision of the routes and endpoints that are the last good ones, once there were any. */
  get revision(): string | undefined {
    return this.#shards?.revision;
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
    this.#shards = await this.#loadShards() ?? this.#shards;
    if (this.#shards === undefined) return undefined;
    this.#tellClosed(this.#shards);
    const { config, endpoints } = this.#shards;
    const next: Configuration = {
      config,
      endpoints,
      certificates: await this.#loadCertificates(config),
      files: await this.#loadFiles(config),
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

  /**
   * Reads the routes and the endpoints. Files are written one after the other: as long as they do not agree on
   * how many they are, some are old and some new, and a rule may be in two of them or in none.
   *
   * @returns nothing as long as they are no set.
   */
  async #loadShards(): Promise<ShardSet | undefined> {
    const { configFile, log } = this.#options;
    const first = await this.#loadJson(configFile, readProxyConfig);
    if (first === undefined) return undefined;
    const { shards = 1 } = first.config;
    const configs = [first];
    const digests: string[] = [];
    const endpointLists: EndpointsFile[] = [];
    for (let shard = 0; shard < shards; shard++) {
      const file = shardFile(configFile, shard);
      const read = configs[shard] ?? await this.#loadJson(file, readProxyConfig, { mayGo: true });
      if (read === undefined || (read.config.shards ?? 1) !== shards) {
        log.debug("Waiting for the rest of the configuration", { file, shards, found: read?.config.shards });
        return undefined;
      }
      configs[shard] = read;
      const endpointsFile = shardFile(this.#endpointsFile, shard);
      const endpoints = await this.#loadJson(endpointsFile, parseEndpointsFile);
      // with a broken list of endpoints no backend would be found where it is
      if (endpoints === undefined && this.#faults.has(endpointsFile)) return undefined;
      // where there never was such a file every backend is looked up in DNS
      endpointLists.push(endpoints ?? NO_ENDPOINTS);
      for (const name of [file, endpointsFile]) {
        digests.push(this.#loaded.get(name)?.digest ?? textDigest(""));
      }
    }
    this.#forget(shards);
    const last = this.#shards;
    return {
      configs,
      endpointLists,
      revision: configRevision(digests),
      config: last && isSameList(configs, last.configs)
        ? last.config
        : mergeConfigs(configs.map(({ config }) => config)),
      endpoints: last && isSameList(endpointLists, last.endpointLists)
        ? last.endpoints
        : mergeEndpoints(endpointLists),
    };
  }

  /** Tells of rules that cannot be used, and of those that can be again. */
  #tellClosed({ configs }: ShardSet): void {
    const closed = new Set<string>();
    for (const [shard, { faults }] of configs.entries()) {
      const file = shardFile(this.#options.configFile, shard);
      for (const { part, error: { path, detail } } of faults) {
        closed.add(part);
        this.#fail(part, detail, `Cannot use ${path} of ${file} (${part}): its requests get 503`);
      }
    }
    for (const part of this.#closed) if (!closed.has(part)) this.#succeed(part);
    this.#closed = closed;
  }

  /** What files say that are not of the set must not become part of a later one. */
  #forget(from: number): void {
    for (let shard = from; shard < MAX_SHARDS; shard++) {
      for (const file of [this.#options.configFile, this.#endpointsFile]) {
        this.#loaded.delete(shardFile(file, shard));
        this.#faults.delete(shardFile(file, shard));
      }
    }
  }

  /**
   * Reads one file.
   *
   * @returns the same object while the file says the same, and while it says nothing usable.
   */
  async #loadJson<T>(
    file: string,
    parse: (value: unknown) => T,
    { mayGo = false } = {},
  ): Promise<T | undefined> {
    await this.#attempt(file, async () => {
      try {
        const text = await Deno.readTextFile(file);
        if (this.#loaded.get(file)?.text === text) return;
        this.#loaded.set(file, { text, digest: textDigest(text), value: parse(JSON.parse(text)) });
      } catch (error) {
        // a file that never was there is not wrong: it may come
        const isWrong = !(error instanceof Deno.errors.NotFound) || (this.#loaded.has(file) && !mayGo);
        if (isWrong) throw error;
        this.#loaded.delete(file);
      }
    });
    return this.#loaded.get(file)?.value as T | undefined;
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
    const names = namesWithTls(config);
    for (const { host, tls } of names) {
      if (host === EVERY_NAME || byHost.has(host)) continue;
      const pair = await this.#attempt(`the certificate of ${host}`, () => loadPair(tls)) ??
        last?.byHost.get(host);
      if (pair !== undefined) byHost.set(host, pair);
    }
    const defaultTls = this.#options.defaultTls ?? names.find(({ host }) => host === EVERY_NAME)?.tls;
    const fallback = defaultTls &&
      (await this.#attempt("the default certificate", () => loadPair(defaultTls)) ?? last?.fallback);
    return { byHost, fallback };
  }

  /** A certificate and its key are read together, so that they belong together. */
  async #loadFiles(config: ProxyConfig): Promise<ReadonlyMap<string, string>> {
    const last = this.#configuration?.files;
    const files = new Map<string, string>();
    const load = async (paths: string[], check: (texts: string[]) => void) => {
      if (paths.every((path) => files.has(path))) return;
      const texts = await this.#attempt(paths.join(" and "), async () => {
        const texts = await Promise.all(paths.map((path) => Deno.readTextFile(path)));
        if (paths.some((path, index) => texts[index] !== last?.get(path))) check(texts);
        return texts;
      });
      for (const [index, path] of paths.entries()) {
        const text = texts?.[index] ?? last?.get(path);
        if (text !== undefined) files.set(path, text);
      }
    };
    for (const options of [config.defaultOptions, ...config.rules.map(({ options }) => options)]) {
      const { basicAuth, backendTrust, backendIdentity } = options ?? {};
      if (basicAuth !== undefined) await load([basicAuth.users], () => {});
      if (backendTrust !== undefined) await load([backendTrust], ([text = ""]) => checkAuthorities(text));
      if (backendIdentity === undefined) continue;
      await load(
        [backendIdentity.cert, backendIdentity.key],
        ([cert = "", key = ""]) => void checkKeyPair({ cert, key }),
      );
    }
    return files;
  }

  /** Tries to load one thing. Each fault is logged when it appears or changes, and when it is gone. */
  async #attempt<T>(what: string, load: () => Promise<T>): Promise<T | undefined> {
    try {
      const loaded = await load();
      this.#succeed(what);
      return loaded;
    } catch (error) {
      const consequence = this.#configuration === undefined ? "it is left out" : "the last good one stays";
      this.#fail(what, errorMessage(error), `Cannot load ${what}: ${consequence}`);
      return undefined;
    }
  }

  #succeed(what: string): void {
    if (this.#faults.delete(what)) this.#options.log.info(`Good again: ${what}`);
  }

  #fail(what: string, error: string, message: string): void {
    this.#failures++;
    if (this.#faults.get(what) === error) return;
    this.#faults.set(what, error);
    this.#options.log.error(message, { error });
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

/** All rules of a host are in one shard, so which of them comes first stays as it is. */
function mergeConfigs(configs: readonly ProxyConfig[]): ProxyConfig {
  return {
    ...configs[0],
    rules: configs.flatMap(({ rules }) => rules),
    certificates: configs.flatMap(({ certificates = [] }) => certificates),
  };
}

function mergeEndpoints(lists: readonly EndpointsFile[]): EndpointsFile {
  return Object.fromEntries(lists.flatMap((list) => Object.entries(list)));
}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}

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
  const isSame = next.files.size === last.files.size &&
    [...next.files].every(([file, text]) => last.files.get(file) === text);
  if (!isSame) change.files = next.files;
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
