import { errorMessage, FileWatcher, type Log } from "@pingress/config";
import { type Snapshot, Store } from "../store.ts";
import { type ManifestObject, readManifests } from "./manifests.ts";
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
      await this.#watcher.close();
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
  async close(): Promise<void> {
    await this.#watcher?.close();
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

/** Options of {@linkcode manifestFiles}. */
export interface ManifestFilesOptions {
  /** Told what is passed over because it cannot be looked at. */
  skipped?: (path: string, error: unknown) => void;
  /** The directories that this one is in, by their real paths: links may lead back to them. */
  above?: readonly string[];
}

/**
 * Finds the YAML and JSON files below a directory. Links are followed, as kubelet mounts need it; what cannot be
 * looked at is passed over: editors leave links to nowhere while they edit.
 *
 * @throws {Error} when the directory itself cannot be read.
 */
export async function* manifestFiles(
  directory: string,
  { skipped = () => {}, above = [] }: ManifestFilesOptions = {},
): AsyncGenerator<string> {
  const real = await Deno.realPath(directory);
  if (above.includes(real)) return;
  for await (const entry of Deno.readDir(real)) {
    const { name } = entry;
    if (name.startsWith(".")) continue;
    const path = `${directory}/${name}`;
    const isManifest = /\.(?:ya?ml|json)$/.test(name);
    const { isFile, isDirectory } = !entry.isSymlink ? entry : await Deno.stat(path).catch((error) => {
      if (isManifest) skipped(path, error);
      return { isFile: false, isDirectory: false };
    });
    if (isFile && isManifest) yield path;
    else if (isDirectory) {
      try {
        yield* manifestFiles(path, { skipped, above: [...above, real] });
      } catch (error) {
        if (!(error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound)) {
          throw error;
        }
        skipped(path, error);
      }
    }
  }
}

/**
 * Reads the objects of a YAML or JSON file. Kinds that Pingress does not use are passed over.
 *
 * @throws {Error} naming the line of the first thing that cannot be read.
 */
export function parseManifests(text: string, path: string): ManifestObject[] {
  const { objects, faults: [fault] } = readManifests(text);
  if (fault === undefined) return objects;
  const { line, object, field, message } = fault;
  throw new Error([`${path}:${line}`, object, field, message].filter(Boolean).join(": "));
}
