/**
 * The part of `@std/fs` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import { basename, isAbsolute, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A file that {@linkcode walk} or {@linkcode expandGlob} found. */
export interface WalkEntry extends Deno.DirEntry {
  /** The path, below the root as it was given. */
  path: string;
}

/** What {@linkcode walk} is told. */
export interface WalkOptions {
  /** How many directories deep to look. */
  maxDepth?: number;
  /** Whether to yield files. */
  includeFiles?: boolean;
  /** Whether to yield directories. */
  includeDirs?: boolean;
  /** Whether to yield symbolic links. */
  includeSymlinks?: boolean;
  /** Whether to yield what a symbolic link leads to, rather than the link. */
  followSymlinks?: boolean;
  /** The only file extensions to yield. */
  exts?: string[];
  /** Patterns of which a path must match one. */
  match?: RegExp[];
  /** Patterns of which a path must match none. */
  skip?: RegExp[];
}

/** What {@linkcode expandGlob} is told. */
export interface ExpandGlobOptions {
  /** Where the pattern starts. */
  root?: string;
  /** Patterns of paths to leave out. */
  exclude?: string[];
  /** Whether to yield directories. */
  includeDirs?: boolean;
}

/** What {@linkcode copy} is told. */
export interface CopyOptions {
  /** Whether to replace what is there. */
  overwrite?: boolean;
}

/** What {@linkcode exists} is told. */
export interface ExistsOptions {
  /** Whether it must be a directory. */
  isDirectory?: boolean;
  /** Whether it must be a file. */
  isFile?: boolean;
}

function toPath(path: string | URL): string {
  return path instanceof URL ? fileURLToPath(path) : path;
}

/** The result, or nothing if the file is not there. */
async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether there is such a file. */
export async function exists(path: string | URL, options: ExistsOptions = {}): Promise<boolean> {
  const info = await unlessMissing(Deno.stat(path));
  if (!info) return false;
  return (!options.isDirectory || info.isDirectory) && (!options.isFile || info.isFile);
}

/** Makes a directory and those above it, unless it is there. */
export async function ensureDir(dir: string | URL): Promise<void> {
  const info = await unlessMissing(Deno.stat(dir));
  if (!info) return await Deno.mkdir(dir, { recursive: true });
  if (!info.isDirectory) throw new Error(`Failed to ensure directory exists: expected 'dir', got 'file'`);
}

/** Makes a directory, or removes all that is in it. */
export async function emptyDir(dir: string | URL): Promise<void> {
  const entries = await unlessMissing(Array.fromAsync(Deno.readDir(dir)));
  if (!entries) return await Deno.mkdir(dir, { recursive: true });
  await Promise.all(entries.map(({ name }) => Deno.remove(join(toPath(dir), name), { recursive: true })));
}

/** Copies a file, or a directory with all that is in it. */
export async function copy(src: string | URL, dest: string | URL, options: CopyOptions = {}): Promise<void> {
  const [from, to] = [resolve(toPath(src)), resolve(toPath(dest))];
  if (from === to) throw new Error("Source and destination cannot be the same");
  const info = await Deno.lstat(from);
  if (info.isDirectory && to.startsWith(join(from, "/"))) {
    throw new Error(`Cannot copy '${from}' to a subdirectory of itself: '${to}'`);
  }
  const there = await unlessMissing(Deno.lstat(to));
  if (there && info.isDirectory && !there.isDirectory) {
    throw new Error(`Cannot overwrite non-directory '${to}' with directory '${from}'`);
  }
  if (there && !options.overwrite) throw new Deno.errors.AlreadyExists(`'${to}' already exists.`);
  if (info.isSymlink) return await Deno.symlink(await Deno.readLink(from), to);
  if (!info.isDirectory) return await Deno.copyFile(from, to);
  await ensureDir(to);
  for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name), options);
}

