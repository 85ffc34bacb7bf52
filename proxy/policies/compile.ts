import type { RuleOptions } from "@pingress/config";
import { accessPolicy } from "./access.ts";
import { affinityPolicy } from "./affinity.ts";
import { backendTlsPolicy } from "./backend_tls.ts";
import { balancePolicy, hashByPolicy } from "./balance.ts";
import { canaryPolicy } from "./canary.ts";
import { closedPolicy } from "./closed.ts";
import { corsPolicy } from "./cors.ts";
import { errorsPolicy } from "./errors.ts";
import { limitPolicy } from "./limits.ts";
import type { Policies, PolicyEnvironment, PolicyFactory } from "./policy.ts";
import { hostRedirectPolicy, httpsRedirectPolicy, redirectPolicy } from "./redirects.ts";
import { responseHeadersPolicy, strictTransportSecurityPolicy } from "./response_headers.ts";
import {
  forwardedPrefixPolicy,
  rewritePolicy,
  rewriteRedirectPolicy,
  upstreamHostPolicy,
} from "./rewrite.ts";

/** All that there are. A request goes through them in this order, and its answer the other way around. */
const FACTORIES: readonly PolicyFactory[] = [
  corsPolicy,
  responseHeadersPolicy,
  strictTransportSecurityPolicy,
  errorsPolicy,
  redirectPolicy,
  hostRedirectPolicy,
  rewriteRedirectPolicy,
  httpsRedirectPolicy,
  closedPolicy,
  limitPolicy,
  // what chooses endpoints: the last one counts; and it may be by who asks, which nobody is told after access
  balancePolicy,
  hashByPolicy,
  accessPolicy,
  upstreamHostPolicy,
  forwardedPrefixPolicy,
  rewritePolicy,
  backendTlsPolicy,
  canaryPolicy,
  // it knows which backend it is by then
  affinityPolicy,
];

/** Makes the policies for the options of a rule, if there are any. @throws {Error} for options that make no sense. */
export function compilePolicies(
  options: RuleOptions,
  environment: PolicyEnvironment,
): Policies | undefined {
  const policies = FACTORIES.map((make) => make(options, environment)).filter((policy) =>
    policy !== undefined
  );
  if (policies.length === 0) return undefined;
  return {
    requests: policies.flatMap(({ request }) => request ?? []),
    responses: policies.flatMap(({ response }) => response ?? []).reverse(),
  };
}
