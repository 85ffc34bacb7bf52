import type { PathMatch, Rule, ServiceBackend } from "@pingress/config";
import { type AnnotationValues, fieldOf } from "../annotations/read_annotations.ts";
import { type Ingress, objectKey } from "../objects.ts";
import { readHost } from "./hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";
import type { BackendResolver } from "./resolve_backend.ts";

/** A rule, and the Ingress that it is from. */
export interface Claim {
  /** What is claimed. */
  rule: Rule;
  /** By whom. */
  ingress: Ingress;
  /** The field that says so. */
  field: string;
}

/** What the rules of all Ingresses come to. */
export interface BuiltRules {
  /** The routes, without certificates: what Ingresses say of paths, then their default backends, the oldest first. */
  claims: Claim[];
  /** Takes what no rule matches. */
  defaultBackend?: Claim;
}

/** Options of {@linkcode buildRules}. */
export interface BuildRulesOptions {
  /** Finds Services and their endpoints. */
  backends: BackendResolver;
  /** What Ingresses say in annotations. */
  annotations: ReadonlyMap<Ingress, AnnotationValues>;
  /** Takes what is wrong. */
  problems: Problem[];
}

const DEFAULT_BACKEND = "spec.defaultBackend";

/** The catch-all of a host. */
const ALL_PATHS: PathMatch = { type: "Prefix", path: "/" };

/**
 * Makes routes of Ingresses, which come oldest first: a host and path belong to the first one that claims them.
 * The default backend of an Ingress takes what is left of every host that its rules name; and what is left of
 * everything, if no older Ingress has a default backend.
 */
export function buildRules(
  ingresses: readonly Ingress[],
  { backends, annotations, problems }: BuildRulesOptions,
): BuiltRules {
  const claims = new Claims();
  const catchAlls: { ingress: Ingress; backend: ServiceBackend; list: ProblemList }[] = [];
  for (const ingress of ingresses) {
    const list = new ProblemList(ingress, problems);
    const serviceUpstream = serviceUpstreamOf(ingress, { annotations });
    for (const claim of pathClaims(ingress, { backends, list, serviceUpstream })) {
      const winner = claims.claim(claim);
      if (winner !== undefined) tellConflict(claim, { winner, list });
    }
    const { spec, metadata: { namespace = "" } } = ingress;
    if (spec?.defaultBackend === undefined) continue;
    const place = { namespace, field: DEFAULT_BACKEND, problems: list, serviceUpstream };
    const backend = backends.resolve(spec.defaultBackend, place);
    if (backend !== undefined) catchAlls.push({ ingress, backend, list });
  }
  // what an Ingress says of a path comes before what another one says of the rest of that host
  for (const { ingress, backend } of catchAlls) {
    for (const host of namedHosts(ingress)) {
      claims.claim({ rule: { host, path: ALL_PATHS, backend }, ingress, field: DEFAULT_BACKEND });
    }
  }
  const [first, ...others] = catchAlls;
  if (first === undefined) return { claims: claims.all() };
  for (const { list } of others) {
    list.add(
      "DefaultBackendConflict",
      DEFAULT_BACKEND,
      `Hosts that no rule names go to the default backend of the older Ingress ${
        objectKey(first.ingress)
      }: ` +
        "this one is used for the hosts of its own rules alone",
    );
  }
  const { ingress, backend } = first;
  return {
    claims: claims.all(),
    defaultBackend: { rule: { path: ALL_PATHS, backend }, ingress, field: DEFAULT_BACKEND },
  };
}

/** The hosts and paths that are taken, and by whom. */
class Claims {
  readonly #claims = new Map<string, Claim>();

  /** @returns the Ingress that has this host and path already, if there is one. */
  claim(claim: Claim): Ingress | undefined {
    const key = claimKey(claim.rule);
    const winner = this.#claims.get(key)?.ingress;
    if (winner === undefined) this.#claims.set(key, claim);
    return winner;
  }

