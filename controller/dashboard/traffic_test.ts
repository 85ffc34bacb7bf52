import { assertEquals } from "@std/assert";
import { exposition, Histogram } from "@pingress/config";
import { parseExposition } from "./exposition.ts";
import {
  BACKEND_METRICS,
  backendTraffic,
  type Counts,
  quantile,
  readCounts,
  TRAFFIC_METRICS,
  trafficOf,
  workBetween,
} from "./traffic.ts";

const FAMILIES = {
  pingress_requests_total: { type: "counter", help: "Requests." },
  pingress_request_duration_seconds: { type: "histogram", help: "Times." },
} as const;

/** What a proxy says after some requests: by status how many, and how long each took in seconds. */
function countsAt(at: number, byStatus: Record<string, number>, seconds: number[] = []): Counts {
  const histogram = new Histogram([0.1, 1]);
  for (const one of seconds) histogram.observe(one);
  const text = exposition(FAMILIES, [
    ...Object.entries(byStatus).map(([code, count]): [string, string, number] => [
      "pingress_requests_total",
      `host_class="exact",method="GET",code="${code}"`,
      count,
    ]),
    ...histogram.samples("pingress_request_duration_seconds", 'host_class="exact"'),
  ]);
  return readCounts(parseExposition(text, new Set(TRAFFIC_METRICS)), at);
}

Deno.test("readCounts() adds up all labels but the one that counts", () => {
  const labels = ['host="a",code="200"', 'host="b",code="200"', 'host="b",code="502"'];
  const samples = labels.map((text, index) => {
    const [, host = "", code = ""] = /host="(.)",code="(...)"/.exec(text) ?? [];
    return { name: "pingress_requests_total", labels: { host, code }, value: index + 1 };
  });
  assertEquals(readCounts(samples, 5), {
    at: 5,
    byStatus: new Map([["200", 3], ["502", 3]]),
    durations: new Map(),
    backends: new Map(),
  });
});

/** What a proxy says of backends: requests and errors of each. */
function backendsAt(at: number, backends: Record<string, [requests: number, errors: number]>): Counts {
  const samples = Object.entries(backends).flatMap(([backend, counts]) =>
    BACKEND_METRICS.map((name, index) => ({ name, labels: { backend }, value: counts[index] ?? NaN }))
  );
  return readCounts(samples, at);
}

Deno.test("backendTraffic() tells what several proxies did for each backend that had anything to do", () => {
  const one = workBetween(
    backendsAt(0, { "a/web:80": [10, 1], "a/idle:80": [5, 5], "a/back:80": [100, 0] }),
    backendsAt(2000, { "a/web:80": [30, 6], "a/idle:80": [5, 5], "a/new:80": [4, 0], "a/back:80": [6, 6] }),
  );
  const other = workBetween(backendsAt(0, { "a/web:80": [1, 0] }), backendsAt(1000, { "a/web:80": [6, 0] }));
  assertEquals(
    backendTraffic([one, other]),
    new Map([
      ["a/web:80", { rate: 15, errorShare: 0.2 }],
      ["a/new:80", { rate: 2, errorShare: 0 }],
      // it was gone for a while
      ["a/back:80", { rate: 3, errorShare: 1 }],
    ]),
  );
});

Deno.test("workBetween() and trafficOf() tell what was done between two moments", () => {
  const before = countsAt(1000, { 200: 10, 503: 1 }, [0.05]);
  const after = countsAt(3000, { 200: 40, 404: 5, 503: 6, 500: 5 }, [
    0.05,
    ...Array(30).fill(0.05),
    ...Array(10).fill(0.5),
  ]);
  const work = workBetween(before, after);
  assertEquals([work.interval, work.requests, work.errors], [2000, 45, 10]);
  const traffic = trafficOf([work]);
  assertEquals([traffic?.rate, traffic?.errorShare], [22.5, 10 / 45]);
  // 20 of 30 that took up to 0.1 s; then 9.6 of 10 between 0.1 s and 1 s
  assertEquals([traffic?.p50, traffic?.p99].map((milliseconds = 0) => Math.round(milliseconds)), [67, 964]);
});

Deno.test("workBetween() counts from 0 on when a proxy has started anew", () => {
  const before = countsAt(0, { 200: 1000, 500: 3 }, Array(1003).fill(0.05));
  const after = countsAt(1000, { 200: 7, 500: 4 }, Array(11).fill(0.5));
  const work = workBetween(before, after);
  assertEquals([work.requests, work.errors], [11, 4]);
  assertEquals([...work.durations], [[0.1, 0], [1, 11], [Infinity, 11]]);
});

Deno.test("workBetween() sees a new start in a status that is gone", () => {
  assertEquals(workBetween(countsAt(0, { 200: 5, 404: 1 }), countsAt(1000, { 200: 6 })).requests, 6);
});

Deno.test("trafficOf() takes several proxies together, each with its own interval", () => {
  const fast = workBetween(countsAt(0, {}), countsAt(1000, { 200: 10 }, Array(10).fill(0.05)));
  const slow = workBetween(countsAt(0, {}), countsAt(2000, { 502: 10 }, Array(10).fill(0.5)));
  const traffic = trafficOf([fast, slow]);
  assertEquals([traffic?.rate, traffic?.errorShare, traffic?.p50], [15, 0.5, 100]);
  assertEquals(trafficOf([]), undefined);
});

Deno.test("trafficOf() tells no times where there were no requests", () => {
  assertEquals(trafficOf([workBetween(countsAt(0, { 200: 1 }, [1]), countsAt(1000, { 200: 1 }, [1]))]), {
    rate: 0,
    errorShare: 0,
  });
});

Deno.test("quantile() goes no further than the last bound", () => {
  const cases: [durations: [number, number][], share: number, milliseconds: number | undefined][] = [
    [[], 0.5, undefined],
    [[[0.1, 0], [Infinity, 0]], 0.5, undefined],
    [[[0.1, 10], [Infinity, 10]], 0.5, 50],
    [[[0.1, 10], [Infinity, 10]], 1, 100],
    [[[0.1, 0], [1, 10], [Infinity, 10]], 0.5, 550],
    [[[0.1, 1], [1, 1], [Infinity, 100]], 0.99, 1000],
    [[[Infinity, 100], [1, 1], [0.1, 1]], 0.99, 1000],
    [[[Infinity, 5]], 0.5, 0],
  ];
  for (const [durations, share, milliseconds] of cases) {
    assertEquals(quantile(new Map(durations), share), milliseconds, JSON.stringify(durations));
  }
});
