import { AppsV1Api, type DaemonSet } from "@cloudydeno/kubernetes-apis/apps/v1";
import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { type ConfigMap, CoreV1Api, type Secret } from "@cloudydeno/kubernetes-apis/core/v1";
import { isNotFound } from "../kubernetes_client.ts";
import {
  CONFIG_MAP_NAME,
  DAEMON_SET_NAME,
  FIELD_MANAGER,
  MANAGED_BY,
  TLS_SECRET_NAME,
} from "../render/names.ts";
import { LiveObject, type LiveObjectOptions } from "./live_objects.ts";
import { LiveShards } from "./live_shards.ts";

/** The objects of a namespace, as far as the controller makes them. */
export interface LiveObjects {
  /** The routes and endpoints. */
  ConfigMap: LiveShards<ConfigMap>;
  /** The certificates. */
  Secret: LiveShards<Secret>;
  /** The proxies. */
  DaemonSet: LiveObject<DaemonSet>;
}

/** Makes the objects of a namespace, which nothing follows yet. */
export function liveObjects(client: RestClient, options: Omit<LiveObjectOptions, "kind">): LiveObjects {
  const core = new CoreV1Api(client).namespace(options.namespace);
  const apps = new AppsV1Api(client).namespace(options.namespace);
  const ownership = { fieldManager: FIELD_MANAGER, force: true };
  const named = (name: string) => ({ fieldSelector: `metadata.name=${name}` });
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
      name: DAEMON_SET_NAME,
      list: (call) => apps.getDaemonSetList({ ...call, ...named(DAEMON_SET_NAME) }),
      watch: (call) => apps.watchDaemonSetList({ ...call, ...named(DAEMON_SET_NAME) }),
      patch: (object) => apps.patchDaemonSet(DAEMON_SET_NAME, "apply-patch", object, ownership),
      delete: () => apps.deleteDaemonSet(DAEMON_SET_NAME, { propagationPolicy: "Background" }),
    }, { ...options, kind: "DaemonSet" }),
  };
}

function ignoreMissing(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
}
