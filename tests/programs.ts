/**
 * Programs that tests start, those of Pingress and others, and addresses for them.
 *
 * @module
 */
import { formatAddress, parseAddress } from "@pingress/config";
import { within } from "./testing.ts";

/** The top of the repository. */
export const ROOT = new URL("../", import.meta.url).pathname;

/** How `deno run` finds packages: as the tests themselves do, which run on packages from npm, or do not. */
export const IMPORT_FLAGS: readonly string[] = import.meta.resolve("@std/assert").includes("/npm/")
  ? ["--import-map=npm/import_map.json"]
  : [];

/** What the controller or the proxy may do, where a test asks for no less. */
const PERMISSIONS: readonly string[] = ["--allow-net", "--allow-read", "--allow-write", "--allow-env"];

/** Options of {@linkcode RunningProgram.start}. */
export interface ProgramOptions {
  /** The program: a command, or the module of one of Pingress. */
  command: string | URL;
  /** Its command line. */
  args: string[];
  /** What a program of Pingress may do; {@linkcode PERMISSIONS} when absent. */
  permissions?: readonly string[];
  /** What it finds in its environment. */
  env?: Record<string, string>;
  /** A line of its log that says that it works. */
  until: RegExp;
  /** How long it may take until then, in milliseconds; 30 seconds when absent. */
  patience?: number;
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

  /** Starts one, and waits until it works. @throws {Error} with its log when it does not. */
  static async start(options: ProgramOptions): Promise<RunningProgram> {
    const { command, args, permissions = PERMISSIONS, env = {}, until, patience = 30_000 } = options;
    const isOurs = command instanceof URL;
    const process = new Deno.Command(isOurs ? Deno.execPath() : command, {
      args: isOurs
        ? ["run", ...IMPORT_FLAGS, "--no-prompt", ...permissions, command.pathname, ...args]
        : args,
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
    }).then(() => started.reject(new Error(`${command} ended`)));
    started.promise.catch(() => {});
    const found = await within(started.promise, `${until} in the log of ${command}`, patience)
      .catch((error) => {
        end(process);
        throw new Error(`${error.message}:\n${log.join("\n")}`);
      });
    return new RunningProgram(process, reading, found);
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Ends it as Kubernetes does. */
  async [Symbol.asyncDispose](): Promise<void> {
    end(this.#process);
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

/** Runs a program to its end. @returns what it wrote. @throws {Error} when it fails, or is not there. */
export async function run(command: string, ...args: string[]): Promise<string> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
    const text = new TextDecoder().decode(stdout);
    if (success) return text;
    throw new Error(`${command} failed: ${text}${new TextDecoder().decode(stderr)}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const debianPackage = command === "h2load" ? "nghttp2-client" : command;
    throw new Error(`${command} is needed for this test: apt-get install ${debianPackage}`);
  }
}

/** A free address on loopback. */
export function freeAddress(): string {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = formatAddress(listener.addr);
  listener.close();
  return address;
}

/** An address from what a log or a flag calls it. @throws {Error} when it is none. */
export function addressOf(text: string): { hostname: string; port: number } {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`No address: ${text}`);
  return address;
}

function end(process: Deno.ChildProcess): void {
  try {
    process.kill("SIGTERM");
  } catch {
    // it has ended
  }
}

/** Tells of each line of a stream, to its end. */
export async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}
