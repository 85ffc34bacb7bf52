/**
 * The program of a worker's thread: a server that does what the main thread says.
 *
 * @module
 */
import { errorMessage, type LogFields, PathRegex } from "@pingress/config";
import type { Configuration } from "./configuration.ts";
import { Server } from "./server.ts";
import type { FromWorker, ToWorker } from "./worker_thread.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  addEventListener(type: "message", listener: (event: MessageEvent<ToWorker>) => void): void;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
  addEventListener(type: "unhandledrejection", listener: (event: PromiseRejectionEvent) => void): void;
  close(): void;
}

// the types are those of the main thread, where it is a window
const scope = self as unknown as WorkerScope;
let server: Server | undefined;

scope.addEventListener("message", async ({ data }) => {
  switch (data.type) {
    case "start":
      server = new Server(data.options, {
        sharesPorts: true,
        limits: data.limits,
        writeAccessLog: (lines) => scope.postMessage({ type: "access log", lines }),
        log: { debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("error") },
      });
      configure(data.configuration);
      try {
        scope.postMessage({ type: "started", addresses: await server.start() });
      } catch (error) {
        scope.postMessage({ type: "failed", error: errorMessage(error) });
      }
      return;
    case "configure":
      return configure(data.change);
    case "samples":
      return scope.postMessage({ type: "samples", samples: server?.samples() ?? [] });
    case "leave":
      return server?.leave();
    case "stop":
      await server?.stop();
      return scope.postMessage({ type: "stopped" });
  }
});

// the log tells what it died of; Deno would write that beside the log, in several lines
scope.addEventListener("error", (event) => die(event, event.error));
scope.addEventListener("unhandledrejection", (event) => die(event, event.reason));

function die(event: Event, error: unknown): void {
  event.preventDefault();
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  scope.postMessage({ type: "died", reason });
  scope.close();
}

function configure(change: Partial<Configuration>): void {
  // at the start nobody waits for it; later it holds requests up once
  if (change.config?.rules.some(({ path }) => path.type === "Regex")) PathRegex.warmUp();
  server?.configure(change);
}

function tell(level: "debug" | "info" | "warn" | "error") {
  return (message: string, fields: LogFields = {}) =>
    scope.postMessage({ type: "log", level, message, fields });
}
