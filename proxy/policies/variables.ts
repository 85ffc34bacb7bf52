import { parseTemplate } from "@pingress/config";
import { FieldName } from "../http1/field_name.ts";
import { cookieOf } from "./cookies.ts";
import type { PolicyExchange } from "./policy.ts";

type Read = (exchange: PolicyExchange) => string | undefined;

const AUTHORIZATION = FieldName.of("authorization");

const VARIABLES: Readonly<Record<string, Read>> = {
  args: ({ request }) => queryOf(request.target),
  binary_remote_addr: ({ origin }) => origin.address,
  host: ({ authority }) => authority.host,
  http_host: ({ request }) => request.authority,
  query_string: ({ request }) => queryOf(request.target),
  remote_addr: ({ origin }) => origin.address,
  remote_user: ({ request }) => userOf(request.fields.get(AUTHORIZATION)),
  req_id: ({ requestId }) => requestId,
  request_id: ({ requestId }) => requestId,
  request_method: ({ request }) => request.method,
  request_uri: ({ request }) => request.target,
  scheme: ({ origin }) => origin.scheme,
  server_name: ({ route }) => route.host ?? "_",
  the_real_ip: ({ origin }) => origin.address,
  uri: ({ target }) => target.path,
};

/** Fields that were replaced with what is true. */
const OF_ORIGIN = new Map<string, Read>([
  ["x-forwarded-for", ({ origin }) => origin.chain],
  ["x-forwarded-host", ({ origin }) => origin.host],
  ["x-forwarded-proto", ({ origin }) => origin.scheme],
  ["x-real-ip", ({ origin }) => origin.address],
]);

/**
 * Makes what fills the variables of a text in; one that a request does not have is empty.
 *
 * @throws {Error} for a variable that there is not.
 */
export function compileTemplate(text: string): (exchange: PolicyExchange) => string {
  const parts = parseTemplate(text).map((part) => typeof part === "string" ? part : readerOf(part.variable));
  return (exchange) => parts.map((part) => typeof part === "string" ? part : part(exchange) ?? "").join("");
}

function readerOf(variable: string): Read {
  const read = VARIABLES[variable];
  if (read !== undefined) return read;
  const [, kind, name = ""] = /^(arg|cookie|http)_(.*)$/.exec(variable) ?? [];
  if (kind === "arg") return ({ request }) => argumentOf(queryOf(request.target), name);
  if (kind === "cookie") return ({ request }) => cookieOf(request.fields, name);
  const field = FieldName.of(name.replaceAll("_", "-"));
  return OF_ORIGIN.get(field.text) ?? (({ request }) => request.fields.values(field).join(", "));
}

function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? "" : target.slice(mark + 1);
}

/** As sent: nothing is decoded. */
function argumentOf(query: string, name: string): string | undefined {
  const start = `${name.toLowerCase()}=`;
  const found = query.split("&").find((pair) => pair.slice(0, start.length).toLowerCase() === start);
  return found?.slice(start.length);
}

/** The name of Basic credentials (RFC 7617), whether the password is right or not. */
function userOf(credentials = ""): string | undefined {
  const [, encoded] = /^basic +([\w+/]+=*)$/i.exec(credentials) ?? [];
  if (encoded === undefined) return undefined;
  try {
    return atob(encoded).split(":")[0];
  } catch {
    return undefined;
  }
}
