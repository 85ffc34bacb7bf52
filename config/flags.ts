import { parseArgs } from "@std/cli/parse-args";
import { type Address, parseAddress } from "./address.ts";

/** A flag of a program. It can also be set in the environment: `--listen-http` as `PINGRESS_LISTEN_HTTP`. */
export interface Flag {
  /** Without the dashes. */
  name: string;
  /** What the value is, for the help; a flag without it is a switch. */
  value?: string;
  /** The value where none is given. */
  default?: string;
  /** Must it be given? */
  required?: boolean;
  /** May it be given more than once? In the environment each value has a line of its own. */
  repeats?: boolean;
  /** One sentence, without a full stop. */
  help: string;
}

/** A program's command line. */
export interface Program {
  /** The command's name. */
  name: string;
  /** What it does, in a sentence. */
  summary: string;
  /** All its flags but `--help` and `--version`. */
  flags: readonly Flag[];
  /** What it takes besides flags, for the help, such as `FILE…`; a program without it takes flags alone. */
  operands?: string;
  /** Is it told everything on the command line, and nothing in the environment? */
  ignoresEnvironment?: boolean;
  /** Programs within this one: their names begin with its own. */
  commands?: readonly Program[];
}

/** The command line or the environment says something that the program cannot do. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What the command line asks for. */
export type CommandLine =
  | { action: "run"; values: FlagValues; operands: string[] }
  | { action: "help" | "version" };

/** Reads one variable of the environment. */
export type ReadEnv = (name: string) => string | undefined;

/**
 * Reads a command line: flags first, then the environment, then defaults.
 *
 * @throws {UsageError} for an unknown flag, a flag without its value, a missing required flag.
 */
export function parseFlags(program: Program, args: string[], options: { readEnv: ReadEnv }): CommandLine {
  const { repeated, others } = takeRepeated(program, args);
  const valued = program.flags.filter((flag) => flag.value !== undefined);
  const parsed = parseArgs(others, {
    // the parser takes an operand such as 007 for a number otherwise
    string: ["_", ...valued.map((flag) => flag.name)],
    boolean: [
      "help",
      "version",
      ...program.flags.filter((flag) => !valued.includes(flag)).map((flag) => flag.name),
    ],
    alias: { h: "help" },
    unknown: (argument: string) => {
      if (!argument.startsWith("-") || argument === "-") return checkOperand(argument, program);
      throw new UsageError(`Unknown flag ${argument.replace(/=.*$/s, "")}: see ${program.name} --help`);
    },
  }) as Record<string, unknown>;
  if (parsed.help === true) return { action: "help" };
  if (parsed.version === true) return { action: "version" };
  const operands = parsed._ as string[];
  for (const operand of operands) checkOperand(operand, program);
  const readEnv = program.ignoresEnvironment ? () => undefined : options.readEnv;
  const values: Record<string, string> = {};
  for (const flag of program.flags) {
    // the parser does not tell a switch that is off from one that is not there
    const given = others.includes(`--${flag.name}=false`)
      ? "false"
      : repeated.get(flag.name) ?? parsed[flag.name];
    const value = flagValue(flag, given, readEnv);
    if (value !== undefined) values[flag.name] = value;
    else if (flag.required) throw new UsageError(`Missing --${flag.name}: ${flag.help}`);
  }
  return { action: "run", values: new FlagValues(values), operands };
}