  all(): Claim[] {
    return [...this.#claims.values()];
  }
}

/** The field by which an Ingress says that its Services' own addresses are their endpoints, if it does. */
export function serviceUpstreamOf(
  ingress: Ingress,
  { annotations }: { annotations: ReadonlyMap<Ingress, AnnotationValues> },
): string | undefined {
  return annotations.get(ingress)?.values["service-upstream"] === true
    ? fieldOf(ingress, "service-upstream")
    : undefined;
}

/** What the rules of an Ingress claim, as far as it can be served. */
export function pathClaims(
  ingress: Ingress,
  { backends, list, serviceUpstream }: {
    backends: BackendResolver;
    list: ProblemList;
    serviceUpstream: string | undefined;
  },
): Claim[] {
  const claimed: Claim[] = [];
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  for (const [index, { host: text, http }] of rules.entries()) {
    const ruleField = `spec.rules[${index}]`;
    const host = ruleHost(text, { field: ruleField, list });
    if (host === null) continue;
    const paths = http?.paths ?? [];
    if (paths.length === 0 && defaultBackend === undefined) {
      const message = "The rule has no paths and the Ingress has no default backend: add one";
      list.add("NoPaths", `${ruleField}.http`, message);
    }
    for (const [pathIndex, { path: pathText, pathType, backend }] of paths.entries()) {
      const field = `${ruleField}.http.paths[${pathIndex}]`;
      const path = readPath({ path: pathText, pathType }, { field, list });
      if (path === undefined) continue;
      const place = {
        namespace: ingress.metadata.namespace ?? "",
        field: `${field}.backend`,
        problems: list,
        serviceUpstream,
      };
      const resolved = backends.resolve(backend, place);
      if (resolved === undefined) continue;
      const rule: Rule = { ...host !== undefined && { host }, path, backend: resolved };
      claimed.push({ rule, ingress, field });
    }
  }
  return claimed;
}

function tellConflict(
  { rule: { host, path }, ingress, field }: Claim,
  { winner, list }: { winner: Ingress; list: ProblemList },
): void {
  const who = winner === ingress ? "earlier in this Ingress" : `by the older Ingress ${objectKey(winner)}`;
  const what = `${host ?? "every host"} ${path.path}`;
  list.add("PathConflict", field, `${what} is claimed ${who}: this path is not served`);
}

/** @returns undefined for every host, null for a host that cannot be served. */
function ruleHost(
  host: string | undefined,
  { field, list }: { field: string; list: ProblemList },
): string | undefined | null {
  if (host === undefined || host === "") return undefined;
  const canonical = readHost(host);
  if (canonical !== undefined) return canonical;
  list.add(
    "InvalidHost",
    `${field}.host`,
    `${JSON.stringify(host)} is not a DNS name, with "*." before it or not: the rule is not served`,
  );
  return null;
}

function readPath(
  { path = "", pathType }: { path: string | undefined; pathType: string | undefined },
  { field, list }: { field: string; list: ProblemList },
): PathMatch | undefined {
  if (pathType !== "Exact" && pathType !== "Prefix" && pathType !== "ImplementationSpecific") {
    list.add(
      "InvalidPathType",
      `${field}.pathType`,
      `${
        JSON.stringify(pathType ?? null)
      } is none of Exact, Prefix and ImplementationSpecific: the path is not served`,
    );
    return undefined;
  }
  const type = pathType === "Exact" ? "Exact" : "Prefix";
  if (path === "" && pathType === "ImplementationSpecific") return ALL_PATHS;
  const fault = pathFault(path);
  if (fault === undefined) return { type, path };
  list.add("InvalidPath", `${field}.path`, `${JSON.stringify(path)} ${fault}: the path is not served`);
  return undefined;
}

/** Why no request could ever match a path. */
function pathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "does not start with a slash";
  if (/[?#]/.test(path)) return "has a query or a fragment, which are not compared";
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) {
    return "has a dot segment, which is resolved before paths are compared";
  }
  if (/[^\x21-\x7e]/.test(path)) return "has a character that must be percent-encoded";
  return undefined;
}

/** Prefix paths are compared by their elements: a trailing slash makes no difference. */
export function claimKey({ host, path: { type, path } }: Rule): string {
  return JSON.stringify([host ?? null, type, type === "Prefix" ? path.replace(/\/$/, "") : path]);
}

function namedHosts({ spec }: Ingress): Set<string> {
  return new Set((spec?.rules ?? []).flatMap(({ host }) => (host && readHost(host)) || []));
}

/** An order of rules that depends on nothing but the rules: for `sort()`. */
export function byHostAndPath(one: Rule, other: Rule): number {
  return compare(one.host ?? "", other.host ?? "") || compare(one.path.path, other.path.path) ||
    compare(one.path.type, other.path.type);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
