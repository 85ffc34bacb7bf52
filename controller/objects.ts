/**
 * Kubernetes objects, trimmed to what Pingress uses. Both sources read them with the same decoders, so that
 * the rest of the controller never meets a field of the wrong type.
 *
 * @module
 */
import {
  boolean,
  type Decoded,
  type Decoder,
  dictionary,
  integer,
  list,
  object,
  optional,
  ShapeError,
  string,
} from "@pingress/config";

/** A point in time, in milliseconds: the typed client has Dates, YAML has text. */
const timestamp: Decoder<number> = (value, path) => {
  const time = value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : NaN;
  if (Number.isNaN(time)) throw new ShapeError(path, value, "a time such as 2026-01-31T12:00:00Z");
  return time;
};

const metadataFields = {
  name: string("a name", (text) => text !== ""),
  namespace: optional(string()),
  creationTimestamp: optional(timestamp),
  annotations: optional(dictionary(string())),
};

const metadata = object(metadataFields);

const port = integer(1, 65535);

const ingressBackend = object({
  service: optional(object({
    name: string(),
    port: optional(object({ number: optional(integer(0, 65535)), name: optional(string()) })),
  })),
  resource: optional(object({ kind: optional(string()), name: optional(string()) })),
});

const ingress = object({
  metadata: object({
    ...metadataFields,
    uid: optional(string()),
    managedFields: optional(list(object({ manager: optional(string()), operation: optional(string()) }))),
  }),
  spec: optional(object({
    ingressClassName: optional(string()),
    defaultBackend: optional(ingressBackend),
    rules: optional(list(object({
      host: optional(string()),
      http: optional(object({
        paths: optional(list(object({
          path: optional(string()),
          pathType: optional(string()),
          backend: optional(ingressBackend),
        }))),
      })),
    }))),
    tls: optional(list(object({ hosts: optional(list(string())), secretName: optional(string()) }))),
  })),
  status: optional(object({
    loadBalancer: optional(object({
      ingress: optional(list(object({ ip: optional(string()), hostname: optional(string()) }))),
    })),
  })),
});

const ingressClass = object({ metadata, spec: optional(object({ controller: optional(string()) })) });

const service = object({
  metadata,
  spec: optional(object({
    type: optional(string()),
    externalName: optional(string()),
    clusterIP: optional(string()),
    ipFamilies: optional(list(string())),
    ports: optional(list(object({ name: optional(string()), port, protocol: optional(string()) }))),
  })),
});

/** `data` is base64, `stringData` is not: the API server merges the second into the first. */
const secret = object({
  metadata,
  type: optional(string()),
  data: optional(dictionary(string())),
  stringData: optional(dictionary(string())),
});

const endpointPorts = optional(list(object({ name: optional(string()), port: optional(port) })));

const endpoints = object({
  metadata,
  subsets: optional(list(object({
    addresses: optional(list(object({ ip: string() }))),
    ports: endpointPorts,
  }))),
});

const endpointSlice = object({
  metadata: object({
    name: string(),
    namespace: optional(string()),
    labels: optional(dictionary(string())),
  }),
  addressType: optional(string()),
  ports: endpointPorts,
  endpoints: optional(list(object({
    addresses: list(string()),
    conditions: optional(object({
      ready: optional(boolean()),
      serving: optional(boolean()),
      terminating: optional(boolean()),
    })),
  }))),
});

/** A `networking.k8s.io/v1` Ingress. */
export type Ingress = Decoded<typeof ingress>;
/** A `networking.k8s.io/v1` IngressClass. */
export type IngressClass = Decoded<typeof ingressClass>;
/** A `v1` Service. */
export type Service = Decoded<typeof service>;
/** A `v1` Secret. */
export type Secret = Decoded<typeof secret>;
/** What an Ingress leads to. */
export type IngressBackend = Decoded<typeof ingressBackend>;

