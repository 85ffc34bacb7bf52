import { objectKey } from "../objects.ts";
import type { Claim } from "./build_rules.ts";
import { type Problem, ProblemList, type ProblemReason } from "./problem.ts";

/** Options of {@linkcode tellLeftOut}. */
export interface TellLeftOutOptions {
  /** Why they are left out, for programs. */
  reason: ProblemReason;
  /** The same in words, about a host and path and how many more. */
  messageFor: (what: string) => string;
  /** Takes what is left out. */
  problems: Problem[];
}

/** Tells of rules that are not served, though nothing is wrong with them alone: once for each Ingress and host. */
export function tellLeftOut(
  claims: readonly Claim[],
  { reason, messageFor, problems }: TellLeftOutOptions,
): void {
  const byOwner = Map.groupBy(claims, ({ rule, ingress }) => `${objectKey(ingress)} ${rule.host}`);
  for (const [first, ...others] of byOwner.values()) {
    if (first === undefined) continue;
    const { rule: { host = "every host", path }, ingress, field } = first;
    const more = others.length === 0 ? "" : ` and ${others.length} more of this Ingress`;
    new ProblemList(ingress, problems).add(reason, field, messageFor(`${host} ${path.path}${more}`));
  }
}
