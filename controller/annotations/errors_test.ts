import type { RuleOptions } from "@pingress/config";
import { assertEquals } from "@std/assert";
import { optionsFor, SERVICE } from "./testing.ts";

const BACKEND = { "default-backend": "known" };
const errors = (codes: number[], more = {}): RuleOptions => ({
  errors: { codes, backend: SERVICE, ingress: "web", ...more },
});

const cases: [annotations: Record<string, string>, options: RuleOptions, told: number][] = [
  [BACKEND, errors([]), 0],
  [{ ...BACKEND, "custom-http-errors": "404, 503,404," }, errors([404, 503]), 0],
  [{ ...BACKEND, "disable-proxy-intercept-errors": "true" }, errors([], { ownOnly: true }), 1],
  [{ ...BACKEND, "custom-http-errors": "301" }, errors([]), 1],
  [{ ...BACKEND, "custom-http-errors": "40x" }, errors([]), 1],
  [{ "custom-http-errors": "404" }, {}, 1],
  [{ "custom-http-errors": "404", "default-backend": "unknown" }, {}, 1],
  [{ "default-backend": "a/b" }, {}, 1],
  [{ "disable-proxy-intercept-errors": "true" }, {}, 1],
];

for (const [annotations, expected, told] of cases) {
  Deno.test(`${JSON.stringify(annotations)} is ${JSON.stringify(expected)}`, () => {
    const found = optionsFor(annotations);
    assertEquals([found.options, found.told.length], [expected, told]);
  });
}
