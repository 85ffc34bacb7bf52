import {
  type Flag,
  type FlagValues,
  LOG_LEVELS,
  type LogLevelName,
  type Program,
  UsageError,
} from "@pingress/config";
import { IpRanges } from "./ip_ranges.ts";
import { ACCESS_LOGS } from "./observe/access_log.ts";
import type { ProxyOptions } from "./proxy.ts";
import type { ServerOptions } from "./server.ts";
import { BALANCES } from "./upstream/balancer.ts";

/** What `--workers auto` does not go beyond: each worker takes memory, and a container has a limit for that. */
const MOST_WORKERS = 8;

const FILES: readonly Flag[] = [
  {
    name: "config",
    value: "FILE",
    required: true,
    help: "The routes; endpoints.json is looked for beside it",
  },
  {
    name: "watch",
    value: "DIR",
    required: true,
    help: "The directory whose changes are followed, with all below it",
  },
  {
    name: "default-cert",
    value: "FILE",
    help: "The certificate and chain for names that have none, instead of the controller's",
  },
  { name: "default-key", value: "FILE", help: "The private key of --default-cert" },
];

const LISTENERS: readonly Flag[] = [
  { name: "listen-http", value: "ADDRESS", default: "0.0.0.0:80", help: "Where HTTP is served" },
  { name: "listen-https", value: "ADDRESS", default: "0.0.0.0:443", help: "Where HTTPS is served" },
  {
    name: "listen-admin",
    value: "ADDRESS",
    default: "0.0.0.0:10254",
    help: 'Where /healthz, /readyz and /metrics are served, or "off"',
  },
  {
    name: "workers",
    value: "COUNT",
    default: "auto",
    help: `How many threads serve; "auto": as many as there are cores for it, at most ${MOST_WORKERS}`,
  },
  { name: "allow-h2c", help: "Serve HTTP/2 in clear too, to clients with prior knowledge" },
  {
    name: "proxy-protocol",
    value: "CIDR,…",
    help: "The load balancers whose connections begin with a PROXY protocol header, of version 1 or 2",
  },
];

const FORWARDING: readonly Flag[] = [
  {
    name: "trusted-proxies",
    value: "CIDR,…",
    help: "The proxies in front of this one whose X-Forwarded-* headers are believed",
  },
  { name: "forwarded", help: "Send the Forwarded header (RFC 7239) to backends too" },
  {
    name: "balance",
    value: "HOW",
    default: "least-requests",
    help: `How endpoints are chosen: ${BALANCES.join(" or ")}`,
  },
  {
    name: "allow-local-upstreams",
    help: "Let names lead to loopback and link-local addresses; endpoints.json may list them anyway",
  },
];

const LIMITS: readonly Flag[] = [
  {
    name: "max-connections",
    value: "COUNT",
    default: "16384",
    help: "How many connections clients may have in all; beyond that waiting ones are closed",
  },
  {
    name: "max-connections-per-client",
    value: "COUNT",
    default: "0",
    help: "How many one address may have; 0 for no limit: many clients may share an address",
  },
  {
    name: "max-upstream-connections",
    value: "COUNT",
    default: "1024",
    help: "How many connections each worker opens to one endpoint; more requests wait (503)",
  },
  { name: "max-head-bytes", value: "BYTES", default: "32768", help: "The longest head of a request (431)" },
  { name: "max-target-bytes", value: "BYTES", default: "16384", help: "The longest request target (414)" },
  {
    name: "max-body-bytes",
    value: "BYTES",
    default: "0",
    help: "The largest body of a request (413); 0 for no limit",
  },
];

const TIMEOUTS: readonly Flag[] = [
  { name: "handshake-timeout", value: "SECONDS", default: "10", help: "How long a TLS handshake may take" },
  {
    name: "head-timeout",
    value: "SECONDS",
    default: "20",
    help: "How long the head of a request may take (408)",
  },
  {
    name: "idle-timeout",
    value: "SECONDS",
    default: "75",
    help: "How long a client's connection may wait for its next request",
  },
  {
    name: "client-timeout",
    value: "SECONDS",
    default: "60",
    help: "How long a client may neither send nor take anything in the middle of a request (408)",
  },
  {
    name: "connect-timeout",
    value: "SECONDS",
    default: "5",
    help: "How long connecting to a backend may take (504)",
  },
  {
    name: "response-timeout",
    value: "SECONDS",
    default: "60",
    help: "How long a backend may do nothing before its response starts (504)",
  },
  {
    name: "stream-timeout",
    value: "SECONDS",
    default: "3600",
    help: "How long a response that has started, or a WebSocket, may be silent",
  },
  {
    name: "upstream-idle-timeout",
    value: "SECONDS",
    default: "4",
    help: "How long a connection to a backend is kept for the next request; less than backends keep it",
  },
  {
    name: "shutdown-delay",
    value: "SECONDS",
    default: "0",
    help: "How long it goes on serving after SIGTERM, while /readyz fails already",
  },
  {
    name: "drain-timeout",
    value: "SECONDS",
    default: "50",
    help: "How long running requests may take to finish at the end",
  },
];

