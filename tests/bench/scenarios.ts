/**
 * What is measured.
 *
 * @module
 */
import { type LoadOptions, type LoadTarget, underLoad } from "./load.ts";
import { CONNECTIONS as IDLE_CONNECTIONS, withIdleConnections } from "./memory.ts";
import { digits, percent } from "./report.ts";
import { resumption } from "./resumption.ts";
import type { Column, Scenario } from "./scenario.ts";
import { LARGE_BYTES, LARGE_PATH } from "./servers.ts";
import type { Setup } from "./site.ts";
import { fromStart, RELOADED, reloaded } from "./start.ts";

const HOSTS_SCRIPT = new URL("hosts.lua", import.meta.url).pathname;

const CONNECTIONS = 64;
/** Without a duration, about as many requests as one core can make in a second. */
const HANDSHAKES_PER_SECOND = 1000;
/** So many that a rate is held though none of them has more than one request at a time. */
const RATE_CONNECTIONS = 256;

const WRK = ["wrk", "-t1", `-c${CONNECTIONS}`, "--latency", "--timeout", "10s"];
// with a duration, h2load never ends when connections do
const H2LOAD_CLOSE = ["h2load", "--h1", `-c${CONNECTIONS}`, "-H", "Connection: close"];
const H2LOAD = ["h2load", "-c16", "-m10"];
// one connection in each millisecond: opened at once, they would all send at once, too
const H2LOAD_RATE = ["h2load", "--h1", `-c${RATE_CONNECTIONS}`, "-r1", "--rate-period=1ms"];

const KEEP_ALIVE: LoadOptions = {
  generator: ({ url, seconds }) => [...WRK, `-d${seconds}s`, url],
};

const LARGE: LoadOptions = { ...KEEP_ALIVE, path: LARGE_PATH, bytes: LARGE_BYTES };

const HANDSHAKES: LoadOptions = {
  scheme: "https",
  generator: ({ url, seconds }) => [...H2LOAD_CLOSE, "-n", String(seconds * HANDSHAKES_PER_SECOND), url],
};

// wrk resumes its sessions where it may
const RESUMED_HANDSHAKES: LoadOptions = {
  scheme: "https",
  generator: ({ url, seconds }) => [...WRK, `-d${seconds}s`, "-H", "Connection: close", url],
  also: resumption,
};

const HTTP2: LoadOptions = {
  scheme: "https",
  generator: ({ url, seconds }) => [...H2LOAD, "-D", String(seconds), url],
};

const HALF_LOAD: LoadOptions = {
  calibration: KEEP_ALIVE,
  ramp: RATE_CONNECTIONS,
  generator: ({ url, seconds, rate }: LoadTarget) => [
    ...H2LOAD_RATE,
    `--rps=${rate / RATE_CONNECTIONS}`,
    ...["-n", String(Math.round(rate * (seconds + RATE_CONNECTIONS / 1000)))],
    url,
  ],
};

const MANY_HOSTS: LoadOptions = {
  generator: ({ url, seconds, hosts, paths }) => [
    ...[...WRK, `-d${seconds}s`, "-s", HOSTS_SCRIPT, url],
    ...["--", String(hosts), ...paths],
  ],
};

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

const toNginx = (row: string) => row.replace(/^\w+/, "nginx");
const toHAProxy = () => "HAProxy";
const toItself = (row: string) => row.replace(/,.*/, "");

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
    how: `${
      BY_WRK.slice(0, -1)
    } -H Connection: close\`; how many sessions are resumed is asked by \`openssl s_client\``,
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
    how: `by \`${H2LOAD_RATE.join(" ")}\`, at half of the rate that Pingress reaches in a turn of \`http\``,
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
    ...{ name: "workers", title: "Small GET over HTTP, two workers on two cores" },
    how: `${BY_WRK}; two workers share both cores with each other, the load and the backend`,
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
    how: "memory (RSS) of all processes after the start, and with connections over which one request came",
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
    how:
      "with what is on disk in the caches of the system, on one core; Pingress by the command line of its image",
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
    how:
      "from the writing of the file to the first response by it, on one core; the longest wait is that of " +
      "requests one after the other meanwhile",
    rows: { Pingress: { proxy: "Pingress", hosts: RELOADED.before, paths: ["/one", "/two"] } },
    columns: [
      { head: "ms", figure: "reload", show: digits(0) },
      { head: "ms to read and check", figure: "reloadInMainThread", show: digits(0) },
      { head: "longest wait ms", figure: "longestWait", show: digits(1) },
    ],
    prepare: reloaded,
  },
];
