/**
 * What the benchmark makes of numbers and of what programs print. Pure.
 *
 * @module
 */

/** What a load generator saw in one run. */
export interface Load {
  /** How many requests were answered, whatever the answer. */
  requests: number;
  /** How many of them, or of those without an answer, went wrong. */
  failed: number;
  /** Requests per second. */
  rate: number;
  /** The time that 99 of 100 requests did not exceed, in milliseconds. */
  p99: number;
}

/** The middle of some numbers, and how far they go. */
export interface Spread {
  /** The mean of the two middle ones, where the count is even. */
  median: number;
  /** The least one. */
  min: number;
  /** The greatest one. */
  max: number;
}

/** What processes use. */
export interface Usage {
  /** CPU time until now, in milliseconds. */
  cpu: number;
  /** Memory at this moment, in bytes: what several processes share counts for each of them. */
  rss: number;
}

/** A process at one moment. */
export interface Process extends Usage {
  /** Its id. */
  id: number;
  /** The id of the one that started it. */
  parent: number;
  /** The CPU time of its children that have ended, in milliseconds. */
  endedCpu: number;
}

/** The unit of `utime` and `stime`: Linux tells user space ticks of 1/100 s on every machine that Deno knows. */
const TICK_MILLISECONDS = 10;

/** The unit of `rss`, on x86-64 and, but for odd kernels, on ARM. */
const PAGE_BYTES = 4096;

const MILLISECONDS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** The median and the ends; all are NaN where there are no numbers. */
export function spread(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

/** The least of some numbers that a share of them, from 0 to 1, does not exceed; NaN where there are none. */
export function percentile(values: number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? NaN;
}

/** Reads what `wrk --latency` prints. @throws {Error} when it is not that. */
export function parseWrk(output: string): Load {
  const [requests] = numbers(output, /(\d+) requests in /);
  const [rate] = numbers(output, /^Requests\/sec: +([\d.]+)/m);
  const [, p99 = "NaN", unit = ""] = /^ +99% +([\d.]+)(us|ms|s|m)$/m.exec(output) ?? [];
  // both lines are there only when something went wrong
  const [, ...errors] = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output) ??
    [];
  const [, refused = "0"] = /Non-2xx or 3xx responses: (\d+)/.exec(output) ?? [];
  return {
    requests,
    failed: [refused, ...errors].reduce((sum, count) => sum + Number(count), 0),
    rate,
    p99: Number(p99) * (MILLISECONDS[unit] ?? NaN),
  };
}

/**
 * Reads what h2load prints, and its `--log-file`: it prints no percentiles.
 *
 * @param ramp How long it takes until all connections are open, in milliseconds: what starts in this time, or in
 * as long a time at the end, counts neither for the rate nor for the percentile.
 * @throws {Error} when it is not that.
 */
export function parseH2load(output: string, log: string, ramp = 0): Load {
  const [rate] = numbers(output, /^finished in [^,]+, ([\d.]+) req\/s/m);
  const [requests, failed] = numbers(output, /^requests: .* (\d+) done, \d+ succeeded, (\d+) failed/m);
  const lines = log.split("\n").filter((line) => line !== "").map((line) => {
    const [start = NaN, , duration = NaN] = line.split("\t").map(Number);
    return { start, duration };
  });
  const starts = lines.map(({ start }) => start).sort((a, b) => a - b);
  const from = (starts.at(0) ?? NaN) + ramp * 1000;
  const to = (starts.at(-1) ?? NaN) - ramp * 1000;
  const steady = lines.filter(({ start }) => start >= from && start <= to).map(({ duration }) => duration);
  return {
    requests,
    failed,
    rate: ramp === 0 ? rate : steady.length * 1e6 / (to - from),
    p99: percentile(steady, 0.99) / 1000,
  };
}

/** Reads the `/proc/PID/stat` of processes, one a line, as proc_pid_stat(5) has it. */
export function parseStat(stat: string): Process[] {
  return stat.split("\n").filter((line) => line !== "").map((line) => {
    // the name, in parentheses, may hold spaces and parentheses of its own
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ").map(Number);
    const [, parent = 0, , , , , , , , , , user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields;
    return {
      id: parseInt(line),
      parent,
      cpu: (user + system) * TICK_MILLISECONDS,
      endedCpu: (endedUser + endedSystem) * TICK_MILLISECONDS,
      rss: (fields[21] ?? 0) * PAGE_BYTES,
    };
  });
}

/** What a process and all that descends from it use. */
export function usageOfTree(processes: readonly Process[], root: number): Usage {
  const children = processes.filter(({ parent }) => parent === root);
  const own = processes.filter(({ id }) => id === root);
  return [...own, ...children.map(({ id }) => usageOfTree(processes, id))].reduce(
    (sum, { cpu, rss }) => ({ cpu: sum.cpu + cpu, rss: sum.rss + rss }),
    { cpu: 0, rss: 0 },
  );
}

/** The numbers in the groups of a pattern, of which there are at most two. */
function numbers(output: string, pattern: RegExp): [number, number] {
  const found = pattern.exec(output);
  if (found === null) throw new Error(`Cannot find ${pattern} in the output:\n${output}`);
  return [Number(found[1]), Number(found[2])];
}
