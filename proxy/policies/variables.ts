import { parseTemplate } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { FieldName } from "../http1/field_name.ts";
import { cookieOf } from "./cookies.ts";
import type { PolicyExchange } from "./policy.ts";

/** What variables are read from. */
export type VariablesOf = Pick<
  PolicyExchange,
  "request" | "origin" | "authority" | "target" | "route" | "requestId"
>;

/** Puts the values of variables into a text. */
export type Expand = (exchange: VariablesOf) => string;

const AUTHORIZATION = FieldName.of("authorization");

/** The longest text that is made, in characters: what a client sent may be in it many times. */
const MOST_CHARACTERS = 32 * 1024;

/** Compiles a text with variables, which throws a {@linkcode ProxyError} where it gets too long. @throws {Error} for a variable that there is not. */
export function compileTemplate(text: string): Expand {
  const parts = parseTemplate(text).map((part): Expand =>
    typeof part === "string" ? () => part : readerOf(part.variable)
  );
  return (exchange) => {
    let made = "";
    for (const part of parts) {
      made += part(exchange);
      if (made.length <= MOST_CHARACTERS) continue;
      throw new ProxyError(
        "target_too_long",
        `${text.slice(0, 80)} would be ${made.length} characters or more`,
      );
    }
    return made;
  };
}

/** The variables of a request, as nginx means them; one that has no value is empty. */
function readerOf(variable: string): Expand {
  const [, kind, rest = ""] = /^(http|cookie|arg)_(.*)$/i.exec(variable) ?? [];
  if (kind === "http" && rest !== "host") {
    const name = FieldName.of(rest.replaceAll("_", "-"));
    return OF_ORIGIN.get(name.text) ?? (({ request }) => request.fields.values(name).join(", "));
  }
  if (kind === "cookie") return ({ request }) => cookieOf(request.fields, rest) ?? "";
  if (kind === "arg") return ({ request }) => argumentOf(request.target, rest);
  return PLAIN[variable] ?? (() => "");
}

const PLAIN: Record<string, Expand> = {
  args: ({ request }) => queryOf(request.target),
  binary_remote_addr: ({ origin }) => origin.address,
  escaped_request_uri: ({ request }) => encodeURIComponent(request.target),
  host: ({ authority }) => authority.host,
  http_host: ({ request }) => request.authority,
  is_args: ({ request }) => queryOf(request.target) === "" ? "" : "?",
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
const OF_ORIGIN = new Map<string, Expand>([
  ["x-forwarded-for", ({ origin }) => origin.chain],
  ["x-forwarded-host", ({ origin }) => origin.host],
  ["x-forwarded-proto", ({ origin }) => origin.scheme],
  ["x-real-ip", ({ origin }) => origin.address],
]);

function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? "" : target.slice(mark + 1);
}

/** As sent: nothing is decoded. */
function argumentOf(target: string, name: string): string {
  const start = `${name.toLowerCase()}=`;
  const found = queryOf(target).split("&").find((one) => one.slice(0, start.length).toLowerCase() === start);
  return found?.slice(start.length) ?? "";
}

/** The name of Basic credentials (RFC 7617), whether the password is right or not. */
function userOf(credentials = ""): string {
  const [, encoded] = /^basic +([\w+/]+=*)$/i.exec(credentials) ?? [];
  if (encoded === undefined) return "";
  try {
    return atob(encoded).split(":")[0] ?? "";
  } catch {
    return "";
  }
}
