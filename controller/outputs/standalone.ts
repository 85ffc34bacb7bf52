import {
  certFile,
  ENDPOINTS_FILE,
  type EndpointsFile,
  FileWatcher,
  isBackendFile,
  isCertificateName,
  keyFile,
  type KeyPair,
  type Log,
  parseEndpointsFile,
  PROXY_CONFIG_FILE,
  USERS_FILE_ENDING,
} from "@pingress/config";
import { ensureDir } from "@std/fs";
import { renderConfigFiles } from "../render/config_files.ts";
import type { ChooseShards } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";
import type { Output } from "./output.ts";

/** Options of {@linkcode StandaloneOutput}. */
export interface StandaloneOutputOptions {
  /** The absolute path of the directory that is written. */
  directory: string;
  /** Told what is written. */
  log: Log;
}

/** In the keys' directory: which Secret (`namespace/name`) the files of each host are from. */
const SOURCES_FILE = "sources.json";

/** One proxy reads it all. */
const IN_ONE_SHARD: ChooseShards = () => 1;

/**
 * Writes the configuration into a directory, for a proxy that runs beside it: `proxy.json`, `endpoints.json`
 * and `keys/`. Each file is replaced in one step. Certificates and endpoints are there before the routes that
 * name them, and go after them. What somebody else does to these files is put right.
 */
export class StandaloneOutput implements Output {
  /** Where proxies find certificates and keys. */
  readonly keysDirectory: string;
  /** A file holds everything. */
  readonly isSharded = false;
  /** One of each. */
  readonly chooseShards = IN_ONE_SHARD;
  readonly #options: StandaloneOutputOptions;
  /** The files that are there by Pingress, and what they hold. */
  readonly #written = new Map<string, string>();
  readonly #lastGood = new Map<string, KeyPair>();
  #sources: Record<string, string> = {};
  #watcher: FileWatcher | undefined;

  /** Writes nothing yet. */
  constructor(options: StandaloneOutputOptions) {
    this.#options = options;
    this.keysDirectory = `${options.directory}/keys`;
  }

