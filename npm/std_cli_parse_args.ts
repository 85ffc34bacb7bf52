/**
 * The part of `@std/cli/parse-args` that Pingress imports, on minimist, where JSR does not answer.
 *
 * @module
 */
import minimist from "minimist";

/** What {@linkcode parseArgs} is told. */
export interface ParseOptions {
  /** Options with a value, which stays text; `_` for what belongs to no option. */
  string?: readonly string[];
  /** Options without a value. */
  boolean?: readonly string[];
  /** Other names of an option. */
  alias?: Record<string, string>;
  /** Called for each argument that nothing above names; one for which it returns false is dropped. */
  unknown?: (argument: string, key?: string, value?: unknown) => unknown;
}

/** Parses command-line arguments. Of an option that is repeated the last value counts. */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Record<string, unknown> {
  const { string = [], boolean = [], alias = {}, unknown } = options;
  const known = new Set([...string, ...boolean]);
  // minimist takes --no-x for x=false; here it is one more unknown option
  const [negated, others] = partition(
    args,
    (argument) => /^--no-/.test(argument) && !known.has(argument.slice(2)),
  );
  for (const argument of negated) unknown?.(argument, argument.slice(2), true);
  const parsed: Record<string, unknown> = minimist(others, {
    string: [...string],
    boolean: [...boolean],
    alias,
    ...unknown && { unknown: (argument: string) => unknown(argument) !== false },
  });
  for (const name of known) {
    const value = parsed[name];
    if (name !== "_" && Array.isArray(value)) parsed[name] = value.at(-1);
  }
  return parsed;
}

/** Splits options from those for which `test` holds; what follows `--` is no option. */
function partition(args: readonly string[], test: (argument: string) => boolean): [string[], string[]] {
  const end = args.indexOf("--");
  const isOption = (index: number) => end === -1 || index < end;
  return [
    args.filter((argument, index) => isOption(index) && test(argument)),
    args.filter((argument, index) => !isOption(index) || !test(argument)),
  ];
}
