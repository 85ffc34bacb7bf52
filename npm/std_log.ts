/**
 * The part of `@std/log` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any -- any function
type AnyFunction = (...args: any[]) => any;
type NotFunction<T> = T extends AnyFunction ? never : T;

/** The levels, by name. */
export const LogLevels = { NOTSET: 0, DEBUG: 10, INFO: 20, WARN: 30, ERROR: 40, CRITICAL: 50 } as const;

/** The name of a level. */
export type LevelName = keyof typeof LogLevels;

/** The number of a level. */
export type LogLevel = typeof LogLevels[LevelName];

/** Turns a record into a line. */
export type FormatterFunction = (logRecord: LogRecord) => string;

/** What a handler is told. */
export interface BaseHandlerOptions {
  /** Makes the lines. */
  formatter?: FormatterFunction;
}

/** What a {@linkcode ConsoleHandler} is told. */
export interface ConsoleHandlerOptions extends BaseHandlerOptions {
  /** Whether to colour the lines. */
  useColors?: boolean;
}

/** What a record is made from. */
export interface LogRecordOptions {
  /** The message. */
  msg: string;
  /** What else was said. */
  args: unknown[];
  /** How much it matters. */
  level: LogLevel;
  /** Who says it. */
  loggerName: string;
}

/** What a logger is told. */
export interface LoggerOptions {
  /** Where the records go. */
  handlers?: BaseHandler[];
}

/** The number of a level. */
export function getLevelByName(name: LevelName): LogLevel {
  const level = LogLevels[name];
  if (level === undefined) throw new Error(`Cannot get log level: no level named ${name}`);
  return level;
}

/** The name of a level. */
export function getLevelName(level: LogLevel): LevelName {
  for (const [name, number] of Object.entries(LogLevels)) {
    if (number === level) return name as LevelName;
  }
  throw new Error(`Cannot get log level: no name for level: ${level}`);
}

/** One message, as the handlers get it. */
export class LogRecord {
  readonly #args: unknown[];
  readonly #datetime: Date = new Date();
  /** The message. */
  readonly msg: string;
  /** How much it matters. */
  readonly level: number;
  /** How much it matters, in a word. */
  readonly levelName: string;
  /** Who says it. */
  readonly loggerName: string;

  constructor(options: LogRecordOptions) {
    this.#args = [...options.args];
    this.msg = options.msg;
    this.level = options.level;
    this.levelName = getLevelName(options.level);
    this.loggerName = options.loggerName;
  }

