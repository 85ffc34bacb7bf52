import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { compileValuePattern } from "./value_pattern.ts";

const matches: [pattern: string, value: string, isMatch: boolean][] = [
  ["b", "abc", true],
  ["b", "ABC", false],
  ["^b", "abc", false],
  ["^a.c$", "abc", true],
  ["^(DEBUG|TRACE)$", "DEBUG", true],
  ["^(DEBUG|TRACE)$", "DEBUGGER", false],
  ["", "anything", true],
  ["a", "a".repeat(4097), false],
];

for (const [pattern, value, isMatch] of matches) {
  Deno.test(`compileValuePattern() ${JSON.stringify(pattern)} on ${value.slice(0, 20)}`, () => {
    assertEquals(compileValuePattern(pattern)(value), isMatch);
  });
}

for (const pattern of ["(", "a(?=b)", "(a)\\1", "a".repeat(513), "(?:a{100}){100}", "a{400}b{400}"]) {
  Deno.test(`compileValuePattern() refuses ${pattern.slice(0, 20)}`, () => {
    assertThrows(() => compileValuePattern(pattern));
  });
}

Deno.test("compileValuePattern() takes no more time for what others would go through again and again", () => {
  const isMatch = compileValuePattern("^(a+)+$");
  const start = performance.now();
  assertEquals(isMatch(`${"a".repeat(4000)}!`), false);
  assertLess(performance.now() - start, 2000);
});
