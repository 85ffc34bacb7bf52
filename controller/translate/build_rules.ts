import type { Canary, Rule, ServiceBackend } from "@pingress/config";
import { hasRegexPaths, type PathValues } from "../annotations/paths.ts";
import { fieldOf } from "../annotations/read_annotations.ts";
import { type Ingress, objectKey } from "../objects.ts";
import { readHost } from "./hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";
import { ALL_PATHS, readPath } from "./read_path.ts";
import type { BackendResolver } from "./resolve_backend.ts";

/** A rule, and the Ingress that it is from. */
export interface Claim {
  /** What is claimed. */
  rule: Rule;
  /** By whom. */
  ingress: Ingress;
  /** The field that says so. */
  field: string;
  /** Where part of its requests goes. */
  canary?: Canary;
}

/** What Ingresses say of their rules. */
export interface RuleValues extends PathValues {
  /** Are the Services' own addresses their endpoints? */
  "service-upstream"?: boolean;
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
  /** What Ingresses say of their rules. */
  valuesOf: (ingress: Ingress) => RuleValues;
  /** Takes what is wrong. */
  problems: Problem[];
}

const DEFAULT_BACKEND = "spec.defaultBackend";

const APP_ROOT_CODE = 302;

/**
 * Makes routes of Ingresses, which come oldest first: a host and path belong to the first one that claims them.
 * The default backend of an Ingress takes what is left of every host that its rules name; and what is left of
 * everything, if no older Ingress has a default backend.
 */
export function buildRules(
  ingresses: readonly Ingress[],
  { backends, valuesOf, problems }: BuildRulesOptions,
): BuiltRules {
  const claims = new Claims();
  const catchAlls: { ingress: Ingress; backend: ServiceBackend; claiming: Claiming }[] = [];
  for (const ingress of ingresses) {
    const list = new ProblemList(ingress, problems);
    const claiming: Claiming = { claims, values: valuesOf(ingress), list, roots: new Set() };
    for (const claim of pathClaims(ingress, { ...claiming, backends })) {
      const { rule, field } = claim;
      // before any path of its own
      claimAppRoot(ingress, { ...claiming, host: rule.host, backend: rule.backend });
      const winner = claims.claim(claim);
      if (winner === undefined) continue;
      list.add("PathConflict", field, `${claimedBy(winner, rule, ingress)}: this path is not served`);
    }
    const { spec, metadata: { namespace = "" } } = ingress;
    if (spec?.defaultBackend === undefined) continue;
    const serviceUpstream = serviceUpstreamOf(ingress, claiming.values);
    const place = { namespace, field: DEFAULT_BACKEND, problems: list, serviceUpstream };
    const backend = backends.resolve(spec.defaultBackend, place);
    if (backend !== undefined) catchAlls.push({ ingress, backend, claiming });
  }
  // what an Ingress says of a path comes before what another one says of the rest of that host
  for (const { ingress, backend, claiming } of catchAlls) {
    for (const host of namedHosts(ingress)) {
      claimAppRoot(ingress, { ...claiming, host, backend });
      claims.claim({ rule: { host, path: ALL_PATHS, backend }, ingress, field: DEFAULT_BACKEND });
    }
  }
  const [first, ...others] = catchAlls;
  if (first === undefined) return { claims: claims.all() };
  for (const { claiming } of others) {
    claiming.list.add(
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

/** What claims are made with. */
interface Claiming {
  claims: Claims;
  values: RuleValues;
  list: ProblemList;
  /** The hosts of the Ingress whose `/` has been claimed for its app-root, or could not be. */
  roots: Set<string | undefined>;
}

/** The field by which an Ingress says that its Services' own addresses are their endpoints, if it does. */
function serviceUpstreamOf(
  ingress: Ingress,
  { "service-upstream": isOwn = false }: RuleValues,
): string | undefined {
  return isOwn ? fieldOf(ingress, "service-upstream") : undefined;
}

/**
 * What the rules of an Ingress claim, as far as it can be served; `isRegexPath` says which paths are regular
 * expressions beside those that the Ingress itself takes for some.
 */
export function pathClaims(
  ingress: Ingress,
  { backends, values, list, isRegexPath = () => false }: Pick<Claiming, "values" | "list"> & {
    backends: BackendResolver;
    isRegexPath?: (host: string | undefined, path: string) => boolean;
  },
): Claim[] {
  const claimed: Claim[] = [];
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const isRegex = hasRegexPaths(ingress, values);
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
      const path = readPath({ path: pathText, pathType }, {
        field,
        list,
        isRegex: isRegex || isRegexPath(host, pathText ?? ""),
      });
      if (path === undefined) continue;
      const place = {
        namespace: ingress.metadata.namespace ?? "",
        field: `${field}.backend`,
        problems: list,
        serviceUpstream: serviceUpstreamOf(ingress, values),
      };
      const resolved = backends.resolve(backend, place);
      if (resolved === undefined) continue;
      const rule: Rule = { ...host !== undefined && { host }, path, backend: resolved };
      claimed.push({ rule, ingress, field });
    }
  }
  return claimed;
}

/** Sends who asks for exactly `/` elsewhere; the backend is never asked. */
function claimAppRoot(
  ingress: Ingress,
  { host, backend, claims, values: { "app-root": to }, list, roots }: Claiming & {
    host: string | undefined;
    backend: ServiceBackend;
  },
): void {
  if (to === undefined || roots.has(host)) return;
  roots.add(host);
  const field = fieldOf(ingress, "app-root");
  const rule: Rule = {
    ...host !== undefined && { host },
    path: { type: "Exact", path: "/" },
    backend,
    options: { redirect: { to, code: APP_ROOT_CODE } },
  };
  const winner = claims.claim({ rule, ingress, field });
  if (winner === undefined) return;
  list.add("PathConflict", field, `${claimedBy(winner, rule, ingress)}: the annotation does nothing there`);
}

function claimedBy(winner: Ingress, { host, path }: Rule, ingress: Ingress): string {
  const who = winner === ingress ? "earlier in this Ingress" : `by the older Ingress ${objectKey(winner)}`;
  return `${host ?? "every host"} ${path.path} is claimed ${who}`;
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

/**
 * Prefix paths are compared by their elements: a trailing slash makes no difference. A regular expression with the
 * text of a Prefix is after the same requests.
 */
export function claimKey({ host, path: { type, path } }: Pick<Rule, "host" | "path">): string {
  const text = type === "Prefix" ? path.replace(/(?<=.)\/$/, "") : path;
  return JSON.stringify([host ?? null, type === "Exact", text]);
}

/** The hosts that the rules of an Ingress name. */
export function namedHosts({ spec }: Ingress): Set<string> {
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
