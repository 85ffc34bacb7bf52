import { AppsV1Api, type DaemonSet } from "@cloudydeno/kubernetes-apis/apps/v1";
import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { type ConfigMap, CoreV1Api, type Secret } from "@cloudydeno/kubernetes-apis/core/v1";
import type { Log } from "@pingress/config";
import { type InformerApi, runInformer } from "../informer.ts";
import { isNotFound } from "../kubernetes_client.ts";
import {
  CONFIG_MAP_NAME,
  DAEMON_SET_NAME,
  FIELD_MANAGER,
  MANAGED_BY,
  TLS_SECRET_NAME,
} from "../render/names.ts";

/** The objects that the controller makes. */
export interface ManagedObjects {
  /** `pingress-config` */
  ConfigMap: ConfigMap;
  /** `pingress-tls-secret` */
  Secret: Secret;
  /** `pingress-proxy-server` */
  DaemonSet: DaemonSet;
}

type ManagedKind = keyof ManagedObjects;
type ManagedObject = ManagedObjects[ManagedKind];

/** The calls of one object of a kind. */
export interface ManagedApi<T> extends InformerApi<T> {
  name: string;
  patch(object: T): Promise<T>;
  delete(): Promise<unknown>;
}

/** Options of {@linkcode LiveObject}. */
export interface LiveObjectOptions {
  kind: ManagedKind;
  namespace: string;
  signal: AbortSignal;
  log: Log;
  onChange: () => void;
}

/**
 * One object that the controller makes: follows what there is of it in the cluster, and writes it only when
 * what is wanted has changed, or when somebody else has changed what there is.
 */
export class LiveObject<T extends ManagedObject> {
  /** What there is in the cluster. */
  current: T | undefined;
  readonly #api: ManagedApi<T>;
  readonly #options: LiveObjectOptions;
  #applied: { text: string; version: string; uid: string | undefined } | undefined;
  #isWriting = false;
  #seenWhileWriting: { object: T | undefined } | undefined;
  #running: Promise<void> = Promise.resolve();

  /** Follows nothing yet. */
  constructor(api: ManagedApi<T>, options: LiveObjectOptions) {
    this.#api = api;
    this.#options = options;
  }

  /** Follows the object; resolves when it has been read once. */
  async follow(): Promise<void> {
    const synced = Promise.withResolvers<void>();
    const changed = (object: T | undefined) => {
      if (this.#isWriting) this.#seenWhileWriting = { object };
      else this.#see(object);
      synced.resolve();
    };
    this.#running = runInformer<T>(this.#api, {
      ...this.#options,
      target: {
        replace: ([object]) => changed(object),
        set: (object) => changed(object),
        delete: () => changed(undefined),
      },
    });
    this.#running.finally(() => synced.resolve());
    await synced.promise;
  }

  /** Waits for the end of {@linkcode follow}. */
  async closed(): Promise<void> {
    await this.#running;
  }

  /** Makes the object as it should be. @returns whether that changed anything in the cluster. */
  async apply(wanted: T): Promise<boolean> {
    this.#refuseForeign();
    const before = this.current?.metadata?.resourceVersion;
    const text = JSON.stringify(wanted);
    if (text === this.#applied?.text && this.#isAsApplied) return false;
    await this.#write(async () => {
      this.current = await this.#api.patch(wanted);
      const uid = this.current.metadata?.uid ?? undefined;
      this.#applied = { text, version: versionOf(this.current), uid };
    });
    if (this.current?.metadata?.resourceVersion === before) return false;
    this.#options.log.info("Applied", { kind: this.#options.kind, name: this.#api.name });
    return true;
  }

  /** Deletes the object, if it is there and ours. */
  async delete(): Promise<void> {
    if (this.current === undefined || !this.#isOurs(this.current)) return;
    await this.#write(async () => {
      await this.#api.delete().catch((error) => {
        if (!isNotFound(error)) throw error;
      });
      this.current = undefined;
      this.#applied = undefined;
    });
    this.#options.log.info("Deleted: no Ingress is left", { kind: this.#options.kind, name: this.#api.name });
  }

  /** Our own writes come back as events; only what differs from them is somebody else's. */
  get #isAsApplied(): boolean {
    return this.#applied === undefined
      ? this.current === undefined
      : this.current !== undefined && versionOf(this.current) === this.#applied.version;
  }

  #see(object: T | undefined): void {
    this.current = object;
    if (!this.#isAsApplied) this.#options.onChange();
  }

  /** What is seen during a write may be from before it or after it: it counts when the write's result is known. */
  async #write(write: () => Promise<void>): Promise<void> {
    this.#isWriting = true;
    try {
      await write();
    } finally {
      this.#isWriting = false;
      const seen = this.#seenWhileWriting;
      this.#seenWhileWriting = undefined;
      if (seen !== undefined) this.#see(seen.object);
    }
  }

  #refuseForeign(): void {
    if (this.current === undefined || this.#isOurs(this.current)) return;
    const { kind, namespace } = this.#options;
    throw new Error(
      `${kind} ${namespace}/${this.#api.name} was not made by Pingress: it has no label ` +
        `${MANAGED_BY.key}=${MANAGED_BY.value}. Delete it, or add the label to hand it over`,
    );
  }

  /** Known by its label; and when somebody took that off, by having been applied in this run. */
  #isOurs({ metadata }: T): boolean {
    return metadata?.labels?.[MANAGED_BY.key] === MANAGED_BY.value ||
      (this.#applied?.uid !== undefined && this.#applied.uid === metadata?.uid);
  }
}

/** Makes the three objects of a namespace, which nothing follows yet. */
export function liveObjects(
  client: RestClient,
  options: Omit<LiveObjectOptions, "kind">,
): { [K in ManagedKind]: LiveObject<ManagedObjects[K]> } {
  const core = new CoreV1Api(client).namespace(options.namespace);
  const apps = new AppsV1Api(client).namespace(options.namespace);
  const ownership = { fieldManager: FIELD_MANAGER, force: true };
  const named = (name: string) => ({ fieldSelector: `metadata.name=${name}` });
  return {
    ConfigMap: new LiveObject<ConfigMap>({
      name: CONFIG_MAP_NAME,
      list: (call) => core.getConfigMapList({ ...call, ...named(CONFIG_MAP_NAME) }),
      watch: (call) => core.watchConfigMapList({ ...call, ...named(CONFIG_MAP_NAME) }),
      patch: (object) => core.patchConfigMap(CONFIG_MAP_NAME, "apply-patch", object, ownership),
      delete: () => core.deleteConfigMap(CONFIG_MAP_NAME),
    }, { ...options, kind: "ConfigMap" }),
    Secret: new LiveObject<Secret>({
      name: TLS_SECRET_NAME,
      list: (call) => core.getSecretList({ ...call, ...named(TLS_SECRET_NAME) }),
      watch: (call) => core.watchSecretList({ ...call, ...named(TLS_SECRET_NAME) }),
      patch: (object) => core.patchSecret(TLS_SECRET_NAME, "apply-patch", object, ownership),
      delete: () => core.deleteSecret(TLS_SECRET_NAME),
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

/** Changes when somebody writes what is wanted of an object; a DaemonSet's status does not count. */
function versionOf({ kind, metadata }: ManagedObject): string {
  return `${metadata?.uid}/${kind === "DaemonSet" ? metadata?.generation : metadata?.resourceVersion}`;
}
