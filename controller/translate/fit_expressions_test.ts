import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Ingress } from "../objects.ts";
import { Store } from "../store.ts";
import { translate, type Translation } from "./translate.ts";

/** Three of these that begin alike take too long, whatever they end with. */
const SLOW = "(?:.*a){20}!";

/** An Ingress whose paths are regular expressions. The greater its age, the older it is. */
function ingress(name: string, { host, paths, age, namespace = "default", annotations = {} }: {
  host?: string;
  paths: string[];
  age: number;
  namespace?: string;
  annotations?: Record<string, string>;
}): Ingress {
  const backend = { service: { name: "web", port: { number: 80 } } };
  const named = Object.entries({ "use-regex": "true", ...annotations }).map(([key, value]) => [
    `pingress.dev/${key}`,
    value,
  ]);
  return {
    metadata: { name, namespace, creationTimestamp: 1e12 - age, annotations: Object.fromEntries(named) },
    spec: {
      ingressClassName: "pingress",
      rules: [{
        ...host !== undefined && { host },
        http: { paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) },
      }],
    },
  };
}

function translated(...ingresses: Ingress[]): Translation {
  const store = new Store();
  for (const object of ingresses) store.set("Ingress", object);
  for (const namespace of ["default", "other"]) {
    store.set("Service", { metadata: { name: "web", namespace }, spec: { ports: [{ port: 80 }] } });
  }
  return translate(store.snapshot(), { keysDirectory: "/keys" });
}

/** The paths of a host. */
function pathsOf({ config }: Translation, host?: string): string[] {
  return config.rules.filter((rule) => rule.host === host).map(({ path }) => path.path);
}

function slow(...starts: string[]): string[] {
  return starts.map((start) => `${start}${SLOW}`);
}

Deno.test("translate() leaves out the newest expressions of a host that there is no time for, and tells whose", () => {
  const translation = translated(
    ingress("new", { host: "a.test", paths: slow("/1", "/3", "/5", "/.", "/..").concat("/plain"), age: 1 }),
    ingress("old", { host: "a.test", paths: slow("/", "/3.", "/5."), age: 2, namespace: "other" }),
    ingress("elsewhere", { host: "b.test", paths: slow("/", "/5"), age: 0 }),
  );
  assertEquals(pathsOf(translation, "a.test"), [...slow("/", "/1", "/3", "/3.", "/5", "/5."), "/plain"]);
  assertEquals(pathsOf(translation, "b.test"), slow("/", "/5"));
  const [problem, ...others] = translation.problems;
  assertEquals(others, []);
  assertEquals([problem?.ingress, problem?.field, problem?.reason], [
    "default/new",
    "spec.rules[0].http.paths[3]",
    "TooManyRegexes",
  ]);
  assertStringIncludes(
    problem?.message ?? "",
    `a path of 1024 characters with a.test /.${SLOW} and 1 more of this Ingress, beside`,
  );
});

Deno.test("translate() counts the expressions of each kind of host by themselves", () => {
  const translation = translated(
    ingress("every", { paths: slow("/", "/.", "/.."), age: 3 }),
    ingress("wildcard", { host: "*.test", paths: slow("/", "/.", "/.."), age: 2 }),
    ingress("exact", { host: "a.test", paths: slow("/", "/.", "/.."), age: 1 }),
  );
  assertEquals(translation.config.rules.length, 9);
  assertEquals(translation.problems, []);
});

Deno.test("translate() gives an alias the expressions of its host, and tells nothing twice", () => {
  const translation = translated(
    ingress("old", {
      host: "a.test",
      paths: slow("/", "/.", "/.."),
      age: 2,
      annotations: { "server-alias": "alias.test" },
    }),
    ingress("new", { host: "a.test", paths: slow("/..."), age: 1 }),
  );
  assertEquals(pathsOf(translation, "a.test"), slow("/", "/.", "/.."));
  assertEquals(pathsOf(translation, "alias.test"), slow("/", "/.", "/.."));
  assertEquals(translation.problems.map(({ ingress }) => ingress), ["default/new"]);
});

Deno.test("translate() lets an Ingress close its hosts whose expressions there is no time for", () => {
  const { config } = translated(
    ingress("old", { host: "a.test", paths: slow("/", "/.", "/.."), age: 2 }),
    ingress("new", {
      host: "a.test",
      paths: slow("/..."),
      age: 1,
      annotations: { "auth-tls-secret": "default/ca" },
    }),
  );
  assertEquals(config.rules.map(({ options }) => options?.closed !== undefined), [true, true, true]);
});
