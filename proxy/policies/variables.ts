import { parseTemplate } from "@pingress/config";
import { FieldName } from "../http1/field_name.ts";
import type { PolicyExchange } from "./policy.ts";

/** What variables are read from. */
export type VariablesOf = Pick<PolicyExchange, "request" | "origin" | "authority" | "target">;

/** Puts the values of variables into a text. */
export type Expand = (exchange: VariablesOf) => string;

const COOKIE = FieldName.of("cookie");

/** Compiles a text with variables. @throws {Error} for a variable that there is not. */
export function compileTemplate(text: string): Expand {
  const parts = parseTemplate(text).map((part): Expand =>
    typeof part === "string" ? () => part : readerOf(part.variable)
  );
  return (exchange) => parts.map((part) => part(exchange)).join("");
}

/** The variables of a request, as nginx means them; one that has no value is empty. */
function readerOf(variable: string): Expand {
  const [, kind, rest = ""] = /^(http|cookie|arg)_(.*)$/i.exec(variable) ?? [];
  if (kind === "http" && rest !== "host") {
    const name = FieldName.of(rest.replaceAll("_", "-"));
    return ({ request }) => request.fields.get(name) ?? "";
  }
  if (kind === "cookie") return ({ request }) => cookieOf(request.fields.values(COOKIE), rest);
  if (kind === "arg") return ({ request }) => argumentOf(request.target, rest);
  return PLAIN[variable] ?? (() => "");
}

const PLAIN: Record<string, Expand> = {
  args: ({ request }) => queryOf(request.target),
  escaped_request_uri: ({ request }) => encodeURIComponent(request.target),
  host: ({ authority }) => authority.host,
  http_host: ({ request }) => request.authority,
  is_args: ({ request }) => queryOf(request.target) === "" ? "" : "?",
  query_string: ({ request }) => queryOf(request.target),
  remote_addr: ({ origin }) => origin.address,
  request_method: ({ request }) => request.method,
  request_uri: ({ request }) => request.target,
  scheme: ({ origin }) => origin.scheme,
  uri: ({ target }) => target.path,
};

function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark === -1 ? "" : target.slice(mark + 1);
}

function argumentOf(target: string, name: string): string {
  const argument = queryOf(target).split("&").find((argument) => argument.startsWith(`${name}=`));
  return argument?.slice(name.length + 1) ?? "";
}

function cookieOf(fields: readonly string[], name: string): string {
  const cookie = fields.flatMap((field) => field.split(";")).map((cookie) => cookie.trim())
    .find((cookie) => cookie.startsWith(`${name}=`));
  return cookie?.slice(name.length + 1) ?? "";
}
