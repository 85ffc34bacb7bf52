/** A text with variables, such as `https://$host/start`: what stands between them, and their names. */
export type Template = readonly (string | { readonly variable: string })[];

const PLAIN = [
  "args",
  "binary_remote_addr",
  "escaped_request_uri",
  "host",
  "http_host",
  "is_args",
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

/** Variables whose names end with that of a header field, a cookie or a parameter. */
const PREFIXED = /^(?:http|cookie|arg)_[a-z0-9_]+$/i;

/**
 * Reads a text with variables in nginx's spelling: `$name` or `${name}`
 * (https://nginx.org/en/docs/http/ngx_http_core_module.html#variables).
 *
 * @throws {Error} whose message ends the sentence `"$x" …`, for a variable that there is not.
 */
export function parseTemplate(text: string): Template {
  const parts: (string | { variable: string })[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$(?:\{(\w*)\}|(\w*))/g)) {
    const variable = match[1] ?? match[2] ?? "";
    if (!PLAIN.includes(variable) && !PREFIXED.test(variable)) {
      throw new Error(`has ${match[0]}, which is no variable that Pingress knows`);
    }
    parts.push(text.slice(end, match.index), { variable });
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}
