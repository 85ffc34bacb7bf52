/**
 * The programs of the benchmark: how they are run on a core, started, waited for and stopped.
 *
 * @module
 */
import { errorMessage } from "@pingress/config";
import { pause } from "../testing.ts";
import { Client } from "./client.ts";
import { parseStat, type Process, type Usage, usageOfTree } from "./measure.ts";

/** The core of a proxy that has one worker. */
export const PROXY_CORE = "1";
/** The core of the load generators, of the backend and of the benchmark itself. */
export const LOAD_CORE = "0";
/** The cores of a proxy that has more than one worker. */
export const ALL_CORES = "0,1";

/** How long a server may take until it serves. */
const START_MILLISECONDS = 30_000;
/** How long a server may take to end once it was told, before it is told again. */
const STOP_MILLISECONDS = 2000;
/** How long to wait before looking again. */
export const POLL_MILLISECONDS = 5;

/** What is needed beside Deno, with how to ask for its version and the Debian package that has it. */
const NEEDED = [
  { name: "nginx", version: "-v", debian: "nginx" },
  { name: "haproxy", version: "-v", debian: "haproxy" },
  { name: "wrk", version: "-v", debian: "wrk" },
  { name: "h2load", version: "--version", debian: "nghttp2-client" },
  { name: "openssl", version: "version", debian: "openssl" },
] as const;

/** How a server is started. */
export interface Launch {
  /** What the reader knows it as. */
  name: string;
  /** Its command line. */
  command: string[];
  /** The cores that it, all its threads and its children stay on, as taskset spells them. */
  cores: string;
  /** Where it listens on 127.0.0.1. */
  ports: Ports;
  /** Where on the port for HTTP it answers with 200, once it serves. */
  path: string;
}

/** The ports of a server. */
export interface Ports {
  /** For HTTP. */
  http: number;
  /** For HTTPS, if it does. */
  https?: number;
  /** For its metrics, if it does. */
  admin?: number;
}

/** A program that serves. */
export class Server implements AsyncDisposable {
  /** Where it listens. */
  readonly ports: Ports;
  /** How long it took from its start to its first answer, in milliseconds. */
  startTime = NaN;
  readonly #launch: Launch;
  readonly #signal: AbortSignal;
  readonly #process: Deno.ChildProcess;
  readonly #complaints: Promise<string>;
  #hasEnded = false;

  private constructor(launch: Launch, signal: AbortSignal) {
    this.ports = launch.ports;
    this.#launch = launch;
    this.#signal = signal;
    this.#process = spawn(launch.command, { cores: launch.cores, signal });
    this.#complaints = new Response(this.#process.stderr).text();
    this.#process.status.then(() => this.#hasEnded = true);
  }

  /** Starts one and waits until it serves. @throws {Error} with what it says when it ends or takes too long. */
  static async start(launch: Launch, signal: AbortSignal): Promise<Server> {
    const start = performance.now();
    const server = new Server(launch, signal);
    try {
      const { http, https } = launch.ports;
      await server.#until(() => answers(http, launch.path), `nothing answers on port ${http}`);
      server.startTime = performance.now() - start;
      if (https !== undefined) await server.#until(() => listens(https), `nothing listens on port ${https}`);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw new Error(`${launch.name} does not start: ${errorMessage(error)}\n${await server.#complaints}`);
    }
  }

  /** What it and its children use. @throws {Error} when it has ended. */
  async usage(processes: readonly Process[]): Promise<Usage> {
    if (this.#hasEnded) throw new Error(`${this.#launch.name} has ended: ${await this.#complaints}`);
    return usageOfTree(processes, this.#process.pid);
  }

  /** Stops it and waits until it has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    // the second SIGTERM is for what waits for open connections
    for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"] as const) {
      if (this.#hasEnded) return;
      this.#process.kill(signal);
      await Promise.race([this.#process.status, pause(STOP_MILLISECONDS)]);
    }
  }

  async #until(condition: () => Promise<boolean>, complaint: string): Promise<void> {
    const deadline = Date.now() + START_MILLISECONDS;
    while (!await condition()) {
      this.#signal.throwIfAborted();
      if (this.#hasEnded) throw new Error("it has ended");
      if (Date.now() > deadline) throw new Error(complaint);
      await pause(POLL_MILLISECONDS);
    }
  }
}

/** All processes of this moment. */
export async function processes(signal: AbortSignal): Promise<Process[]> {
  // Deno reads /proc only with --allow-all, and who has which parent is known only from all processes
  return parseStat((await run(["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null"], signal)).text);
}

/**
 * Runs a program to its end, on the load's core.
 *
 * @returns its exit code and all that it printed.
 * @throws {Error} when `signal` ended it.
 */
export async function run(command: string[], signal: AbortSignal): Promise<{ code: number; text: string }> {
  const options = { cores: LOAD_CORE, signal, stdout: "piped" } as const;
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
  using admin = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { http: http.addr.port, https: https.addr.port, admin: admin.addr.port };
}

/** Options of {@linkcode spawn}. */
interface SpawnOptions extends Pick<Launch, "cores"> {
  signal: AbortSignal;
  stdout?: "null" | "piped";
}

/** Everything is run by taskset: it is the one program that the benchmark may run. */
function spawn(command: string[], { cores, signal, stdout = "null" }: SpawnOptions): Deno.ChildProcess {
  const args = ["-c", cores, ...command];
  try {
    return new Deno.Command("taskset", { args, signal, stdin: "null", stdout, stderr: "piped" }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error("There is no taskset. On Debian: apt-get install util-linux", { cause: error });
  }
}

/** Does a request come back with 200? */
async function answers(port: number, path: string): Promise<boolean> {
  try {
    using client = await Client.connect(port);
    return await client.get(path) === 200;
  } catch {
    return false;
  }
}

async function listens(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch {
    return false;
  }
}
