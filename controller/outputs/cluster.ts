import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { CoreV1Api } from "@cloudydeno/kubernetes-apis/core/v1";
import { errorMessage, type KeyPair, KEYS_DIRECTORY, type Log } from "@pingress/config";
import { isNotFound, servesVersion } from "../kubernetes_client.ts";
import { renderConfigMaps } from "../render/config_map.ts";
import { PROXY_SELECTOR } from "../render/names.ts";
import { readTlsSecret, renderTlsSecrets } from "../render/tls_secret.ts";
import { type ChooseShards, shardCount } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";
import type { LiveObject, ManagedObject } from "./live_objects.ts";
import {
  type LiveObjects,
  liveObjects,
  type Workload,
  WORKLOAD_KINDS,
  type WorkloadKind,
} from "./managed_objects.ts";
import type { Output } from "./output.ts";

/** Options of {@linkcode ClusterOutput}. */
export interface ClusterOptions {
  /** Talks to the cluster. */
  client: RestClient;
  /** Where everything is made. */
  namespace: string;
  /** What runs the proxies; whatever else once ran them is deleted. */
  workload: Workload;
  /** Told what is written. */
  log: Log;
  /** Told how large each object is, such as `ConfigMap/pingress-config`, or that it is gone. */
  onWritten?: ((object: string, bytes: number | undefined) => void) | undefined;
}

/** Written to the proxies' Pods after each change: kubelet then reads their ConfigMap and Secret at once. */
const TOUCHED_ANNOTATION = "pingress.dev/configuration-changed";

/** How many Pods are written to at a time: each is a request. */
const TOUCHED_AT_A_TIME = 20;

/** Writes the configuration into objects of a cluster, and runs the proxies that read it. */
export class ClusterOutput implements Output {
  /** Where the Secret is mounted. */
  readonly keysDirectory = KEYS_DIRECTORY;
  /** Objects in a cluster hold only so much. */
  readonly isSharded = true;
  /** No more moves than must. */
  readonly chooseShards: ChooseShards = (bytes) => shardCount(bytes, this.#objects.ConfigMap.count);
  readonly #options: ClusterOptions;
  readonly #stop = new AbortController();
  readonly #objects: LiveObjects;
  #tick: () => void = () => {};
  /** At first too: who wrote what there is may have ended before it touched them. */
  #mustTouch = true;
  /** The kinds of workloads that the API server knows. */
  #kinds: readonly WorkloadKind[] = [];

  /** Writes nothing yet. */
  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#objects = liveObjects(options.client, {
      namespace: options.namespace,
      signal: this.#stop.signal,
      log: options.log,
      onChange: () => {
        // another controller that wrote it may have ended before it touched the Pods
        this.#mustTouch = true;
        this.#tick();
      },
      onWritten: options.onWritten,
    });
  }

  /** Reads what an earlier run has left. */
  async start(tick: () => void): Promise<void> {
    const { client, log, workload } = this.#options;
    const hasPolicy = await servesVersion(client, "policy/v1");
    this.#kinds = WORKLOAD_KINDS.filter((kind) => kind !== "PodDisruptionBudget" || hasPolicy);
    if (workload.PodDisruptionBudget !== undefined && !hasPolicy) {
      log.info("This Kubernetes has no policy/v1: there is no PodDisruptionBudget for the proxies");
    }
    await Promise.all(this.#followed.map((object) => object.follow()));
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
    const { ConfigMap, Secret } = this.#objects;
    for (const kind of this.#kinds) await this.#objects[kind].delete().catch(fail);
    await ConfigMap.apply([], fail);
    await Secret.apply([], fail);
  }

  /**
   * Certificates before the routes that name them, and both before the first proxy starts. One that cannot be
   * written does not hold up the others.
   */
  async #applyAll(translation: Translation, fail: (error: unknown) => void): Promise<void> {
    const { ConfigMap, Secret } = this.#objects;
    const { namespace } = this.#options;
    const secrets = renderTlsSecrets(translation, {
      namespace,
      choose: (bytes) => shardCount(bytes, Secret.count),
    });
    const configMaps = renderConfigMaps(translation, {
      namespace,
      choose: this.chooseShards,
    });
    if (await Secret.apply(secrets, fail)) this.#mustTouch = true;
    if (await ConfigMap.apply(configMaps, fail)) this.#mustTouch = true;
    await this.#applyWorkload(fail);
    if (this.#mustTouch) await this.#touchPods().catch(fail);
  }

  async #applyWorkload(fail: (error: unknown) => void): Promise<void> {
    const { workload } = this.#options;
    const { Deployment, Service, PodDisruptionBudget, DaemonSet } = this.#objects;
    const steps: Record<WorkloadKind, () => Promise<unknown>> = {
      Deployment: () => applyOrDelete(Deployment, workload.Deployment),
      Service: () => applyOrDelete(Service, workload.Service),
      PodDisruptionBudget: () => applyOrDelete(PodDisruptionBudget, workload.PodDisruptionBudget),
      DaemonSet: () => applyOrDelete(DaemonSet, workload.DaemonSet),
    };
    // what serves comes before what it takes over from goes
    const isWanted = (kind: WorkloadKind) => workload[kind] !== undefined;
    const kinds = [...this.#kinds.filter(isWanted), ...this.#kinds.filter((kind) => !isWanted(kind))];
    for (const kind of kinds) await steps[kind]().catch(fail);
  }

  get #followed() {
    const { ConfigMap, Secret } = this.#objects;
    return [ConfigMap, Secret, ...this.#kinds.map((kind) => this.#objects[kind])];
  }

  /** Ends the watches. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#followed.map((object) => object.closed()));
  }

  /** Without it a changed ConfigMap reaches a Pod after up to a minute and a half. */
  async #touchPods(): Promise<void> {
    const core = new CoreV1Api(this.#options.client).namespace(this.#options.namespace);
    const annotations = { [TOUCHED_ANNOTATION]: new Date().toISOString() };
    const { items } = await core.getPodList({ labelSelector: PROXY_SELECTOR });
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

async function applyOrDelete<T extends ManagedObject>(
  live: LiveObject<T>,
  wanted: T | undefined,
): Promise<void> {
  await (wanted === undefined ? live.delete() : live.apply(wanted));
}
