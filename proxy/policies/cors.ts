import type { Cors, RuleOptions } from "@pingress/config";
import type { HeaderList } from "../exchange.ts";
import { httpDate } from "../http_date.ts";
import { FieldName, FieldNames } from "../http1/field_name.ts";
import { Fields } from "../http1/fields.ts";
import type { Policy } from "./policy.ts";

const ORIGIN = FieldName.of("origin");
const FIELDS = new FieldNames([
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
]);

/** Tells browsers what they may do from other origins (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export function corsPolicy({ cors }: RuleOptions): Policy | undefined {
  if (cors === undefined) return undefined;
  const isForAll = cors.origins.includes("*");
  const isAllowed = originMatcher(cors.origins);
  const others = fieldsOf(cors);
  /** What is said to be allowed: nothing where the origin is not. */
  const allowed = (fields: Fields): string | undefined => {
    if (isForAll) return "*";
    const origin = fields.get(ORIGIN);
    return origin !== undefined && isAllowed(origin) ? origin : undefined;
  };
  return {
    request: ({ request: { method, fields } }) => {
      if (method !== "OPTIONS" || allowed(fields) === undefined) return undefined;
      return {
        status: 204,
        fields: Fields.of([["date", httpDate()], ["server", "pingress"]]),
        body: null,
      };
    },
    response: ({ fields }, { request }) => {
      if (!isForAll) fields.add("vary", "Origin");
      const origin = allowed(request.fields);
      if (origin === undefined) return;
      fields.remove(FIELDS);
      fields.add("access-control-allow-origin", origin);
      for (const [name, value] of others) fields.add(name, value);
    },
  };
}

function fieldsOf({ methods, headers, credentials, maxAge, exposes }: Cors): HeaderList {
  const list: HeaderList = [
    ["access-control-allow-methods", methods],
    ["access-control-allow-headers", headers],
    ["access-control-max-age", String(maxAge)],
  ];
  if (credentials) list.push(["access-control-allow-credentials", "true"]);
  if (exposes !== undefined) list.push(["access-control-expose-headers", exposes]);
  return list;
}

/** Compares whole origins, in any letters: one that only ends like an allowed one is another site. */
function originMatcher(origins: readonly string[]): (origin: string) => boolean {
  const lower = origins.map((origin) => origin.toLowerCase());
  const exact = new Set(lower.filter((origin) => !origin.includes("*")));
  const patterns = lower.filter((origin) => origin.includes("*.")).map((origin) => {
    const [start = "", end = ""] = origin.split("*");
    return { start, end };
  });
  return (origin) => {
    const asked = origin.toLowerCase();
    return exact.has(asked) ||
      patterns.some(({ start, end }) =>
        asked.startsWith(start) && asked.endsWith(end) && asked.length > start.length + end.length &&
        /^[a-z0-9_-]+$/.test(asked.slice(start.length, -end.length))
      );
  };
}
