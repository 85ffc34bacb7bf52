import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { CoreV1Api } from "@cloudydeno/kubernetes-apis/core/v1";
import { errorMessage, type KeyPair, KEYS_DIRECTORY, type Log } from "@pingress/config";
import { isNotFound } from "../kubernetes_client.ts";
import { renderConfigMaps } from "../render/config_map.ts";
import { type DaemonSetOptions, renderDaemonSet } from "../render/daemon_set.ts";
import { PROXY_LABELS } from "../render/names.ts";
import { readTlsSecret, renderTlsSecrets } from "../render/tls_secret.ts";
import { shardCount } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";
import { type LiveObjects, liveObjects } from "./managed_objects.ts";
import type { Output } from "./output.ts";

/** Options of {@linkcode HostPortOutput}. */
export interface HostPortOptions {
  /** Talks to the cluster. */
  client: RestClient;
  /** Where everything is made. */
  namespace: string;
  /** The proxies. */
  daemonSet: DaemonSetOptions;
  /** Told what is written. */
  log: Log;
}

/** Written to the proxies' Pods after each change: kubelet then reads their ConfigMap and Secret at once. */
const TOUCHED_ANNOTATION = "pingress.dev/configuration-changed";

/** How many Pods are written to at a time: each is a request. */
const TOUCHED_AT_A_TIME = 20;

/** Runs a proxy on the ports 80 and 443 of every node. */
export class HostPortOutput implements Output {
  /** Where the Secret is mounted. */
  readonly keysDirectory = KEYS_DIRECTORY;
  /** Objects in a cluster hold only so much. */
  readonly isSharded = true;
  readonly #options: HostPortOptions;
  readonly #stop = new AbortController();
  readonly #objects: LiveObjects;
  #tick: () => void = () => {};
  /** At first too: who wrote what there is may have ended before it touched them. */
  #mustTouch = true;

  /** Writes nothing yet. */
  constructor(options: HostPortOptions) {
    this.#options = options;
    this.#objects = liveObjects(options.client, {
      namespace: options.namespace,
      signal: this.#stop.signal,
      log: options.log,
      onChange: () => this.#tick(),
    });
  }

  /** Reads what an earlier run has left. */
  async start(tick: () => void): Promise<void> {
    await Promise.all(Object.values(this.#objects).map((object) => object.follow()));
    this.#tick = tick;
  }

  /** What the TLS Secrets in the cluster hold. */
  lastGood(): ReadonlyMap<string, KeyPair> {
    return new Map(this.#objects.Secret.current.flatMap((secret) => [...readTlsSecret(secret)]));
  }

  /** Applies what has changed; deletes all of it when there is no Ingress. */
  async apply(translation: Translation): Promise<void> {
    const failures: string[] = [];
    const fail = (error: unknown) => void failures.push(errorMessage(error));
    await (translation.isEmpty ? this.#deleteAll(fail) : this.#applyAll(translation, fail));
    if (failures.length > 0) throw new Error(failures.join("; "));
  }

  async #deleteAll(fail: (error: unknown) => void): Promise<void> {
    const { ConfigMap, Secret, DaemonSet } = this.#objects;
    await DaemonSet.delete().catch(fail);
    await ConfigMap.apply([], fail);
    await Secret.apply([], fail);
  }

  /**
   * Certificates before the routes that name them, and both before the first proxy starts. One that cannot be
   * written does not hold up the others.
   */
  async #applyAll(translation: Translation, fail: (error: unknown) => void): Promise<void> {
    const { ConfigMap, Secret, DaemonSet } = this.#objects;
    const { namespace, daemonSet } = this.#options;
    const secrets = renderTlsSecrets(translation, {
      namespace,
      choose: (bytes) => shardCount(bytes, Secret.count),
    });
    const configMaps = renderConfigMaps(translation, {
      namespace,
      choose: (bytes) => shardCount(bytes, ConfigMap.count),
    });
    if (await Secret.apply(secrets, fail)) this.#mustTouch = true;
    if (await ConfigMap.apply(configMaps, fail)) this.#mustTouch = true;
    await DaemonSet.apply(renderDaemonSet(daemonSet, namespace)).catch(fail);
    if (this.#mustTouch) await this.#touchPods().catch(fail);
  }

  /** Ends the watches. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(Object.values(this.#objects).map((object) => object.closed()));
  }

  /** Without it a changed ConfigMap reaches a Pod after up to a minute and a half. */
  async #touchPods(): Promise<void> {
    const core = new CoreV1Api(this.#options.client).namespace(this.#options.namespace);
    const labelSelector = Object.entries(PROXY_LABELS).map(([key, value]) => `${key}=${value}`).join(",");
    const annotations = { [TOUCHED_ANNOTATION]: new Date().toISOString() };
    const { items } = await core.getPodList({ labelSelector });
    const names = items.map(({ metadata }) => metadata?.name ?? "");
    while (names.length > 0) {
      await Promise.all(
        names.splice(0, TOUCHED_AT_A_TIME).map(async (name) => {
          try {
            await core.patchPod(name, "json-merge", { metadata: { name, annotations } });
          } catch (error) {
            if (!isNotFound(error)) throw error; // a Pod that is gone needs no configuration
          }
        }),
      );
    }
    this.#mustTouch = false;
  }
}
