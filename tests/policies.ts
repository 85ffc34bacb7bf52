/**
 * What tests of policies share: requests between their route and their backend, and a proxy around them.
 *
 * @module
 */
import type { ServiceBackend } from "@pingress/config";
import { Cancellation } from "../proxy/exchange.ts";
import { Fields } from "../proxy/http1/fields.ts";
import { limitMemory, LimitTable } from "../proxy/policies/limit_table.ts";
import { PasswordChecker } from "../proxy/policies/password_checker.ts";
import type { PolicyEnvironment, PolicyExchange } from "../proxy/policies/policy.ts";
import type { Route } from "../proxy/routing_table.ts";
import { fieldsOf } from "./testing.ts";

/** What tests say of a request. */
export interface FakeExchange {
  /** Header lines, each with its line end. */
  lines?: string;
  /** GET unless told. */
  method?: string;
  /** `/` unless told. */
  target?: string;
  /** `http` unless told. */
  scheme?: "http" | "https";
  /** What the groups of its path took; none unless told. */
  groups?: string[];
}

/** The Service `web`, port 80. */
export const WEB: ServiceBackend = { type: "Service", name: "web", namespace: "default", port: 80 };

/** The route to {@linkcode WEB}. */
export const WEB_ROUTE: Route = {
  backend: WEB,
  key: "default/web:80",
  protocol: { name: "HTTP" },
  host: "site.test",
  hostClass: "exact",
};

/** A request for site.test:8080 from 192.0.2.1. */
export function exchangeOf(
  { lines = "", method = "GET", target = "/", scheme = "http", groups = [] }: FakeExchange = {},
): PolicyExchange {
  const fields = fieldsOf(lines);
  const authority = "site.test:8080";
  const cancellation = new Cancellation();
  return {
    request: {
      client: { address: "192.0.2.1", scheme, covers: () => true },
      protocol: "HTTP/1.1",
      method,
      authority,
      target,
      fields,
      body: null,
      upgrade: undefined,
      cancellation,
    },
    origin: { address: "192.0.2.1", chain: "198.51.100.7, 192.0.2.1", scheme, host: authority, port: 8080 },
    authority: { host: "site.test", port: 8080 },
    target: { path: target.split("?")[0] ?? "", forwarded: target },
    requestId: "id-1",
    route: WEB_ROUTE,
    groups: () => groups,
    outgoing: {
      method,
      target,
      authority,
      fields,
      body: null,
      upgrade: undefined,
      cancellation,
      inform: undefined,
    },
    destination: WEB_ROUTE,
    balancer: undefined,
    ending: undefined,
  };
}

/** A proxy in 2026 with one endpoint for everything, no files, no servers to ask and no chance, unless told. */
export function environmentOf(members: Partial<PolicyEnvironment> = {}): PolicyEnvironment {
  const { limits = new LimitTable(limitMemory()), passwords = new PasswordChecker() } = members;
  return {
    now: () => Date.UTC(2026, 10, 26, 6, 40, 38),
    random: () => 0,
    fileText: () => undefined,
    addressesOf: () => [{ hostname: "10.0.0.1", port: 80 }],
    limits,
    passwords,
    send: () => Promise.reject(new Error("nothing is sent to backends")),
    ask: () => Promise.reject(new Error("nobody is there to be asked")),
    ...members,
  };
}

/** An answer without content. */
export function answerOf(status = 200): { status: number; fields: Fields; body: null } {
  return { status, fields: Fields.of([]), body: null };
}
