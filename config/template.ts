/** A text with variables, taken apart: texts that stand as they are, and variables by their names. */
export type Template = readonly (string | { readonly variable: string })[];

/** The variables that have one meaning each. */
const VARIABLES = [
  "args",
  "binary_remote_addr",
  "host",
  "http_host",
  "query_string",
  "remote_addr",
  "remote_user",
  "req_id",
  "request_id",
  "request_method",
  "request_uri",
  "scheme",
  "server_name",
  "the_real_ip",
  "uri",
];

/** Variables whose names go on with that of a parameter, a cookie or a header field. */
const PREFIXED = /^(?:arg|cookie|http)_./;

/**
 * Takes a text apart: `$name` and `${name}` are variables with nginx's names
 * (https://nginx.org/en/docs/http/ngx_http_core_module.html#variables), as far as they mean something here.
 *
 * @throws {Error} for a variable that there is not.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseTemplate } from "./template.ts";
 *
 * assertEquals(parseTemplate("${host}-1"), [{ variable: "host" }, "-1"]);
 * ```
 */
export function parseTemplate(text: string): Template {
  return text.split(/(\$(?:\{\w*\}|\w*))/).filter((part) => part !== "").map((part) => {
    if (!part.startsWith("$")) return part;
    const variable = part.replaceAll(/[${}]/g, "");
    if (VARIABLES.includes(variable) || PREFIXED.test(variable)) return { variable };
    throw new Error(`has ${part}, which is no variable that Pingress knows`);
  });
}
