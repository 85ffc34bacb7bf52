import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { MOST_PATH_CHARACTERS, PathRegex } from "./path_regex.ts";

const CASES: [expression: string, path: string, groups: string[] | undefined][] = [
  ["/foo", "/foo", []],
  ["/foo", "/foobar", []],
  ["/foo", "/FOO/bar", []],
  ["/Foo", "/fOO", []],
  ["/foo", "/bar/foo", undefined],
  ["/foo$", "/foobar", undefined],
  ["/api(/|$)(.*)", "/api", ["", ""]],
  ["/api(/|$)(.*)", "/api/users/1", ["/", "users/1"]],
  ["/api(/|$)(.*)", "/apis", undefined],
  ["/a(b)?(c)?", "/ac", ["", "c"]],
  ["/a|/b", "/b", []],
  ["/a|/b", "/c/b", undefined],
  ["/(?P<name>[a-z]+)/x", "/web/x", ["web"]],
  ["/[A-Z]{3}", "/uuid", []],
  ["/v1.0", "/v1x0", []],
  ["/caf%C3%A9", "/caf%c3%a9", []],
];

for (const [expression, path, groups] of CASES) {
  Deno.test(`PathRegex.match() ${expression} with ${path}`, () => {
    assertEquals(PathRegex.of(expression).match(path)?.(), groups);
  });
}

const REFUSED: [expression: string, message: string][] = [
  ["/(", "missing closing )"],
  ["/(?!api)", "unsupported Perl syntax"],
  ["/(a)\\1", "invalid escape sequence"],
  [`/${"a".repeat(512)}`, "more than 512 characters"],
  ["/(a{1,50}){1,20}", "too large"],
];

for (const [expression, message] of REFUSED) {
  Deno.test(`PathRegex.of() refuses ${expression.slice(0, 20)}`, () => {
    assertThrows(() => PathRegex.of(expression), Error, message);
  });
}

/** Each takes a backtracking matcher longer than the universe is old. */
const SLOW: [expression: string, path: string][] = [
  ["/(a+)+$", `/${"a".repeat(MOST_PATH_CHARACTERS - 2)}!`],
  ["/(a|aa)+$", `/${"a".repeat(MOST_PATH_CHARACTERS - 2)}!`],
  ["/(a*)*b", `/${"a".repeat(MOST_PATH_CHARACTERS - 1)}`],
  ["/([a-z]+)*[0-9]$", `/${"z".repeat(MOST_PATH_CHARACTERS - 1)}`],
  ["/(x+x+)+y", `/${"x".repeat(MOST_PATH_CHARACTERS - 1)}`],
  ["/(.*)(.*)(.*)(.*)(.*)!", `/${"a".repeat(MOST_PATH_CHARACTERS - 1)}`],
];

for (const [expression, path] of SLOW) {
  Deno.test(`PathRegex.match() takes less than 5 ms for ${expression}, which is made to be slow`, () => {
    const regex = PathRegex.of(expression);
    // the fastest of some: others work on this machine, too
    let least = Infinity;
    for (let turn = 0; turn < 10; turn++) {
      const start = performance.now();
      assertEquals(regex.match(path), undefined);
      least = Math.min(least, performance.now() - start);
    }
    assertLess(least, 5);
  });
}
