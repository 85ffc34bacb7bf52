import {
  certFile,
  ENDPOINTS_FILE,
  keyFile,
  type KeyPair,
  type Log,
  PROXY_CONFIG_FILE,
} from "@pingress/config";
import { ensureDir } from "@std/fs";
import { renderConfigFiles } from "../render/config_files.ts";
import type { Translation } from "../translate/translate.ts";
import type { Output } from "./output.ts";

/** Options of {@linkcode StandaloneOutput}. */
export interface StandaloneOutputOptions {
  /** The absolute path of the directory that is written. */
  directory: string;
  /** Told what is written. */
  log: Log;
}

/**
 * Writes the configuration into a directory, for a proxy that runs beside it: `proxy.json`, `endpoints.json`
 * and `keys/`. Each file is replaced in one step, certificates before the routes that name them.
 */
export class StandaloneOutput implements Output {
  /** Where proxies find certificates and keys. */
  readonly keysDirectory: string;
  readonly #options: StandaloneOutputOptions;
  readonly #written = new Map<string, string>();

  /** Writes nothing yet. */
  constructor(options: StandaloneOutputOptions) {
    this.#options = options;
    this.keysDirectory = `${options.directory}/keys`;
  }

  /** Looks whether the directory can be written. @throws {Error} when it cannot. */
  async start(): Promise<void> {
    await ensureDir(this.keysDirectory);
  }

  /** Files do not tell which Secret they are from. */
  lastGood(): ReadonlyMap<string, KeyPair> {
    return new Map();
  }

  /** Writes the files that have changed and removes those that it wrote and that are no longer needed. */
  async apply(translation: Translation): Promise<void> {
    try {
      await this.#write(translation);
    } catch (error) {
      // whatever somebody did to the directory, the next try writes all of it
      this.#written.clear();
      throw error;
    }
  }

  async #write(translation: Translation): Promise<void> {
    const { directory, log } = this.#options;
    const files = new Map<string, string>();
    for (const [host, { cert, key }] of translation.certificates) {
      files.set(`${this.keysDirectory}/${certFile(host)}`, cert);
      files.set(`${this.keysDirectory}/${keyFile(host)}`, key);
    }
    const config = renderConfigFiles(translation);
    for (const name of [ENDPOINTS_FILE, PROXY_CONFIG_FILE]) {
      files.set(`${directory}/${name}`, config[name] ?? "");
    }
    if (files.size > this.#written.size) await ensureDir(this.keysDirectory);
    const changed = [...files].filter(([file, text]) => this.#written.get(file) !== text);
    const gone = [...this.#written.keys()].filter((file) => !files.has(file));
    for (const [file, text] of changed) {
      await replaceFile(file, text);
      this.#written.set(file, text);
    }
    for (const file of gone) {
      await Deno.remove(file).catch(ignoreMissing);
      this.#written.delete(file);
    }
    if (changed.length + gone.length > 0) {
      log.info("Configuration written", { directory, changed: changed.length, removed: gone.length });
    }
  }

  /** Nothing runs. */
  async close(): Promise<void> {}
}

/** A reader sees the old content or the new one, never half of it. Keys are for their owner alone. */
async function replaceFile(file: string, text: string): Promise<void> {
  const next = `${file}.next`;
  await Deno.writeTextFile(next, text, { mode: file.endsWith(".key") ? 0o600 : 0o644 });
  await Deno.rename(next, file);
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
