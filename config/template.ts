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
] as const;

/** One of {@linkcode VARIABLES}. */
export type Variable = typeof VARIABLES[number];

/** Variables of a request's own: a parameter of the query, a cookie, a header field. */
const OF_REQUEST = /^(?:arg|cookie|http)_./;

/** Is this one of the variables that have one meaning each? */
export function isVariable(name: string): name is Variable {
  return (VARIABLES as readonly string[]).includes(name);
}

/**
 * Takes a text apart: `$name` and `${name}` are variables with nginx's names
 * (https://nginx.org/en/docs/http/ngx_http_core_module.html#variables), as far as they mean something here.
 *
 * @throws {Error} for a variable that there is not; the message goes on where the text has been named.
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
    if (isVariable(variable) || OF_REQUEST.test(variable)) return { variable };
    throw new Error(
      `no text with variables that Pingress knows: ${part} is none of ` +
        `${VARIABLES.join(", ")}, arg_…, cookie_… and http_…`,
    );
  });
}
