import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { CoreV1Api, type Node, type Pod, type Service } from "@cloudydeno/kubernetes-apis/core/v1";
import type { Log } from "@pingress/config";
import { type InformerApi, type InformerTarget, runInformer } from "../informer.ts";
import { PROXY_NAME, PROXY_SELECTOR } from "../render/names.ts";

/** Where Ingresses are served: an IP address or a host name. */
export interface PublishedAddress {
  /** The IP address. */
  ip?: string;
  /** The DNS name. */
  hostname?: string;
}

/** What the status of Ingresses says of where they are served. */
export interface PublishedAddresses {
  /** The addresses in the order in which they are written; none while they are not known. */
  current(): readonly PublishedAddress[];
  /** Follows them; `tick` is called when they have changed. A cluster that does not answer holds nothing up. */
  start(tick: () => void): Promise<void>;
  /** Stops following. */
  close(): Promise<void>;
}

/** Addresses that somebody has told. */
export class FixedAddresses implements PublishedAddresses {
  readonly #addresses: readonly PublishedAddress[];

  /** Takes them as they are. */
  constructor(addresses: readonly PublishedAddress[]) {
    this.#addresses = addresses;
  }

  /** What was told. */
  current(): readonly PublishedAddress[] {
    return this.#addresses;
  }

  /** Does nothing. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Does nothing. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

type NodeAddress = NonNullable<NonNullable<Node["status"]>["addresses"]>[number];

/**
 * The addresses by which nodes are reached: from outside where one of them has such an address, else from
 * inside. IPv6 addresses are left out, because the proxies listen on IPv4.
 */
export function addressesOf(nodes: readonly (readonly NodeAddress[])[]): PublishedAddress[] {
  const ofType = (wanted: string) =>
    nodes.flat().filter(({ type, address }) => type === wanted && !address.includes(":"));
  const external = ofType("ExternalIP");
  const chosen = external.length > 0 ? external : ofType("InternalIP");
  return [...new Set(chosen.map(({ address }) => address))].sort().map((ip) => ({ ip }));
}

/** The calls of {@linkcode ProxyNodeAddresses}. */
export interface ProxyNodeApis {
  /** Lists and watches the proxies' Pods. */
  pods: InformerApi<Pod>;
  /** Lists and watches all nodes. */
  nodes: InformerApi<Node>;
}

/** Options of {@linkcode ProxyNodeAddresses}. */
export interface ProxyNodeAddressesOptions {
  /** Talks to the cluster. */
  apis: ProxyNodeApis;
  /** Told of interruptions. */
  log: Log;
  /** How long a node still counts when no proxy is ready there any more, in milliseconds. */
  linger?: number;
}

/**
 * About as long as it takes to replace a proxy. A new version replaces them one by one: every address would be
 * taken from all Ingresses, and from DNS, for a moment.
 */
const LINGER_MILLISECONDS = 60_000;

/** The addresses of the nodes on which a proxy is ready. */
export class ProxyNodeAddresses implements PublishedAddresses {
  readonly #options: ProxyNodeAddressesOptions;
  readonly #stop = new AbortController();
  /** The node of each Pod that is ready. */
  readonly #nodeOfPod = new Map<string, string>();
  readonly #addressesOfNode = new Map<string, readonly NodeAddress[]>();
  /** The nodes that count; with a timer those that will not for much longer. */
  readonly #counted = new Map<string, ReturnType<typeof setTimeout> | undefined>();
  #current: readonly PublishedAddress[] = [];
  #tick: () => void = () => {};
  #informers: Promise<void>[] = [];

  /** Follows nothing yet. */
  constructor(options: ProxyNodeAddressesOptions) {
    this.#options = options;
  }

  /** None before Pods and nodes have been read once, and when no proxy has been ready for a while. */
  current(): readonly PublishedAddress[] {
    return this.#current;
  }

