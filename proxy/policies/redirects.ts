import type { RuleOptions } from "@pingress/config";
import { redirectTo } from "./answers.ts";
import type { Policy } from "./policy.ts";
import { compileTemplate } from "./variables.ts";

/** Sends every request to another URL, which says all: path and query are in it only where variables say so. */
export function redirectPolicy({ redirect }: RuleOptions): Policy | undefined {
  if (redirect === undefined) return undefined;
  const { to, code } = redirect;
  const expand = compileTemplate(to);
  return { request: (exchange) => redirectTo(expand(exchange), code) };
}

/** Sends every request to another host: the same URL but for that. */
export function hostRedirectPolicy({ hostRedirect }: RuleOptions): Policy | undefined {
  if (hostRedirect === undefined) return undefined;
  const { host, code } = hostRedirect;
  return {
    request: ({ origin: { scheme, port }, request: { target } }) => {
      const isUsual = port === (scheme === "https" ? 443 : 80);
      const path = target === "*" ? "" : target;
      return redirectTo(`${scheme}://${host}${isUsual ? "" : `:${port}`}${path}`, code);
    },
  };
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