  /** Reads what an earlier run has left. @throws {Error} when the directory cannot be written. */
  async start(tick: () => void): Promise<void> {
    const { directory, log } = this.#options;
    await ensureDir(this.keysDirectory);
    for await (const { name } of Deno.readDir(this.keysDirectory)) {
      // a run that was cut off left it
      if (name.endsWith(NEXT)) await Deno.remove(`${this.keysDirectory}/${name}`);
      if (isBackendFile(name) || name.endsWith(USERS_FILE_ENDING)) {
        await this.#remember(`${this.keysDirectory}/${name}`);
      }
    }
    this.#sources = parseSources(await this.#remember(`${this.keysDirectory}/${SOURCES_FILE}`));
    for (const [host, secret] of Object.entries(this.#sources)) {
      const cert = await this.#remember(`${this.keysDirectory}/${certFile(host)}`);
      const key = await this.#remember(`${this.keysDirectory}/${keyFile(host)}`);
      if (cert !== undefined && key !== undefined) this.#lastGood.set(secret, { cert, key });
    }
    for (const name of [ENDPOINTS_FILE, PROXY_CONFIG_FILE]) await this.#remember(`${directory}/${name}`);
    this.#watcher = new FileWatcher({
      directory,
      log,
      reload: async () => {
        const isDrifted = await this.#isDrifted();
        if (isDrifted) tick();
        return isDrifted;
      },
    });
  }

  /** What the files of an earlier run hold. */
  lastGood(): ReadonlyMap<string, KeyPair> {
    return this.#lastGood;
  }

  /** Writes the files that have changed and removes those that are no longer needed. */
  async apply(translation: Translation): Promise<void> {
    const { directory, log } = this.#options;
    await ensureDir(this.keysDirectory);
    const files = new Map<string, string>();
    const sources: Record<string, string> = {};
    for (const [host, { cert, key, secret }] of translation.certificates) {
      files.set(`${this.keysDirectory}/${certFile(host)}`, cert);
      files.set(`${this.keysDirectory}/${keyFile(host)}`, key);
      sources[host] = secret;
    }
    for (const [name, text] of translation.files) files.set(`${this.keysDirectory}/${name}`, text);
    const configFile = `${directory}/${PROXY_CONFIG_FILE}`;
    const endpointsFile = `${directory}/${ENDPOINTS_FILE}`;
    const { config, endpoints } = textsOf(translation);
    files.set(configFile, config).set(endpointsFile, endpoints);
    // the list of what is there never lacks a file that is there, wherever this is cut off
    const sourcesFile = `${this.keysDirectory}/${SOURCES_FILE}`;
    await this.#put(sourcesFile, JSON.stringify({ ...this.#sources, ...sources }));
    const changed = new Set<string>();
    if (config !== this.#written.get(configFile)) {
      // a backend without a list would be looked up in DNS: the routes of before keep theirs until they are gone
      const before = parseEndpoints(this.#written.get(endpointsFile));
      const both = sorted({ ...before, ...translation.endpoints });
      const { endpoints } = textsOf({ ...translation, config: { rules: [] }, endpoints: both });
      if (await this.#put(endpointsFile, endpoints)) changed.add(endpointsFile);
    }
    for (const [file, text] of files) if (await this.#put(file, text)) changed.add(file);
    const gone = [...this.#written.keys()].filter((file) => file !== sourcesFile && !files.has(file));
    for (const file of gone) {
      await Deno.remove(file).catch(ignoreMissing);
      this.#written.delete(file);
    }
    await this.#put(sourcesFile, JSON.stringify(sources));
    this.#sources = sources;
    if (changed.size + gone.length > 0) {
      log.info("Configuration written", { directory, changed: changed.size, removed: gone.length });
    }
  }

  /** Ends following the files. */
  async close(): Promise<void> {
    await this.#watcher?.close();
  }

  /** @returns whether the file was written: what it holds already is not. */
  async #put(file: string, text: string): Promise<boolean> {
    if (this.#written.get(file) === text) return false;
    await replaceFile(file, text);
    this.#written.set(file, text);
    return true;
  }

  async #remember(file: string): Promise<string | undefined> {
    const text = await readIfThere(file);
    if (text !== undefined) this.#written.set(file, text);
    return text;
  }

  /** Has somebody else changed or removed a file? Such a file counts as one with another text. */
  async #isDrifted(): Promise<boolean> {
    let isDrifted = false;
    for (const file of [...this.#written.keys()]) {
      const found = await readIfThere(file);
      if (!this.#written.has(file) || this.#written.get(file) === found) continue;
      this.#written.set(file, found ?? "");
      isDrifted = true;
    }
    return isDrifted;
  }
}

const NEXT = ".next";

const SECRET = /\.(?:key|users)$/;

/** A reader sees the old content or the new one, never half of it. Keys and password hashes are for their owner alone. */
async function replaceFile(file: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${file}${NEXT}`, text, { mode: SECRET.test(file) ? 0o600 : 0o644 });
  await Deno.rename(`${file}${NEXT}`, file);
}

async function readIfThere(file: string): Promise<string | undefined> {
  return await Deno.readTextFile(file).catch(ignoreMissing) ?? undefined;
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}

function textsOf(translation: Translation): { config: string; endpoints: string } {
  const [{ [PROXY_CONFIG_FILE]: config = "", [ENDPOINTS_FILE]: endpoints = "" } = {}] = renderConfigFiles(
    translation,
    IN_ONE_SHARD,
  );
  return { config, endpoints };
}

/** In the order that a translation has them in: what says the same is not written. */
function sorted(endpoints: EndpointsFile): EndpointsFile {
  return Object.fromEntries(Object.entries(endpoints).sort(([one], [other]) => one < other ? -1 : 1));
}

/** What somebody else wrote there tells nothing. */
function parseEndpoints(text = "{}"): EndpointsFile {
  try {
    return parseEndpointsFile(JSON.parse(text));
  } catch {
    return {};
  }
}

/** What somebody else wrote there tells nothing. */
function parseSources(text = "{}"): Record<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as object);
    return Object.fromEntries(
      entries.filter(([host, secret]) => isCertificateName(host) && typeof secret === "string"),
    );
  } catch {
    return {};
  }
}
