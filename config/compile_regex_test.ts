import { assertEquals, assertThrows } from "@std/assert";
import { compileRegex } from "./compile_regex.ts";

const refused: [expression: string, message: string][] = [
  ["a".repeat(513), "more than 512 characters"],
  ["(", "missing closing )"],
  ["\\pL", "invalid escape sequence"],
  ["[\\p{Greek}]", "invalid escape sequence"],
  ["[a-\\x{FFFF}]", "above U+00FF"],
  ["\\x{000100}", "above U+00FF"],
  ["[a-€]", "above U+00FF"],
  ["ſ", "above U+00FF"],
  // to compile these only to count their instructions would take long
  ["x{0,1000}".repeat(50), "too large"],
  ["a{250}b{251}", "too large"],
  // these are only known to be too large when they are compiled
  ["(?:a{20}){30}", "too large"],
];

for (const [expression, message] of refused) {
  Deno.test(`compileRegex() refuses ${expression.slice(0, 20)}`, () => {
    assertThrows(() => compileRegex(expression), Error, message);
  });
}

const taken: [expression: string, text: string][] = [
  ["a{200}b{200}", `${"a".repeat(200)}${"b".repeat(200)}`],
  ["\\{1000\\}", "{1000}"],
  ["[é\\x{E9}\\x{0000ff}]{3}", "ééÿ"],
  ["[[:alpha:]]\\w\\d", "ab1"],
];

for (const [expression, text] of taken) {
  Deno.test(`compileRegex() takes ${expression}`, () => {
    assertEquals(compileRegex(expression).matcher(text).matches(), true);
  });
}

Deno.test("compileRegex() ignores the case where it is told to", () => {
  const matches = (ignoresCase: boolean) => compileRegex("/Web", { ignoresCase }).matcher("/wEB").matches();
  assertEquals([matches(true), matches(false)], [true, false]);
});
