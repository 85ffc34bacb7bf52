/**
 * The part of `@std/log` that Pingress imports, where JSR does not answer. No npm package has its handlers.
 *
 * @module
 */

const LEVELS = { NOTSET: 0, DEBUG: 10, INFO: 20, WARN: 30, ERROR: 40, CRITICAL: 50 } as const;

/** The name of a level. */
export type LevelName = keyof typeof LEVELS;

type Level = typeof LEVELS[LevelName];

function levelNameOf(level: Level): LevelName {
  return (Object.keys(LEVELS) as LevelName[]).find((name) => LEVELS[name] === level) ?? "NOTSET";
}

/** One message, as the handlers get it. */
export class LogRecord {
  /** The message. */
  readonly msg: string;
  /** What else was said. */
  readonly args: unknown[];
  /** When it was said. */
  readonly datetime: Date = new Date();
  /** How much it matters. */
  readonly level: number;
  /** How much it matters, in a word. */
  readonly levelName: string;
  /** Who says it. */
  readonly loggerName: string;

  /** Makes a record of now. */
  constructor(options: { msg: string; args: unknown[]; level: Level; loggerName: string }) {
    this.msg = options.msg;
    this.args = options.args;
    this.level = options.level;
    this.levelName = levelNameOf(options.level);
    this.loggerName = options.loggerName;
  }
}

/** Takes records and makes lines of them. */
export abstract class BaseHandler {
  readonly #level: number;
  readonly #formatter: (record: LogRecord) => string;

  /** Passes over what is below a level. */
  constructor(
    levelName: LevelName,
    { formatter = ({ msg }) => msg }: { formatter?: (record: LogRecord) => string } = {},
  ) {
    this.#level = LEVELS[levelName];
    this.#formatter = formatter;
  }

  /** Takes a record. */
  handle(record: LogRecord): void {
    if (record.level >= this.#level) this.log(this.#formatter(record));
  }

  /** Takes a line. */
  abstract log(msg: string): void;
}

/** Passes messages to handlers. */
export class Logger {
  readonly #name: string;
  readonly #level: number;
  readonly #handlers: BaseHandler[];

  /** Passes over what is below a level. */
  constructor(
    loggerName: string,
    levelName: LevelName,
    { handlers = [] }: { handlers?: BaseHandler[] } = {},
  ) {
    this.#name = loggerName;
    this.#level = LEVELS[levelName];
    this.#handlers = handlers;
  }

  /** Logs a message at level DEBUG. */
  debug(msg: string, ...args: unknown[]): string {
    return this.#log("DEBUG", msg, args);
  }

  /** Logs a message at level INFO. */
  info(msg: string, ...args: unknown[]): string {
    return this.#log("INFO", msg, args);
  }

  /** Logs a message at level WARN. */
  warn(msg: string, ...args: unknown[]): string {
    return this.#log("WARN", msg, args);
  }

  /** Logs a message at level ERROR. */
  error(msg: string, ...args: unknown[]): string {
    return this.#log("ERROR", msg, args);
  }

  #log(levelName: LevelName, msg: string, args: unknown[]): string {
    const level = LEVELS[levelName];
    if (level < this.#level) return msg;
    const record = new LogRecord({ msg, args, level, loggerName: this.#name });
    for (const handler of this.#handlers) handler.handle(record);
    return msg;
  }
}
