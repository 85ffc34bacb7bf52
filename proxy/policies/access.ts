import type { RuleOptions } from "@pingress/config";
import type { DownstreamResponse, HeaderList } from "../exchange.ts";
import { FieldNames } from "../http1/field_name.ts";
import { IpRanges } from "../ip_ranges.ts";
import { redirectTo, refuse } from "./answers.ts";
import { basicAuthCheck } from "./basic_auth.ts";
import { ExternalAuthenticator } from "./external_auth.ts";
import type { PolicyExchange, PolicyFactory } from "./policy.ts";

/** Why a request may not come in. */
export interface Refusal {
  /** Does nobody know who asks, or may they not? */
  reason: "unauthorized" | "forbidden";
  /** Fields of the answer: how to say who one is. */
  fields?: HeaderList;
}

/** What one of several checks says: the request may come in, or why it may not; undefined is nothing at all. */
export type Verdict = "in" | Refusal | undefined;

/** Looks at who asks. @throws {ProxyError} when that cannot be found out: nobody comes in then. */
export type Check = (exchange: PolicyExchange) => Verdict | Promise<Verdict>;

const AUTHORIZATION = new FieldNames(["authorization"]);

/**
 * Says who may come in: by address, then by password, then by what another server says. All of them must agree,
 * or one of them is enough; for those who may not come in there can be a place to sign in.
 */
export const accessPolicy: PolicyFactory = (options, environment) => {
  const { basicAuth, externalAuth, satisfy = "all" } = options;
  const external = externalAuth && new ExternalAuthenticator(externalAuth, environment.ask);
  const checks: Check[] = [];
  if (options.allow !== undefined || options.deny !== undefined) checks.push(addressCheck(options));
  if (basicAuth !== undefined) checks.push(basicAuthCheck(basicAuth, environment));
  if (external !== undefined) checks.push((exchange) => external.check(exchange));
  if (checks.length === 0) return undefined;
  const decide = satisfy === "any" ? anyOf : allOf;
  const answer = (exchange: PolicyExchange, { reason, fields }: Refusal): DownstreamResponse => {
    const place = reason === "unauthorized" ? external?.signInUrl(exchange) : undefined;
    return place === undefined ? refuse(reason, fields) : redirectTo(place, 302, fields);
  };
  return {
    request: async (exchange) => {
      const refusal = await decide(checks, exchange);
      if (refusal !== undefined) return answer(exchange, refusal);
      // a password is for us, and no business of the backend's
      if (basicAuth !== undefined) exchange.outgoing.fields.remove(AUTHORIZATION);
      external?.tellBackend(exchange);
      return undefined;
    },
    response: (response, exchange) => external?.tellClient(response, exchange),
  };
};

/** Those who are denied are refused, then those who are allowed come in, and of others only where nobody is allowed. */
function addressCheck({ allow, deny = [] }: RuleOptions): Check {
  const [allowed, denied] = [new IpRanges(allow ?? []), new IpRanges(deny)];
  return ({ origin: { address } }) => {
    if (denied.has(address)) return FORBIDDEN;
    if (allow === undefined) return undefined;
    return allowed.has(address) ? "in" : FORBIDDEN;
  };
}

const FORBIDDEN: Refusal = { reason: "forbidden" };

/** The first refusal counts. */
async function allOf(checks: readonly Check[], exchange: PolicyExchange): Promise<Refusal | undefined> {
  for (const check of checks) {
    const verdict = await check(exchange);
    if (verdict !== undefined && verdict !== "in") return verdict;
  }
  return undefined;
}

/** The first one that lets the request in counts; else who may say who they are is asked to. */
async function anyOf(checks: readonly Check[], exchange: PolicyExchange): Promise<Refusal | undefined> {
  let refusal: Refusal | undefined;
  for (const check of checks) {
    const verdict = await check(exchange);
    if (verdict === "in") return undefined;
    if (verdict === undefined) continue;
    if (refusal === undefined || verdict.reason === "unauthorized") refusal = verdict;
  }
  return refusal;
}
