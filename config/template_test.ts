import { assertEquals, assertThrows } from "@std/assert";
import { parseTemplate, type Template } from "./template.ts";

const templates: [text: string, template: Template][] = [
  ["", []],
  ["text", ["text"]],
  ["$host", [{ variable: "host" }]],
  ["${host}", [{ variable: "host" }]],
  ["$host$request_uri", [{ variable: "host" }, { variable: "request_uri" }]],
  ["a-${scheme}b$remote_addr-", ["a-", { variable: "scheme" }, "b", { variable: "remote_addr" }, "-"]],
  ["$http_x_user$cookie_a$arg_b", [
    { variable: "http_x_user" },
    { variable: "cookie_a" },
    { variable: "arg_b" },
  ]],
];

for (const [text, template] of templates) {
  Deno.test(`parseTemplate() reads ${JSON.stringify(text)}`, () => {
    assertEquals(parseTemplate(text), template);
  });
}

for (const text of ["$", "${}", "$nothing", "${upstream_addr}", "$http_", "a$-b"]) {
  Deno.test(`parseTemplate() refuses ${text}`, () => {
    assertThrows(() => parseTemplate(text), Error, "no variable");
  });
}
