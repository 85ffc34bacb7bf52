import { BaseHandler, type LevelName, Logger, type LogRecord } from "@std/log";

/** What goes with a message, as `key=value`. */
export type LogFields = Record<string, string | number | boolean | undefined>;

/** The levels of `--log-level`, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevelName = typeof LOG_LEVELS[number];

/** Writes lines about what the program does. It never stands on the path of a request. */
export interface Log {
  /** For somebody who looks for a fault. */
  debug(message: string, fields?: LogFields): void;
  /** For an operator. */
  info(message: string, fields?: LogFields): void;
  /** Something is wrong and the program goes on without it. */
  warn(message: string, fields?: LogFields): void;
  /** Something failed. */
  error(message: string, fields?: LogFields): void;
}

/** Options of {@linkcode createLog}. */
export interface LogOptions {
  /** Nothing below it is written; `info` unless told. */
  level?: LogLevelName;
  /** Takes each line, without its line end; standard error unless told. */
  write?: (line: string) => void;
}

/** Makes the log of a program. */
export function createLog(program: string, options: LogOptions = {}): Log {
  const level = (options.level ?? "info").toUpperCase() as LevelName;
  const handler = new LineHandler(options.write ?? writeToStderr, level);
  const logger = new Logger(program, level, { handlers: [handler] });
  return {
    debug: (message, fields) => void logger.debug(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    error: (message, fields) => void logger.error(message, fields),
  };
}

/** A log that drops everything. */
export const SILENT_LOG: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};

/** What an unknown thrown value says, in one line. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

class LineHandler extends BaseHandler {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void, level: LevelName) {
    super(level, { formatter: formatRecord });
    this.#write = write;
  }

  override log(line: string): void {
    this.#write(line);
  }
}

function formatRecord(record: LogRecord): string {
  const level = record.levelName.padEnd(5);
  let line = `${record.datetime.toISOString()} ${level} ${record.loggerName}: ${printable(record.msg)}`;
  for (const [key, value] of Object.entries((record.args[0] ?? {}) as LogFields)) {
    if (value === undefined) continue;
    const text = String(value);
    line += ` ${key}=${/^[\w.:/@*-]+$/.test(text) ? text : printable(JSON.stringify(text))}`;
  }
  return line;
}

/**
 * Text with its control characters and line separators escaped. Messages quote what users wrote: nothing in it
 * may make a second line, or be obeyed by a terminal.
 */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\u2028\u2029]/gu,
    (character) => ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const ESCAPES: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function writeToStderr(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}
