import type { RuleOptions } from "@pingress/config";
import { affinityPolicy } from "./affinity.ts";
import { backendTlsPolicy } from "./backend_tls.ts";
import { balancePolicy, hashByPolicy } from "./balance.ts";
import { canaryPolicy } from "./canary.ts";
import { closedPolicy } from "./closed.ts";
import type { Policy, PolicyEnvironment, PolicyFactory } from "./policy.ts";
import { httpsRedirectPolicy, redirectPolicy } from "./redirects.ts";

/** All that there are. A request goes through them in this order, and its answer the other way around. */
const FACTORIES: readonly PolicyFactory[] = [
  redirectPolicy,
  httpsRedirectPolicy,
  closedPolicy,
  backendTlsPolicy,
  // what chooses the backend, then what chooses its endpoint: the last one counts
  canaryPolicy,
  balancePolicy,
  hashByPolicy,
  affinityPolicy,
];

/** Makes the policies for the options of a rule. @throws {Error} for options that make no sense. */
export function compilePolicies(options: RuleOptions, environment: PolicyEnvironment): readonly Policy[] {
  return FACTORIES.map((make) => make(options, environment)).filter((policy) => policy !== undefined);
}
