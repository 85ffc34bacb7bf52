/**
 * What is measured.
 *
 * @module
 */
import { underLoad } from "./load.ts";
import {
  APP_PATH,
  BELOW_PATH,
  H2LOAD,
  H2LOAD_CLOSE,
  H2LOAD_RATE,
  HALF_LOAD,
  HANDSHAKES,
  HTTP2,
  KEEP_ALIVE,
  LARGE,
  MANY_HOSTS,
  RESUMED_HANDSHAKES,
  WRK,
  WRK_CLOSE,
} from "./loads.ts";
import { CONNECTIONS as IDLE_CONNECTIONS, withIdleConnections } from "./memory.ts";
import { digits, percent } from "./report.ts";
import type { Column, Scenario } from "./scenario.ts";
import type { Setup } from "./site.ts";
import { fromStart, RELOADED, reloaded } from "./start.ts";

const ALL: Record<string, Setup> = {
  Pingress: { proxy: "Pingress" },
  nginx: { proxy: "nginx" },
  HAProxy: { proxy: "HAProxy" },
};

/** Pingress and nginx as they are, then again in another way: the name of a row begins with that of its proxy. */
function bothAgain(base: Omit<Setup, "proxy">, how: string, other: Omit<Setup, "proxy">) {
  const rows: Record<string, Setup> = {};
  for (const proxy of ["Pingress", "nginx"] as const) {
    rows[proxy] = { proxy, ...base };
    rows[`${proxy}, ${how}`] = { proxy, ...base, ...other };
  }
  return rows;
}

const CPU: Column = { head: "CPU µs/request", figure: "cpu", show: digits(1) };
const RATE: Column = { head: "requests/s", figure: "rate", show: digits(0) };
const P99: Column = { head: "p99 ms", figure: "p99", show: digits(2) };
const FAILED: Column = { head: "failed", figure: "failed", show: digits(0) };
const TIMES_NGINX: Column = { head: "× nginx", figure: "cpu", show: digits(2), to: toNginx };
const TIMES_HAPROXY: Column = { head: "× HAProxy", figure: "cpu", show: digits(2), to: toHAProxy };
const USUAL = [CPU, TIMES_NGINX, TIMES_HAPROXY, RATE, P99, FAILED];

/** The columns of a scenario where it matters how much is done in a second of CPU time. */
function withRate(head: string, figure: "throughput" | "perCpuSecond"): Column[] {
  const rate: Column[] = [
    { head, figure, show: digits(0) },
    { head: "of nginx's", figure, show: digits(2), to: toNginx },
  ];
  return USUAL.toSpliced(3, 0, ...rate);
}

/** The columns of a scenario where a proxy is compared with itself. */
function againstItself(head: string): Column[] {
  return [CPU, { head, figure: "cpu", show: digits(2), to: toItself }, RATE, P99, FAILED];
}

const BY_WRK = `by \`${WRK.join(" ")}\``;

