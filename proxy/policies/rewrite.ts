import { parseTarget, type RuleOptions } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { FieldNames } from "../http1/field_name.ts";
import type { Policy } from "./policy.ts";
import { redirectTo } from "./answers.ts";

/** The longest target that is made, in characters: a group may be in it many times. */
const MOST_TARGET_CHARACTERS = 32 * 1024;

/**
 * Puts another path in the place of the request's own and leaves the query; or sends the client to a URL that is
 * made in the same way. Groups are what the client sent, so dot segments are resolved once more.
 */
export function rewritePolicy({ rewrite }: RuleOptions): Policy | undefined {
  if (rewrite === undefined) return undefined;
  const isUrl = /^https?:\/\//i.test(rewrite);
  return {
    request: ({ target: { path, forwarded }, groups, outgoing }) => {
      if (forwarded === "*") return undefined;
      const made = withGroups(rewrite, groups) + forwarded.slice(path.length);
      if (made.length > MOST_TARGET_CHARACTERS) {
        throw new ProxyError("target_too_long", `rewritten to ${made.length} characters`);
      }
      if (isUrl) return redirectTo(made, 302);
      const rewritten = parseTarget(made.startsWith("/") ? made : `/${made}`);
      if (typeof rewritten === "string") throw new ProxyError("bad_request", `rewritten, ${rewritten}`);
      outgoing.target = rewritten.forwarded;
      return undefined;
    },
  };
}

const FORWARDED_PREFIX = "x-forwarded-prefix";
const ONLY_FORWARDED_PREFIX = new FieldNames([FORWARDED_PREFIX]);

/** Tells the backend what its paths begin with outside, instead of what the client says. */
export function forwardedPrefixPolicy({ forwardedPrefix }: RuleOptions): Policy | undefined {
  if (forwardedPrefix === undefined) return undefined;
  return {
    request: ({ groups, outgoing: { fields } }) => {
      fields.remove(ONLY_FORWARDED_PREFIX);
      fields.add(FORWARDED_PREFIX, withGroups(forwardedPrefix, groups));
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

/** Puts groups in the places of `$1` to `$9`, and nothing where there is no such group. */
function withGroups(text: string, groups: readonly string[]): string {
  return text.replace(/\$([1-9])/g, (_, number) => groups[Number(number) - 1] ?? "");
}
