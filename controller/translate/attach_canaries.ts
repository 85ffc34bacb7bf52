import { type Canary, serviceKey } from "@pingress/config";
import { CANARY_NAMES, canaryOf } from "../annotations/canary.ts";
import { type AnnotationValues, fieldOf } from "../annotations/read_annotations.ts";
import { type Ingress, objectKey } from "../objects.ts";
import { type Claim, claimKey, pathClaims } from "./build_rules.ts";
import { type Problem, ProblemList } from "./problem.ts";
import type { BackendResolver } from "./resolve_backend.ts";

/** Options of {@linkcode attachCanaries}. */
export interface AttachCanariesOptions {
  /** What is served without them. */
  claims: readonly Claim[];
  /** Finds Services and their endpoints. */
  backends: BackendResolver;
  /** What Ingresses say in annotations. */
  annotations: ReadonlyMap<Ingress, AnnotationValues>;
  /** Takes what is wrong. */
  problems: Problem[];
}

/**
 * Finds what each canary is one of: the same host and path of another Ingress of its namespace. A claim has one
 * canary, the oldest.
 *
 * @returns the claims with their canaries.
 */
export function attachCanaries(
  canaries: readonly Ingress[],
  { claims, backends, annotations, problems }: AttachCanariesOptions,
): Claim[] {
  // those with options of their own ask no backend
  const byKey = new Map(
    claims.filter(({ rule }) => rule.options === undefined).map((claim) => [claimKey(claim.rule), claim]),
  );
  const attached = new Map<Claim, Canary>();
  // a canary says the path of what it is one of, and need not say again what kind of path that is
  const isRegexPath = (host: string | undefined, path: string) => {
    const key = claimKey({ ...host !== undefined && { host }, path: { type: "Regex", path } });
    return byKey.get(key)?.rule.path.type === "Regex";
  };
  for (const ingress of canaries) {
    const own = annotations.get(ingress);
    // whom it lets in cannot be told: it takes nobody
    if (own === undefined || own.closed !== undefined) continue;
    const list = new ProblemList(ingress, problems);
    const primaries = new Set<Ingress>();
    for (const { rule, field } of pathClaims(ingress, { backends, list, values: own.values, isRegexPath })) {
      const primary = byKey.get(claimKey(rule));
      const what = `${rule.host ?? "every host"} ${rule.path.path}`;
      const conflict = primary &&
        conflictWith(primary, { ingress, backend: serviceKey(rule.backend), attached });
      if (primary === undefined) {
        const message =
          `No other Ingress has ${what} with this type of path: the canary gets none of its requests`;
        list.add("CanaryWithoutPrimary", field, message);
      } else if (conflict !== undefined) {
        list.add("CanaryConflict", field, `${what} ${conflict}: the canary gets none of its requests`);
      } else {
        attached.set(primary, { backend: rule.backend, ...canaryOf(own.values) });
        primaries.add(primary.ingress);
      }
    }
    if (ingress.spec?.defaultBackend !== undefined) {
      list.add("CanaryConflict", "spec.defaultBackend", "A canary has no default backend: name its paths");
    }
    for (const primary of primaries) {
      tellDifferences(ingress, { primary, annotations, list });
    }
  }
  return claims.map((claim) => {
    const canary = attached.get(claim);
    return canary === undefined ? claim : { ...claim, canary };
  });
}

/** Why a claim cannot have a canary, if so. Who claims a path first has it, in other namespaces too. */
function conflictWith(
  claim: Claim,
  { ingress, backend, attached }: { ingress: Ingress; backend: string; attached: Map<Claim, Canary> },
): string | undefined {
  const { rule, ingress: owner } = claim;
  if (owner.metadata.namespace !== ingress.metadata.namespace) {
    return `belongs to the Ingress ${objectKey(owner)} of another namespace`;
  }
  if (serviceKey(rule.backend) === backend) return `leads to ${backend} in ${objectKey(owner)} as well`;
  return attached.has(claim) ? `of ${objectKey(owner)} has an older canary` : undefined;
}

/** What the other Ingress says counts for the canary too: nothing to tell where both say the same. */
function tellDifferences(
  ingress: Ingress,
  { primary, annotations, list }: {
    primary: Ingress;
    annotations: ReadonlyMap<Ingress, AnnotationValues>;
    list: ProblemList;
  },
): void {
  const others = annotations.get(primary)?.values ?? {};
  for (const [name, value] of Object.entries(annotations.get(ingress)?.values ?? {})) {
    if (CANARY_NAMES.includes(name) || JSON.stringify(value) === JSON.stringify(others[name])) continue;
    const message = `It does nothing for a canary: what ${
      objectKey(primary)
    } says counts for it. Say it there`;
    list.add("AnnotationConflict", fieldOf(ingress, name), message);
  }
}
