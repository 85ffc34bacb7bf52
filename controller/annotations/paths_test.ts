import { assertEquals, assertThrows } from "@std/assert";
import type { Ingress } from "../objects.ts";
import { AnnotationError, type RuleContext } from "./feature.ts";
import { hasRegexPaths, paths } from "./paths.ts";
import { optionsFor } from "./testing.ts";

const TAKEN: [name: string, text: string, value: unknown][] = [
  ["use-regex", "true", true],
  ["rewrite-target", "/", "/"],
  ["rewrite-target", "/$1/v1.0/$2~x:y_z-", "/$1/v1.0/$2~x:y_z-"],
  ["rewrite-target", "$1", "$1"],
  ["rewrite-target", "https://b.example.com/$1", "https://b.example.com/$1"],
  ["x-forwarded-prefix", "/api$1", "/api$1"],
  ["app-root", "/", "/"],
  ["app-root", "/app/index.html", "/app/index.html"],
  ["server-alias", "b.example.com, *.c.example.com,~^x$,", ["b.example.com", "*.c.example.com", "~^x$"]],
  ["from-to-www-redirect", "1", true],
  ["upstream-vhost", "Web.example.com", "Web.example.com"],
  ["upstream-vhost", "my_web:8080", "my_web:8080"],
];

for (const [name, text, value] of TAKEN) {
  Deno.test(`paths takes ${name}: ${text}`, () => assertEquals(paths.rows[name]?.parse(text), value));
}

const REFUSED: [name: string, text: string][] = [
  ["use-regex", "yes"],
  ["rewrite-target", ""],
  ["rewrite-target", "/a?b=c"],
  ["rewrite-target", "/$uri"],
  ["rewrite-target", "/$0"],
  ["rewrite-target", "/%2e"],
  ["rewrite-target", "/a b"],
  ["rewrite-target", `/${"x".repeat(512)}`],
  ["x-forwarded-prefix", "/a\r\nb: c"],
  ["app-root", "app"],
  ["app-root", "//b.example.com"],
  ["app-root", "/$1"],
  ["app-root", "https://b.example.com/"],
  ["server-alias", " , "],
  ["upstream-vhost", "$host"],
  ["upstream-vhost", "a b"],
  ["upstream-vhost", "a/b"],
  ["upstream-vhost", ""],
];

for (const [name, text] of REFUSED) {
  Deno.test(`paths refuses ${name}: ${JSON.stringify(text.slice(0, 20))}`, () => {
    assertThrows(() => paths.rows[name]?.parse(text), AnnotationError);
  });
}

Deno.test("paths rewrites where the target is not the path, and only there sends a prefix", () => {
  const optionsAt = (path: string) =>
    optionsFor({ "rewrite-target": "/app", "x-forwarded-prefix": "/x" }, { path }).options;
  assertEquals(optionsAt("/app"), {});
  assertEquals(optionsAt("/app/"), { rewrite: "/app", forwardedPrefix: "/x" });
  assertEquals(paths.optionsOf({ "upstream-vhost": "b" }, { path: "/" } as RuleContext), {
    upstreamHost: "b",
  });
});

Deno.test("paths tells of a prefix that is never sent", () => {
  const cases: [annotations: Record<string, string>, told: string | undefined][] = [
    [{ "x-forwarded-prefix": "/x" }, "which is not there: it does nothing"],
    [{ "x-forwarded-prefix": "/x", "rewrite-target": "/app" }, "for the path /app leaves it as it is"],
    [{ "x-forwarded-prefix": "/x", "rewrite-target": "/" }, undefined],
    [{ "rewrite-target": "/app" }, undefined],
  ];
  for (const [annotations, told] of cases) {
    const { options, told: [problem, ...others] } = optionsFor(annotations, { path: "/app" });
    assertEquals([problem?.includes(told ?? "\n") ?? false, others], [told !== undefined, []]);
    assertEquals(options.forwardedPrefix, told === undefined ? annotations["x-forwarded-prefix"] : undefined);
  }
});

Deno.test("hasRegexPaths() where the Ingress says so, or rewrites one of its paths to another one", () => {
  const ingress = (...paths: (string | undefined)[]): Ingress => ({
    metadata: { name: "web" },
    spec: { rules: [{ http: { paths: paths.map((path) => path === undefined ? {} : { path }) } }] },
  });
  const cases: [
    values: Parameters<typeof hasRegexPaths>[1],
    paths: (string | undefined)[],
    expected: boolean,
  ][] = [
    [{}, ["/(.*)"], false],
    [{ "use-regex": true }, ["/a"], true],
    [{ "use-regex": false, "rewrite-target": "/" }, ["/a"], true],
    [{ "rewrite-target": "/a" }, ["/a"], false],
    [{ "rewrite-target": "/a" }, ["/a", "/b"], true],
    [{ "rewrite-target": "/" }, ["/", undefined, ""], false],
    [{ "app-root": "/a" }, ["/b"], false],
  ];
  for (const [values, paths, expected] of cases) {
    assertEquals(hasRegexPaths(ingress(...paths), values), expected, `${JSON.stringify(values)} ${paths}`);
  }
});
