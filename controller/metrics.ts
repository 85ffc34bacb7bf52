import { exposition, Histogram, labelValue, type MetricFamily, type Sample } from "@pingress/config";
import type { Snapshot } from "./store.ts";
import type { Problem } from "./translate/problem.ts";

/** What the controller measures. */
export const FAMILIES: Readonly<Record<string, MetricFamily>> = {
  pingress_controller_leader: { type: "gauge", help: "Is this the controller that writes? 1 or 0." },
  pingress_controller_reconciles_total: {
    type: "counter",
    help: "Runs by result.",
    labels: ["result"],
  },
  pingress_controller_reconcile_duration_seconds: {
    type: "histogram",
    help: "Time from the start of a run until everything was applied.",
  },
  pingress_controller_change_to_applied_seconds: {
    type: "histogram",
    help: "Time from when a change was seen until it was applied.",
  },
  pingress_controller_objects: {
    type: "gauge",
    help: "Objects that are followed, by kind.",
    labels: ["kind"],
  },
  pingress_controller_problems: {
    type: "gauge",
    help: "What is wrong with Ingresses now, by reason.",
    labels: ["reason"],
  },
  pingress_controller_api_requests_total: {
    type: "counter",
    help: "Requests to the Kubernetes API by method and status; an opened watch counts once.",
    labels: ["method", "code"],
  },
  pingress_controller_watch_restarts_total: {
    type: "counter",
    help: "Lists and watches that broke off and were begun again, by kind.",
    labels: ["kind"],
  },
  pingress_controller_shard_bytes: {
    type: "gauge",
    help: "Size of what was written, by object.",
    labels: ["object"],
  },
};

/** In seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the controller measures. */
export class Metrics {
  /** Is this the controller that writes? */
  isLeader = true;
  readonly #counters = new Map<string, Sample>();
  readonly #reconciles = new Histogram(BOUNDS);
  readonly #changes = new Histogram(BOUNDS);
  readonly #shards = new Map<string, number>();
  #objects: Sample[] = [];
  #problems: Sample[] = [];

  /** The API answered a request; without a status it did not. */
  countApiRequest(method: string, status: number | undefined): void {
    const labels = `method=${labelValue(method)},code="${status ?? "none"}"`;
    this.#count("pingress_controller_api_requests_total", labels);
  }

  /** What follows a kind had to begin again. */
  countWatchRestart(kind: string): void {
    this.#count("pingress_controller_watch_restarts_total", `kind=${labelValue(kind)}`);
  }

  /** A run has ended after `seconds`. */
  countReconcile(seconds: number, { succeeded }: { succeeded: boolean }): void {
    this.#count(
      "pingress_controller_reconciles_total",
      `result="${succeeded ? "success" : "failure"}"`,
    );
    this.#reconciles.observe(seconds);
  }

  /** A change was applied `seconds` after it was seen. */
  countChange(seconds: number): void {
    this.#changes.observe(seconds);
  }

  /** What there is now. */
  setObjects(snapshot: Snapshot): void {
    this.#objects = Object.entries(snapshot).map(([kind, objects]): Sample => [
      "pingress_controller_objects",
      `kind=${labelValue(kind)}`,
      objects.length,
    ]);
  }

  /** What is wrong now. */
  setProblems(problems: readonly Problem[]): void {
    const counts = new Map<string, number>();
    for (const { reason } of problems) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    this.#problems = [...counts].map(([reason, count]): Sample => [
      "pingress_controller_problems",
      `reason=${labelValue(reason)}`,
      count,
    ]);
  }

  /** An object holds so many bytes; none when it is gone. */
  setShard(name: string, bytes: number | undefined): void {
    if (bytes === undefined) this.#shards.delete(name);
    else this.#shards.set(name, bytes);
  }

  /** All of it as Prometheus reads it. */
  text(): string {
    return exposition(FAMILIES, [
      ["pingress_controller_leader", "", this.isLeader ? 1 : 0],
      ...this.#counters.values(),
      ...this.#reconciles.samples("pingress_controller_reconcile_duration_seconds"),
      ...this.#changes.samples("pingress_controller_change_to_applied_seconds"),
      ...this.#objects,
      ...this.#problems,
      ...[...this.#shards].map(([name, bytes]): Sample => [
        "pingress_controller_shard_bytes",
        `object=${labelValue(name)}`,
        bytes,
      ]),
    ]);
  }

  #count(name: string, labels: string): void {
    const key = `${name}{${labels}}`;
    const sample = this.#counters.get(key);
    if (sample === undefined) this.#counters.set(key, [name, labels, 1]);
    else sample[2]++;
  }
}