/** Yields a directory and what is below it. */
export async function* walk(root: string | URL, options: WalkOptions = {}): AsyncIterableIterator<WalkEntry> {
  const { maxDepth = Infinity, includeFiles = true, includeDirs = true, includeSymlinks = true } = options;
  const { exts, match, skip } = options;
  const endings = exts?.map((ext) => ext.startsWith(".") ? ext : `.${ext}`);
  const isSkipped = (path: string) => skip?.some((pattern) => path.match(pattern)) ?? false;
  const isWanted = (path: string) =>
    (endings?.some((ending) => path.endsWith(ending)) ?? true) &&
    (match?.some((pattern) => path.match(pattern)) ?? true) && !isSkipped(path);

  if (maxDepth < 0) return;
  const top = toPath(root);
  if (includeDirs && isWanted(top)) {
    const { isFile, isDirectory, isSymlink } = await Deno.stat(top);
    yield { path: normalize(top), name: basename(normalize(top)), isFile, isDirectory, isSymlink };
  }
  if (maxDepth < 1 || isSkipped(top)) return;
  for await (const found of Deno.readDir(top)) {
    let [path, entry] = [join(top, found.name), found];
    if (entry.isSymlink && options.followSymlinks) {
      path = await Deno.realPath(path);
      const { isFile, isDirectory, isSymlink } = await Deno.lstat(path);
      entry = { name: basename(path), isFile, isDirectory, isSymlink };
    }
    if (entry.isDirectory) yield* walk(path, { ...options, maxDepth: maxDepth - 1 });
    else if ((entry.isSymlink ? includeSymlinks : includeFiles) && isWanted(path)) yield { path, ...entry };
  }
}

/** The pattern of one glob: knows `*`, `**`, `?`, `[…]` and `{a,b}`. */
function globPattern(glob: string): RegExp {
  let depth = 0;
  const source = glob.replace(/\\.|\*\*\/|\/\*\*$|\*+|\?|\[!?[^\]]*\]|[{},]|[.+^$()|\\\]]/g, (token) => {
    if (token === "**/") return "(?:[^/]+/)*";
    if (token === "/**") return "(?:/.*)?";
    if (token === "**") return ".*";
    if (token.startsWith("*")) return "[^/]*";
    if (token === "?") return "[^/]";
    if (/^\\./.test(token)) return `\\${token.charAt(1)}`;
    if (token.startsWith("[")) return token.replace(/^\[!/, "[^");
    if (token === "{") return depth++, "(?:";
    if (token === "}") return depth--, ")";
    if (token === ",") return depth > 0 ? "|" : ",";
    return `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}

/** Yields the files whose paths match a glob, in the order of their paths. */
export async function* expandGlob(
  glob: string | URL,
  options: ExpandGlobOptions = {},
): AsyncIterableIterator<WalkEntry> {
  const pattern = toPath(glob);
  const root = isAbsolute(pattern) ? "/" : resolve(options.root ?? Deno.cwd());
  const segments = pattern.split("/").filter((segment) => segment !== "" && segment !== ".");
  const first = segments.findIndex((segment) => /[*?[{]/.test(segment.replace(/\\./g, "")));
  const fixed = segments.slice(0, first < 0 ? segments.length : first);
  const base = join(root, ...fixed.map((segment) => segment.replace(/\\(.)/g, "$1")));
  const rest = first < 0 ? [] : segments.slice(first);
  if (!await exists(base)) return;

  const wanted = globPattern(join(base.replace(/[*?[{\\]/g, "\\$&"), ...rest));
  const excluded = (options.exclude ?? []).map((path) => globPattern(resolve(root, path)));
  const maxDepth = rest.includes("**") ? Infinity : rest.length;
  const found = await Array.fromAsync(walk(base, { maxDepth, skip: excluded }));
  const matches = found.filter((entry) =>
    wanted.test(entry.path) && (options.includeDirs !== false || !entry.isDirectory)
  );
  yield* matches.sort((a, b) => a.path < b.path ? -1 : 1);
}
