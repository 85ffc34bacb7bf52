/**
 * What a scenario is made of.
 *
 * @module
 */
import type { Server } from "./programs.ts";
import type { PreparedProxy } from "./servers.ts";
import type { Setup } from "./site.ts";

/** What can be measured. */
export type Figure =
  /** CPU time of the proxy for each request, in microseconds. */
  | "cpu"
  /** Requests for each second of its CPU time. */
  | "perCpuSecond"
  /** Megabytes for each second of its CPU time. */
  | "throughput"
  /** Requests per second. */
  | "rate"
  /** The time that 99 of 100 requests did not exceed, in milliseconds. */
  | "p99"
  /** Requests that went wrong. */
  | "failed"
  /** How many cores the load generator and the backend kept busy. */
  | "loadCores"
  /** Which part of the sessions of TLS 1.2 was resumed, from 0 to 1. */
  | "resumedTls12"
  /** Which part of those of TLS 1.3 was. */
  | "resumedTls13"
  /** Memory after the first request, in megabytes. */
  | "memoryAtStart"
  /** Memory with all idle connections, in megabytes. */
  | "memory"
  /** The difference for each connection, in kilobytes. */
  | "memoryPerConnection"
  /** From the start of the program to its first response, in milliseconds. */
  | "start"
  /** From the writing of a configuration to the first response by it, in milliseconds. */
  | "reload"
  /** How much of it was taken by reading and checking it, in milliseconds. */
  | "reloadInMainThread"
  /** The longest that any request had to wait for its response meanwhile, in milliseconds. */
  | "longestWait";

/** What came of one turn. */
export type Run = Partial<Record<Figure, number>>;

/** A column of a scenario's table. */
export interface Column {
  /** Its head. */
  head: string;
  /** What is shown: the median of all rounds. */
  figure: Figure;
  /** How it is shown. */
  show: (value: number) => string;
  /** Where it is a ratio: the row with which each row is compared, round by round. */
  to?: (row: string) => string;
}

/** What a row is measured in. */
export interface Context {
  /** Where files may be written. */
  directory: string;
  /** The backend. */
  backend: Server;
  /** How long a turn takes, in seconds. */
  seconds: number;
  /** How long a proxy is under load before it is measured, in seconds: until then V8 compiles. */
  warmUp: number;
  /** Stops, after the last turn, what was started for the scenario. */
  stack: AsyncDisposableStack;
  /** What the first row has found out for the others: requests per second. */
  found: { rate?: number };
  /** Ends it. */
  signal: AbortSignal;
}

/** Measures once. */
export type Turn = () => Promise<Run>;

/** Makes a row ready for its turns. */
export type Prepare = (proxy: PreparedProxy, context: Context) => Promise<Turn>;

/** One thing that is measured. */
export interface Scenario {
  /** What `--scenario` knows it as. */
  name: string;
  /** What the reader knows it as. */
  title: string;
  /** By what, and what else one must know, in Markdown. */
  how: string;
  /** The rows of the table: what is measured in turn. */
  rows: Readonly<Record<string, Setup>>;
  /** The columns of the table but the first. */
  columns: readonly Column[];
  /** Makes a row ready. */
  prepare: Prepare;
}
