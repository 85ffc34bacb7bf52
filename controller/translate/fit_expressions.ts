import { fitRegexes, LEAST_PATH_CHARACTERS, PathRegex } from "@pingress/config";
import type { Claim } from "./build_rules.ts";
import type { FurtherHost } from "./further_hosts.ts";
import type { Problem } from "./problem.ts";
import { tellLeftOut } from "./tell_left_out.ts";

/** Options of {@linkcode fitExpressions}. */
export interface FitExpressionsOptions {
  /** Hosts that no rule names. */
  further: readonly FurtherHost[];
  /** Takes what is left out. */
  problems: Problem[];
}

/**
 * The rules without the regular expressions that there are too many of: a host has only as many as every path that is
 * not too long can be compared with. Those that come first have the time first. What is left out is told once for
 * each Ingress and host; of a further host, which has the rules of another one, nothing is left to tell.
 */
export function fitExpressions(
  claims: readonly Claim[],
  { further, problems }: FitExpressionsOptions,
): Claim[] {
  const leftOut = new Set<Claim>();
  const expressions = claims.filter(({ rule }) => rule.path.type === "Regex");
  for (const ofHost of Map.groupBy(expressions, ({ rule }) => rule.host).values()) {
    const fit = fitRegexes(ofHost.map(({ rule }) => PathRegex.of(rule.path.path)));
    for (const [index, claim] of ofHost.entries()) {
      if (fit[index] === false) leftOut.add(claim);
    }
  }
  const isFurther = new Set<string | undefined>(further.map(({ name }) => name));
  tellLeftOut(expressions.filter((claim) => leftOut.has(claim) && !isFurther.has(claim.rule.host)), {
    reason: "TooManyRegexes",
    problems,
    messageFor: (what) =>
      `There is no time to compare a path of ${LEAST_PATH_CHARACTERS} characters with ${what}, beside the regular ` +
      "expressions that the host has already: not served. Let it begin with a name of its own, use fewer " +
      "repetitions, or spread the paths over more hosts",
  });
  return claims.filter((claim) => !leftOut.has(claim));
}