  /** Starts to follow Pods and nodes. */
  start(tick: () => void): Promise<void> {
    this.#tick = tick;
    const { apis: { pods, nodes }, log } = this.#options;
    const options = { signal: this.#stop.signal, log };
    this.#informers = [
      runInformer(pods, {
        ...options,
        kind: "Pod",
        target: this.#target(this.#nodeOfPod, ({ spec, status }: Pod) => {
          const isReady = status?.conditions?.some(({ type, status }) =>
            type === "Ready" && status === "True"
          );
          return isReady ? spec?.nodeName ?? undefined : undefined;
        }),
      }),
      runInformer(nodes, {
        ...options,
        kind: "Node",
        target: this.#target(this.#addressesOfNode, ({ status }: Node) => status?.addresses ?? undefined),
      }),
    ];
    return Promise.resolve();
  }

  /** Ends the watches. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#informers);
    for (const timer of this.#counted.values()) clearTimeout(timer);
  }

  /** Keeps in a map what `read` takes from objects, by their names; an object without it has no entry. */
  #target<T extends Pod | Node, V>(
    map: Map<string, V>,
    read: (object: T) => V | undefined,
  ): InformerTarget<T> {
    const nameOf = ({ metadata }: T) => metadata?.name ?? "";
    const set = (object: T) => {
      const value = read(object);
      if (value === undefined) map.delete(nameOf(object));
      else map.set(nameOf(object), value);
    };
    return {
      replace: (objects) => {
        map.clear();
        for (const object of objects) set(object);
        this.#count();
      },
      set: (object) => {
        set(object);
        this.#count();
      },
      delete: (object) => {
        map.delete(nameOf(object));
        this.#count();
      },
    };
  }

  #count(): void {
    const ready = new Set(this.#nodeOfPod.values());
    for (const node of ready) {
      clearTimeout(this.#counted.get(node));
      this.#counted.set(node, undefined);
    }
    for (const [node, timer] of this.#counted) {
      if (ready.has(node) || timer !== undefined) continue;
      const leave = () => {
        this.#counted.delete(node);
        this.#publish();
      };
      this.#counted.set(node, setTimeout(leave, this.#options.linger ?? LINGER_MILLISECONDS));
    }
    this.#publish();
  }

  #publish(): void {
    const addresses = addressesOf(
      [...this.#counted.keys()].map((node) => this.#addressesOfNode.get(node) ?? []),
    );
    if (JSON.stringify(addresses) === JSON.stringify(this.#current)) return;
    this.#current = addresses;
    this.#tick();
  }
}

/** The calls for the proxies' Pods in a namespace. */
export function proxyPodApi(client: RestClient, namespace: string): InformerApi<Pod> {
  const core = new CoreV1Api(client).namespace(namespace);
  const labelSelector = PROXY_SELECTOR;
  return {
    list: (call) => core.getPodList({ ...call, labelSelector }),
    watch: (call) => core.watchPodList({ ...call, labelSelector }),
  };
}

/** The calls for the proxies of a namespace. */
export function proxyNodeApis(client: RestClient, namespace: string): ProxyNodeApis {
  const core = new CoreV1Api(client);
  return {
    pods: proxyPodApi(client, namespace),
    nodes: {
      list: (call) => core.getNodeList(call),
      watch: (call) => core.watchNodeList(call),
    },
  };
}

/** Options of {@linkcode ServiceAddresses}. */
export interface ServiceAddressesOptions {
  /** Lists and watches the Service in front of the proxies, and no other one. */
  api: InformerApi<Service>;
  /** Told of interruptions. */
  log: Log;
}

/** The addresses that a cloud has given to the Service in front of the proxies. */
export class ServiceAddresses implements PublishedAddresses {
  readonly #options: ServiceAddressesOptions;
  readonly #stop = new AbortController();
  #current: readonly PublishedAddress[] = [];
  #informer: Promise<void> = Promise.resolve();

  /** Follows nothing yet. */
  constructor(options: ServiceAddressesOptions) {
    this.#options = options;
  }

  /** None before the cloud has made a load balancer. */
  current(): readonly PublishedAddress[] {
    return this.#current;
  }

  /** Starts to follow the Service. */
  start(tick: () => void): Promise<void> {
    const see = (service: Service | undefined) => {
      const ingress = service?.status?.loadBalancer?.ingress ?? [];
      const addresses = ingress.flatMap(({ ip, hostname }): PublishedAddress[] =>
        ip ? [{ ip }] : hostname ? [{ hostname }] : []
      );
      if (JSON.stringify(addresses) === JSON.stringify(this.#current)) return;
      this.#current = addresses;
      tick();
    };
    const { api, log } = this.#options;
    this.#informer = runInformer(api, {
      kind: "Service",
      signal: this.#stop.signal,
      log,
      target: { replace: ([service]) => see(service), set: see, delete: () => see(undefined) },
    });
    return Promise.resolve();
  }

  /** Ends the watch. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#informer;
  }
}

/** The calls for the Service in front of the proxies of a namespace. */
export function proxyServiceApi(client: RestClient, namespace: string): InformerApi<Service> {
  const core = new CoreV1Api(client).namespace(namespace);
  const fieldSelector = `metadata.name=${PROXY_NAME}`;
  return {
    list: (call) => core.getServiceList({ ...call, fieldSelector }),
    watch: (call) => core.watchServiceList({ ...call, fieldSelector }),
  };
}
