import type { RuleOptions } from "@pingress/config";
import { closedPolicy } from "./closed.ts";
import { corsPolicy } from "./cors.ts";
import { errorsPolicy } from "./errors.ts";
import type { Policy, PolicyEnvironment, PolicyFactory } from "./policy.ts";
import { httpsRedirectPolicy, redirectPolicy } from "./redirects.ts";
import { responseHeadersPolicy, strictTransportSecurityPolicy } from "./response_headers.ts";

/** All that there are. A request goes through them in this order, and its answer the other way around. */
const FACTORIES: readonly PolicyFactory[] = [
  corsPolicy,
  responseHeadersPolicy,
  strictTransportSecurityPolicy,
  errorsPolicy,
  redirectPolicy,
  httpsRedirectPolicy,
  closedPolicy,
];

/** Makes the policies for the options of a rule. @throws {Error} for options that make no sense. */
export function compilePolicies(options: RuleOptions, environment: PolicyEnvironment): readonly Policy[] {
  return FACTORIES.map((make) => make(options, environment)).filter((policy) => policy !== undefined);
}
