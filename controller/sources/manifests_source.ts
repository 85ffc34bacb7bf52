import { errorMessage, FileWatcher, type Log, ShapeError } from "@pingress/config";
import { LineCounter, parseAllDocuments } from "yaml";
import { type Kind, KINDS, type Kinds } from "../objects.ts";
import { type Snapshot, Store } from "../store.ts";
import type { Source } from "./source.ts";

/** Options of {@linkcode ManifestsSource}. */
export interface ManifestsSourceOptions {
  /** The directory with the YAML, read with all below it. */
  directory: string;
  /** Everything is read anew this often even when no file event came, in milliseconds. */
  rereadInterval?: number;
  /** Told what cannot be read. */
  log: Log;
}

/** An object of a file. */
export type ManifestObject = { [K in Kind]: { kind: K; object: Kinds[K] } }[Kind];

interface ManifestFile {
  text: string;
  objects: ManifestObject[];
}

/**
 * Follows a directory of Kubernetes YAML, as one would give it to `kubectl apply`. A file that cannot be read
 * leaves what it held last in place.
 */
export class ManifestsSource implements Source {
  readonly #options: ManifestsSourceOptions;
  readonly #faults = new Map<string, string>();
  #files = new Map<string, ManifestFile>();
  #watcher: FileWatcher | undefined;

  /** Reads nothing yet. */
  constructor(options: ManifestsSourceOptions) {
    this.#options = options;
  }

  /** Reads the directory and follows it. @throws {Error} when it is not there. */
  async start(tick: () => void): Promise<void> {
    const { directory, log, rereadInterval } = this.#options;
    const reload = async () => {
      const hasChanged = await this.#read();
      if (hasChanged) tick();
      return hasChanged;
    };
    this.#watcher = new FileWatcher({
      directory,
      reload,
      log,
      ...rereadInterval !== undefined && { rereadInterval },
    });
    try {
      await this.#watcher.reload();
    } catch (error) {
      this.#watcher.close();
      throw error;
    }
    tick();
  }

  /** All objects as they are now; of two with the same name that of the last file counts. */
  snapshot(): Snapshot {
    const store = new Store();
    for (const [, { objects }] of [...this.#files].sort(([one], [other]) => one < other ? -1 : 1)) {
      for (const { kind, object } of objects) store.set(kind, object);
    }
    return store.snapshot();
  }

  /** Stops following. */
  close(): Promise<void> {
    this.#watcher?.close();
    return Promise.resolve();
  }

  async #read(): Promise<boolean> {
    const before = this.#files;
    const files = new Map<string, ManifestFile>();
    for await (const path of manifestFiles(this.#options.directory)) {
      const file = await this.#readFile(path, before.get(path));
      if (file !== undefined) files.set(path, file);
    }
    this.#files = files;
    for (const path of [...this.#faults.keys()]) if (!files.has(path)) this.#faults.delete(path);
    return files.size !== before.size || [...files].some(([path, file]) => before.get(path) !== file);
  }

  async #readFile(path: string, last: ManifestFile | undefined): Promise<ManifestFile | undefined> {
    try {
      const text = await Deno.readTextFile(path);
      if (last?.text === text && !this.#faults.has(path)) return last;
      const objects = parseManifests(text, path);
      if (this.#faults.delete(path)) this.#options.log.info(`Good again: ${path}`);
      return last?.text === text ? last : { text, objects };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined; // removed between the listing and the reading
      const message = errorMessage(error);
      if (this.#faults.get(path) !== message) {
        this.#faults.set(path, message);
        this.#options.log.error(
          `Cannot read ${path}: ${last ? "what it held last stays" : "it is left out"}`,
          { error: message },
        );
      }
      return last ?? { text: "", objects: [] };
    }
  }
}

/**
 * Finds the YAML and JSON files below a directory. Links are followed, as kubelet mounts need it; what cannot be
 * looked at is passed over: editors leave links to nowhere while they edit.
 *
 * @throws {Error} when the directory itself cannot be read.
 */
async function* manifestFiles(directory: string, above: readonly string[] = []): AsyncGenerator<string> {
  const real = await Deno.realPath(directory);
  if (above.includes(real)) return;
  for await (const { name } of Deno.readDir(real)) {
    if (name.startsWith(".")) continue;
    const path = `${directory}/${name}`;
    const { isFile, isDirectory } = await Deno.stat(path).catch(() => ({
      isFile: false,
      isDirectory: false,
    }));
    if (isFile && /\.(?:ya?ml|json)$/.test(name)) yield path;
    else if (isDirectory) {
      try {
        yield* manifestFiles(path, [...above, real]);
      } catch (error) {
        if (!(error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound)) {
          throw error;
        }
      }
    }
  }
}

/**
 * Reads the objects of a YAML or JSON file. Kinds that Pingress does not use are passed over.
 *
 * @throws {Error} naming the line.
 */
export function parseManifests(text: string, path: string): ManifestObject[] {
  const lineCounter = new LineCounter();
  const objects: ManifestObject[] = [];
  for (const document of parseAllDocuments(text, { lineCounter })) {
    const [fault] = document.errors;
    if (fault !== undefined) {
      throw new Error(
        `${path}:${fault.linePos?.[0].line ?? 1}: ${
          fault.message.split("\n")[0]?.replace(/ at line .*$/, "")
        }`,
      );
    }
    const value: unknown = document.toJS({ maxAliasCount: 1000 });
    const { line } = lineCounter.linePos(document.contents?.range?.[0] ?? 0);
    for (
      const item of isRecord(value) && value.kind === "List" && Array.isArray(value.items)
        ? value.items
        : [value]
    ) {
      const object = readManifest(item, `${path}:${line}`);
      if (object !== undefined) objects.push(object);
    }
  }
  return objects;
}

function readManifest(value: unknown, place: string): ManifestObject | undefined {
  if (value === null || value === undefined) return undefined; // an empty document
  if (!isRecord(value) || typeof value.kind !== "string" || typeof value.apiVersion !== "string") {
    throw new Error(`${place}: this is no Kubernetes object: it needs apiVersion and kind`);
  }
  const entry = (Object.keys(KINDS) as Kind[]).find((kind) => kind === value.kind);
  if (entry === undefined) return undefined;
  const { apiVersion, isClusterScoped, read } = KINDS[entry];
  if (value.apiVersion !== apiVersion) {
    throw new Error(`${place}: ${entry} is read as ${apiVersion}, not ${value.apiVersion}: rewrite it`);
  }
  try {
    const object = read(value, "");
    if (!isClusterScoped) object.metadata.namespace ||= "default";
    return { kind: entry, object } as ManifestObject;
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const { name } = (value.metadata ?? {}) as { name?: unknown };
    throw new Error(
      `${place}: ${entry} ${typeof name === "string" ? name : "without a name"}: ${error.message}`,
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
