import { assert, assertEquals } from "@std/assert";
import { LEAST_PATH_CHARACTERS, PathRegex } from "@pingress/config";
import { search } from "../controller/dashboard/explain.ts";
import type { Ingress } from "../controller/objects.ts";
import { translate } from "../controller/translate/translate.ts";
import { RoutingTable } from "../proxy/routing_table.ts";
import { ingressOf, OBJECTS } from "./fuzz/ingresses.ts";
import { Random } from "./fuzz/random.ts";
import { expression } from "./fuzz/value_grammar.ts";

const STARTS = ["/", "/", "/a", "/a/", "/A", "/b", "/[a-z]+", "/(a|b)/", "(?i)/a", "^/a"];
const HOSTS = ["a.test", "b.a.test", "*.a.test"];

/** The hosts that these Ingresses are asked for, their aliases among them. */
const ASKED_HOSTS = ["a.test", "b.a.test", "c.a.test", "alias.test", "x.alias.test", "other.test"];

function someIngress(index: number, random: Random): Ingress {
  const annotations = {
    "pingress.dev/use-regex": "true",
    ...random.chance(0.1) && { "pingress.dev/server-alias": random.pick(["alias.test", "*.alias.test"]) },
  };
  const ingress = ingressOf(`web${index}`, { annotations, creationTimestamp: random.below(100) });
  const backend = { service: { name: "web", port: { number: 80 } } };
  const paths = random.times(1 + random.below(6), () => ({
    path: `${random.pick(STARTS)}${
      random.chance(0.7) ? expression(random) : `(?:.*${random.below(9)}){9}(.*)`
    }`,
    pathType: "ImplementationSpecific",
    backend,
  }));
  const host = random.chance(0.2) ? {} : { host: random.pick(HOSTS) };
  return { ...ingress, spec: { ingressClassName: "pingress", rules: [{ ...host, http: { paths } }] } };
}

Deno.test("no path of the least length is too long for the expressions of any host, whatever Ingresses there are", () => {
  let refused = 0;
  for (let index = 0; index < 60; index++) {
    const random = new Random(1, index);
    const ingresses = Array.from({ length: 30 }, (_, index) => someIngress(index, random));
    const { config, problems } = translate({ ...OBJECTS, Ingress: ingresses }, { keysDirectory: "/keys" });
    refused += problems.filter(({ reason }) => reason === "TooManyRegexes").length;
    const table = new RoutingTable(config);
    const regexes = config.rules.filter(({ path }) => path.type === "Regex");
    const starts = new Set(regexes.map(({ path }) => PathRegex.of(path.path).start));
    for (const start of starts) {
      const path = start.padEnd(LEAST_PATH_CHARACTERS, random.pick(["a", "/", "/a", "z0"]));
      for (const host of ASKED_HOSTS) {
        table.match(host, path)?.groups();
        assert(search(config, { host, path }).match.kind !== "too long");
      }
    }
  }
  assert(refused > 60, `${refused} are refused`);
});

Deno.test("a large host has an ordinary expression for each of 1,000 Ingresses", () => {
  const ingresses = Array.from({ length: 1000 }, (_, index) =>
    ingressOf(`web${index}`, {
      path: `/name${index}(/|$)(.*)`,
      annotations: { "pingress.dev/rewrite-target": "/$2" },
    }));
  const { config, problems } = translate({ ...OBJECTS, Ingress: ingresses }, { keysDirectory: "/keys" });
  assertEquals([config.rules.length, problems], [1000, []]);
});
