import { backendsOf, type Certificate, type EndpointsFile, serviceKey } from "@pingress/config";
import { lineBytes, ShardSpace } from "../shards.ts";
import type { Claim } from "./build_rules.ts";
import type { Problem } from "./problem.ts";
import { tellLeftOut } from "./tell_left_out.ts";

/** Options of {@linkcode fitClaims}. */
export interface FitClaimsOptions {
  /** What is named apart from rules: few and small. */
  certificates: readonly Certificate[];
  /** The endpoints of all backends. */
  endpoints: EndpointsFile;
  /** Takes what is left out. */
  problems: Problem[];
}

/**
 * The rules that the ConfigMaps have room for, together with the endpoints of their backends. Those that come
 * first have it first. What is left out is told once for each Ingress and host.
 */
export function fitClaims(
  claims: readonly Claim[],
  { certificates, endpoints, problems }: FitClaimsOptions,
): Claim[] {
  const space = new ShardSpace();
  // the Secrets hold them, with keys and chains: they take but a part of a ConfigMap of the same size
  for (const certificate of certificates) {
    space.take([{ name: certificate.host, bytes: lineBytes(JSON.stringify(certificate)) }]);
  }
  const listed = new Set<string>();
  const fitting: Claim[] = [];
  const leftOut: Claim[] = [];
  for (const claim of claims) {
    const keys = new Set(backendsOf(claim.rule).map(serviceKey));
    const parts = [{ name: claim.rule.host, bytes: lineBytes(JSON.stringify(claim.rule)) }];
    for (const key of keys) {
      if (listed.has(key)) continue;
      parts.push({ name: key, bytes: lineBytes(JSON.stringify([key, endpoints[key]])) });
    }
    if (space.take(parts)) {
      for (const key of keys) listed.add(key);
      fitting.push(claim);
    } else leftOut.push(claim);
  }
  tellLeftOut(leftOut, {
    reason: "OutOfSpace",
    problems,
    messageFor: (what) =>
      `The proxies' ConfigMaps have no room for ${what}: not served. ` +
      "Remove Ingresses, or spread the paths over more hosts",
  });
  return fitting;
}
