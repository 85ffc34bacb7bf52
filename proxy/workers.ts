import { type Address, errorMessage, type Log, type Sample } from "@pingress/config";
import type { Configuration } from "./configuration.ts";
import { addUp } from "./observe/add_up.ts";
import { FAMILIES } from "./observe/families.ts";
import { limitMemory, LimitTable } from "./policies/limit_table.ts";
import { Server, type ServerOptions } from "./server.ts";

/** Where a server runs: in a thread of its own, or in this one. */
export interface WorkerHandle {
  /** Where it listens. Rejects, in words for the user, when it cannot. */
  readonly started: Promise<{ http: Address; https: Address }>;
  /** Resolves to why, when it dies without having been told to. */
  readonly died: Promise<string>;
  /** Hands on what has changed of the configuration. */
  configure(change: Partial<Configuration>): void;
  /** All numbers of this moment. */
  samples(): Promise<Sample[]>;
  /** Lets each answer be the last one on its connection. */
  leave(): void;
  /** Lets running requests finish. */
  stop(): Promise<void>;
  /** Ends it at once. */
  terminate(): void;
}

/** What a worker is started with. */
export interface WorkerStart {
  /** What the command line says. */
  options: ServerOptions;
  /** The whole configuration of this moment. */
  configuration: Configuration;
  /** What all workers remember together of what clients ask. */
  limits: SharedArrayBuffer;
  /** Takes lines of the access log. */
  writeAccessLog: (lines: string) => void;
  /** Told what happens. */
  log: Log;
}

/** Starts a worker. */
export type StartWorker = (start: WorkerStart) => WorkerHandle;

/** Runs a server in this thread. */
export const startHere: StartWorker = ({ options, configuration, limits, writeAccessLog, log }) => {
  const server = new Server(options, { sharesPorts: false, limits, writeAccessLog, log });
  server.configure(configuration);
  return {
    started: server.start(),
    died: new Promise(() => {}),
    configure: (change) => server.configure(change),
    samples: () => Promise.resolve(server.samples()),
    leave: () => server.leave(),
    stop: () => server.stop(),
    terminate: () => {},
  };
};

/** Options of {@linkcode Workers}. */
export interface WorkersOptions extends Omit<WorkerStart, "configuration" | "limits"> {
  /** How many there are. */
  count: number;
  /** Starts one. */
  start: StartWorker;
}

/** How long a worker that died at once waits for its successor, in milliseconds. */
const RESTART_PAUSE = 1000;

/** All workers: they share the ports and the configuration, and one that dies is replaced. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #handles = new Set<WorkerHandle>();
  readonly #limits = limitMemory();
  readonly #lastSamples = new Map<WorkerHandle, Sample[]>();
  #configuration: Configuration;
  #server: ServerOptions;
  #past: Sample[] = [];
  #restarts = 0;
  #isStopping = false;
  readonly #restartTimers = new Set<ReturnType<typeof setTimeout>>();

  /** No worker runs before {@linkcode start}. */
  constructor(configuration: Configuration, options: WorkersOptions) {
    this.#configuration = configuration;
    this.#options = options;
    this.#server = options.options;
  }

  /** How many serve. */
  get count(): number {
    return this.#handles.size;
  }

  /** How many died and were replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts all. @returns where they listen. @throws {Error} when one cannot, in words for the user. */
  async start(): Promise<{ http: Address; https: Address }> {
    // a free port is found by the first one and shared by the others
    const addresses = await this.#add().started;
    this.#server = { ...this.#server, listenHttp: addresses.http, listenHttps: addresses.https };
    const others = Array.from({ length: this.#options.count - 1 }, () => this.#add());
    await Promise.all(others.map((worker) => worker.started));
    return addresses;
  }

  /** Hands on what has changed of the configuration. */
  configure(change: Partial<Configuration>): void {
    this.#configuration = { ...this.#configuration, ...change };
    for (const worker of this.#handles) worker.configure(change);
  }

  /** The numbers of all workers added up, those of workers that died among them. */
  async samples(): Promise<Sample[]> {
    const lists = await Promise.all([...this.#handles].map(async (worker) => {
      const samples = await worker.samples();
      // one that dies meanwhile answers nothing
      if (samples.length > 0) this.#lastSamples.set(worker, samples);
      return samples;
    }));
    return addUp([...this.#past, ...lists.flat()]);
  }

  /** Has all clients open no more requests on the connections that they have; others are still served. */
  leave(): void {
    for (const worker of this.#handles) worker.leave();
  }

  /** Lets running requests of all workers finish. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const timer of this.#restartTimers) clearTimeout(timer);
    await Promise.all([...this.#handles].map((worker) => worker.stop()));
    this.terminate();
  }

  /** Ends all workers at once. */
  terminate(): void {
    this.#isStopping = true;
    for (const worker of this.#handles) worker.terminate();
  }

  #add(): WorkerHandle {
    const worker = this.#options.start({
      ...this.#options,
      options: this.#server,
      configuration: this.#configuration,
      limits: this.#limits,
    });
    this.#handles.add(worker);
    worker.died.then((reason) => this.#replace(worker, reason));
    return worker;
  }

  #replace(worker: WorkerHandle, reason: string): void {
    if (!this.#handles.delete(worker)) return;
    new LimitTable(this.#limits).forgetRunning();
    // counters never go back: what it had counted when it was last asked stays
    const counted = (this.#lastSamples.get(worker) ?? []).filter(([name]) => isCounter(name));
    this.#past = addUp([...this.#past, ...counted]);
    this.#lastSamples.delete(worker);
    if (this.#isStopping) return;
    this.#restarts++;
    this.#options.log.error("A worker died and is replaced", { reason });
    const timer = setTimeout(() => {
      this.#restartTimers.delete(timer);
      const successor = this.#add();
      successor.started.catch((error) => {
        successor.terminate();
        this.#replace(successor, errorMessage(error));
      });
    }, RESTART_PAUSE);
    this.#restartTimers.add(timer);
  }
}

/** Buckets, sums and counts of histograms are counters, too, and have names of their own. */
function isCounter(name: string): boolean {
  return FAMILIES[name]?.type !== "gauge";
}
