import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { PathRegex } from "./path_regex.ts";
import { MOST_STEPS } from "./regex_steps.ts";

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
  ["/(.*){100}!", "a path of 1024 characters would take too long"],
  [`/${"(.*)".repeat(16)}`, "too long"],
];

for (const [expression, message] of REFUSED) {
  Deno.test(`PathRegex.of() refuses ${expression.slice(0, 20)}`, () => {
    assertThrows(() => PathRegex.of(expression), Error, message);
  });
}

/** Each takes a backtracking matcher longer than the universe is old. */
const SLOW: [expression: string, path: string][] = [
  ["/(a+)+$", `/${"a".repeat(6000)}!`],
  ["/(a|aa)+$", `/${"a".repeat(6000)}!`],
  ["/(a*)*b", `/${"a".repeat(6000)}`],
  ["/([a-z]+)*[0-9]$", `/${"z".repeat(6000)}`],
  ["/(x+x+)+y", `/${"x".repeat(6000)}`],
  ["/(.*)(.*)(.*)(.*)(.*)!", `/${"a".repeat(2000)}`],
  ["/(?:.*a){60}!", `/${"a".repeat(1023)}`],
];

for (const [expression, path] of SLOW) {
  Deno.test(`PathRegex.match() ${expression}, which is made to be slow, takes few enough steps`, () => {
    const regex = PathRegex.of(expression);
    assertEquals(regex.match(path), undefined);
    assert(regex.steps(path.length) + regex.groupSteps(path.length) <= MOST_STEPS);
  });
}

Deno.test("PathRegex takes what Ingresses have for paths of 2,000 characters", () => {
  for (const expression of ["/api(/|$)(.*)", "/(en|de|fr)/shop/(.+)", "/v[0-9]+/(users|groups)/[^/]+/?$"]) {
    const regex = PathRegex.of(expression);
    assert(regex.steps(2000) + regex.groupSteps(2000) <= MOST_STEPS, expression);
  }
});

Deno.test("PathRegex counts the steps for its groups only where it has any", () => {
  assertEquals(PathRegex.of("/(?:a|b)*c").groupSteps(100), 0);
  assertLess(PathRegex.of("/(a)*").groupSteps(100), PathRegex.of("/(a)*()()()()()()()()").groupSteps(100));
});

Deno.test("PathRegex.warmUp() takes no expression that it would refuse", () => PathRegex.warmUp());

Deno.test("PathRegex.mayMatch() knows what paths begin with behind an anchor, too", () => {
  for (const expression of ["/shop(/|$)(.*)", "^/shop(/|$)(.*)"]) {
    const regex = PathRegex.of(expression);
    assertEquals([regex.mayMatch("/shop/a"), regex.mayMatch("/other")], [true, false], expression);
  }
  assertEquals(PathRegex.of("^*/a").mayMatch("/a"), true);
});
