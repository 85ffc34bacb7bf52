import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseFlags, UsageError } from "@pingress/config";
import { PROGRAM, type ProxyFlags, proxyFlags } from "./flags.ts";

function read(...args: string[]): ProxyFlags {
  return readFor(4, ...args);
}

/** Reads the flags on a machine of so many cores. */
function readFor(cores: number, ...args: string[]): ProxyFlags {
  const commandLine = parseFlags(PROGRAM, args, { readEnv: () => undefined });
  assert(commandLine.action === "run");
  return proxyFlags(commandLine.values, { cores });
}

const REQUIRED = ["--config", "/etc/proxy.json", "--watch", "/etc"];

Deno.test("proxyFlags() has a default for all but --config and --watch", () => {
  assertEquals(read(...REQUIRED), {
    server: {
      listenHttp: { hostname: "0.0.0.0", port: 80 },
      listenHttps: { hostname: "0.0.0.0", port: 443 },
      allowsH2c: false,
      proxyProtocolFrom: [],
      trustedProxies: [],
      sendsForwarded: false,
      maxConnections: 4096,
      maxConnectionsPerClient: 0,
      maxUpstreamConnections: 1024,
      maxHeadBytes: 32_768,
      maxTargetBytes: 16_384,
      maxBodyBytes: 0,
      handshakeTimeout: 10_000,
      headTimeout: 20_000,
      idleTimeout: 75_000,
      clientTimeout: 60_000,
      connectTimeout: 5000,
      responseTimeout: 60_000,
      streamTimeout: 3_600_000,
      upstreamIdleTimeout: 4000,
      allowsLocalUpstreams: false,
      balance: "least-requests",
      accessLogRate: 0,
      metricsWithHosts: false,
    },
    configFile: "/etc/proxy.json",
    watchDirectory: "/etc",
    workers: 4,
    listenAdmin: { hostname: "0.0.0.0", port: 10254 },
    shutdownDelay: 0,
    drainTimeout: 50_000,
    logLevel: "info",
  });
});

Deno.test("proxyFlags() takes what it is given", () => {
  const flags = read(
    ...REQUIRED,
    ...["--listen-http", "127.0.0.1:8080", "--listen-https", "[::1]:8443", "--listen-admin", "off"],
    ...["--default-cert", "/c", "--default-key", "/k", "--workers", "3"],
    ...["--allow-h2c", "--proxy-protocol", "10.0.0.0/8, fd00::/8", "--trusted-proxies", "10.1.2.3"],
    ...["--forwarded", "--allow-local-upstreams", "--balance", "round-robin", "--max-connections", "100"],
    ...["--max-connections-per-client", "10", "--max-upstream-connections", "7", "--max-head-bytes", "8192"],
    ...["--max-target-bytes", "4096", "--max-body-bytes", "1000000"],
    ...["--handshake-timeout", "1", "--head-timeout", "2", "--idle-timeout", "3", "--client-timeout", "4"],
    ...["--connect-timeout", "0.5", "--response-timeout", "300", "--stream-timeout", "5"],
    ...["--upstream-idle-timeout", "6", "--shutdown-delay", "7", "--drain-timeout", "8"],
    ...["--access-log", "all", "--metrics-hosts", "--log-level", "debug"],
  );
  assertEquals(flags, {
    server: {
      listenHttp: { hostname: "127.0.0.1", port: 8080 },
      listenHttps: { hostname: "::1", port: 8443 },
      allowsH2c: true,
      proxyProtocolFrom: ["10.0.0.0/8", "fd00::/8"],
      trustedProxies: ["10.1.2.3"],
      sendsForwarded: true,
      maxConnections: 34,
      maxConnectionsPerClient: 4,
      maxUpstreamConnections: 7,
      maxHeadBytes: 8192,
      maxTargetBytes: 4096,
      maxBodyBytes: 1_000_000,
      handshakeTimeout: 1000,
      headTimeout: 2000,
      idleTimeout: 3000,
      clientTimeout: 4000,
      connectTimeout: 500,
      responseTimeout: 300_000,
      streamTimeout: 5000,
      upstreamIdleTimeout: 6000,
      allowsLocalUpstreams: true,
      balance: "round-robin",
      accessLogRate: 1,
      metricsWithHosts: true,
    },
    configFile: "/etc/proxy.json",
    watchDirectory: "/etc",
    workers: 3,
    defaultTls: { cert: "/c", key: "/k" },
    shutdownDelay: 7000,
    drainTimeout: 8000,
    logLevel: "debug",
  });
});

