/**
 * The programs of the benchmark: how they are run on a core, started, waited for and stopped.
 *
 * @module
 */
import { errorMessage } from "@pingress/config";
import { cpuOfTree } from "./measure.ts";

/** The core of the proxy that is measured. */
export const PROXY_CORE = 1;
/** The core of the load generators, of the backend and of the benchmark itself. */
export const LOAD_CORE = 0;

/** How long a server may take until it listens. */
const START_MILLISECONDS = 30_000;
/** How long a server may take to end once it was told, before it is told again. */
const STOP_MILLISECONDS = 2000;

/** What is needed beside Deno, with how to ask for its version and the Debian package that has it. */
const NEEDED = [
  { name: "nginx", version: "-v", debian: "nginx" },
  { name: "haproxy", version: "-v", debian: "haproxy" },
  { name: "wrk", version: "-v", debian: "wrk" },
  { name: "h2load", version: "--version", debian: "nghttp2-client" },
] as const;

/** Options of {@linkcode Server.start}. */
export interface ServerOptions {
  /** What the reader knows it as. */
  name: string;
  /** Where it listens on 127.0.0.1. */
  ports: Ports;
  /** The core that it, all its threads and its children stay on. */
  core: number;
  /** Ends it. */
  signal: AbortSignal;
}

type SpawnOptions = Pick<ServerOptions, "core" | "signal"> & { stdout?: "null" | "piped" };

/** The ports of a server. */
export interface Ports {
  /** For HTTP. */
  http: number;
  /** For HTTPS; a backend has none. */
  https?: number;
}

/** A program that listens. */
export class Server implements AsyncDisposable {
  /** What the reader knows it as. */
  readonly name: string;
  /** Where it listens. */
  readonly ports: Ports;
  readonly #signal: AbortSignal;
  readonly #process: Deno.ChildProcess;
  readonly #complaints: Promise<string>;
  #hasEnded = false;

  private constructor(process: Deno.ChildProcess, options: ServerOptions) {
    this.name = options.name;
    this.ports = options.ports;
    this.#signal = options.signal;
    this.#process = process;
    this.#complaints = new Response(process.stderr).text();
    process.status.then(() => this.#hasEnded = true);
  }

  /** Starts one and waits until it listens. @throws {Error} with what it says when it ends or takes too long. */
  static async start(command: string[], options: ServerOptions): Promise<Server> {
    const server = new Server(spawn(command, options), options);
    try {
      await server.#listens();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw new Error(`${options.name} does not start: ${errorMessage(error)}\n${await server.#complaints}`);
    }
  }

  /** The CPU time that it and its children have used until now, in milliseconds. @throws {Error} when it has ended. */
  async cpuTime(): Promise<number> {
    if (this.#hasEnded) throw new Error(`${this.name} has ended: ${await this.#complaints}`);
    // Deno reads /proc only with --allow-all, and who has which parent is known only from all processes
    const command = ["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null"];
    return cpuOfTree((await run(command, this.#signal)).text, this.#process.pid);
  }

  /** Stops it and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    // the second SIGTERM is for what waits for open connections
    for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"] as const) {
      if (this.#hasEnded) return;
      this.#process.kill(signal);
      await Promise.race([this.#process.status, delay(STOP_MILLISECONDS)]);
    }
  }

  async #listens(): Promise<void> {
    const deadline = Date.now() + START_MILLISECONDS;
    for (const port of Object.values(this.ports)) {
      while (!await isOpen(port)) {
        this.#signal.throwIfAborted();
        if (this.#hasEnded) throw new Error("it has ended");
        if (Date.now() > deadline) throw new Error(`nothing listens on port ${port}`);
        await delay(50);
      }
    }
  }
}

/**
 * Runs a program to its end, on the load's core.
 *
 * @returns its exit code and all that it printed.
 * @throws {Error} when `signal` ended it.
 */
export async function run(command: string[], signal: AbortSignal): Promise<{ code: number; text: string }> {
  const options = { core: LOAD_CORE, signal, stdout: "piped" } as const;
  const { code, stdout, stderr } = await spawn(command, options).output();
  if (signal.aborted) throw new Error(`${command[0]} was ended: ${errorMessage(signal.reason)}`);
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** The versions of what is needed, by name. @throws {Error} that says what to install. */
export async function versions(signal: AbortSignal): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const missing: string[] = [];
  for (const { name, version, debian } of NEEDED) {
    const { code, text } = await run([name, version], signal);
    // so says taskset, as shells do
    if (code === 127) missing.push(debian);
    else found[name] = /\d+\.\d+[\d.]*/.exec(text)?.[0] ?? "?";
  }
  if (missing.length > 0) throw new Error(`On Debian: apt-get install ${missing.join(" ")}`);
  return found;
}

/** Ports on which nothing listens. A program that takes one before it is used makes the benchmark fail, loudly. */
export function freePorts(): Required<Ports> {
  using http = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using https = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { http: http.addr.port, https: https.addr.port };
}

/** Everything is run by taskset: it is the one program that the benchmark may run. */
function spawn(command: string[], { core, signal, stdout = "null" }: SpawnOptions): Deno.ChildProcess {
  const args = ["-c", String(core), ...command];
  try {
    return new Deno.Command("taskset", { args, signal, stdin: "null", stdout, stderr: "piped" }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("There is no taskset. On Debian: apt-get install util-linux", { cause: error });
  }
}

async function isOpen(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}

async function delay(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
