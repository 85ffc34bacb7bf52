import { CoreV1Api } from "@cloudydeno/kubernetes-apis/core/v1";
import { DiscoveryV1Api } from "@cloudydeno/kubernetes-apis/discovery.k8s.io/v1";
import { NetworkingV1Api } from "@cloudydeno/kubernetes-apis/networking.k8s.io/v1";
import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { errorMessage, type Log, ShapeError } from "@pingress/config";
import { type InformerApi, type InformerTarget, listAll, runInformer } from "../informer.ts";
import { isForbidden, servesVersion } from "../kubernetes_client.ts";
import type { Metrics } from "../metrics.ts";
import { type Kind, KINDS, objectKey, type Secret } from "../objects.ts";
import { type Snapshot, Store } from "../store.ts";
import { NamedSecrets } from "./named_secrets.ts";
import type { Source } from "./source.ts";

/** The calls of every kind; each has its own object type, which the decoders of `objects.ts` make one of. */
type Apis = Partial<Record<Kind, InformerApi<never>>>;

/** Follows a cluster. */
export class KubernetesSource implements Source {
  readonly #client: RestClient;
  readonly #log: Log;
  readonly #metrics: Metrics | undefined;
  readonly #store = new Store();
  readonly #stop = new AbortController();
  readonly #unsynced = new Set<Kind>();
  readonly #named: NamedSecrets;
  #informers: Promise<void>[] = [];
  #tick: () => void = () => {};

