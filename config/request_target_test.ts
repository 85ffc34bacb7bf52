import { assert, assertEquals } from "@std/assert";
import { parseTarget } from "./request_target.ts";

Deno.test("parseTarget() leaves a target without dot segments as it is", () => {
  const cases = [
    "/",
    "/foo",
    "/foo/",
    "/foo//bar",
    "//",
    "//evil.test/",
    "/a%2fb",
    "/a%2Fb%20c",
    "/.well-known/x",
    "/...",
    "/a/..b/c..",
    "/%2e.x",
    "/a.b/c",
    "/\u00e9\u00ff",
    "/a;b=c,d",
    "/a:80",
  ];
  for (const path of cases) assertEquals(parseTarget(path), { path, forwarded: path }, path);
});

Deno.test("parseTarget() resolves dot segments, percent-encoded or not", () => {
  const cases: [string, string][] = [
    ["/.", "/"],
    ["/./", "/"],
    ["/./a", "/a"],
    ["/a/.", "/a/"],
    ["/a/./b", "/a/b"],
    ["/a/..", "/"],
    ["/a/../b", "/b"],
    ["/a/b/..", "/a/"],
    ["/a/b/../", "/a/"],
    ["/a/b/../../c", "/c"],
    ["/a/b/c/./../../g", "/a/g"],
    ["/a/%2e%2e/b", "/b"],
    ["/a/%2E%2e/b", "/b"],
    ["/a/.%2e/b", "/b"],
    ["/a/%2e./b", "/b"],
    ["/a/%2e/b", "/a/b"],
    ["/a//../b", "/a/b"],
    ["/a%2f../b", "/a%2f../b"],
    ["/a/..%2fb", "/a/..%2fb"],
    ["/a/%2e%2e%2fb", "/a/%2e%2e%2fb"],
    ["/a/..;/b", "/a/..;/b"],
  ];
  for (const [target, path] of cases) assertEquals(parseTarget(target), { path, forwarded: path }, target);
});

Deno.test("parseTarget() forwards the query as it was sent", () => {
  const cases: [string, path: string, forwarded: string][] = [
    ["/a?b=c", "/a", "/a?b=c"],
    ["/?", "/", "/?"],
    ["/a?b?c", "/a", "/a?b?c"],
    ["/a/../b?x=/../y", "/b", "/b?x=/../y"],
    ["/a?%zz%00", "/a", "/a?%zz%00"],
    ["/a?b\\c", "/a", "/a?b\\c"],
    ["/a?http://b.test/", "/a", "/a?http://b.test/"],
  ];
  for (const [target, path, forwarded] of cases) {
    assertEquals(parseTarget(target), { path, forwarded }, target);
  }
});

Deno.test("parseTarget() routes the whole server as the root", () => {
  assertEquals(parseTarget("*"), { path: "/", forwarded: "*" });
});

Deno.test("parseTarget() says why it refuses a target", () => {
  const cases: [string, string][] = [
    ["", "the request target does not start with a slash"],
    ["**", "the request target does not start with a slash"],
    ["*?a", "the request target does not start with a slash"],
    ["a", "the request target does not start with a slash"],
    ["?a", "the request target does not start with a slash"],
    ["http://a.test/", "the request target does not start with a slash"],
    ["/a#b", "the request target has a fragment"],
    ["/a?b#c", "the request target has a fragment"],
    ["/a\\b", "the path has a backslash"],
    ["/%", "the path has an invalid percent-encoding"],
    ["/%2", "the path has an invalid percent-encoding"],
    ["/%zz", "the path has an invalid percent-encoding"],
    ["/a%2gb", "the path has an invalid percent-encoding"],
    ["/%00", "the path has an invalid percent-encoding"],
    ["/..", "the path leaves the root"],
    ["/../a", "the path leaves the root"],
    ["/a/../..", "the path leaves the root"],
    ["/%2e%2e/a", "the path leaves the root"],
    ["/./../a", "the path leaves the root"],
  ];
  for (const [target, reason] of cases) assertEquals(parseTarget(target), reason, JSON.stringify(target));
});

Deno.test("parseTarget() takes no time over a path of many segments", () => {
  const start = performance.now();
  const path = parseTarget(`${"/a/..".repeat(5000)}/b${"/.".repeat(10_000)}`);
  assertEquals(path, { path: "/b/", forwarded: "/b/" });
  assert(performance.now() - start < 1000);
});
