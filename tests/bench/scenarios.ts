/**
 * What is measured: the load of each scenario, and the rounds in which the proxies take turns.
 *
 * @module
 */
import { type Load, parseH2load, parseWrk } from "./measure.ts";
import { run, type Server } from "./programs.ts";
import { HOST, LARGE_BYTES, LARGE_PATH } from "./proxies.ts";

const CONNECTIONS = 64;
/** Without a duration, about as many requests as one core can make in a second. */
const HANDSHAKES_PER_SECOND = 1000;
/** A load generator that takes longer than it was told by this much hangs. */
const PATIENCE_MILLISECONDS = 60_000;

/** A program that makes requests. */
export interface Generator {
  /** Its command line, but for where to and for how long. */
  command: string[];
  /** Its flags for how long. */
  duration: (seconds: number) => string[];
}

/** One kind of load. */
export interface Scenario extends Generator {
  /** What `--only` knows it as. */
  name: string;
  /** What the reader knows it as. */
  title: string;
  /** Which port is asked. */
  scheme: "http" | "https";
  /** What is asked for. */
  path: string;
  /** The length of a response, where it is that which matters. */
  bytes?: number;
}

/** What came of one run. */
export interface Run extends Load {
  /** CPU time of the proxy for each request, in microseconds. */
  cpu: number;
}

/** Options of {@linkcode compare}. */
export interface CompareOptions {
  /** How often each proxy has its turn. */
  rounds: number;
  /** How long each turn takes. */
  seconds: number;
  /** Where files may be written. */
  directory: string;
  /** Ends it. */
  signal: AbortSignal;
}

const WRK: Generator = {
  command: ["wrk", "-t1", `-c${CONNECTIONS}`, "--latency", "--timeout", "10s"],
  duration: (seconds) => [`-d${seconds}s`],
};
// wrk would resume sessions where a server lets it; with a duration, h2load never ends when connections do
const H2LOAD_CLOSE: Generator = {
  command: ["h2load", "--h1", `-c${CONNECTIONS}`, "-H", "Connection: close"],
  duration: (seconds) => ["-n", String(seconds * HANDSHAKES_PER_SECOND)],
};
const H2LOAD: Generator = {
  command: ["h2load", "-c16", "-m10"],
  duration: (seconds) => ["-D", String(seconds)],
};
const LARGE = { path: LARGE_PATH, bytes: LARGE_BYTES };

/** All scenarios, in the order in which they are measured. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "http", title: "Small GET over HTTP", scheme: "http", path: "/", ...WRK },
  { name: "https", title: "Small GET over HTTPS", scheme: "https", path: "/", ...WRK },
  { name: "http-large", title: "1 MiB over HTTP", scheme: "http", ...LARGE, ...WRK },
  { name: "https-large", title: "1 MiB over HTTPS", scheme: "https", ...LARGE, ...WRK },
  {
    name: "handshakes",
    title: "A TLS connection for each request",
    scheme: "https",
    path: "/",
    ...H2LOAD_CLOSE,
  },
  { name: "http2", title: "Small GET over HTTP/2", scheme: "https", path: "/", ...H2LOAD },
];

/** How long each proxy runs before it is measured: until then V8 compiles, which takes as long as the requests. */
export const WARM_UP_SECONDS = 8;

/** Measures a scenario: after a run each to warm up, the proxies take turns. @returns each one's runs. */
export async function compare(
  scenario: Scenario,
  { servers, ...options }: CompareOptions & { servers: Server[] },
): Promise<Map<string, Run[]>> {
  const runs = new Map(servers.map(({ name }) => [name, [] as Run[]]));
  for (const server of servers) await load(scenario, { server, ...options, seconds: WARM_UP_SECONDS });
  for (let round = 0; round < options.rounds; round++) {
    for (const server of servers) {
      const before = await server.cpuTime();
      const result = await load(scenario, { server, ...options });
      const milliseconds = await server.cpuTime() - before;
      runs.get(server.name)?.push({ ...result, cpu: milliseconds * 1000 / result.requests });
    }
  }
  return runs;
}

async function load(
  { scheme, path, command, duration }: Scenario,
  { server, seconds, directory, signal }: CompareOptions & { server: Server },
): Promise<Load> {
  const port = server.ports[scheme];
  const url = `${scheme}://${HOST}:${port}${path}`;
  const late = AbortSignal.timeout(seconds * 1000 + PATIENCE_MILLISECONDS);
  const either = AbortSignal.any([signal, late]);
  const generator = [...command, ...duration(seconds)];
  if (command === WRK.command) return parseWrk((await run([...generator, url], either)).text);
  const log = `${directory}/h2load.log`;
  generator.push(`--connect-to=127.0.0.1:${port}`, `--log-file=${log}`, url);
  const { text } = await run(generator, either);
  const result = parseH2load(text, await Deno.readTextFile(log));
  // h2load appends
  await Deno.remove(log);
  return result;
}
