import { assertEquals } from "@std/assert";
import { canonicalHost, isHostPattern, wildcardOf } from "./host.ts";

Deno.test("isHostPattern() takes what Kubernetes takes for a rule's host", () => {
  const label63 = "a".repeat(63);
  const cases: [string, boolean][] = [
    ["example.com", true],
    ["localhost", true],
    ["xn--bcher-kva.example", true],
    ["1.example", true],
    ["*.example.com", true],
    ["*.com", true],
    [`${label63}.example`, true],
    [`${label63}a.example`, false],
    [`${`${label63}.`.repeat(3)}${"a".repeat(61)}`, true],
    [`${`${label63}.`.repeat(3)}${"a".repeat(62)}`, false],
    ["", false],
    ["*", false],
    ["*example.com", false],
    ["www.*.com", false],
    ["*.*.com", false],
    ["Example.com", false],
    ["example.com.", false],
    [".example.com", false],
    ["example..com", false],
    ["-a.example", false],
    ["a-.example", false],
    ["a_b.example", false],
    ["example.com:80", false],
    ["example.com\n", false],
    ["bücher.example", false],
    ["[::1]", false],
  ];
  for (const [host, expected] of cases) assertEquals(isHostPattern(host), expected, JSON.stringify(host));
});

Deno.test("wildcardOf() replaces the first label alone", () => {
  const cases: [string, string | undefined][] = [
    ["www.example.com", "*.example.com"],
    ["a.b.example.com", "*.b.example.com"],
    ["example.com", "*.com"],
    ["localhost", undefined],
    [".example.com", undefined],
    ["", undefined],
  ];
  for (const [host, expected] of cases) assertEquals(wildcardOf(host), expected, host);
});

Deno.test("canonicalHost() has one spelling for a name", () => {
  const cases: [string, string | undefined][] = [
    ["WWW.Example.COM.", "www.example.com"],
    ["a", "a"],
    ["", undefined],
    [".", undefined],
    [".a", undefined],
    ["a..b", undefined],
  ];
  for (const [name, expected] of cases) assertEquals(canonicalHost(name), expected, JSON.stringify(name));
});

Deno.test("canonicalHost() refuses a name that ends with an empty label", () => {
  assertEquals(canonicalHost("a.."), undefined);
});
