import type { RuleOptions } from "@pingress/config";
import { FieldNames } from "../http1/field_name.ts";
import type { Policy } from "./policy.ts";

const STRICT_TRANSPORT_SECURITY = "strict-transport-security";
const ONLY_STRICT_TRANSPORT_SECURITY = new FieldNames([STRICT_TRANSPORT_SECURITY]);

/** Adds fields to every answer, instead of the backend's. */
export function responseHeadersPolicy({ responseHeaders }: RuleOptions): Policy | undefined {
  if (responseHeaders === undefined) return undefined;
  const list = Object.entries(responseHeaders).map(([name, value]) => [name.toLowerCase(), value] as const);
  const names = new FieldNames(list.map(([name]) => name));
  return {
    response: ({ fields }) => {
      fields.remove(names);
      for (const [name, value] of list) fields.add(name, value);
    },
  };
}

/** Tells browsers to come by HTTPS alone; nobody may say so over HTTP (RFC 6797, section 7.2). */
export function strictTransportSecurityPolicy(
  { strictTransportSecurity: value }: RuleOptions,
): Policy | undefined {
  if (value === undefined) return undefined;
  return {
    response: ({ fields }, { origin }) => {
      if (origin.scheme !== "https") return;
      fields.remove(ONLY_STRICT_TRANSPORT_SECURITY);
      fields.add(STRICT_TRANSPORT_SECURITY, value);
    },
  };
}
