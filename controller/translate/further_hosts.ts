import type { Rule } from "@pingress/config";
import type { PathValues } from "../annotations/paths.ts";
import { annotationField } from "../annotations/read_annotations.ts";
import type { Ingress } from "../objects.ts";
import { type Claim, namedHosts } from "./build_rules.ts";
import { readHost } from "./hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";
import { ALL_PATHS } from "./read_path.ts";

/** A host that no rule names, and that is served because of one that rules do name. */
export interface FurtherHost {
  /** The further one. */
  name: string;
  /** The one that rules name. */
  host: string;
  /** Who says so. */
  ingress: Ingress;
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

  const take = (further: FurtherHost, { annotation, ruleOf }: Taking) => {
    const { name, host, ingress } = further;
    const other = taken.get(name);
    if (name === host || other?.host === host) return;
    const field = annotationField(ingress, annotation);
    const why = named.has(name) ? "has rules of its own" : other && `leads to ${other.host} already`;
    if (why === undefined) {
      taken.set(name, further);
      added.push(...(byHost.get(host) ?? []).flatMap((claim, index) => {
        const rule = ruleOf(claim.rule, index);
        return rule === undefined ? [] : [{ ...claim, rule: { ...rule, host: name } }];
      }));
    } else {
      new ProblemList(ingress, problems).add(
        "HostConflict",
        field,
        `${name} ${why}: it does not lead to ${host}`,
      );
    }
  };

  for (const ingress of ingresses) {
    const { "server-alias": aliases = [] } = valuesOf(ingress);
    const [host] = namedHosts(ingress);
    for (const alias of aliases) {
      const name = readHost(alias);
      if (name !== undefined && host !== undefined) {
        take({ name, host, ingress }, { annotation: "server-alias", ruleOf: (rule) => rule });
        continue;
      }
      const what = name === undefined
        ? 'is not a DNS name, with "*." before it or not; regular expressions are not supported'
        : "is an alias of no host, for the Ingress names none";
      const field = annotationField(ingress, "server-alias");
      new ProblemList(ingress, problems).add(
        "InvalidHost",
        field,
        `${JSON.stringify(alias)} ${what}: it is not served`,
      );
    }
  }
  for (const ingress of ingresses) {
    if (valuesOf(ingress)["from-to-www-redirect"] !== true) continue;
    for (const host of namedHosts(ingress)) {
      const name = readHost(host.startsWith("www.") ? host.slice("www.".length) : `www.${host}`);
      if (name === undefined) {
        const field = annotationField(ingress, "from-to-www-redirect");
        new ProblemList(ingress, problems).add(
          "InvalidHost",
          field,
          `${host} has no other name: it has no redirect`,
        );
        continue;
      }
      const options = { hostRedirect: { host, code: WWW_CODE } };
      take({ name, host, ingress }, {
        annotation: "from-to-www-redirect",
        // one rule is enough, and its backend is never asked
        ruleOf: ({ backend }, index) => index === 0 ? { path: ALL_PATHS, backend, options } : undefined,
      });
    }
  }
  return { claims: [...claims, ...added], hosts: [...taken.values()] };
}

/** How a name is taken. */
interface Taking {
  /** The annotation that asks for it. */
  annotation: string;
  /** Makes a rule of the name out of one of its host's. */
  ruleOf: (rule: Rule, index: number) => Rule | undefined;
}
