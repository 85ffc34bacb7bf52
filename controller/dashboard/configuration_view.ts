import {
  type CertificateFacts,
  certificateFacts,
  EVERY_NAME,
  type Rule,
  type ServiceBackend,
  serviceKey,
} from "@pingress/config";
import { certificateOf, pathType } from "../check/route_table.ts";
import { type Ingress, objectKey } from "../objects.ts";
import type { Outcome } from "../reporter.ts";
import { namedHosts } from "../translate/build_rules.ts";
import type { Problem } from "../translate/problem.ts";
import { classNameOf, DEFAULT_CLASS_NAME } from "../translate/select_ingresses.ts";
import { annotationViews } from "./annotation_views.ts";
import type {
  BackendName,
  BackendView,
  CertificateView,
  EndpointCounts,
  Filters,
  IngressRow,
  IngressView,
  Page,
  ProblemView,
  RouteView,
} from "./api.ts";
import { type EndpointHealth, NOTHING_KNOWN } from "./endpoint_health.ts";
import { SEVERITY } from "./severity.ts";

/** What a page of rows is asked for with. */
export interface RowQuery {
  /** Text that the row must have somewhere, in any letters. */
  search?: string;
  /** The Ingress's namespace. */
  namespace?: string;
  /** A route's host; the empty text for routes of every host. */
  host?: string;
  /** Only those of Ingresses with problems? */
  problems?: boolean;
  /** Only routes of which an endpoint is passed over? */
  passedOver?: boolean;
  /** The first row, from 0 on. */
  offset: number;
  /** The most rows. */
  limit: number;
}

/** How long before its end a certificate is one that expires soon, in milliseconds. */
const SOON_MILLISECONDS = 30 * 24 * 60 * 60 * 1000;

/** The most problems of an overview. */
const MOST_PROBLEMS = 20;

/** Something that is shown in a table, and the text that a search looks at. */
interface Entry<Row> {
  row: Row;
  haystack: string;
}

/** A route, but for how its endpoints do. */
type RouteRow = Omit<RouteView, "endpoints">;

interface RouteEntry extends Entry<RouteRow> {
  /** The endpoints of its backend: the same list for all routes to it. */
  addresses: readonly string[];
}

/**
 * One configuration, as it is shown. It never changes: all that takes long is done once when it is made, so that a
 * page of a table and a search take no more than a walk along a list. How its endpoints do is known to who asks.
 */
export class ConfigurationView {
  /** All problems, the worst first. */
  readonly problems: readonly ProblemView[];
  /** Certificates in use, those that end first come first. */
  readonly certificates: readonly CertificateView[];
  /** What the filters of the tables offer. */
  readonly filters: Filters;
  /** What is shown. */
  readonly outcome: Outcome;
  readonly #routeOf: ReadonlyMap<Rule | undefined, RouteEntry>;
  readonly #routes: readonly RouteEntry[];
  /** The endpoints of what routes lead to. */
  readonly #backends: ReadonlyMap<string, { name: BackendName; addresses: readonly string[] }>;
  /** Of all of them, each once. */
  readonly #addresses: readonly string[];
  readonly #counted = new WeakMap<EndpointHealth, Map<readonly string[], EndpointCounts>>();
  readonly #ingresses: readonly Entry<IngressRow>[];
  readonly #ingressOf: ReadonlyMap<string, Ingress>;

