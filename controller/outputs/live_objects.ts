import type { DaemonSet, Deployment } from "@cloudydeno/kubernetes-apis/apps/v1";
import type { ConfigMap, Secret, Service } from "@cloudydeno/kubernetes-apis/core/v1";
import type { PodDisruptionBudget } from "@cloudydeno/kubernetes-apis/policy/v1";
import type { Log } from "@pingress/config";
import { type InformerApi, runInformer } from "../informer.ts";
import { isNotFound } from "../kubernetes_client.ts";
import { MANAGED_BY } from "../render/names.ts";

/** The objects that the controller makes. */
export interface ManagedObjects {
  /** `pingress-config` and so on */
  ConfigMap: ConfigMap;
  /** `pingress-tls-secret` and so on */
  Secret: Secret;
  /** `pingress-proxy-server`, as are all that follow */
  DaemonSet: DaemonSet;
  /** Runs proxies anywhere. */
  Deployment: Deployment;
  /** In front of them. */
  Service: Service;
  /** Keeps some of them. */
  PodDisruptionBudget: PodDisruptionBudget;
}

type ManagedKind = keyof ManagedObjects;

/** One of the objects that the controller makes. */
export type ManagedObject = ManagedObjects[ManagedKind];

/** The calls of one object of a kind. */
export interface ManagedApi<T> extends InformerApi<T> {
  name: string;
  /** Reads it where list and watch leave out what has not our label. */
  find?(): Promise<T | undefined>;
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
  onWritten?: ((object: string, bytes: number | undefined) => void) | undefined;
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

  /** What it is called. */
  get name(): string {
    return this.#api.name;
  }

  /** Follows the object; resolves when it has been read once. */
  async follow(): Promise<void> {
    const synced = Promise.withResolvers<void>();
    const changed = (object: T | undefined) => {
      this.see(object);
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

  /** Takes note of what there is in the cluster, from whoever follows it. */
  see(object: T | undefined): void {
    if (this.#isWriting) this.#seenWhileWriting = { object };
    else this.#see(object);
  }

  /** Makes the object as it should be. @returns whether that changed anything in the cluster. */
  async apply(wanted: T): Promise<boolean> {
    const text = JSON.stringify(wanted);
    if (text === this.#applied?.text && this.#isAsApplied) return false;
    const found = this.current ?? await this.#api.find?.();
    if (found !== undefined) this.#refuseForeign(found);
    const before = found?.metadata?.resourceVersion;
    await this.#write(async () => {
      this.current = await this.#api.patch(wanted);
      const uid = this.current.metadata?.uid ?? undefined;
      this.#applied = { text, version: versionOf(this.current), uid };
    });
    this.#options.onWritten?.(`${this.#options.kind}/${this.#api.name}`, text.length);
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
    this.#options.onWritten?.(`${this.#options.kind}/${this.#api.name}`, undefined);
    this.#options.log.info("Deleted: it is needed no longer", {
      kind: this.#options.kind,
      name: this.#api.name,
    });
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

  #refuseForeign(found: T): void {
    if (this.#isOurs(found)) return;
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

/** Changes when somebody writes what is wanted of an object; its status does not count where that can be told. */
function versionOf({ metadata }: ManagedObject): string {
  return `${metadata?.uid}/${metadata?.generation ?? `v${metadata?.resourceVersion}`}`;
}
