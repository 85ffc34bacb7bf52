import { wildcardOf } from "@pingress/config";
import { PREFIXES } from "../annotations/known.ts";
import { isRegexPath } from "../annotations/paths.ts";
import { bool } from "../annotations/values.ts";
import { type Ingress, objectKey } from "../objects.ts";
import { namedHosts } from "../translate/build_rules.ts";
import { readHost } from "../translate/hosts.ts";
import type { Finding, Verdict } from "./findings.ts";

/** A path of a host, and whose it is. */
interface HostPath {
  ingress: Ingress;
  /** The field. */
  field: string;
  host: string;
  path: string;
  /** How it is compared. */
  type: string;
}

/**
 * What ingress-nginx makes of the paths of a host because of all Ingresses of that host, which one of them alone
 * does not show (https://kubernetes.io/blog/2026/02/27/ingress-nginx-before-you-migrate/).
 */
export function hostFindings(ingresses: readonly Ingress[]): Map<Ingress, Finding[]> {
  const found = new Map<Ingress, Finding[]>();
  const paths = ingresses.flatMap(pathsOf);
  for (const [host, all] of Map.groupBy(paths, ({ host }) => host)) {
    const regex = all.find(isRegex);
    const told = new Set<Ingress>();
    for (const { ingress, path, type, field } of all) {
      const add = (message: string) =>
        found.set(ingress, [...found.get(ingress) ?? [], { verdict: "look", kind: "path", field, message }]);
      if (regex !== undefined) {
        if (told.has(ingress) || all.some((other) => other.ingress === ingress && isRegex(other))) continue;
        told.add(ingress);
        add(
          `ingress-nginx takes every path of ${host} for a regular expression, without case and open at its end, ` +
            `because of Ingress ${
              objectKey(regex.ingress)
            }; Pingress takes those of this Ingress as they are: ` +
            "see which requests they are meant for",
        );
      } else if (type === "ImplementationSpecific" && !path.endsWith("/")) {
        add(
          `ingress-nginx takes every path that begins with ${path}, as ${path}-x; Pingress takes ${path} and ` +
            "what is below it",
        );
      } else if (/.\/$/.test(path) && !all.some((other) => `${other.path}/` === path)) {
        add(
          `ingress-nginx sends ${path.slice(0, -1)} to ${path} (301), ` +
            (type === "Exact" ? "Pingress does not" : "Pingress passes both on as they are"),
        );
      }
    }
  }
  return found;
}

function pathsOf(ingress: Ingress): HostPath[] {
  return (ingress.spec?.rules ?? []).flatMap(({ host, http }, rule) =>
    (http?.paths ?? []).map(({ path = "/", pathType = "" }, index) => ({
      ingress,
      field: `spec.rules[${rule}].http.paths[${index}].path`,
      host: (host && readHost(host)) || "every host",
      path,
      type: pathType,
    }))
  );
}

/** Is it one for ingress-nginx, which is told so by annotations that may be invalid here? */
function isRegex({ ingress: { metadata: { annotations = {} } }, path }: HostPath): boolean {
  const value = (name: string) => {
    const annotation = PREFIXES.map((prefix) => prefix + name).find((name) =>
      Object.hasOwn(annotations, name)
    );
    return annotation === undefined ? "" : annotations[annotation] ?? "";
  };
  const rewrite = value("rewrite-target").trim();
  return isRegexPath(path, {
    "use-regex": isTrue(value("use-regex")),
    ...rewrite !== "" && { "rewrite-target": rewrite },
  });
}

function isTrue(text: string): boolean {
  try {
    return bool(text);
  } catch {
    return false;
  }
}

/** Finds out of which hosts ingress-nginx has a certificate, be it its own: those of Ingresses with TLS. */
export function tlsHosts(ingresses: readonly Ingress[]): (host: string) => boolean {
  const hosts = new Set(
    ingresses.filter(({ spec }) => (spec?.tls ?? []).length > 0).flatMap((ingress) => [
      ...namedHosts(ingress),
      ...(ingress.spec?.tls ?? []).flatMap(({ hosts = [] }) => hosts.flatMap((host) => readHost(host) ?? [])),
    ]),
  );
  return (host) => hosts.has(host) || hosts.has(wildcardOf(host) ?? "");
}

/** Ingresses that could move, but have a host in common with one that cannot: one controller serves a host. */
export function sharedHosts<Of extends { ingress: string; hosts: string[]; verdict: Verdict }>(
  ingresses: readonly Of[],
): [ingress: Of, finding: Finding][] {
  const stuck = new Map<string, string>();
  for (const { ingress, hosts, verdict } of ingresses) {
    if (verdict === "cannot") { for (const host of hosts) stuck.set(host, ingress); }
  }
  return ingresses.filter(({ verdict }) => verdict !== "cannot").flatMap((ingress) =>
    ingress.hosts.filter((host) => stuck.has(host)).map((host): [Of, Finding] => [ingress, {
      verdict: "look",
      kind: "host",
      message: `${host} is a host of Ingress ${stuck.get(host)}, too, which cannot move: ` +
        "the name leads to one controller only, so this one is not changed either",
    }])
  );
}