  /** Reads an outcome of the reconcile loop. */
  constructor(outcome: Outcome) {
    this.outcome = outcome;
    const { ingresses, config, problems, defaultFault } = outcome.translation;
    this.problems = [
      ...outcome.failure === undefined ? [] : [applyFailed(outcome.failure)],
      ...defaultFault === undefined ? [] : [defaultCertificateFault(defaultFault)],
      ...problems.map(problemView).sort(byWeight),
    ];
    const byIngress = Map.groupBy(this.problems, keyOf);
    this.certificates = certificateViews(outcome);
    this.#routeOf = routeEntries(outcome, (key) => byIngress.get(key)?.length ?? 0);
    this.#routes = [...this.#routeOf.values()];
    this.#backends = new Map(
      this.#routes.map((
        { row: { backend }, addresses },
      ) => [serviceKey(backend), { name: backend, addresses }]),
    );
    this.#addresses = [...new Set([...this.#backends.values()].flatMap(({ addresses }) => addresses))];
    const routesOf = Map.groupBy(this.#routes, ({ row: { ingress } }) => keyOf(ingress));
    this.#ingressOf = new Map(ingresses.map((ingress) => [objectKey(ingress), ingress]));
    this.#ingresses = [...this.#ingressOf].sort(([one], [other]) => one < other ? -1 : 1)
      .map(([key, ingress]) => {
        const own = byIngress.get(key) ?? [];
        const errors = own.filter(({ severity }) => severity === "error").length;
        const row: IngressRow = {
          namespace: ingress.metadata.namespace ?? "",
          name: ingress.metadata.name,
          hosts: [...namedHosts(ingress)].sort(),
          routes: routesOf.get(key)?.length ?? 0,
          errors,
          warnings: own.length - errors,
        };
        return { row, haystack: `${key}\n${row.hosts.join("\n")}`.toLowerCase() };
      });
    this.filters = {
      namespaces: [...new Set(ingresses.map(({ metadata }) => metadata.namespace ?? ""))].sort(),
      hosts: [...new Set(config.rules.flatMap(({ host }) => host ?? []))].sort(),
    };
  }

  /** How many there are of each. */
  counts(now: number) {
    return {
      ingresses: this.#ingresses.length,
      routes: this.#routes.length,
      hosts: this.filters.hosts.length,
      namespaces: this.filters.namespaces.length,
      certificates: this.certificates.length,
      expiringCertificates:
        this.certificates.filter(({ notAfter }) => notAfter < now + SOON_MILLISECONDS).length,
    };
  }

  /** The problems of an overview. */
  worstProblems(): ProblemView[] {
    return this.problems.slice(0, MOST_PROBLEMS);
  }

  /** A page of the routes. */
  routes(query: RowQuery, health = NOTHING_KNOWN): Page<RouteView> {
    const { host, namespace, problems, passedOver } = query;
    const found = page(
      this.#routes,
      query,
      ({ row, addresses }) =>
        (namespace === undefined || row.ingress.namespace === namespace) &&
        (host === undefined || (row.host ?? "") === host) &&
        (!problems || row.problems > 0) &&
        (!passedOver || this.#count(addresses, health).passedOver > 0),
    );
    return { ...found, rows: found.rows.map((entry) => this.#routeView(entry, health)) };
  }

  /** How a rule of the configuration is shown, and with none the default backend, if there is one. */
  routeView(rule: Rule | undefined, health = NOTHING_KNOWN): RouteView | undefined {
    const entry = this.#routeOf.get(rule);
    return entry && this.#routeView(entry, health);
  }

  /** A backend, as `namespace/name:port`, with its endpoints; nothing where no route leads to it. */
  backend(key: string, health = NOTHING_KNOWN): BackendView | undefined {
    const backend = this.#backends.get(key);
    return backend && {
      ...backend.name,
      proxies: health.proxies,
      endpoints: health.views(backend.addresses),
    };
  }

  /** How many endpoints routes lead to. */
  endpoints(health = NOTHING_KNOWN): EndpointCounts {
    return this.#count(this.#addresses, health);
  }

  /** A page of the Ingresses. */
  ingresses(query: RowQuery): Page<IngressRow> {
    const { namespace, problems } = query;
    const found = page(
      this.#ingresses,
      query,
      ({ row }) =>
        (namespace === undefined || row.namespace === namespace) &&
        (!problems || row.errors + row.warnings > 0),
    );
    return { ...found, rows: found.rows.map(({ row }) => row) };
  }

  /** The object of an Ingress, if Pingress serves one of that name. */
  ingressObject(namespace: string, name: string): Ingress | undefined {
    return this.#ingressOf.get(`${namespace}/${name}`);
  }

  /** An Ingress, but for what only the cluster knows of it. */
  ingress(ingress: Ingress, health = NOTHING_KNOWN): Omit<IngressView, "events" | "yaml"> {
    const { metadata: { name, namespace = "", creationTimestamp }, status } = ingress;
    const key = objectKey(ingress);
    const problems = this.problems.filter((problem) => keyOf(problem) === key);
    const own = this.#routes.filter(({ row }) => keyOf(row.ingress) === key);
    const backends = new Set(own.map(({ row: { backend } }) => serviceKey(backend)));
    return {
      namespace,
      name,
      className: classNameOf(ingress) ?? DEFAULT_CLASS_NAME,
      ...creationTimestamp !== undefined && { createdAt: creationTimestamp },
      addresses: (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []),
      routes: own.map((entry) => this.#routeView(entry, health)),
      backends: [...backends].flatMap((backend) => this.backend(backend, health) ?? []),
      problems,
      annotations: annotationViews(
        ingress,
        this.outcome.translation.problems.filter((problem) => problem.ingress === key),
      ),
    };
  }

  #routeView({ row, addresses }: RouteEntry, health: EndpointHealth): RouteView {
    return { ...row, endpoints: this.#count(addresses, health) };
  }

  /** Once for all routes to a backend, as long as proxies say nothing new. */
  #count(addresses: readonly string[], health: EndpointHealth): EndpointCounts {
    let counted = this.#counted.get(health);
    if (counted === undefined) this.#counted.set(health, counted = new Map());
    let counts = counted.get(addresses);
    if (counts === undefined) counted.set(addresses, counts = health.count(addresses));
    return counts;
  }
}

function page<E extends Entry<unknown>>(
  entries: readonly E[],
  { search = "", offset, limit }: RowQuery,
  isWanted: (entry: E) => boolean,
): Page<E> {
  const needle = search.trim().toLowerCase();
  const found = entries.filter((entry) => entry.haystack.includes(needle) && isWanted(entry));
  return { total: found.length, offset, rows: found.slice(offset, offset + limit) };
}

function keyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** What is written of it stays as it was. */
function applyFailed(failure: string): ProblemView {
  const message = `The configuration could not be written, which is tried again: ${failure}`;
  return { severity: "error", reason: "ApplyFailed", message, namespace: "", name: "" };
}

function defaultCertificateFault(fault: string): ProblemView {
  const message =
    `The default certificate cannot be used, the last good one stays if there was one: ${fault}`;
  return { severity: "error", reason: "DefaultCertificate", message, namespace: "", name: "" };
}

/** An annotation that is not served is an error where it closes the Ingress. */
function problemView({ ingress, field, reason, message, closes }: Problem): ProblemView {
  const [namespace = "", name = ""] = ingress.split("/");
  const severity = closes ? "error" : SEVERITY[reason];
  return { severity, reason, message, ...field !== "" && { field }, namespace, name };
}

/** Errors first; what is equally bad stays in its order. */
function byWeight(one: ProblemView, other: ProblemView): number {
  return Number(other.severity === "error") - Number(one.severity === "error");
}

/** The routes by their rules, in their order; the default backend's comes last, and has none. */
function routeEntries(
  { translation }: Outcome,
  problemsOf: (ingress: string) => number,
): Map<Rule | undefined, RouteEntry> {
  const { claims, config, endpoints, certificates } = translation;
  const common = (ingress: Ingress, { namespace, name, port }: ServiceBackend) => ({
    ingress: { namespace: ingress.metadata.namespace ?? "", name: ingress.metadata.name },
    backend: { namespace, name, port },
    problems: problemsOf(objectKey(ingress)),
  });
  const entry = (row: RouteRow): RouteEntry => ({
    row,
    haystack: routeHaystack(row),
    addresses: endpoints[serviceKey(row.backend)] ?? NONE,
  });
  const ingressOf = new Map(claims.map(({ rule, ingress }) => [rule, ingress]));
  const entries = new Map<Rule | undefined, RouteEntry>();
  for (const rule of config.rules) {
    const ingress = ingressOf.get(rule);
    if (ingress === undefined) throw new Error("BUG: a rule that no Ingress has claimed");
    ingressOf.delete(rule);
    const { host, path, backend } = rule;
    const certificate = certificateOf(host, certificates)?.secret;
    entries.set(
      rule,
      entry({
        ...host !== undefined && { host },
        path: path.path,
        type: pathType(path),
        ...common(ingress, backend),
        ...certificate !== undefined && { certificate },
      }),
    );
  }
  // what is left is the default backend's
  const [rest] = ingressOf;
  if (rest !== undefined) {
    entries.set(undefined, entry({ type: "Default", ...common(rest[1], rest[0].backend) }));
  }
  return entries;
}

const NONE: readonly string[] = [];

function routeHaystack({ host = "", path = "", ingress, backend }: RouteRow): string {
  // who searches for a URL without its scheme finds it, too
  return `${host}${path}\n${serviceKey(backend)}\n${keyOf(ingress)}`.toLowerCase();
}

function certificateViews({ translation: { certificates, ingresses } }: Outcome): CertificateView[] {
  const bySecret = Map.groupBy(certificates, ([, { secret }]) => secret);
  const naming = new Map<string, Set<Ingress>>();
  for (const ingress of ingresses) {
    for (const { secretName } of ingress.spec?.tls ?? []) {
      const secret = secretName
        ? `${ingress.metadata.namespace ?? ""}/${secretName}`
        : certificates.get(EVERY_NAME)?.secret;
      if (secret === undefined || !bySecret.has(secret)) continue;
      naming.set(secret, (naming.get(secret) ?? new Set()).add(ingress));
    }
  }
  return [...bySecret].flatMap(([secret, entries]): CertificateView[] => {
    const facts = factsOf(entries[0]?.[1].cert ?? "");
    if (facts === undefined) return [];
    return [{
      secret,
      ...facts,
      hosts: entries.map(([host]) => host).sort(),
      ingresses: [...naming.get(secret) ?? []].map(({ metadata }) => ({
        namespace: metadata.namespace ?? "",
        name: metadata.name,
      })),
    }];
  }).sort((one, other) => one.notAfter - other.notAfter || (one.secret < other.secret ? -1 : 1));
}

/** Certificates stay when configurations change. */
const known = new Map<string, CertificateFacts>();
const MOST_KNOWN = 10_000;

/** A certificate that an earlier run left may be none. */
function factsOf(cert: string): CertificateFacts | undefined {
  let facts = known.get(cert);
  if (facts !== undefined) return facts;
  try {
    facts = certificateFacts(cert);
  } catch {
    return undefined;
  }
  if (known.size === MOST_KNOWN) known.clear();
  known.set(cert, facts);
  return facts;
}
