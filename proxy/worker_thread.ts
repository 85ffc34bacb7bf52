import type { Address, LogFields, Sample } from "@pingress/config";
import type { Configuration } from "./configuration.ts";
import type { ServerOptions } from "./server.ts";
import type { StartWorker } from "./workers.ts";

/** What a worker's thread is told. */
export type ToWorker =
  | { type: "start"; options: ServerOptions; configuration: Configuration; limits: SharedArrayBuffer }
  | { type: "configure"; change: Partial<Configuration> }
  | { type: "samples" }
  | { type: "leave" }
  | { type: "stop" };

/** What it says. */
export type FromWorker =
  | { type: "started"; addresses: { http: Address; https: Address } }
  | { type: "failed"; error: string }
  | { type: "samples"; samples: Sample[] }
  | { type: "stopped" }
  | { type: "died"; reason: string }
  | { type: "access log"; lines: string }
  | { type: "log"; level: "debug" | "info" | "warn" | "error"; message: string; fields: LogFields };

/** Runs a server in a thread of its own. */
export const startThread: StartWorker = ({ options, configuration, limits, writeAccessLog, log }) => {
  const thread = new Worker(import.meta.resolve("./worker.ts"), { type: "module" });
  const started = Promise.withResolvers<{ http: Address; https: Address }>();
  const died = Promise.withResolvers<string>();
  const stopped = Promise.withResolvers<void>();
  const asking: ((samples: Sample[]) => void)[] = [];
  let hasEnded = false;
  const tell = (message: ToWorker) => thread.postMessage(message);
  const die = (reason: string) => {
    end(reason);
    died.resolve(reason);
  };
  const end = (reason: string) => {
    hasEnded = true;
    started.reject(new Error(reason));
    stopped.resolve();
    for (const answer of asking.splice(0)) answer([]);
  };

  thread.onmessage = ({ data }: MessageEvent<FromWorker>) => {
    switch (data.type) {
      case "started":
        return started.resolve(data.addresses);
      case "failed":
        return started.reject(new Error(data.error));
      case "samples":
        return asking.shift()?.(data.samples);
      case "stopped":
        return stopped.resolve();
      case "died":
        return die(data.reason);
      case "access log":
        return writeAccessLog(data.lines);
      case "log":
        return log[data.level](data.message, data.fields);
    }
  };
  thread.onerror = (event) => {
    // what ends it before it can tell anything would end this thread, too
    event.preventDefault();
    die(event.message);
  };
  started.promise.catch(() => {}); // it may die later than it started
  tell({ type: "start", options, configuration, limits });
  return {
    started: started.promise,
    died: died.promise,
    configure: (change) => tell({ type: "configure", change }),
    samples: () => {
      if (hasEnded) return Promise.resolve([]);
      const { promise, resolve } = Promise.withResolvers<Sample[]>();
      asking.push(resolve);
      tell({ type: "samples" });
      return promise;
    },
    leave: () => tell({ type: "leave" }),
    stop: async () => {
      if (!hasEnded) tell({ type: "stop" });
      await stopped.promise;
    },
    terminate: () => {
      thread.terminate();
      end("The worker was ended");
    },
  };
};
