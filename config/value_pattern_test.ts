import { assertEquals, assertThrows } from "@std/assert";
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

Deno.test("compileValuePattern() compares the fewer characters the larger the expression is", () => {
  const longest = (pattern: string) => {
    const isMatch = compileValuePattern(pattern);
    let length = 5000;
    while (!isMatch("a".repeat(length))) length--;
    return length;
  };
  assertEquals(longest("^(a+)+$"), 4096);
  // of 200,000 steps 202 are one instruction's each, and the place behind the last character is one, too
  assertEquals(longest("a{200}"), Math.floor(200_000 / 202) - 1);
});