  /** What else was said. */
  get args(): unknown[] {
    return [...this.#args];
  }

  /** When it was said. */
  get datetime(): Date {
    return new Date(this.#datetime);
  }
}

/** Takes the records that matter enough, as lines. */
export abstract class BaseHandler {
  #level: LogLevel;
  /** Makes the lines. */
  formatter: FormatterFunction;

  constructor(levelName: LevelName, options: BaseHandlerOptions = {}) {
    this.#level = getLevelByName(levelName);
    this.formatter = options.formatter ?? ((record) => `${record.levelName} ${record.msg}`);
  }

  /** The level from which records matter. */
  get level(): LogLevel {
    return this.#level;
  }
  set level(level: LogLevel) {
    this.levelName = getLevelName(level);
  }

  /** The name of that level. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }
  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  /** Takes a record. */
  handle(logRecord: LogRecord): void {
    if (logRecord.level >= this.level) this.log(this.format(logRecord));
  }

  /** Makes a record's line. */
  format(logRecord: LogRecord): string {
    return this.formatter(logRecord);
  }

  /** Takes a line. */
  abstract log(msg: string): void;

  /** Is called before the first record. */
  setup(): void {}

  /** Is called after the last record. */
  destroy(): void {}

  /** Destroys the handler. */
  [Symbol.dispose](): void {
    this.destroy();
  }
}

const COLORS: Record<number, string> = {
  20: "\x1b[34m",
  30: "\x1b[33m",
  40: "\x1b[31m",
  50: "\x1b[1m\x1b[31m",
};

/** Prints the lines to the standard output. */
export class ConsoleHandler extends BaseHandler {
  readonly #useColors: boolean;

  constructor(levelName: LevelName, options: ConsoleHandlerOptions = {}) {
    super(levelName, options);
    this.#useColors = (options.useColors ?? true) && !Deno.noColor;
  }

  /** Makes a record's line. */
  override format(logRecord: LogRecord): string {
    const line = super.format(logRecord);
    const color = this.#useColors ? COLORS[logRecord.level] : undefined;
    return color ? `${color}${line}\x1b[0m` : line;
  }

  /** Prints a line. */
  log(msg: string): void {
    // deno-lint-ignore no-console -- what this handler is for
    console.log(msg);
  }
}

function asString(data: unknown, isProperty = false): string {
  if (typeof data === "string") return isProperty ? `"${data}"` : data;
  if (data instanceof Error) return data.stack ?? String(data);
  if (typeof data === "function") return "undefined";
  if (typeof data !== "object" || data === null) return String(data);
  return `{${Object.entries(data).map(([key, value]) => `"${key}":${asString(value, true)}`).join(",")}}`;
}

/** Passes messages to handlers. */
export class Logger {
  readonly #loggerName: string;
  #level: LogLevel;
  /** Where the records go. */
  handlers: BaseHandler[];

  constructor(loggerName: string, levelName: LevelName, options: LoggerOptions = {}) {
    this.#loggerName = loggerName;
    this.#level = getLevelByName(levelName);
    this.handlers = options.handlers ?? [];
  }

  /** Who says what this logger logs. */
  get loggerName(): string {
    return this.#loggerName;
  }

  /** The level from which messages matter. */
  get level(): LogLevel {
    return this.#level;
  }
  set level(level: LogLevel) {
    if (!Object.values(LogLevels).includes(level)) throw new TypeError(`Invalid log level: ${level}`);
    this.#level = level;
  }

  /** The name of that level. */
  get levelName(): LevelName {
    return getLevelName(this.#level);
  }
  set levelName(levelName: LevelName) {
    this.#level = getLevelByName(levelName);
  }

  #log<T>(level: LogLevel, msg: NotFunction<T> | (() => T), args: unknown[]): T | undefined {
    const isLazy = msg instanceof Function;
    if (this.#level > level) return isLazy ? undefined : msg;
    const said = isLazy ? msg() : msg as T;
    const record = new LogRecord({ msg: asString(said), args, level, loggerName: this.#loggerName });
    for (const handler of this.handlers) handler.handle(record);
    return said;
  }

  /** Logs what `msg` returns, at level DEBUG, if that matters. */
  debug<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs a message at level DEBUG. */
  debug<T>(msg: NotFunction<T>, ...args: unknown[]): T;
  debug<T>(msg: NotFunction<T> | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.DEBUG, msg, args);
  }

  /** Logs what `msg` returns, at level INFO, if that matters. */
  info<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs a message at level INFO. */
  info<T>(msg: NotFunction<T>, ...args: unknown[]): T;
  info<T>(msg: NotFunction<T> | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.INFO, msg, args);
  }

  /** Logs what `msg` returns, at level WARN, if that matters. */
  warn<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs a message at level WARN. */
  warn<T>(msg: NotFunction<T>, ...args: unknown[]): T;
  warn<T>(msg: NotFunction<T> | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.WARN, msg, args);
  }

  /** Logs what `msg` returns, at level ERROR, if that matters. */
  error<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs a message at level ERROR. */
  error<T>(msg: NotFunction<T>, ...args: unknown[]): T;
  error<T>(msg: NotFunction<T> | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.ERROR, msg, args);
  }

  /** Logs what `msg` returns, at level CRITICAL, if that matters. */
  critical<T>(msg: () => T, ...args: unknown[]): T | undefined;
  /** Logs a message at level CRITICAL. */
  critical<T>(msg: NotFunction<T>, ...args: unknown[]): T;
  critical<T>(msg: NotFunction<T> | (() => T), ...args: unknown[]): T | undefined {
    return this.#log(LogLevels.CRITICAL, msg, args);
  }
}
