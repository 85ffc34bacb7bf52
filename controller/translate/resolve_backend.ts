import { isIP } from "node:net";
import {
  type EndpointsFile,
  formatAddress,
  isDnsName,
  isHostPattern,
  isPortName,
  parseAddress,
  type ServiceBackend,
  serviceKey,
} from "@pingress/config";
import {
  type EndpointGroup,
  type IngressBackend,
  objectKey,
  type Service,
  type ServiceEndpoints,
} from "../objects.ts";
import type { Snapshot } from "../store.ts";
import { endsWithNumber } from "./hosts.ts";
import type { ProblemList } from "./problem.ts";

/** Where a backend stands. */
export interface BackendPlace {
  /** The namespace of its Ingress, and so of its Service. */
  namespace: string;
  /** The field that holds it. */
  field: string;
  /** Takes what is wrong with it. */
  problems: ProblemList;
  /** The annotation by which the Service's own address is its one endpoint, if there is one. */
  serviceUpstream?: string | undefined;
}

type Port = NonNullable<NonNullable<Service["spec"]>["ports"]>[number];

/** Turns the backends of Ingresses into Services and ports, and finds their endpoints. */
export class BackendResolver {
  readonly #services: Map<string, Service>;
  readonly #groups: Map<string, EndpointGroup[]>;
  readonly #endpoints = new Map<string, string[]>();
  /** Backends whose one endpoint is their Service's own address. */
  readonly #atService = new Set<string>();

  /** Indexes a snapshot. */
  constructor({ Service: services, Endpoints, EndpointSlice }: Snapshot) {
    this.#services = new Map(services.map((service) => [objectKey(service), service]));
    this.#groups = groupsByService([...Endpoints, ...EndpointSlice]);
  }

  /** The endpoints of every backend that was resolved. */
  endpoints(): EndpointsFile {
    return Object.fromEntries([...this.#endpoints].sort(([one], [other]) => one < other ? -1 : 1));
  }

  /**
   * Finds what a backend means. One whose Service or port is missing is served all the same, with status 503:
   * its requests must not fall through to another path.
   *
   * @returns nothing for a backend that can never be served.
   */
  resolve(backend: IngressBackend | undefined, place: BackendPlace): ServiceBackend | undefined {
    const { field, problems, namespace } = place;
    if (backend?.resource !== undefined) {
      const what = `${backend.resource.kind ?? "resource"} ${backend.resource.name ?? ""}`.trim();
      problems.add(
        "ResourceBackend",
        `${field}.resource`,
        `Pingress serves Services only, not ${what}: name a Service`,
      );
      return undefined;
    }
    const wanted = backend?.service?.port?.number || backend?.service?.port?.name;
    if (!backend?.service?.name || !wanted) {
      problems.add(
        "InvalidBackend",
        field,
        "A backend needs the name of a Service and the number or the name of its port",
      );
      return undefined;
    }
    const { name } = backend.service;
    if (![name, namespace].every(isDnsName) || (typeof wanted === "string" && !isPortName(wanted))) {
      problems.add(
        "InvalidBackend",
        field,
        `${namespace}/${name}:${wanted} cannot be a Service and its port: names have lower-case letters, digits and '-'`,
      );
      return undefined;
    }
    const service = this.#services.get(`${namespace}/${name}`);
    if (service === undefined) {
      problems.add(
        "ServiceNotFound",
        `${field}.service.name`,
        `There is no Service ${namespace}/${name}: the answer is 503 until it is created`,
      );
      return this.#listed({ type: "Service", name, namespace, port: wanted }, []);
    }
    const port = this.#findPort(service, wanted);
    if (port === undefined) {
      const known = (service.spec?.ports ?? []).map(({ name, port }) =>
        name ? `${port} (${name})` : `${port}`
      );
      problems.add(
        "PortNotFound",
        `${field}.service.port`,
        `Service ${namespace}/${name} has no port ${wanted}, it has ${known.join(", ") || "none"}: ` +
          "the answer is 503 until one of the two is changed",
      );
      return this.#listed({ type: "Service", name, namespace, port: wanted }, []);
    }
    const found: ServiceBackend = { type: "Service", name, namespace, port: port.port };
    if (service.spec?.type === "ExternalName") {
      return this.#listed(found, externalEndpoints(service, { port, ...place }));
    }
    return this.#ready(service, port, place);
  }

  /** Finds a Service inside the cluster, and its first port, if there is one. */
  find(name: string, namespace: string): ServiceBackend | undefined {
    const service = this.#services.get(`${namespace}/${name}`);
    const port = service?.spec?.ports?.find(({ protocol = "TCP" }) => protocol === "TCP");
    if (service === undefined || port === undefined || service.spec?.type === "ExternalName") {
      return undefined;
    }
    return this.#ready(service, port);
  }

  #ready(service: Service, port: Port, place?: BackendPlace): ServiceBackend {
    const { name, namespace = "" } = service.metadata;
    const found: ServiceBackend = { type: "Service", name, namespace, port: port.port };
    const key = serviceKey(found);
    const own = place?.serviceUpstream === undefined ? undefined : serviceAddress(service, port);
    // many paths lead to one Service
    if (this.#endpoints.has(key)) {
      if (own !== undefined && !this.#atService.has(key)) {
        const message =
          `An older rule leads to the endpoints of ${key}, and so does this one: let all of them say the same`;
        place?.problems.add("AnnotationConflict", place.serviceUpstream ?? place.field, message);
      }
      return found;
    }
    if (own === undefined) {
      return this.#listed(found, readyEndpoints(service, port, this.#groups.get(objectKey(service)) ?? []));
    }
    this.#atService.add(key);
    return this.#listed(found, [own]);
  }

  #listed(backend: ServiceBackend, endpoints: string[]): ServiceBackend {
    this.#endpoints.set(serviceKey(backend), endpoints);
    return backend;
  }

