import { assertEquals } from "@std/assert";
import { optionsFor } from "./testing.ts";

const headers: [value: string, headers: Record<string, string> | undefined][] = [
  ["X-One: 1", { "x-one": "1" }],
  ["  X-One:1 ; a\n\nX_Two:\tb: c\n", { "x-one": "1 ; a", "x_two": "b: c" }],
  ["X-One: 1\r\nx-one: 2", { "x-one": "2" }],
  ["default/headers", undefined],
  ["X-One:", undefined],
  ["X One: 1", undefined],
  ["X-One: 1\nlost", undefined],
  ["X-One: \u{1f600}", undefined],
  ["Content-Length: 0", undefined],
  ["transfer-encoding: chunked", undefined],
  ["Connection: close", undefined],
];

for (const [value, expected] of headers) {
  Deno.test(`custom-headers ${JSON.stringify(value)} are ${JSON.stringify(expected) ?? "told"}`, () => {
    const { options, told } = optionsFor({ "custom-headers": value });
    assertEquals([options.responseHeaders, told.length], [expected, expected === undefined ? 1 : 0]);
  });
}

const hsts: [annotations: Record<string, string>, value: string | undefined][] = [
  [{ "hsts-max-age": "5" }, undefined],
  [{ hsts: "false" }, undefined],
  [{ hsts: "true" }, "max-age=31536000; includeSubDomains"],
  [{ hsts: "true", "hsts-max-age": "0", "hsts-include-subdomains": "false" }, "max-age=0"],
  [{ hsts: "true", "hsts-max-age": "5", "hsts-preload": "true" }, "max-age=5; includeSubDomains; preload"],
];

for (const [annotations, value] of hsts) {
  Deno.test(`${JSON.stringify(annotations)} is Strict-Transport-Security: ${value}`, () => {
    assertEquals(optionsFor(annotations).options.strictTransportSecurity, value);
  });
}