/** The addresses of a Service, from an EndpointSlice or from one subset of an Endpoints object. */
export interface EndpointGroup {
  /** `IPv4` or `IPv6`. */
  family: string;
  /** The ports by their names in the Service; the only port of a Service has the name "". */
  ports: { name: string; port: number }[];
  /** The addresses and how they are (https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions). */
  endpoints: { address: string; isReady: boolean; isServing: boolean; isTerminating: boolean }[];
}

/** An EndpointSlice or an Endpoints object. */
export interface ServiceEndpoints {
  /** Whose name is the object's own. */
  metadata: { name: string; namespace?: string };
  /** The Service that it belongs to. */
  service: string;
  /** Its addresses. */
  groups: EndpointGroup[];
}

function readEndpoints(value: unknown, path: string): ServiceEndpoints {
  const { metadata, subsets = [] } = endpoints(value, path);
  const groups = subsets.flatMap(({ addresses = [], ports }) => {
    const byFamily = Map.groupBy(addresses, ({ ip }) => ip.includes(":") ? "IPv6" : "IPv4");
    return [...byFamily].map(([family, members]) => ({
      family,
      ports: namedPorts(ports),
      endpoints: members.map(({ ip }) => ({
        address: ip,
        isReady: true,
        isServing: true,
        isTerminating: false,
      })),
    }));
  });
  return { metadata, service: metadata.name, groups };
}

function readEndpointSlice(value: unknown, path: string): ServiceEndpoints {
  const slice = endpointSlice(value, path);
  const { metadata, addressType = "IPv4" } = slice;
  const members = (slice.endpoints ?? []).flatMap(({ addresses, conditions = {} }) =>
    addresses.map((address) => {
      const isReady = conditions.ready ?? true;
      const isTerminating = conditions.terminating ?? false;
      return { address, isReady, isServing: conditions.serving ?? isReady, isTerminating };
    })
  );
  return {
    metadata,
    service: metadata.labels?.["kubernetes.io/service-name"] ?? "",
    // slices of DNS names are deprecated, and a name could lead anywhere
    groups: addressType === "FQDN"
      ? []
      : [{ family: addressType, ports: namedPorts(slice.ports), endpoints: members }],
  };
}

function namedPorts(ports: { name?: string; port?: number }[] = []): EndpointGroup["ports"] {
  return ports.flatMap(({ name = "", port }) => port === undefined ? [] : [{ name, port }]);
}

/** Everything that the configuration is made from. */
export interface Kinds {
  /** `networking.k8s.io/v1` */
  Ingress: Ingress;
  /** `networking.k8s.io/v1` */
  IngressClass: IngressClass;
  /** `v1` */
  Service: Service;
  /** `v1` */
  Secret: Secret;
  /** `v1`; for clusters without `discovery.k8s.io/v1`. */
  Endpoints: ServiceEndpoints;
  /** `discovery.k8s.io/v1` */
  EndpointSlice: ServiceEndpoints;
}

/** The name of a kind that Pingress reads. */
export type Kind = keyof Kinds;

/** How each kind is read and in which API it is. */
export const KINDS: {
  readonly [K in Kind]: { apiVersion: string; isClusterScoped: boolean; read: Decoder<Kinds[K]> };
} = {
  Ingress: { apiVersion: "networking.k8s.io/v1", isClusterScoped: false, read: ingress },
  IngressClass: { apiVersion: "networking.k8s.io/v1", isClusterScoped: true, read: ingressClass },
  Service: { apiVersion: "v1", isClusterScoped: false, read: service },
  Secret: { apiVersion: "v1", isClusterScoped: false, read: secret },
  Endpoints: { apiVersion: "v1", isClusterScoped: false, read: readEndpoints },
  EndpointSlice: { apiVersion: "discovery.k8s.io/v1", isClusterScoped: false, read: readEndpointSlice },
};

/** How an object is named among those of its kind: `namespace/name`. */
export function objectKey({ metadata }: { metadata: { name: string; namespace?: string } }): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
