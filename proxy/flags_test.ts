import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseFlags, UsageError } from "@pingress/config";
import { PROGRAM, type ProxyFlags, proxyFlags } from "./flags.ts";

function read(...args: string[]): ProxyFlags {
  const commandLine = parseFlags(PROGRAM, args, { readEnv: () => undefined });
  assert(commandLine.action === "run");
  return proxyFlags(commandLine.values);
}

const REQUIRED = ["--config", "/etc/proxy.json", "--watch", "/etc"];

Deno.test("proxyFlags() has a default for all but --config and --watch", () => {
  assertEquals(read(...REQUIRED), {
    configFile: "/etc/proxy.json",
    watchDirectory: "/etc",
    listenHttp: { hostname: "0.0.0.0", port: 80 },
    listenHttps: { hostname: "0.0.0.0", port: 443 },
    listenAdmin: { hostname: "0.0.0.0", port: 10254 },
    connectTimeout: 5000,
    responseTimeout: 60_000,
    logLevel: "info",
  });
});

Deno.test("proxyFlags() takes what it is given", () => {
  const flags = read(
    ...REQUIRED,
    ...["--listen-http", "127.0.0.1:8080", "--listen-https", "[::1]:8443", "--listen-admin", "off"],
    ...[
      "--default-cert",
      "/c",
      "--default-key",
      "/k",
      "--connect-timeout",
      "0.5",
      "--response-timeout",
      "300",
    ],
    ...["--log-level", "debug"],
  );
  assertEquals(flags, {
    configFile: "/etc/proxy.json",
    watchDirectory: "/etc",
    listenHttp: { hostname: "127.0.0.1", port: 8080 },
    listenHttps: { hostname: "::1", port: 8443 },
    defaultTls: { cert: "/c", key: "/k" },
    connectTimeout: 500,
    responseTimeout: 300_000,
    logLevel: "debug",
  });
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
  ];
  for (const [args, message] of cases) assertThrows(() => read(...args), UsageError, message);
});
