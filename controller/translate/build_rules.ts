import type { PathMatch, Rule, ServiceBackend } from "@pingress/config";
import { type Ingress, objectKey } from "../objects.ts";
import { readHost } from "./hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";
import type { BackendResolver } from "./resolve_backend.ts";

/** What the rules of all Ingresses come to. */
export interface BuiltRules {
  /** The routes, without certificates. */
  rules: Rule[];
  /** Takes what no rule matches. */
  defaultBackend?: ServiceBackend;
}

/** Options of {@linkcode buildRules}. */
export interface BuildRulesOptions {
  /** Finds Services and their endpoints. */
  backends: BackendResolver;
  /** Takes what is wrong. */
  problems: Problem[];
}

/** The catch-all of a host. */
const ALL_PATHS: PathMatch = { type: "Prefix", path: "/" };

/**
 * Makes routes of Ingresses, which come oldest first: a host and path belong to the first one that claims them.
 * The default backend of an Ingress takes what is left of every host that its rules name; and what is left of
 * everything, if no older Ingress has a default backend.
 */
export function buildRules(
  ingresses: readonly Ingress[],
  { backends, problems }: BuildRulesOptions,
): BuiltRules {
  const claims = new Map<string, { rule: Rule; ingress: string }>();
  const catchAlls: { ingress: Ingress; backend: ServiceBackend; field: string }[] = [];
  for (const ingress of ingresses) {
    const list = new ProblemList(ingress, problems);
    const namespace = ingress.metadata.namespace ?? "";
    const { defaultBackend, rules = [] } = ingress.spec ?? {};
    for (const [index, rule] of rules.entries()) {
      const field = `spec.rules[${index}]`;
      const host = ruleHost(rule.host, { field, list });
      if (host === null) continue;
      const paths = rule.http?.paths ?? [];
      if (paths.length === 0 && defaultBackend === undefined) {
        list.add(
          "NoPaths",
          `${field}.http`,
          "The rule has no paths and the Ingress has no default backend: add one",
        );
      }
      for (const [pathIndex, { path, pathType, backend }] of paths.entries()) {
        const pathField = `${field}.http.paths[${pathIndex}]`;
        const match = readPath({ path, pathType }, { field: pathField, list });
        if (match === undefined) continue;
        const place = { namespace, field: `${pathField}.backend`, problems: list };
        const resolved = backends.resolve(backend, place);
        if (resolved === undefined) continue;
        const key = claimKey(host, match);
        const winner = claims.get(key);
        if (winner === undefined) {
          const rule = { ...host !== undefined && { host }, path: match, backend: resolved };
          claims.set(key, { rule, ingress: objectKey(ingress) });
        } else {
          const who = winner.ingress === objectKey(ingress)
            ? "earlier in this Ingress"
            : `by the older Ingress ${winner.ingress}`;
          list.add(
            "PathConflict",
            pathField,
            `${host ?? "every host"} ${match.path} is claimed ${who}: this path is not served`,
          );
        }
      }
    }
    if (defaultBackend !== undefined) {
      const field = "spec.defaultBackend";
      const backend = backends.resolve(defaultBackend, { namespace, field, problems: list });
      if (backend !== undefined) catchAlls.push({ ingress, backend, field });
    }
  }
  // what an Ingress says of a path comes before what another one says of the rest of that host
  for (const { ingress, backend } of catchAlls) {
    for (const host of namedHosts(ingress)) {
      const key = claimKey(host, ALL_PATHS);
      if (!claims.has(key)) {
        claims.set(key, { rule: { host, path: ALL_PATHS, backend }, ingress: objectKey(ingress) });
      }
    }
  }
  const [first, ...others] = catchAlls;
  for (const { ingress, field } of others) {
    new ProblemList(ingress, problems).add(
      "DefaultBackendConflict",
      field,
      `Hosts that no rule names go to the default backend of the older Ingress ${
        objectKey(first?.ingress ?? ingress)
      }: ` +
        "this one is used for the hosts of its own rules alone",
    );
  }
  return {
    rules: [...claims.values()].map(({ rule }) => rule).sort(byHostAndPath),
    ...first !== undefined && { defaultBackend: first.backend },
  };
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
function claimKey(host: string | undefined, { type, path }: PathMatch): string {
  return JSON.stringify([host ?? null, type, type === "Prefix" ? path.replace(/\/$/, "") : path]);
}

function namedHosts({ spec }: Ingress): Set<string> {
  return new Set((spec?.rules ?? []).flatMap(({ host }) => (host && readHost(host)) || []));
}

function byHostAndPath(one: Rule, other: Rule): number {
  const [first, second] = [one, other].map(({ host, path }) =>
    JSON.stringify([host ?? "", path.path, path.type])
  );
  return (first ?? "") < (second ?? "") ? -1 : 1;
}
