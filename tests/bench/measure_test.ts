import { assertEquals, assertThrows } from "@std/assert";
import { cpuOfTree, parseH2load, parseWrk, percentile, spread } from "./measure.ts";

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

const STAT = `1 (init) S 0 1 1 0 -1 4194560 1 1 1 1 700 300 0 0 20
10 (nginx) S 1 10 10 0 -1 4194560 1 1 1 1 1 2 0 0 20
11 (a (b) c) R 10 10 10 0 -1 4194560 1 1 1 1 30 40 0 0 20
12 (nginx) R 11 10 10 0 -1 4194560 1 1 1 1 500 600 0 0 20
100 (other) S 1 100 100 0 -1 4194560 1 1 1 1 9 9 0 0 20
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

Deno.test("cpuOfTree() adds up a process and what descends from it", () => {
  for (const [root, expected] of [[10, 11_730], [11, 11_700], [12, 11_000], [100, 180], [5, 0]] as const) {
    assertEquals(cpuOfTree(STAT, root), expected);
  }
});