/** The parser keeps the last value of a flag only, and takes none that begins with a dash. */
function takeRepeated({ flags }: Program, args: string[]) {
  const names = new Set(flags.filter(({ repeats }) => repeats).map(({ name }) => name));
  const repeated = new Map<string, string[]>();
  const others: string[] = [];
  const rest = args.values();
  for (const argument of rest) {
    const [, name = "", value] = /^--([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (names.has(name)) {
      repeated.set(name, [...repeated.get(name) ?? [], value ?? rest.next().value ?? ""]);
    } else others.push(argument);
  }
  return { repeated, others };
}

function flagValue(flag: Flag, given: unknown, readEnv: ReadEnv): string | undefined {
  if ([given].flat().includes("")) {
    throw new UsageError(`Missing value of --${flag.name}: it takes ${flag.value}`);
  }
  if (typeof given === "string") return given;
  if (Array.isArray(given)) return given.join("\n");
  if (given === true) return "true";
  return readEnv(environmentName(flag)) || flag.default;
}

function checkOperand(argument: string, { name, operands }: Program): void {
  if (operands !== undefined) return;
  throw new UsageError(
    `Unexpected argument ${JSON.stringify(argument)}: every value belongs to a flag, see ${name} --help`,
  );
}

function environmentName(flag: Flag): string {
  return `PINGRESS_${flag.name.replaceAll("-", "_").toUpperCase()}`;
}

/** The values of a program's flags, read one by one as what they should be. */
export class FlagValues {
  readonly #values: Record<string, string>;

  /** Takes each flag's text by its name. */
  constructor(values: Record<string, string>) {
    this.#values = values;
  }

  /** The text of a flag, or nothing. */
  text(name: string): string | undefined {
    return this.#values[name];
  }

  /** The text of a flag that is required or has a default. */
  requiredText(name: string): string {
    const value = this.#values[name];
    if (value === undefined) throw new UsageError(`Missing --${name}`);
    return value;
  }

  /** Is the switch on? @throws {UsageError} for anything but true and false. */
  switch(name: string): boolean {
    return this.choice(name, ["true", "false"]) === "true";
  }

  /** One of a few words. @throws {UsageError} for another. */
  choice<const T extends string>(name: string, choices: readonly T[]): T | undefined {
    const value = this.#values[name];
    const choice = choices.find((choice) => choice === value);
    if (value !== undefined && choice === undefined) {
      throw new UsageError(
        `Invalid --${name} ${JSON.stringify(value)}: it takes one of ${choices.join(", ")}`,
      );
    }
    return choice;
  }

  /** An address to listen on. @throws {UsageError} for anything else. */
  address(name: string): Address {
    const value = this.requiredText(name);
    const address = parseAddress(value);
    if (address === undefined) {
      throw new UsageError(
        `Invalid --${name} ${JSON.stringify(value)}: it takes an address such as 0.0.0.0:80 or [::]:80`,
      );
    }
    return address;
  }

  /** A time in milliseconds, given in seconds. @throws {UsageError} for anything but a positive number. */
  seconds(name: string): number {
    const seconds = this.#number(name, "seconds such as 60 or 0.5", (value) => value > 0 && value < 1e6);
    return seconds * 1000;
  }

  /** A time in milliseconds, given in seconds, that may be none. @throws {UsageError} for anything else. */
  secondsOrNone(name: string): number {
    return this.#number(name, "seconds such as 60 or 0.5, or 0", (value) => value >= 0 && value < 1e6) * 1000;
  }

  /** A whole number of at least `least`. @throws {UsageError} for anything else. */
  count(name: string, least: number): number {
    return this.#number(
      name,
      `a whole number from ${least} on`,
      (value) => Number.isSafeInteger(value) && value >= least,
    );
  }

  /** A number from 0 to 1. @throws {UsageError} for anything else. */
  fraction(name: string): number {
    return this.#number(name, "a number from 0 to 1", (value) => value >= 0 && value <= 1);
  }

  /** The elements of a list; none where the flag is not given. */
  list(name: string): string[] {
    return (this.#values[name] ?? "").split(",").map((element) => element.trim()).filter((element) =>
      element !== ""
    );
  }

  /** The values of a flag that repeats; none where it is not given. */
  lines(name: string): string[] {
    return (this.#values[name] ?? "").split("\n").map((line) => line.trim()).filter((line) => line !== "");
  }

  #number(name: string, expected: string, isValid: (value: number) => boolean): number {
    const text = this.requiredText(name);
    const value = Number(text);
    if (text.trim() === "" || !isValid(value)) {
      throw new UsageError(`Invalid --${name} ${JSON.stringify(text)}: it takes ${expected}`);
    }
    return value;
  }
}

/** The text of `--help`. */
export function helpText(program: Program): string {
  const rows = program.flags.map((flag) => {
    const usage = `--${flag.name}${flag.value === undefined ? "" : ` ${flag.value}`}`;
    const note = flag.required
      ? " (required)"
      : flag.default === undefined
      ? ""
      : ` (default ${flag.default})`;
    return [usage, `${flag.help}${note}`] as const;
  });
  rows.push(["--help", "Print this text"], ["--version", "Print the version"]);
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const usages = [program, ...program.commands ?? []].map(({ name, operands }) =>
    `${name} [flags]${operands === undefined ? "" : ` ${operands}`}`
  );
  return [
    program.summary,
    "",
    `Usage: ${usages.join("\n       ")}`,
    "",
    ...rows.map(([usage, help]) => `  ${usage.padEnd(width)}  ${help}`),
    ...program.ignoresEnvironment
      ? []
      : ["", "Every flag can be set in the environment too: --some-flag as PINGRESS_SOME_FLAG."],
  ].join("\n");
}