/** All scenarios, in the order in which they are measured. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...{ name: "http", title: "Small GET over HTTP", how: BY_WRK },
    ...{ rows: ALL, columns: USUAL, prepare: underLoad(KEEP_ALIVE) },
  },
  {
    ...{ name: "https", title: "Small GET over HTTPS", how: BY_WRK },
    ...{ rows: ALL, columns: USUAL, prepare: underLoad({ ...KEEP_ALIVE, scheme: "https" }) },
  },
  {
    ...{ name: "http-large", title: "1 MiB over HTTP", how: BY_WRK },
    ...{ rows: ALL, columns: withRate("MB/CPU second", "throughput"), prepare: underLoad(LARGE) },
  },
  {
    ...{ name: "https-large", title: "1 MiB over HTTPS", how: BY_WRK, rows: ALL },
    columns: withRate("MB/CPU second", "throughput"),
    prepare: underLoad({ ...LARGE, scheme: "https" }),
  },
  {
    ...{ name: "handshakes", title: "A TLS connection for each request", rows: ALL },
    how: `by \`${H2LOAD_CLOSE.join(" ")}\``,
    columns: withRate("handshakes/CPU second", "perCpuSecond"),
    prepare: underLoad(HANDSHAKES),
  },
  {
    ...{ name: "resumed", title: "A resumed TLS session for each request" },
    how: `by \`${WRK_CLOSE.join(" ")}\`; the parts by \`openssl\``,
    rows: {
      ...bothAgain({ resumes: true }, "2 workers", { workers: 2 }),
      HAProxy: { proxy: "HAProxy", resumes: true },
    },
    columns: [
      { head: "of TLS 1.2", figure: "resumedTls12", show: percent },
      { head: "of TLS 1.3", figure: "resumedTls13", show: percent },
      ...withRate("handshakes/CPU second", "perCpuSecond"),
    ],
    prepare: underLoad(RESUMED_HANDSHAKES),
  },
  {
    ...{ name: "http2", title: "Small GET over HTTP/2", how: `by \`${H2LOAD.join(" ")}\`` },
    ...{ rows: ALL, columns: USUAL, prepare: underLoad(HTTP2) },
  },
  {
    ...{ name: "half-load", title: "Small GET over HTTP at half load", rows: ALL },
    how: `by \`${H2LOAD_RATE.join(" ")}\`; half of the rate of Pingress in \`http\``,
    columns: [
      RATE,
      P99,
      { head: "p99 × nginx", figure: "p99", show: digits(2), to: toNginx },
      { head: "p99 × HAProxy", figure: "p99", show: digits(2), to: toHAProxy },
      ...[CPU, FAILED],
    ],
    prepare: underLoad(HALF_LOAD),
  },
  {
    ...{ name: "hosts", title: "10,000 hosts with two paths each, beside 10" },
    how: `${BY_WRK}, which asks each host for each path in turn`,
    rows: bothAgain({ hosts: 10, paths: ["/one", "/two"] }, "10,000 hosts", { hosts: 10_000 }),
    columns: againstItself("× 10 hosts"),
    prepare: underLoad(MANY_HOSTS),
  },
  {
    ...{ name: "access-log", title: "Small GET over HTTP, with an access log" },
    how: `${BY_WRK}; each proxy's own format to a file, of every request`,
    rows: bothAgain({}, "log on", { logs: true }),
    columns: againstItself("× log off"),
    prepare: underLoad(KEEP_ALIVE),
  },
  {
    ...{ name: "annotations", title: "Small GET over HTTP, with rewriting, CORS and a rate limit" },
    how: `${BY_WRK}; a Regex with groups, CORS, a limit never reached`,
    rows: bothAgain({ paths: [APP_PATH] }, "options", { isAnnotated: true }),
    columns: [
      CPU,
      { head: "× without options", figure: "cpu", show: digits(2), to: toItself },
      TIMES_NGINX,
      ...[RATE, P99, FAILED],
    ],
    prepare: underLoad(BELOW_PATH),
  },
  {
    ...{ name: "workers", title: "Small GET over HTTP, two workers on two cores" },
    how: `${BY_WRK}; two share both cores with the load and the backend`,
    rows: bothAgain({}, "2 workers", { workers: 2 }),
    columns: [
      RATE,
      { head: "× 1 worker", figure: "rate", show: digits(2), to: toItself },
      CPU,
      { head: "cores of load and backend", figure: "loadCores", show: digits(2) },
      ...[P99, FAILED],
    ],
    prepare: underLoad(KEEP_ALIVE),
  },
  {
    ...{ name: "idle", title: `${IDLE_CONNECTIONS.toLocaleString("en")} idle connections` },
    how: "memory (RSS) of all processes, at the start and with connections that had a request each",
    rows: { Pingress: { proxy: "Pingress" }, nginx: { proxy: "nginx" } },
    columns: [
      { head: "MB at start", figure: "memoryAtStart", show: digits(0) },
      { head: "MB in all", figure: "memory", show: digits(0) },
      { head: "× nginx", figure: "memory", show: digits(2), to: toNginx },
      { head: "kB/connection", figure: "memoryPerConnection", show: digits(1) },
      { ...FAILED, head: "lost" },
    ],
    prepare: withIdleConnections,
  },
  {
    ...{ name: "start", title: "From start to first response" },
    how: "on one core, from the caches of the system; Pingress by the command line of its image",
    rows: {
      ...bothAgain({}, "10,000 hosts", { hosts: 10_000, paths: ["/one", "/two"] }),
      HAProxy: { proxy: "HAProxy" },
    },
    columns: [
      { head: "ms", figure: "start", show: digits(0) },
      { head: "× nginx", figure: "start", show: digits(1), to: toNginx },
    ],
    prepare: fromStart,
  },
  {
    ...{ name: "reload", title: `From 10 hosts to 10,000, with two paths each` },
    how: "on one core, from the writing of a file to a response by it; requests wait meanwhile",
    rows: { Pingress: { proxy: "Pingress", hosts: RELOADED.before, paths: ["/one", "/two"] } },
    columns: [
      { head: "ms", figure: "reload", show: digits(0) },
      { head: "ms to read and check", figure: "reloadInMainThread", show: digits(0) },
      { head: "longest wait ms", figure: "longestWait", show: digits(1) },
    ],
    prepare: reloaded,
  },
];

/** The row of nginx that is set up in the same way. */
function toNginx(row: string): string {
  return row.replace(/^\w+/, "nginx");
}

/** HAProxy, which is set up in one way only. */
function toHAProxy(): string {
  return "HAProxy";
}

/** The same proxy as it is usually. */
function toItself(row: string): string {
  return row.replace(/,.*/, "");
}
