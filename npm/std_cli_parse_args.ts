/**
 * The part of `@std/cli/parse-args` that Pingress imports, for machines where JSR does not answer.
 *
 * The npm packages of the same family (minimist and its forks) negate `--no-x` by themselves, make an array of
 * every repeated option, and tell `unknown` the argument alone, so this is written out.
 *
 * @module
 */

type Names = string | readonly string[];
type Value = string | number | boolean;

/** What {@linkcode parseArgs} is told. */
export interface ParseOptions {
  /** Whether what follows `--` goes to `result["--"]` rather than to `result._`. */
  "--"?: boolean;
  /** Other names of an option. */
  alias?: Record<string, Names>;
  /** Options without a value. */
  boolean?: Names;
  /** Options that make an array of their values. */
  collect?: Names;
  /** Values of the options that are not given. */
  default?: Record<string, unknown>;
  /** Options whose value stays a string. */
  string?: Names;
  /** Is called for each argument that nothing above names; if it returns false, the argument is dropped. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} returns. */
export type Args = {
  [name: string]: unknown;
  _: (string | number)[];
  "--"?: string[];
};

function list(names: Names = []): string[] {
  return typeof names === "string" ? [names] : [...names];
}

function number(text: string): string | number {
  return /\S/.test(text) && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Parses command-line arguments. */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const groups = Object.entries(options.alias ?? {}).map(([name, names]) => [name, ...list(names)]);
  const aliases = (name: string) => groups.find((group) => group.includes(name)) ?? [name];
  const set = (names?: Names) => new Set(list(names).flatMap(aliases));
  const [booleans, strings, collected] = [set(options.boolean), set(options.string), set(options.collect)];
  const known = new Set([...booleans, ...strings, ...collected, ...groups.flat()]);
  const result: Args = { _: [] };

  function put(name: string, given: Value, arg: string): void {
    if (!known.has(name) && options.unknown?.(arg, name, given) === false) return;
    const value = typeof given === "string" && !strings.has(name) ? number(given) : given;
    for (const key of aliases(name)) {
      if (!collected.has(key)) result[key] = value;
      else result[key] = [...(result[key] ?? []) as Value[], value];
    }
  }

  /** Stores an option that has no `=value`, and says whether it took the next argument. */
  function take(name: string, arg: string, next: string | undefined, isOption: boolean): boolean {
    if (next && !booleans.has(name) && !isOption) {
      put(name, next, arg);
    } else if (next === "true" || next === "false") {
      put(name, next === "true", arg);
    } else {
      put(name, strings.has(name) ? "" : true, arg);
      return false;
    }
    return true;
  }

  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  const after = end < 0 ? [] : args.slice(end + 1);
  for (let i = 0; i < before.length; i++) {
    const arg = before[i]!;
    const next = before[i + 1];
    const [, name, value] = /^--(.+?)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name !== undefined && value !== undefined) {
      put(name, booleans.has(name) ? value !== "false" : value, arg);
    } else if (name !== undefined) {
      if (take(name, arg, next, next?.startsWith("-") ?? false)) i++;
    } else if (/^-[^-]/.test(arg)) {
      if (short(arg, next)) i++;
    } else if (options.unknown?.(arg) !== false) {
      result._.push(strings.has("_") ? arg : number(arg));
    }
  }

  /** Stores what `-abc`, `-n5` or `-o=file` says, and says whether it took the next argument. */
  function short(arg: string, next: string | undefined): boolean {
    for (let at = 1; at < arg.length - 1; at++) {
      const [letter, rest] = [arg.charAt(at), arg.slice(at + 1)];
      const isLetter = /[A-Za-z]/.test(letter);
      if (rest === "-") {
        put(letter, rest, arg);
        return false;
      }
      if (rest === "=" || (isLetter && rest.includes("=") && !rest.endsWith("="))) {
        put(letter, rest.slice(rest.indexOf("=") + 1), arg);
        return false;
      }
      if ((isLetter && /-?\d+(\.\d*)?(e-?\d+)?$/.test(rest)) || (rest.length > 1 && /^\W/.test(rest))) {
        put(letter, rest, arg);
        return false;
      }
      put(letter, strings.has(letter) ? "" : true, arg);
    }
    return take(arg.slice(-1), arg, next, /^--?[^-]/.test(next ?? ""));
  }

  for (const [name, value] of Object.entries(options.default ?? {})) {
    for (const key of Object.hasOwn(result, name) ? [] : aliases(name)) result[key] = value;
  }
  for (const name of booleans) {
    if (!Object.hasOwn(result, name)) result[name] = collected.has(name) ? [] : false;
  }
  for (const name of strings) {
    if (!Object.hasOwn(result, name) && collected.has(name)) result[name] = [];
  }
  if (options["--"]) result["--"] = after;
  else result._.push(...after);
  return result;
}
