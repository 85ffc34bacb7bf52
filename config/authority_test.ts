import { assertEquals } from "@std/assert";
import { type Authority, parseAuthority } from "./authority.ts";

Deno.test("parseAuthority() reads a host and perhaps a port", () => {
  const cases: [string, Authority][] = [
    ["a.test", { host: "a.test", port: undefined }],
    ["a.test:8080", { host: "a.test", port: 8080 }],
    ["a.test:", { host: "a.test", port: undefined }],
    ["A.TEST.:8080", { host: "a.test", port: 8080 }],
    ["a.test.", { host: "a.test", port: undefined }],
    ["localhost", { host: "localhost", port: undefined }],
    ["my_service.default:80", { host: "my_service.default", port: 80 }],
    ["10.0.0.1:80", { host: "10.0.0.1", port: 80 }],
    ["[::1]", { host: "[::1]", port: undefined }],
    ["[FD00::1]:443", { host: "[fd00::1]", port: 443 }],
    ["a.test:65535", { host: "a.test", port: 65535 }],
    ["a.test:0", { host: "a.test", port: 0 }],
  ];
  for (const [text, expected] of cases) assertEquals(parseAuthority(text), expected, text);
});

Deno.test("parseAuthority() refuses what two parsers could read differently", () => {
  const cases = [
    "",
    ".",
    ":80",
    "user@a.test",
    "a.test/admin",
    "a.test?",
    "a.test#",
    "a.test\\b",
    "a b",
    " a.test",
    "a.test ",
    "a.test\n",
    "a.test,b.test",
    "a.test;b",
    "a..test",
    "a.test..:80",
    ".a.test",
    "-a.test",
    "*.a.test",
    "a.test:80:80",
    "a.test:65536",
    "a.test:99999",
    "a.test:-1",
    "a.test:+80",
    "a.test:8o",
    "a%2etest",
    "bücher.test",
    "[::1",
    "::1",
    "[::1]x",
    "[::1%25eth0]",
    "[]",
    "http://a.test",
  ];
  for (const text of cases) assertEquals(parseAuthority(text), undefined, JSON.stringify(text));
});
