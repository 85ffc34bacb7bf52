/**
 * The part of `@std/fs` that Pingress imports, on Node's file system API, where JSR does not answer.
 *
 * @module
 */
import { constants, copyFile, mkdir, readdir, rm } from "node:fs/promises";
import { basename, join, matchesGlob, normalize, resolve } from "node:path";

/** A file that {@linkcode walk} or {@linkcode expandGlob} found. */
export interface WalkEntry extends Deno.DirEntry {
  /** The path, below the root as it was given. */
  path: string;
}

/** What {@linkcode walk} is told. */
export interface WalkOptions {
  /** Whether to yield directories. */
  includeDirs?: boolean;
  /** Whether to yield what a symbolic link leads to, rather than the link. */
  followSymlinks?: boolean;
  /** The only file extensions to yield. */
  exts?: string[];
  /** Patterns of paths to pass over. */
  skip?: RegExp[];
}

/** Makes a directory and those above it, unless it is there. */
export async function ensureDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
}

/** Makes a directory, or removes all that is in it. */
export async function emptyDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true });
}

/** Copies a file. @throws {Error} when the destination is there. */
export async function copy(src: string | URL, dest: string | URL): Promise<void> {
  await copyFile(src, dest, constants.COPYFILE_EXCL);
}

/** Yields a directory and what is below it. */
export async function* walk(root: string, options: WalkOptions = {}): AsyncGenerator<WalkEntry> {
  const { includeDirs = true, followSymlinks = false, exts, skip = [] } = options;
  const isSkipped = (path: string) => skip.some((pattern) => pattern.test(path));
  const isWanted = (path: string) => (exts?.some((ext) => path.endsWith(ext)) ?? true) && !isSkipped(path);
  if (isSkipped(root)) return;
  if (includeDirs && isWanted(root)) {
    const { isFile, isDirectory, isSymlink } = await Deno.stat(root);
    yield { path: normalize(root), name: basename(normalize(root)), isFile, isDirectory, isSymlink };
  }
  for await (const found of Deno.readDir(root)) {
    let [path, entry] = [join(root, found.name), found];
    if (entry.isSymlink && followSymlinks) {
      path = await Deno.realPath(path);
      const { isFile, isDirectory, isSymlink } = await Deno.lstat(path);
      entry = { name: basename(path), isFile, isDirectory, isSymlink };
    }
    if (entry.isDirectory) yield* walk(path, options);
    else if (isWanted(path)) yield { ...entry, path };
  }
}

/** Yields the files below `root` whose paths match a glob, in the order of their paths. */
export async function* expandGlob(glob: string, { root = "." } = {}): AsyncGenerator<WalkEntry> {
  const base = resolve(root);
  const found = await Array.fromAsync(walk(base, { includeDirs: false }));
  yield* found.filter(({ path }) => matchesGlob(path, join(base, glob))).sort((one, other) =>
    one.path < other.path ? -1 : 1
  );
}
