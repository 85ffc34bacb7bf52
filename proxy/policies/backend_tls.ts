import type { RuleOptions } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Route } from "../routing_table.ts";
import type { Policy, PolicyEnvironment } from "./policy.ts";

/** Gives connections to the backend whom they must trust and what they show, as the files say it by now. */
export function backendTlsPolicy(
  { backendTrust, backendIdentity }: RuleOptions,
  { fileText }: PolicyEnvironment,
): Policy | undefined {
  if (backendTrust === undefined && backendIdentity === undefined) return undefined;
  const textOf = (path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    const text = fileText(path);
    // without it it could not be told who the backend is
    if (text === undefined) throw new ProxyError("closed", `${path} cannot be read`);
    return text;
  };
  let known:
    | { route: Route; trust: string | undefined; cert: string | undefined; key: string | undefined }
    | undefined;
  return {
    request: (exchange) => {
      const trust = textOf(backendTrust);
      const cert = textOf(backendIdentity?.cert);
      const key = textOf(backendIdentity?.key);
      if (known === undefined || known.trust !== trust || known.cert !== cert || known.key !== key) {
        const protocol = {
          ...exchange.route.protocol,
          ...trust !== undefined && { trust },
          ...cert !== undefined && key !== undefined && { identity: { cert, key } },
        };
        known = { route: { ...exchange.route, protocol }, trust, cert, key };
      }
      exchange.destination = known.route;
      return undefined;
    },
  };
}
