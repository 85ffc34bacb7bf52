/**
 * Programs that a test starts: those of Pingress, and Prometheus.
 *
 * @module
 */
import { within } from "../../testing.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** Options of {@linkcode RunningProgram.start}. */
export interface ProgramOptions {
  /** The program. */
  command: string | URL;
  /** Its command line. */
  args: string[];
  /** What it finds in its environment. */
  env?: Record<string, string>;
  /** A line of its log that says that it works. */
  until: RegExp;
}

/** A program that runs, and is ended with the test. */
export class RunningProgram implements AsyncDisposable {
  /** What {@linkcode ProgramOptions.until} has found. */
  readonly found: RegExpExecArray;
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  private constructor(process: Deno.ChildProcess, reading: Promise<void>, found: RegExpExecArray) {
    this.#process = process;
    this.#reading = reading;
    this.found = found;
  }

  /** Starts one: a command, or a program of Pingress. @throws {Error} with its log when it ends at once. */
  static async start({ command, args, env = {}, until }: ProgramOptions): Promise<RunningProgram> {
    const isOurs = command instanceof URL;
    const imports = import.meta.resolve("@std/assert").includes("/npm/")
      ? ["--import-map=npm/import_map.json"]
      : [];
    const process = new Deno.Command(isOurs ? Deno.execPath() : command, {
      args: isOurs ? ["run", ...imports, "--no-prompt", "--allow-all", command.pathname, ...args] : args,
      cwd: ROOT,
      env,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log: string[] = [];
    const started = Promise.withResolvers<RegExpExecArray>();
    const reading = readLines(process.stderr, (line) => {
      log.push(line);
      const found = until.exec(line);
      if (found !== null) started.resolve(found);
    }).then(() => started.reject(new Error(`${command} ended:\n${log.join("\n")}`)));
    started.promise.catch(() => {});
    const found = await within(started.promise, `${until} in the log of ${command}`, 30_000)
      .catch((error) => {
        process.kill();
        throw new Error(`${error.message}:\n${log.join("\n")}`);
      });
    return new RunningProgram(process, reading, found);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await this.#process.status;
    await this.#reading;
  }
}

/** Is a command there? */
export function isInstalled(command: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((directory) => {
    try {
      return Deno.statSync(`${directory}/${command}`).isFile;
    } catch {
      return false;
    }
  });
}

/** Runs a command to its end. @throws {Error} with what it said when it fails. */
export async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (success) return;
  throw new Error([stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n"));
}

async function readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (line: string) => void) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}
