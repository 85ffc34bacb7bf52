/**
 * Proxies under load.
 *
 * @module
 */
import { type Load, parseH2load, parseWrk } from "./measure.ts";
import { processes, run, Server } from "./programs.ts";
import type { Context, Prepare, Run } from "./scenario.ts";
import type { PreparedProxy } from "./servers.ts";
import { HOST } from "./site.ts";

/** A load generator that takes longer than it was told by this much hangs. */
const PATIENCE_MILLISECONDS = 60_000;

/** What a load generator's command line is made of. */
export interface LoadTarget {
  /** What is asked for. */
  url: string;
  /** For how long, in seconds. */
  seconds: number;
  /** Requests per second, where they are held. */
  rate: number;
  /** How many hosts there are. */
  hosts: number;
  /** Their paths. */
  paths: readonly string[];
}

/** A load. */
export interface LoadOptions {
  /** Which port is asked; HTTP unless told. */
  scheme?: "http" | "https";
  /** What is asked for; / unless told. */
  path?: string;
  /** The length of a response, where it is that which matters. */
  bytes?: number;
  /** The command line of wrk or h2load. */
  generator: (target: LoadTarget) => string[];
  /** How long h2load takes to open all connections, in milliseconds. */
  ramp?: number;
  /** A load that finds out how much the first row can take: requests are then sent at half of this rate. */
  calibration?: LoadOptions;
  /** Adds to what was measured. */
  also?: (server: Server, context: Context) => Promise<Run>;
}

/** Measures a proxy that runs all the time, after it has warmed up, under a load. */
export function underLoad(load: LoadOptions): Prepare {
  return async (proxy, context) => {
    const { stack, signal, warmUp, found } = context;
    const server = stack.use(await Server.start(proxy, signal));
    const { calibration } = load;
    const first = { server, proxy, rate: found.rate ?? 0, signal, directory: context.directory };
    await generate(calibration ?? load, { ...first, seconds: warmUp });
    if (calibration !== undefined) {
      found.rate ??= (await generate(calibration, { ...first, seconds: context.seconds })).rate / 2;
    }
    return () => measure(load, { proxy, server, context });
  };
}

async function measure(
  load: LoadOptions,
  { proxy, server, context }: { proxy: PreparedProxy; server: Server; context: Context },
): Promise<Run> {
  const { backend, signal, found: { rate = 0 } } = context;
  const used = async () => {
    const all = await processes(signal);
    const generator = all.find(({ id }) => id === Deno.pid)?.endedCpu ?? NaN;
    return { own: (await server.usage(all)).cpu, load: generator + (await backend.usage(all)).cpu };
  };
  const also = await load.also?.(server, context);
  const before = await used();
  const start = performance.now();
  const { requests, ...seen } = await generate(load, { ...context, proxy, server, rate });
  const time = performance.now() - start;
  const after = await used();
  const cpu = (after.own - before.own) * 1000 / requests;
  return {
    ...seen,
    ...also,
    cpu,
    perCpuSecond: 1e6 / cpu,
    loadCores: (after.load - before.load) / time,
    // bytes per microsecond are megabytes per second
    ...load.bytes !== undefined && { throughput: load.bytes / cpu },
  };
}

interface GenerateOptions extends Pick<Context, "seconds" | "directory" | "signal"> {
  proxy: PreparedProxy;
  server: Server;
  rate: number;
}

async function generate(
  { scheme = "http", path, generator, ramp }: LoadOptions,
  { proxy, server, seconds, rate, directory, signal }: GenerateOptions,
): Promise<Load> {
  const port = server.ports[scheme];
  const { hosts, paths } = proxy.site;
  const command = generator({
    url: `${scheme}://${HOST}:${port}${path ?? "/"}`,
    seconds,
    rate,
    hosts,
    paths,
  });
  const either = AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000 + PATIENCE_MILLISECONDS)]);
  if (command[0] === "wrk") return parseWrk((await run(command, either)).text);
  const log = `${directory}/h2load.log`;
  const { text } = await run([...command, `--connect-to=127.0.0.1:${port}`, `--log-file=${log}`], either);
  const result = parseH2load(text, await Deno.readTextFile(log), ramp);
  // h2load appends
  await Deno.remove(log);
  return result;
}
