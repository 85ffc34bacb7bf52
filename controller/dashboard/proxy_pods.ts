import type { Pod } from "@cloudydeno/kubernetes-apis/core/v1";
import type { Log } from "@pingress/config";
import { type InformerApi, runInformer } from "../informer.ts";
import { ADMIN_PORT } from "../render/proxy_pod.ts";
import type { KnownProxy, ProxyFinder } from "./proxy_figures.ts";

/** Options of {@linkcode ProxyPods}. */
export interface ProxyPodsOptions {
  /** Lists and watches the proxies' Pods. */
  api: InformerApi<Pod>;
  /** Told of interruptions. */
  log: Log;
}

/** The Pods of a cluster that are proxies. They are followed from the first time on that somebody asks for them. */
export class ProxyPods implements ProxyFinder {
  readonly #options: ProxyPodsOptions;
  readonly #pods = new Map<string, Pod>();
  #following: { stop: AbortController; synced: Promise<void>; ended: Promise<void> } | undefined;

  /** Follows nothing yet. */
  constructor(options: ProxyPodsOptions) {
    this.#options = options;
  }

  /** By their names. */
  async find(signal: AbortSignal): Promise<readonly KnownProxy[]> {
    this.#following ??= this.#follow();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      await Promise.race([this.#following.synced, aborted]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
    return [...this.#pods].sort(([one], [other]) => one < other ? -1 : 1).map(([name, { spec, status }]) => ({
      name,
      ...spec?.nodeName && { node: spec.nodeName },
      ...status?.podIP && { admin: { hostname: status.podIP, port: ADMIN_PORT } },
    }));
  }

  /** Follows them no more. */
  async close(): Promise<void> {
    const following = this.#following;
    this.#following = undefined;
    following?.stop.abort();
    await following?.ended;
  }

  #follow() {
    const stop = new AbortController();
    const synced = Promise.withResolvers<void>();
    const nameOf = ({ metadata }: Pod) => metadata?.name ?? "";
    const ended = runInformer(this.#options.api, {
      kind: "Pod",
      signal: stop.signal,
      log: this.#options.log,
      target: {
        replace: (pods) => {
          this.#pods.clear();
          for (const pod of pods) this.#pods.set(nameOf(pod), pod);
          synced.resolve();
        },
        set: (pod) => this.#pods.set(nameOf(pod), pod),
        delete: (pod) => this.#pods.delete(nameOf(pod)),
      },
    });
    return { stop, synced: synced.promise, ended };
  }
}