const OBSERVING: readonly Flag[] = [
  {
    name: "access-log",
    value: "WHICH",
    default: "off",
    help: `The requests that a JSON line on standard output tells of: ${ACCESS_LOGS.join(", ")}`,
  },
  {
    name: "access-log-sample",
    value: "FRACTION",
    default: "0.01",
    help: "Which part of the requests is sampled; those answered with 5xx always are",
  },
  { name: "metrics-hosts", help: "Give metrics a label for the rule's host: one series for each of them" },
  {
    name: "log-level",
    value: "LEVEL",
    default: "info",
    help: `The least that is logged: ${LOG_LEVELS.join(", ")}`,
  },
];

/** The proxy's command line. */
export const PROGRAM: Program = {
  name: "pingress-proxy",
  summary: "Serves the routes of a proxy.json over HTTP and HTTPS.",
  flags: [...FILES, ...LISTENERS, ...FORWARDING, ...LIMITS, ...TIMEOUTS, ...OBSERVING],
};

/** The proxy's flags, checked: its options as far as they are flags. */
export type ProxyFlags = Omit<ProxyOptions, "log" | "accessLog" | "onReload" | "rereadInterval"> & {
  /** `--log-level` */
  logLevel: LogLevelName;
};

/**
 * Reads the flags' values. `cores` is what `--workers auto` means, up to {@linkcode MOST_WORKERS}.
 *
 * @throws {UsageError} for one that makes no sense.
 */
export function proxyFlags(values: FlagValues, { cores }: { cores: number }): ProxyFlags {
  const cert = values.text("default-cert");
  const key = values.text("default-key");
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--default-cert and --default-key belong together: give both or none");
  }
  const workers = values.text("workers") === "auto"
    ? Math.min(cores, MOST_WORKERS)
    : values.count("workers", 1);
  return {
    server: serverOptions(values, workers),
    configFile: values.requiredText("config"),
    watchDirectory: values.requiredText("watch"),
    workers,
    ...values.text("listen-admin") !== "off" && { listenAdmin: values.address("listen-admin") },
    ...cert !== undefined && key !== undefined && { defaultTls: { cert, key } },
    shutdownDelay: values.secondsOrNone("shutdown-delay"),
    drainTimeout: values.seconds("drain-timeout"),
    logLevel: values.choice("log-level", LOG_LEVELS) ?? "info",
  };
}

function serverOptions(values: FlagValues, workers: number): ServerOptions {
  // each worker sees its share: the system spreads connections over them
  const share = (flag: string, least: number) => Math.ceil(values.count(flag, least) / workers);
  const accessLog = values.choice("access-log", ACCESS_LOGS);
  return {
    listenHttp: values.address("listen-http"),
    listenHttps: values.address("listen-https"),
    allowsH2c: values.switch("allow-h2c"),
    proxyProtocolFrom: ranges(values, "proxy-protocol"),
    trustedProxies: ranges(values, "trusted-proxies"),
    sendsForwarded: values.switch("forwarded"),
    maxConnections: share("max-connections", 1),
    maxConnectionsPerClient: share("max-connections-per-client", 0),
    maxUpstreamConnections: values.count("max-upstream-connections", 1),
    maxHeadBytes: values.count("max-head-bytes", 1024),
    maxTargetBytes: values.count("max-target-bytes", 256),
    maxBodyBytes: values.count("max-body-bytes", 0),
    handshakeTimeout: values.seconds("handshake-timeout"),
    headTimeout: values.seconds("head-timeout"),
    idleTimeout: values.seconds("idle-timeout"),
    clientTimeout: values.seconds("client-timeout"),
    connectTimeout: values.seconds("connect-timeout"),
    responseTimeout: values.seconds("response-timeout"),
    streamTimeout: values.seconds("stream-timeout"),
    upstreamIdleTimeout: values.seconds("upstream-idle-timeout"),
    allowsLocalUpstreams: values.switch("allow-local-upstreams"),
    balance: values.choice("balance", BALANCES) ?? "least-requests",
    accessLogRate: accessLog === "all"
      ? 1
      : accessLog === "sampled"
      ? values.fraction("access-log-sample")
      : 0,
    metricsWithHosts: values.switch("metrics-hosts"),
  };
}

function ranges(values: FlagValues, flag: string): string[] {
  const list = values.list(flag);
  try {
    new IpRanges(list);
  } catch (error) {
    throw new UsageError(`Invalid --${flag}: ${error instanceof Error ? error.message : error}`);
  }
  return list;
}
