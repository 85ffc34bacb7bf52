import { assertEquals } from "@std/assert";
import { type SplitTarget, splitTarget } from "./request_target.ts";

Deno.test("splitTarget() reads a target in each of its forms", () => {
  const cases: [method: string, target: string, SplitTarget][] = [
    ["GET", "/", { authority: "host.test", target: "/" }],
    ["GET", "/a?b", { authority: "host.test", target: "/a?b" }],
    ["GET", "//b.test/a", { authority: "host.test", target: "//b.test/a" }],
    ["GET", "/http://b.test/", { authority: "host.test", target: "/http://b.test/" }],
    ["OPTIONS", "*", { authority: "host.test", target: "*" }],
    ["OPTIONS", "/*", { authority: "host.test", target: "/*" }],
    ["GET", "http://b.test/a?b", { authority: "b.test", target: "/a?b" }],
    ["GET", "https://b.test:8443/a", { authority: "b.test:8443", target: "/a" }],
    ["GET", "HTTP://B.test/", { authority: "B.test", target: "/" }],
    ["GET", "http://b.test", { authority: "b.test", target: "/" }],
    ["GET", "http://b.test?c", { authority: "b.test", target: "/?c" }],
    ["GET", "http://b.test#c", { authority: "b.test", target: "/#c" }],
    ["GET", "http://user@b.test/", { authority: "user@b.test", target: "/" }],
    ["GET", "http:///a", { authority: "", target: "/a" }],
    ["GET", "http://b.test//a", { authority: "b.test", target: "//a" }],
    ["OPTIONS", "http://b.test", { authority: "b.test", target: "*" }],
    ["OPTIONS", "http://b.test/", { authority: "b.test", target: "/" }],
    ["OPTIONS", "http://b.test?a", { authority: "b.test", target: "/?a" }],
    ["CONNECT", "b.test:443", { authority: "host.test", target: "/" }],
  ];
  for (const [method, target, expected] of cases) {
    assertEquals(splitTarget(target, { method, host: "host.test" }), expected, `${method} ${target}`);
  }
});

Deno.test("splitTarget() says why it refuses a target", () => {
  const form = "the request target is neither a path nor a URL";
  const cases: [method: string, target: string, host: string, reason: string][] = [
    ["GET", "*", "a.test", "the request target * is for OPTIONS alone"],
    ["options", "*", "a.test", "the request target * is for OPTIONS alone"],
    ["GET", "a", "a.test", form],
    ["GET", "?a", "a.test", form],
    ["GET", "**", "a.test", form],
    ["GET", "", "a.test", form],
    ["GET", "a.test:80", "a.test", form],
    ["GET", "ftp://a.test/", "a.test", form],
    ["GET", "http:/a.test/", "a.test", form],
    ["GET", "http:a.test", "a.test", form],
    ["GET", "javascript:alert(1)", "a.test", form],
    ["GET", "\\\\a.test/", "a.test", form],
    ["GET", "http://a.test/", "", "the Host header is invalid"],
    ["GET", "http://a.test/", "a b", "the Host header is invalid"],
    ["GET", "http://a.test/", "user@a.test", "the Host header is invalid"],
    ["OPTIONS", "http://a.test", "a,b", "the Host header is invalid"],
  ];
  for (const [method, target, host, reason] of cases) {
    assertEquals(splitTarget(target, { method, host }), reason, `${method} ${target} for ${host}`);
  }
});