  /** Uses `client` for all calls. */
  constructor(client: RestClient, { log, metrics }: { log: Log; metrics?: Metrics }) {
    this.#client = client;
    this.#log = log;
    this.#metrics = metrics;
    this.#named = new NamedSecrets({
      apiOf: (key) => secretApi(client, key),
      read: (object) => this.#read("Secret", object) as Secret | undefined,
      tick: () => this.#tick(),
      log,
      onRestart: () => metrics?.countWatchRestart("Secret"),
    });
  }

  /** Starts an informer for each kind. */
  async start(tick: () => void): Promise<void> {
    const apis = await this.#apis();
    const kinds = Object.keys(apis) as Kind[];
    for (const kind of kinds) this.#unsynced.add(kind);
    const tickWhenSynced = () => {
      if (this.#unsynced.size === 0) tick();
    };
    this.#tick = tickWhenSynced;
    this.#informers = kinds.map((kind) =>
      runInformer(apis[kind] as InformerApi<object>, {
        kind,
        signal: this.#stop.signal,
        log: this.#log,
        onRestart: () => this.#metrics?.countWatchRestart(kind),
        target: this.#target(kind, tickWhenSynced),
      })
    );
  }

  /**
   * Reads everything once and follows nothing.
   *
   * @returns the kinds that may not be listed, of which the snapshot has none.
   * @throws {Error} when the API does not answer.
   */
  async readOnce(): Promise<Kind[]> {
    const refused: Kind[] = [];
    const { signal } = this.#stop;
    for (const [kind, api] of Object.entries(await this.#apis()) as [Kind, InformerApi<object>][]) {
      try {
        await listAll(api, { signal, target: this.#target(kind, () => {}), isPaged: false });
      } catch (error) {
        if (!isForbidden(error)) throw error;
        refused.push(kind);
      }
    }
    return refused;
  }

  /** See {@linkcode Source}. */
  followSecrets(keys: ReadonlySet<string>): boolean {
    return this.#named.follow(this.#others(keys));
  }

  /** Reads these Secrets (`namespace/name`) once, those of certificates apart, which are there already. */
  async readSecretsOnce(keys: ReadonlySet<string>): Promise<void> {
    await this.#named.readOnce(this.#others(keys), this.#stop.signal);
  }

  /** All objects as they are now. */
  snapshot(): Snapshot {
    const snapshot = this.#store.snapshot();
    const named = this.#named.secrets;
    if (named.length === 0) return snapshot;
    return {
      ...snapshot,
      Secret: [...snapshot.Secret, ...named].sort((one, other) => objectKey(one) < objectKey(other) ? -1 : 1),
    };
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled([...this.#informers, this.#named.close()]);
  }

  #others(keys: ReadonlySet<string>): Set<string> {
    const followed = new Set(this.#store.snapshot().Secret.map(objectKey));
    return new Set([...keys].filter((key) => !followed.has(key)));
  }

  #target(kind: Kind, tick: () => void): InformerTarget<object> {
    return {
      replace: (objects) => {
        this.#store.replace(kind, objects.flatMap((object) => this.#read(kind, object) ?? []));
        this.#unsynced.delete(kind);
        tick();
      },
      set: (object) => {
        const read = this.#read(kind, object);
        if (read === undefined) {
          this.#store.delete(kind, objectKey(object as Parameters<typeof objectKey>[0]));
          tick();
        } else if (this.#store.set(kind, read)) tick();
      },
      delete: (object) => {
        this.#store.delete(kind, objectKey(object as Parameters<typeof objectKey>[0]));
        tick();
      },
    };
  }

  /** An object that cannot be read is as good as not there; the others are. */
  #read(kind: Kind, object: object) {
    try {
      return KINDS[kind].read(object, "");
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
      const { name, namespace } = (object as { metadata?: { name?: string; namespace?: string } }).metadata ??
        {};
      this.#log.warn("An object is left out", { kind, namespace, name, error: errorMessage(error) });
      return undefined;
    }
  }

  async #apis(): Promise<Apis> {
    const networking = new NetworkingV1Api(this.#client);
    const core = new CoreV1Api(this.#client);
    const apis: Apis = {
      Ingress: {
        list: (options) => networking.getIngressListForAllNamespaces(options) as Promise<never>,
        watch: (options) => networking.watchIngressListForAllNamespaces(options) as Promise<never>,
      },
      IngressClass: {
        list: (options) => networking.getIngressClassList(options) as Promise<never>,
        watch: (options) => networking.watchIngressClassList(options) as Promise<never>,
      },
      Service: {
        list: (options) => core.getServiceListForAllNamespaces(options) as Promise<never>,
        watch: (options) => core.watchServiceListForAllNamespaces(options) as Promise<never>,
      },
      Secret: {
        list: (options) =>
          core.getSecretListForAllNamespaces({ ...options, ...TLS_SECRETS }) as Promise<never>,
        watch: (options) =>
          core.watchSecretListForAllNamespaces({ ...options, ...TLS_SECRETS }) as Promise<never>,
      },
    };
    // Kubernetes 1.19 and 1.20 have no discovery.k8s.io/v1
    if (await servesVersion(this.#client, KINDS.EndpointSlice.apiVersion)) {
      const discovery = new DiscoveryV1Api(this.#client);
      apis.EndpointSlice = {
        list: (options) => discovery.getEndpointSliceListForAllNamespaces(options) as Promise<never>,
        watch: (options) => discovery.watchEndpointSliceListForAllNamespaces(options) as Promise<never>,
      };
    } else {
      apis.Endpoints = {
        list: (options) => core.getEndpointsListForAllNamespaces(options) as Promise<never>,
        watch: (options) => core.watchEndpointsListForAllNamespaces(options) as Promise<never>,
      };
    }
    return apis;
  }
}

function secretApi(client: RestClient, key: string): InformerApi<object> {
  const [namespace = "", name = ""] = key.split("/");
  const core = new CoreV1Api(client).namespace(namespace);
  const fieldSelector = `metadata.name=${name}`;
  return {
    list: (options) => core.getSecretList({ ...options, fieldSelector }) as Promise<never>,
    watch: (options) => core.watchSecretList({ ...options, fieldSelector }) as Promise<never>,
  };
}

/** Of all others only those that annotations name reach the controller's memory. */
const TLS_SECRETS = { fieldSelector: "type=kubernetes.io/tls" };
