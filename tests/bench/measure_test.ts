import { assertEquals, assertThrows } from "@std/assert";
import { parseH2load, parseStat, parseWrk, percentile, spread, usageOfTree } from "./measure.ts";

const WRK = `Running 1s test @ https://localhost:18500/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.82ms    6.77ms  52.29ms   93.70%
    Req/Sec   750.50    242.54     1.08k    60.00%
  Latency Distribution
     50%  498.00us
     90%    6.36ms
     99%   41.46ms
  752 requests in 1.01s, 107.95KB read
Requests/sec:    745.39
Transfer/sec:    107.00KB
`;

const H2LOAD = `finished in 1.00s, 20831.00 req/s, 1.41MB/s
requests: 20832 total, 20871 started, 20831 done, 20829 succeeded, 2 failed, 1 errored, 0 timeout
status codes: 20829 2xx, 0 3xx, 0 4xx, 1 5xx
time for request:      117us      3.88ms      1.67ms       570us    78.75%
`;

const STAT = `1 (init) S 0 1 1 0 -1 4194560 1 1 1 1 700 300 0 0 20 0 1 0 5 1000 1
10 (nginx) S 1 10 10 0 -1 4194560 1 1 1 1 1 2 40 50 20 0 1 0 5 1000 2
11 (a (b) c) R 10 10 10 0 -1 4194560 1 1 1 1 30 40 0 0 20 0 1 0 5 1000 30
12 (nginx) R 11 10 10 0 -1 4194560 1 1 1 1 500 600 0 0 20 0 1 0 5 1000 400
100 (other) S 1 100 100 0 -1 4194560 1 1 1 1 9 9 0 0 20 0 1 0 5 1000 5000
`;

Deno.test("spread() takes the middle and the ends", () => {
  for (
    const [values, median, min, max] of [
      [[3], 3, 3, 3],
      [[10, 9, 1], 9, 1, 10],
      [[4, 1, 100, 2], 3, 1, 100],
      [[], NaN, NaN, NaN],
    ] as const
  ) {
    assertEquals(spread([...values]), { median, min, max });
  }
});

Deno.test("percentile() takes a number that is there", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  for (
    const [values, share, expected] of [
      [hundred, 0.99, 99],
      [hundred, 0.5, 50],
      [[7, 8], 0.99, 8],
      [[7], 0, 7],
      [[], 0.99, NaN],
    ] as const
  ) {
    assertEquals(percentile([...values], share), expected);
  }
});

Deno.test("parseWrk() reads counts, latency in each unit, and errors", () => {
  const errors = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n";
  for (
    const [output, expected] of [
      [WRK, {}],
      [WRK.replace("41.46ms", "870.00us"), { p99: 0.87 }],
      [WRK.replace("41.46ms", "1.50s"), { p99: 1500 }],
      [WRK.replace("Requests/sec", `${errors}Requests/sec`), { failed: 15 }],
      [WRK.replace("41.46ms", "nan"), { p99: NaN }],
    ] as const
  ) {
    assertEquals(parseWrk(output), { requests: 752, failed: 0, rate: 745.39, p99: 41.46, ...expected });
  }
  assertThrows(() => parseWrk("unable to connect to localhost"), Error, "unable to connect");
});

Deno.test("parseH2load() reads counts, and latency from the log", () => {
  const log = "1795643344172470\t200\t1500\n1795643344172471\t503\t900\n";
  assertEquals(parseH2load(H2LOAD, log), { requests: 20831, failed: 2, rate: 20831, p99: 1.5 });
  assertEquals(parseH2load(H2LOAD, "").p99, NaN);
  assertThrows(() => parseH2load("", log), Error, "finished in");
});

Deno.test("parseH2load() leaves out what starts while not all connections are open", () => {
  const start = 1795643344172470;
  const log = Array.from({ length: 101 }, (_, index) => {
    const isSteady = index >= 20 && index <= 80;
    return `${start + index * 1000}\t200\t${isSteady ? index : 9000}\n`;
  });
  const { rate, p99, requests } = parseH2load(H2LOAD, log.toReversed().join(""), 20);
  assertEquals([Math.round(rate), p99, requests], [1017, 0.08, 20831]);
});

Deno.test("parseStat() reads what a process and its children have used", () => {
  assertEquals(parseStat(STAT)[1], { id: 10, parent: 1, cpu: 30, endedCpu: 900, rss: 8192 });
});

Deno.test("usageOfTree() adds up a process and what descends from it", () => {
  const processes = parseStat(STAT);
  for (
    const [root, cpu, pages] of [[10, 11_730, 432], [11, 11_700, 430], [100, 180, 5000], [5, 0, 0]] as const
  ) {
    assertEquals(usageOfTree(processes, root), { cpu, rss: pages * 4096 });
  }
});
