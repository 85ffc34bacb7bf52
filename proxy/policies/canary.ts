import { type Canary, compileValuePattern, type RuleOptions, serviceKey } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { FieldName } from "../http1/field_name.ts";
import type { Fields } from "../http1/fields.ts";
import type { Route } from "../routing_table.ts";
import { cookieOf } from "./cookies.ts";
import type { Policy, PolicyEnvironment } from "./policy.ts";
import { backendId, sessionOf } from "./session_cookie.ts";

/** Says whether a request goes to the canary; nothing where that is not its to say. */
type Decide = (fields: Fields) => boolean | undefined;

/**
 * Sends part of the requests to another backend, if that has endpoints. Clients that are bound to one of the two
 * by their affinity stay there; else header, cookie and chance decide, in this order.
 */
export function canaryPolicy(
  { canary, affinity }: RuleOptions,
  environment: PolicyEnvironment,
): Policy | undefined {
  if (canary === undefined) return undefined;
  const byHeader = decideByHeader(canary);
  const canaryId = backendId(canary.backend);
  let other: { route: Route; instead: Route } | undefined;
  const isForCanary = (fields: Fields, primary: Route): boolean => {
    const bound = affinity && sessionOf(fields, affinity)?.backend;
    if (bound !== undefined) {
      if (bound === backendId(primary.backend)) return false;
      if (bound === canaryId && !canary.ignoresAffinity) return true;
    }
    return byHeader(fields) ?? decideByCookie(canary, fields) ?? decideByChance(canary, environment);
  };
  return {
    request: async (exchange) => {
      if (!isForCanary(exchange.request.fields, exchange.route)) return undefined;
      const { destination } = exchange;
      // but for the backend it is as what it takes the place of
      if (other?.instead !== destination) {
        const route = { ...destination, backend: canary.backend, key: serviceKey(canary.backend) };
        other = { route, instead: destination };
      }
      if (await hasEndpoints(other.route, environment)) exchange.destination = other.route;
      return undefined;
    },
  };
}

function decideByHeader({ header, headerValue, headerPattern }: Canary): Decide {
  if (header === undefined) return () => undefined;
  const name = FieldName.of(header);
  const valueOf = (fields: Fields) => fields.has(name) ? fields.values(name).join(", ") : undefined;
  if (headerValue !== undefined) return (fields) => valueOf(fields) === headerValue || undefined;
  if (headerPattern === undefined) return (fields) => alwaysOrNever(valueOf(fields));
  const isMatch = compileValuePattern(headerPattern);
  return (fields) => {
    const value = valueOf(fields);
    return (value !== undefined && isMatch(value)) || undefined;
  };
}

function decideByCookie({ cookie }: Canary, fields: Fields): boolean | undefined {
  return cookie === undefined ? undefined : alwaysOrNever(cookieOf(fields, cookie));
}

function alwaysOrNever(value: string | undefined): boolean | undefined {
  return value === "always" ? true : value === "never" ? false : undefined;
}

function decideByChance({ weight = 0, total = 100 }: Canary, { random }: PolicyEnvironment): boolean {
  return random() * total < weight;
}

async function hasEndpoints(route: Route, { addressesOf }: PolicyEnvironment): Promise<boolean> {
  try {
    return (await addressesOf(route)).length > 0;
  } catch (error) {
    if (error instanceof ProxyError) return false;
    throw error;
  }
}
