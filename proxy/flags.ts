import { type FlagValues, LOG_LEVELS, type LogLevelName, type Program, UsageError } from "@pingress/config";
import type { ProxyOptions } from "./proxy.ts";

/** The proxy's command line. */
export const PROGRAM: Program = {
  name: "pingress-proxy",
  summary: "Serves the routes of a proxy.json over HTTP and HTTPS.",
  flags: [
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
    { name: "listen-http", value: "ADDRESS", default: "0.0.0.0:80", help: "Where HTTP is served" },
    { name: "listen-https", value: "ADDRESS", default: "0.0.0.0:443", help: "Where HTTPS is served" },
    {
      name: "listen-admin",
      value: "ADDRESS",
      default: "0.0.0.0:10254",
      help: 'Where /healthz and /readyz are served, or "off"',
    },
    { name: "default-cert", value: "FILE", help: "The certificate and chain for names that have none" },
    { name: "default-key", value: "FILE", help: "The private key of --default-cert" },
    {
      name: "connect-timeout",
      value: "SECONDS",
      default: "5",
      help: "How long connecting to a backend may take",
    },
    {
      name: "response-timeout",
      value: "SECONDS",
      default: "60",
      help:
        "How long a backend may do nothing before its response starts, or a client in the middle of its request",
    },
    {
      name: "log-level",
      value: "LEVEL",
      default: "info",
      help: `The least that is logged: ${LOG_LEVELS.join(", ")}`,
    },
  ],
};

/** The proxy's flags, checked: its options as far as they are flags. */
export type ProxyFlags = Omit<ProxyOptions, "log" | "onReload" | "rereadInterval" | "drainTimeout"> & {
  /** `--log-level` */
  logLevel: LogLevelName;
};

/** Reads the flags' values. @throws {UsageError} for one that makes no sense. */
export function proxyFlags(values: FlagValues): ProxyFlags {
  const cert = values.text("default-cert");
  const key = values.text("default-key");
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError("--default-cert and --default-key belong together: give both or none");
  }
  return {
    configFile: values.requiredText("config"),
    watchDirectory: values.requiredText("watch"),
    listenHttp: values.address("listen-http"),
    listenHttps: values.address("listen-https"),
    ...values.text("listen-admin") !== "off" && { listenAdmin: values.address("listen-admin") },
    ...cert !== undefined && key !== undefined && { defaultTls: { cert, key } },
    connectTimeout: values.seconds("connect-timeout"),
    responseTimeout: values.seconds("response-timeout"),
    logLevel: values.choice("log-level", LOG_LEVELS) ?? "info",
  };
}
