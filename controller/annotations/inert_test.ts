import { assertEquals } from "@std/assert";
import { INERT, ROWS } from "./known.ts";
import { optionsFor } from "./testing.ts";

/** What may be passed over, and what may not. */
const snippets: [snippet: string, isHarmless: boolean][] = [
  ["", true],
  ["# nothing but a comment: deny all;", true],
  ["more_set_headers 'X-A: {b}; c' \"Y: z\";\nexpires 1d; # deny all;\n", true],
  ["client_max_body_size 8m;\n\tproxy_read_timeout\t60s;", true],
  ["deny all;", false],
  ["expires 1d; deny all;", false],
  ["expires 1d;deny all", false],
  ["auth_request /auth;", false],
  ["proxy_set_header X-User $remote_user;", false],
  ['more_clear_input_headers "X-User";', false],
  ["if ($http_x != 'y') { return 403; }", false],
  ["access_by_lua_block { ngx.exit(403) }", false],
  ["more_set_headers X:#;deny all;", false],
  ['more_set_headers X:"; deny all; "', false],
  ['more_set_headers "X: \\"; deny all; #";', false],
  ["more_set_headers 'X: y; deny all;", false],
];

for (const [snippet, isHarmless] of snippets) {
  Deno.test(`configuration-snippet ${JSON.stringify(snippet)} ${isHarmless ? "is passed over" : "closes"}`, () => {
    const { options, told } = optionsFor({ "configuration-snippet": snippet });
    assertEquals([options.closed === undefined, told.length], [isHarmless, snippet === "" ? 0 : 1]);
  });
}

Deno.test("INERT has a reason for each, and none that does something", () => {
  for (const [name, { why }] of Object.entries(INERT)) {
    assertEquals([why.length > 0, why.endsWith("."), ROWS.has(name)], [true, false, false], name);
  }
});

const values: [name: string, value: string, told: number, isClosed: boolean][] = [
  ["enable-modsecurity", "false", 0, false],
  ["enable-modsecurity", "true", 1, true],
  ["enable-modsecurity", "maybe", 1, true],
  ["modsecurity-snippet", "SecRuleEngine On", 1, true],
  ["stream-snippet", "server { listen 1; }", 1, false],
  ["proxy-redirect-from", "default", 0, false],
  ["proxy-redirect-from", "http://a/", 1, false],
  ["proxy-http-version", "1.1", 0, false],
  ["proxy-http-version", "1.0", 1, false],
  ["connection-proxy-header", "keep-alive", 0, false],
  ["connection-proxy-header", "close", 1, false],
  ["mirror-target", "", 0, false],
  ["mirror-target", "http://a", 1, false],
  ["client-body-buffer-size", "1m", 0, false],
  ["global-rate-limit-window", "1s", 1, false],
];

for (const [name, value, count, isClosed] of values) {
  Deno.test(`${name} ${JSON.stringify(value)} is ${count === 0 ? "not " : ""}told`, () => {
    const { options, told } = optionsFor({ [name]: value });
    assertEquals([told.length, options.closed !== undefined], [count, isClosed]);
  });
}
