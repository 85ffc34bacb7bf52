/**
 * Programs that the soak tests start: the proxy as users run it, load generators, and what /proc says of them.
 *
 * @module
 */
import { type EndpointsFile, formatAddress, parseAddress } from "@pingress/config";
import { pause, TempDir, within } from "../testing.ts";

const BACKEND = new URL("backend.ts", import.meta.url).pathname;
const MAIN = new URL("../../proxy/main.ts", import.meta.url).pathname;
const ROOT = new URL("../../", import.meta.url).pathname;
const IMPORT_MAP = "npm/import_map.json";

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
  readonly #process: Deno.ChildProcess;
  readonly #log: string[];

  private constructor(
    dir: TempDir,
    { process, log, addresses }: {
      process: Deno.ChildProcess;
      log: string[];
      addresses: ProxyProgram["addresses"];
    },
  ) {
    this.dir = dir;
    this.addresses = addresses;
    this.#process = process;
    this.#log = log;
  }

  /** Starts one, and waits until it serves. */
  static async start({ rules, endpoints, files, flags = [] }: ProxyProgramOptions): Promise<ProxyProgram> {
    const dir = await TempDir.make();
    for (const [name, text] of Object.entries(files ?? {})) await dir.write(name, text);
    await dir.write("endpoints.json", JSON.stringify(endpoints));
    await dir.write("proxy.json", JSON.stringify({ rules }).replaceAll('"./', `"${dir.path}/`));
    const admin = freeAddress();
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...usesNpm() ? [`--import-map=${IMPORT_MAP}`] : [],
        "--no-prompt",
        "--allow-net",
        "--allow-read",
        "--allow-env=PINGRESS_*",
        MAIN,
        `--config=${dir.path}/proxy.json`,
        `--watch=${dir.path}`,
        "--listen-http=127.0.0.1:0",
        "--listen-https=127.0.0.1:0",
        `--listen-admin=${admin}`,
        ...flags,
      ],
      cwd: ROOT,
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const log: string[] = [];
    const serving = Promise.withResolvers<ProxyProgram["addresses"]>();
    readLines(process.stderr, (line) => {
      log.push(line);
      const [, http, https] = / Serving http=(\S+) https=(\S+)/.exec(line) ?? [];
      if (http !== undefined && https !== undefined) serving.resolve({ http, https, admin });
    }).then(() => serving.reject(new Error(`The proxy ended:\n${log.join("\n")}`)));
    const addresses = await within(serving.promise, "the proxy to serve");
    return new ProxyProgram(dir, { process, log, addresses });
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** What it logged. */
  get log(): readonly string[] {
    return this.#log;
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

  /** Ends it as Kubernetes does. @returns its exit code. */
  async stop(): Promise<number> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // it has ended
    }
    return (await this.#process.status).code;
  }

  /** Ends it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
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

/** Says what was measured. */
export function report(what: string): void {
  // deno-lint-ignore no-console -- the figures are what these tests are run for
  console.log(`      ${what}`);
}

async function readLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (line: string) => void) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}

/** Do these tests themselves run on packages from npm? */
function usesNpm(): boolean {
  return import.meta.resolve("@std/assert").includes("/npm/");
}
