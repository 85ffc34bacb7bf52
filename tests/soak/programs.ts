/**
 * Programs that the soak tests start: the proxy as users run it, load generators, and what /proc says of them.
 *
 * @module
 */
import type { EndpointsFile } from "@pingress/config";
import { freeAddress, run, RunningProgram } from "../programs.ts";
import { pause, TempDir } from "../testing.ts";

const BACKEND = new URL("backend.ts", import.meta.url).pathname;
const PROXY = new URL("../../proxy/main.ts", import.meta.url);

/** Options of {@linkcode ProxyProgram.start}. */
export interface ProxyProgramOptions {
  /** The rules of its `proxy.json`; `"./` in it is its directory. */
  rules: unknown[];
  /** Its `endpoints.json`. */
  endpoints: EndpointsFile;
  /** More files of its directory, by name. */
  files?: Record<string, string>;
  /** More flags. */
  flags?: string[];
}

/** A proxy in a process of its own, with threads for workers. */
export class ProxyProgram implements AsyncDisposable {
  /** Its directory. */
  readonly dir: TempDir;
  /** The addresses of its ports, as `host:port`. */
  readonly addresses: { http: string; https: string; admin: string };
  readonly #program: RunningProgram;

  private constructor(dir: TempDir, program: RunningProgram, addresses: ProxyProgram["addresses"]) {
    this.dir = dir;
    this.addresses = addresses;
    this.#program = program;
  }

  /** Starts one, and waits until it serves. */
  static async start({ rules, endpoints, files, flags = [] }: ProxyProgramOptions): Promise<ProxyProgram> {
    const dir = await TempDir.make();
    for (const [name, text] of Object.entries(files ?? {})) await dir.write(name, text);
    await dir.write("endpoints.json", JSON.stringify(endpoints));
    await dir.write("proxy.json", JSON.stringify({ rules }).replaceAll('"./', `"${dir.path}/`));
    const admin = freeAddress();
    const program = await RunningProgram.start({
      command: PROXY,
      args: [
        `--config=${dir.path}/proxy.json`,
        `--watch=${dir.path}`,
        "--listen-http=127.0.0.1:0",
        "--listen-https=127.0.0.1:0",
        `--listen-admin=${admin}`,
        ...flags,
      ],
      permissions: ["--allow-net", "--allow-read", "--allow-env=PINGRESS_*"],
      until: / Serving http=(\S+) https=(\S+)/,
      patience: 10_000,
    });
    const [, http = "", https = ""] = program.found;
    return new ProxyProgram(dir, program, { http, https, admin });
  }

  /** Its process id. */
  get pid(): number {
    return this.#program.pid;
  }

  /** Replaces its `proxy.json`. */
  async reconfigure(rules: unknown[]): Promise<void> {
    await this.dir.write("proxy.json", JSON.stringify({ rules }).replaceAll('"./', `"${this.dir.path}/`));
  }

  /** Replaces its `endpoints.json`, and waits until all workers know. */
  async redirect(endpoints: EndpointsFile): Promise<void> {
    const reloads = await this.metric("pingress_reloads_total");
    await this.dir.write("endpoints.json", JSON.stringify(endpoints));
    while (await this.metric("pingress_reloads_total") === reloads) await pause(10);
  }

  /** The value of a metric without labels, or the sum of those with them. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.addresses.admin}/metrics`)).text();
    let sum = 0;
    for (const line of text.split("\n")) {
      const [, value] = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`).exec(line) ?? [];
      if (value !== undefined) sum += Number(value);
    }
    return sum;
  }

  /** Ends it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** A backend in a process of its own; see backend.ts. */
export class BackendProgram {
  /** Where it listens. */
  readonly address: string;
  readonly #process: Deno.ChildProcess;

  private constructor(address: string, process: Deno.ChildProcess) {
    this.address = address;
    this.#process = process;
  }

  /** Starts one that takes `delay` milliseconds for each request, and waits until it answers. */
  static async start(address: string, { delay = 0 } = {}): Promise<BackendProgram> {
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-config", "--no-prompt", "--allow-net", BACKEND, address, String(delay)],
    }).spawn();
    for (let tries = 0;; tries++) {
      try {
        await (await fetch(`http://${address}/`)).body?.cancel();
        return new BackendProgram(address, process);
      } catch (error) {
        if (tries > 200) throw error;
        await pause(50);
      }
    }
  }

  /** Ends it, when all requests have been answered. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: Deno.Signal): Promise<void> {
    try {
      this.#process.kill(signal);
    } catch {
      // it has ended
    }
    await this.#process.status;
  }
}

/** The physical memory of a process, in MiB. Programs look: Deno itself reads /proc with all permissions alone. */
export async function rssMebibytes(pid: number): Promise<number> {
  const [, kibibytes = "0"] = /^VmRSS:\s+([0-9]+) kB$/m.exec(await run("cat", `/proc/${pid}/status`)) ?? [];
  return Number(kibibytes) / 1024;
}

/** How many descriptors a process has open. */
export async function openDescriptors(pid: number): Promise<number> {
  return (await run("ls", `/proc/${pid}/fd`)).trim().split("\n").length;
}

/** What a load generator counted. */
export interface Load {
  /** Requests with an answer of 2xx. */
  succeeded: number;
  /** Everything else: other answers, broken connections, timeouts. */
  failed: number;
  /** What 99 of 100 requests took at most, in milliseconds, where it is known. */
  p99?: number;
}

/** Loads a URL with wrk. */
export async function wrk(
  url: string,
  { seconds, connections, host, keepsAlive = true }: {
    seconds: number;
    connections: number;
    host: string;
    keepsAlive?: boolean;
  },
): Promise<Load> {
  const options = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", "--timeout", "10s"];
  if (!keepsAlive) options.push("-H", "Connection: close");
  const text = await run("wrk", ...options, "-H", `Host: ${host}`, url);
  const total = Number(/([0-9]+) requests in/.exec(text)?.[1]);
  const other = Number(/Non-2xx or 3xx responses: ([0-9]+)/.exec(text)?.[1] ?? 0);
  const errors = /Socket errors: connect ([0-9]+), read ([0-9]+), write ([0-9]+), timeout ([0-9]+)/.exec(
    text,
  );
  const broken = (errors?.slice(1) ?? []).reduce((sum, count) => sum + Number(count), 0);
  const [, p99 = "0", unit = "ms"] = /99%\s+([0-9.]+)(us|ms|s) *$/m.exec(text) ?? [];
  const milliseconds = Number(p99) * { us: 0.001, ms: 1, s: 1000 }[unit as "us" | "ms" | "s"];
  return { succeeded: total - other, failed: other + broken, p99: milliseconds };
}

/** Loads an HTTPS URL with h2load, over HTTP/2 or HTTP/1.1. */
export async function h2load(
  url: string,
  { seconds, connections, http1 = false }: { seconds: number; connections: number; http1?: boolean },
): Promise<Load> {
  const text = await run(
    "h2load",
    ...http1 ? ["--h1"] : ["-m4"],
    `-c${connections}`,
    `-D${seconds}`,
    url,
  );
  const [, succeeded, failed, errored, timeout] =
    /([0-9]+) succeeded, ([0-9]+) failed, ([0-9]+) errored, ([0-9]+) timeout/.exec(text) ?? [];
  return { succeeded: Number(succeeded), failed: Number(failed) + Number(errored) + Number(timeout) };
}

/** Says what was measured. */
export function report(what: string): void {
  // deno-lint-ignore no-console -- the figures are what these tests are run for
  console.log(`      ${what}`);
}
