import type { Rule } from "@pingress/config";
import type { PathValues } from "../annotations/paths.ts";
import { fieldOf } from "../annotations/read_annotations.ts";
import type { Ingress } from "../objects.ts";
import { type Claim, namedHosts } from "./build_rules.ts";
import { readHost } from "./hosts.ts";
import { type Problem, ProblemList, type ProblemReason } from "./problem.ts";
import { ALL_PATHS } from "./read_path.ts";

/** A host that no rule names, and that is served because of one that rules do name. */
export interface FurtherHost {
  /** The further one. */
  name: string;
  /** The one that rules name. */
  host: string;
  /** Who says so. */
  ingress: Ingress;
  /** By which annotation. */
  annotation: "server-alias" | "from-to-www-redirect";
}

/** Options of {@linkcode furtherHosts}. */
export interface FurtherHostsOptions {
  /** What Ingresses say of hosts. */
  valuesOf: (ingress: Ingress) => PathValues;
  /** Takes what is wrong. */
  problems: Problem[];
}

const WWW_CODE = 308;

/**
 * Adds the rules of aliases, which are those of their hosts, and redirects between a host and its `www.` name.
 * A host that a rule names is none of them; otherwise the oldest Ingress has a name, and aliases come first.
 */
export function furtherHosts(
  claims: readonly Claim[],
  ingresses: readonly Ingress[],
  { valuesOf, problems }: FurtherHostsOptions,
): { claims: Claim[]; hosts: FurtherHost[] } {
  const byHost = Map.groupBy(claims, ({ rule }) => rule.host);
  const named = new Set(ingresses.flatMap((ingress) => [...namedHosts(ingress)]));
  const taken = new Map<string, FurtherHost>();
  const added: Claim[] = [];

  const tell = ({ ingress, annotation }: Pick<FurtherHost, "ingress" | "annotation">, problem: [
    reason: ProblemReason,
    message: string,
  ]) => {
    const [reason, message] = problem;
    new ProblemList(ingress, problems).add(reason, fieldOf(ingress, annotation), message);
  };
  const take = (further: FurtherHost, ruleOf: (rule: Rule, index: number) => Rule | undefined) => {
    const { name, host, annotation } = further;
    const other = taken.get(name);
    if (name === host || (other?.host === host && other.annotation === annotation)) return;
    const why = named.has(name) ? "has rules of its own" : other && `belongs to ${other.host}`;
    if (why !== undefined) {
      return tell(further, ["HostConflict", `${name} ${why}: it does not lead to ${host}`]);
    }
    taken.set(name, further);
    for (const [index, claim] of (byHost.get(host) ?? []).entries()) {
      const rule = ruleOf(claim.rule, index);
      if (rule !== undefined) added.push({ ...claim, rule: { ...rule, host: name } });
    }
  };

  for (const ingress of ingresses) {
    const annotation = "server-alias";
    const [host] = namedHosts(ingress);
    for (const alias of valuesOf(ingress)[annotation] ?? []) {
      const name = readHost(alias);
      if (name !== undefined && host !== undefined) {
        take({ name, host, ingress, annotation }, (rule) => rule);
        continue;
      }
      const what = name === undefined
        ? 'is not a DNS name, with "*." before it or not; regular expressions are not supported'
        : "is an alias of no host, for the Ingress names none";
      tell({ ingress, annotation }, [
        "InvalidHost",
        `${JSON.stringify(alias.slice(0, 253))} ${what}: it is not served`,
      ]);
    }
  }
  for (const ingress of ingresses) {
    const annotation = "from-to-www-redirect";
    if (valuesOf(ingress)[annotation] !== true) continue;
    for (const host of namedHosts(ingress)) {
      const name = readHost(host.startsWith("www.") ? host.slice("www.".length) : `www.${host}`);
      if (name === undefined) {
        tell({ ingress, annotation }, ["InvalidHost", `${host} has no other name: it has no redirect`]);
        continue;
      }
      const options = { hostRedirect: { host, code: WWW_CODE } };
      // one rule is enough, and its backend is never asked
      take(
        { name, host, ingress, annotation },
        ({ backend }, index) => index === 0 ? { path: ALL_PATHS, backend, options } : undefined,
      );
    }
  }
  return { claims: [...claims, ...added], hosts: [...taken.values()] };
}
