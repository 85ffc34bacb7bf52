import { AppsV1Api, type DaemonSet, type Deployment } from "@cloudydeno/kubernetes-apis/apps/v1";
import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { type ConfigMap, CoreV1Api, type Secret, type Service } from "@cloudydeno/kubernetes-apis/core/v1";
import { type PodDisruptionBudget, PolicyV1Api } from "@cloudydeno/kubernetes-apis/policy/v1";
import { isNotFound } from "../kubernetes_client.ts";
import { CONFIG_MAP_NAME, FIELD_MANAGER, MANAGED_BY, PROXY_NAME, TLS_SECRET_NAME } from "../render/names.ts";
import { LiveObject, type LiveObjectOptions, type ManagedObjects } from "./live_objects.ts";
import { LiveShards } from "./live_shards.ts";

/** What can run proxies, in the order in which it is made. */
export const WORKLOAD_KINDS = ["Deployment", "Service", "PodDisruptionBudget", "DaemonSet"] as const;

/** One of {@linkcode WORKLOAD_KINDS}. */
export type WorkloadKind = typeof WORKLOAD_KINDS[number];

/** The objects that run the proxies. */
export type Workload = { readonly [K in WorkloadKind]?: ManagedObjects[K] };

/** The objects of a namespace, as far as the controller makes them. */
export type LiveObjects = {
  /** The routes and endpoints. */
  ConfigMap: LiveShards<ConfigMap>;
  /** The certificates. */
  Secret: LiveShards<Secret>;
} & { [K in WorkloadKind]: LiveObject<ManagedObjects[K]> };

/** Makes the objects of a namespace, which nothing follows yet. */
export function liveObjects(client: RestClient, options: Omit<LiveObjectOptions, "kind">): LiveObjects {
  const core = new CoreV1Api(client).namespace(options.namespace);
  const apps = new AppsV1Api(client).namespace(options.namespace);
  const policy = new PolicyV1Api(client).namespace(options.namespace);
  const ownership = { fieldManager: FIELD_MANAGER, force: true };
  const proxy = { fieldSelector: `metadata.name=${PROXY_NAME}` };
  // whatever else is in the namespace never reaches the controller's memory
  const ours = { labelSelector: `${MANAGED_BY.key}=${MANAGED_BY.value}` };
  return {
    ConfigMap: new LiveShards<ConfigMap>({
      name: CONFIG_MAP_NAME,
      list: (call) => core.getConfigMapList({ ...call, ...ours }),
      watch: (call) => core.watchConfigMapList({ ...call, ...ours }),
      find: (name) => core.getConfigMap(name).catch(ignoreMissing),
      patch: (name, object) => core.patchConfigMap(name, "apply-patch", object, ownership),
      delete: (name) => core.deleteConfigMap(name),
    }, { ...options, kind: "ConfigMap" }),
    Secret: new LiveShards<Secret>({
      name: TLS_SECRET_NAME,
      list: (call) => core.getSecretList({ ...call, ...ours }),
      watch: (call) => core.watchSecretList({ ...call, ...ours }),
      find: (name) => core.getSecret(name).catch(ignoreMissing),
      patch: (name, object) => core.patchSecret(name, "apply-patch", object, ownership),
      delete: (name) => core.deleteSecret(name),
    }, { ...options, kind: "Secret" }),
    DaemonSet: new LiveObject<DaemonSet>({
      name: PROXY_NAME,
      list: (call) => apps.getDaemonSetList({ ...call, ...proxy }),
      watch: (call) => apps.watchDaemonSetList({ ...call, ...proxy }),
      patch: (object) => apps.patchDaemonSet(PROXY_NAME, "apply-patch", object, ownership),
      delete: () => apps.deleteDaemonSet(PROXY_NAME, { propagationPolicy: "Background" }),
    }, { ...options, kind: "DaemonSet" }),
    Deployment: new LiveObject<Deployment>({
      name: PROXY_NAME,
      list: (call) => apps.getDeploymentList({ ...call, ...proxy }),
      watch: (call) => apps.watchDeploymentList({ ...call, ...proxy }),
      patch: (object) => apps.patchDeployment(PROXY_NAME, "apply-patch", object, ownership),
      delete: () => apps.deleteDeployment(PROXY_NAME, { propagationPolicy: "Background" }),
    }, { ...options, kind: "Deployment" }),
    Service: new LiveObject<Service>({
      name: PROXY_NAME,
      list: (call) => core.getServiceList({ ...call, ...proxy }),
      watch: (call) => core.watchServiceList({ ...call, ...proxy }),
      patch: (object) => core.patchService(PROXY_NAME, "apply-patch", object, ownership),
      delete: () => core.deleteService(PROXY_NAME),
    }, { ...options, kind: "Service" }),
    PodDisruptionBudget: new LiveObject<PodDisruptionBudget>({
      name: PROXY_NAME,
      list: (call) => policy.getPodDisruptionBudgetList({ ...call, ...proxy }),
      watch: (call) => policy.watchPodDisruptionBudgetList({ ...call, ...proxy }),
      patch: (object) => policy.patchPodDisruptionBudget(PROXY_NAME, "apply-patch", object, ownership),
      delete: () => policy.deletePodDisruptionBudget(PROXY_NAME),
    }, { ...options, kind: "PodDisruptionBudget" }),
  };
}

function ignoreMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
