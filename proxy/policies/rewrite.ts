import { type Groups, parseTarget, type RuleOptions } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { FieldNames } from "../http1/field_name.ts";
import type { Policy, PolicyExchange } from "./policy.ts";
import { redirectTo } from "./answers.ts";

/** The longest target that is made, in characters: a group may be in it many times. */
const MOST_TARGET_CHARACTERS = 32 * 1024;

/** Sends the client to a URL that is made of the path. */
export function rewriteRedirectPolicy({ rewrite }: RuleOptions): Policy | undefined {
  if (rewrite === undefined || !isUrl(rewrite)) return undefined;
  const put = compileText(rewrite);
  return {
    request: (exchange) =>
      exchange.target.forwarded === "*" ? undefined : redirectTo(madeOf(put, exchange), 302),
  };
}

/**
 * Puts another path in the place of the request's own and leaves the query. Groups are what the client sent, so
 * dot segments are resolved once more.
 */
export function rewritePolicy({ rewrite }: RuleOptions): Policy | undefined {
  if (rewrite === undefined || isUrl(rewrite)) return undefined;
  const put = compileText(rewrite);
  return {
    request: (exchange) => {
      if (exchange.target.forwarded === "*") return undefined;
      const made = madeOf(put, exchange);
      const rewritten = parseTarget(made.startsWith("/") ? made : `/${made}`);
      if (typeof rewritten === "string") throw new ProxyError("bad_request", `rewritten, ${rewritten}`);
      exchange.outgoing.target = rewritten.forwarded;
      return undefined;
    },
  };
}

function isUrl(rewrite: string): boolean {
  return /^https?:\/\//i.test(rewrite);
}

/** With the groups and the query of a request. @throws {ProxyError} when it is too long. */
function madeOf(
  put: (groups: Groups) => string,
  { target: { path, forwarded }, groups }: PolicyExchange,
): string {
  const made = put(groups) + forwarded.slice(path.length);
  if (made.length <= MOST_TARGET_CHARACTERS) return made;
  throw new ProxyError("target_too_long", `rewritten to ${made.length} characters`);
}

const FORWARDED_PREFIX = "x-forwarded-prefix";
const ONLY_FORWARDED_PREFIX = new FieldNames([FORWARDED_PREFIX]);

/** Tells the backend what its paths begin with outside, instead of what the client says. */
export function forwardedPrefixPolicy({ forwardedPrefix }: RuleOptions): Policy | undefined {
  if (forwardedPrefix === undefined) return undefined;
  const put = compileText(forwardedPrefix);
  return {
    request: ({ groups, outgoing: { fields } }) => {
      fields.remove(ONLY_FORWARDED_PREFIX);
      fields.add(FORWARDED_PREFIX, put(groups));
      return undefined;
    },
  };
}

/** Calls the backend by another host; X-Forwarded-Host stays what the client asked for. */
export function upstreamHostPolicy({ upstreamHost }: RuleOptions): Policy | undefined {
  if (upstreamHost === undefined) return undefined;
  return {
    request: ({ outgoing }) => {
      outgoing.authority = upstreamHost;
      return undefined;
    },
  };
}

/**
 * Compiles a text in which groups take the places of `$1` to `$9`, and nothing where there is no such group. What
 * is made throws {@linkcode ProxyError} when that becomes too long.
 */
function compileText(text: string): (groups: Groups) => string {
  // texts and numbers in turn
  const parts = text.split(/\$([1-9])/);
  if (parts.length === 1) return () => text;
  return (groups) => {
    const taken = groups();
    let length = 0;
    return parts.map((part, index) => {
      const put = index % 2 === 0 ? part : taken[Number(part) - 1] ?? "";
      length += put.length;
      if (length <= MOST_TARGET_CHARACTERS) return put;
      throw new ProxyError("target_too_long", `groups make ${length} characters or more of ${text}`);
    }).join("");
  };
}