  /** A Service of type ExternalName needs no ports of its own: a number is what it says. */
  #findPort({ spec }: Service, wanted: number | string): Port | undefined {
    const found = spec?.ports?.find(({ name, port, protocol = "TCP" }) =>
      protocol === "TCP" && wanted === (typeof wanted === "number" ? port : name)
    );
    if (found !== undefined) return found;
    return spec?.type === "ExternalName" && typeof wanted === "number" ? { port: wanted } : undefined;
  }
}

/** Where the cluster takes requests for a Service and chooses an endpoint itself; a headless one has no such address. */
function serviceAddress({ spec }: Service, { port }: Port): string | undefined {
  const { clusterIP = "" } = spec ?? {};
  return isIP(clusterIP) === 0 ? undefined : formatAddress({ hostname: clusterIP, port });
}

function groupsByService(objects: ServiceEndpoints[]): Map<string, EndpointGroup[]> {
  const groups = new Map<string, EndpointGroup[]>();
  for (const { metadata, service, groups: own } of objects) {
    const key = `${metadata.namespace ?? ""}/${service}`;
    groups.set(key, [...groups.get(key) ?? [], ...own]);
  }
  return groups;
}

/**
 * The addresses that take requests: ready ones, and where none is ready those that still serve while they
 * terminate. Of a dual-stack Service those of its first family, where it has any: both families lead to the
 * same Pods.
 */
function readyEndpoints({ spec }: Service, port: Port, groups: EndpointGroup[]): string[] {
  const family = spec?.ipFamilies?.[0];
  const ofFamily = groups.filter((group) => group.family === family);
  const candidates = (ofFamily.length > 0 ? ofFamily : groups).flatMap(({ ports, endpoints }) =>
    ports.filter(({ name }) => name === (port.name ?? "")).flatMap((target) =>
      endpoints.map((endpoint) => ({
        ...endpoint,
        text: formatAddress({ hostname: endpoint.address, port: target.port }),
      }))
    )
  );
  const ready = candidates.filter(({ isReady }) => isReady);
  const chosen = ready.length > 0
    ? ready
    : candidates.filter(({ isServing, isTerminating }) => isServing && isTerminating);
  // whoever writes endpoints by hand can write anything
  const addresses = chosen.map(({ text }) => text).filter((text) => parseAddress(text) !== undefined);
  return [...new Set(addresses)].sort();
}

/** An ExternalName leads out of the cluster by DNS; not to the proxy itself, nor to addresses. */
function externalEndpoints(
  { spec, metadata }: Service,
  { port, field, problems }: BackendPlace & { port: Port },
): string[] {
  const name = (spec?.externalName ?? "").toLowerCase().replace(/\.$/, "");
  const isLocal = name === "localhost" || name.endsWith(".localhost");
  if (!isHostPattern(name) || name.startsWith("*") || endsWithNumber(name) || isLocal) {
    problems.add(
      "UnsafeExternalName",
      `${field}.service.name`,
      `spec.externalName ${
        JSON.stringify(name)
      } of Service ${metadata.name} is not the DNS name of another host: ` +
        "the answer is 503 until it is one",
    );
    return [];
  }
  return [formatAddress({ hostname: name, port: port.port })];
}
