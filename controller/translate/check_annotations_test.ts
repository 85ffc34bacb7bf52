import { assertEquals, assertMatch } from "@std/assert";
import { checkAnnotations, editDistance } from "./check_annotations.ts";
import { type Problem, ProblemList } from "./problem.ts";

const KNOWN = ["pingress.dev/ssl-redirect", "pingress.dev/backend-protocol"];

function check(...names: string[]): Problem[] {
  const problems: Problem[] = [];
  const annotations = Object.fromEntries(names.map((name) => [name, "value"]));
  const ingress = { metadata: { name: "web", namespace: "default", annotations } };
  checkAnnotations(ingress, { problems: new ProblemList(ingress, problems), known: KNOWN });
  return problems;
}

Deno.test("checkAnnotations() has nothing against what it knows and what is somebody else's", () => {
  assertEquals(check(...KNOWN, "kubernetes.io/ingress.class", "example.com/ssl-redirect", "pingress"), []);
});

Deno.test("checkAnnotations() names the field of an unknown annotation", () => {
  const [problem] = check("pingress.dev/colour");
  assertEquals([problem?.reason, problem?.ingress, problem?.field], [
    "UnknownAnnotation",
    "default/web",
    'metadata.annotations["pingress.dev/colour"]',
  ]);
  assertMatch(problem?.message ?? "", /remove it$/);
});

const suggestions: [name: string, meant: string][] = [
  ["pingress.dev/ssl-redirct", "ssl-redirect"],
  ["pingress.dev/ssl_redirect", "ssl-redirect"],
  ["pingress.dev/backend-protcool", "backend-protocol"],
  ["pingress.dev/proxy-body-size", "remove it"],
];

for (const [name, meant] of suggestions) {
  Deno.test(`checkAnnotations() answers ${name} with ${meant}`, () => {
    const [problem] = check(name);
    assertMatch(problem?.message ?? "", new RegExp(`${meant}\\??$`));
  });
}

const distances: [one: string, other: string, distance: number][] = [
  ["", "", 0],
  ["same", "same", 0],
  ["", "abc", 3],
  ["abc", "", 3],
  ["kitten", "sitting", 3],
  ["abcd", "abdc", 1],
  ["ca", "abc", 3],
  ["redirect", "redirct", 1],
];

for (const [one, other, distance] of distances) {
  Deno.test(`editDistance() from "${one}" to "${other}" is ${distance}`, () => {
    assertEquals([editDistance(one, other), editDistance(other, one)], [distance, distance]);
  });
}