Deno.test("proxyFlags() knows which part of the requests is logged", () => {
  const cases: [args: string[], rate: number][] = [
    [[], 0],
    [["--access-log", "off", "--access-log-sample", "0.5"], 0],
    [["--access-log", "sampled"], 0.01],
    [["--access-log", "sampled", "--access-log-sample", "0.5"], 0.5],
    [["--access-log", "all", "--access-log-sample", "0.5"], 1],
  ];
  for (const [args, rate] of cases) {
    assertEquals(read(...REQUIRED, ...args).server.accessLogRate, rate, args.join(" "));
  }
});

Deno.test("proxyFlags() takes as many workers as there are cores, but not very many unless told", () => {
  const cases: [cores: number, args: string[], workers: number][] = [
    [1, [], 1],
    [8, [], 8],
    [9, [], 8],
    [128, ["--workers", "auto"], 8],
    [128, ["--workers", "64"], 64],
  ];
  for (const [cores, args, workers] of cases) {
    assertEquals(readFor(cores, ...REQUIRED, ...args).workers, workers, `${cores} ${args}`);
  }
});

Deno.test("proxyFlags() gives each worker its share of the connections", () => {
  const cases: [
    cores: number,
    args: string[],
    expected: [workers: number, all: number, perClient: number],
  ][] = [
    [1, ["--max-connections", "10", "--max-connections-per-client", "3"], [1, 10, 3]],
    [4, ["--max-connections", "10", "--max-connections-per-client", "3"], [4, 3, 1]],
    [4, ["--max-connections", "10", "--workers", "2"], [2, 5, 0]],
  ];
  for (const [cores, args, expected] of cases) {
    const { workers, server } = readFor(cores, ...REQUIRED, ...args);
    assertEquals([workers, server.maxConnections, server.maxConnectionsPerClient], expected);
  }
});

Deno.test("proxyFlags() refuses what makes no sense", () => {
  const cases: [string[], string][] = [
    [["--config", "/c"], "Missing --watch"],
    [["--watch", "/c"], "Missing --config"],
    [[...REQUIRED, "--default-cert", "/c"], "--default-cert and --default-key belong together"],
    [[...REQUIRED, "--default-key", "/k"], "--default-cert and --default-key belong together"],
    [[...REQUIRED, "--listen-http", "80"], "Invalid --listen-http"],
    [[...REQUIRED, "--listen-admin", "no"], "Invalid --listen-admin"],
    [[...REQUIRED, "--connect-timeout", "soon"], "Invalid --connect-timeout"],
    [[...REQUIRED, "--log-level", "loud"], "Invalid --log-level"],
    [[...REQUIRED, "--workers", "0"], "Invalid --workers"],
    [[...REQUIRED, "--workers", "many"], "Invalid --workers"],
    [[...REQUIRED, "--balance", "random"], "Invalid --balance"],
    [[...REQUIRED, "--access-log", "some"], "Invalid --access-log"],
    [[...REQUIRED, "--access-log", "sampled", "--access-log-sample", "2"], "Invalid --access-log-sample"],
    [[...REQUIRED, "--proxy-protocol", "10.0.0.0/33"], "Invalid --proxy-protocol"],
    [[...REQUIRED, "--trusted-proxies", "10.0.0.1, lb.test"], "Invalid --trusted-proxies"],
    [[...REQUIRED, "--max-connections", "0"], "Invalid --max-connections"],
    [[...REQUIRED, "--max-connections-per-client=-1"], "Invalid --max-connections-per-client"],
    [[...REQUIRED, "--max-head-bytes", "10"], "Invalid --max-head-bytes"],
    [[...REQUIRED, "--max-target-bytes", "10"], "Invalid --max-target-bytes"],
    [[...REQUIRED, "--max-body-bytes", "1.5"], "Invalid --max-body-bytes"],
    [[...REQUIRED, "--idle-timeout", "0"], "Invalid --idle-timeout"],
    [[...REQUIRED, "--shutdown-delay=-1"], "Invalid --shutdown-delay"],
  ];
  for (const [args, message] of cases) assertThrows(() => read(...args), UsageError, message);
});
