/**
 * The same rule for Pingress and, written by hand, for nginx: another path for the backend, CORS for everybody and
 * a rate limit that is never reached.
 *
 * @module
 */
import type { Cors, Rule } from "@pingress/config";

/** More than any proxy here can do. */
const MOST_PER_SECOND = 1_000_000;

/** What Ingresses get that say `enable-cors` and no more. */
const CORS: Cors = {
  origins: ["*"],
  methods: "GET, PUT, POST, DELETE, PATCH, OPTIONS",
  headers:
    "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
  credentials: true,
  maxAge: 1_728_000,
};

/** A path and what is below it, as a regular expression: `$2` is what is below. */
const below = (path: string) => `${path}(/|$)(.*)`;

/** Path and options of the rule. */
export function annotatedRule(path: string): Pick<Rule, "path" | "options"> {
  return {
    path: { type: "Regex", path: below(path) },
    options: {
      rewrite: "/$2",
      cors: CORS,
      limit: { key: "default/app", perSecond: MOST_PER_SECOND, burst: 5 },
    },
  };
}

/** What nginx needs of it outside of all servers. */
export const NGINX_LIMIT_ZONE = `limit_req_zone $binary_remote_addr zone=app:10m rate=${MOST_PER_SECOND}r/s;`;

/** What stands in nginx's location before `proxy_pass`, and the location's own head. */
export function annotatedLocation(path: string): { head: string; directives: string } {
  const { origins, methods, headers, maxAge } = CORS;
  const fields = {
    "Access-Control-Allow-Origin": origins.join(),
    "Access-Control-Allow-Methods": methods,
    "Access-Control-Allow-Headers": headers,
    "Access-Control-Max-Age": String(maxAge),
    "Access-Control-Allow-Credentials": "true",
  };
  return {
    head: `~* "^${below(path)}"`,
    directives: `
      ${
      Object.entries(fields).map(([name, value]) => `add_header ${name} "${value}" always;`).join("\n      ")
    }
      limit_req zone=app burst=${5 * MOST_PER_SECOND} nodelay;
      limit_req_status 429;
      if ($request_method = OPTIONS) { return 204; }
      rewrite "(?i)^${below(path)}" /$2 break;`,
  };
}
