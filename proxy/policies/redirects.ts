import type { RuleOptions } from "@pingress/config";
import { redirectTo } from "./answers.ts";
import type { Policy } from "./policy.ts";

/** Sends every request to another URL, which says all: neither path nor query are added. */
export function redirectPolicy({ redirect }: RuleOptions): Policy | undefined {
  if (redirect === undefined) return undefined;
  return { request: () => redirectTo(redirect.to, redirect.code) };
}

/** Sends requests over HTTP to HTTPS. */
export function httpsRedirectPolicy({ httpsRedirect }: RuleOptions): Policy | undefined {
  if (httpsRedirect === undefined) return undefined;
  const { code, keepsTrailingSlash = false } = httpsRedirect;
  return {
    request: ({ origin, authority, request: { target } }) => {
      if (origin.scheme === "https") return undefined;
      const kept = keepsTrailingSlash ? target : target.replace(/\/$/, "");
      return redirectTo(`https://${authority.host}${kept === "*" ? "" : kept}`, code);
    },
  };
}
