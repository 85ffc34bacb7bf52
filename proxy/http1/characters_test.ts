import { assertEquals } from "@std/assert";
import { LOWER, NAME_KIND, trimSpace, UNDERSCORE } from "./characters.ts";

Deno.test("NAME_KIND has the characters of a token, LOWER all in lower case", () => {
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    const isToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(character);
    assertEquals(NAME_KIND[code], character === "_" ? UNDERSCORE : isToken ? 1 : 0, `code ${code}`);
    const lower = /^[A-Z]$/.test(character) ? character.toLowerCase() : character;
    assertEquals(LOWER[code], lower.charCodeAt(0), `code ${code}`);
  }
});

Deno.test("trimSpace() takes spaces and tabs away, and nothing else", () => {
  const cases: [value: string, trimmed: string][] = [
    ["", ""],
    [" \t ", ""],
    [" \ta b\t ", "a b"],
    ["\xa0a\x0b", "\xa0a\x0b"],
  ];
  for (const [value, trimmed] of cases) assertEquals(trimSpace(value), trimmed, JSON.stringify(value));
});
