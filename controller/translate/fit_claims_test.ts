import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Kinds } from "../objects.ts";
import { renderConfigMaps } from "../render/config_map.ts";
import { renderTlsSecrets } from "../render/tls_secret.ts";
import { shardCount } from "../shards.ts";
import { Store } from "../store.ts";
import { translate, type Translation } from "./translate.ts";

/** What Kubernetes takes for one object, in bytes. */
const MIB = 1024 * 1024;

/** One of these is about 430 bytes of `proxy.json`. */
const PATH = `/${"x".repeat(280)}`;

/** An Ingress with paths of a host. The greater its age, the older it is. */
function ingress(name: string, { host, paths, age, secretName, service = "web" }: {
  host: string;
  paths: string[];
  age: number;
  secretName?: string;
  service?: string;
}): Kinds["Ingress"] {
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    metadata: { name, namespace: "default", creationTimestamp: 1e12 - age },
    spec: {
      ingressClassName: "pingress",
      rules: [{ host, http: { paths: paths.map((path) => ({ path, pathType: "Prefix", backend })) } }],
      ...secretName !== undefined && { tls: [{ hosts: [host], secretName }] },
    },
  };
}

function paths(count: number, start = ""): string[] {
  return Array.from({ length: count }, (_, index) => `/${start}${index}${PATH}`);
}

/** The Ingresses with a Service `web`. */
function storeOf(...ingresses: Kinds["Ingress"][]): Store {
  const store = new Store();
  for (const object of ingresses) store.set("Ingress", object);
  addService(store, "web", ["10.0.0.1"]);
  return store;
}

function addService(store: Store, name: string, addresses: string[]): void {
  const metadata = { name, namespace: "default" };
  store.set("Service", { metadata, spec: { ports: [{ port: 80 }] } });
  const endpoints = addresses.map((address) => ({
    address,
    isReady: true,
    isServing: true,
    isTerminating: false,
  }));
  store.set("Endpoints", {
    metadata,
    service: name,
    groups: [{ family: "IPv4", ports: [{ name: "", port: 8080 }], endpoints }],
  });
}

function sharded(store: Store, lastGood = new Map<string, { cert: string; key: string }>()): Translation {
  return translate(store.snapshot(), { keysDirectory: "/keys", lastGood, isSharded: true });
}

/** How many rules a host has. */
function rulesOf({ config }: Translation, host: string): number {
  return config.rules.filter((rule) => rule.host === host).length;
}

function assertWritable(translation: Translation): void {
  const options = { namespace: "test", choose: (bytes: readonly number[]) => shardCount(bytes, 1) };
  for (const { data } of renderConfigMaps(translation, options)) {
    const bytes = Object.values(data ?? {}).reduce(
      (sum, text) => sum + new TextEncoder().encode(text).length,
      0,
    );
    assert(bytes < MIB, `${bytes} bytes in a ConfigMap`);
  }
  for (const { data, metadata } of renderTlsSecrets(translation, options)) {
    const bytes = Object.values(data ?? {}).reduce((sum, text) => sum + atob(text).length, 0);
    assert(bytes < MIB, `${bytes} bytes in a Secret`);
    assert(JSON.stringify(metadata?.annotations).length < MIB / 4);
  }
}

Deno.test("translate() for shards says the same as ever when all of it fits", () => {
  const store = storeOf(
    ingress("old", { host: "a.test", paths: paths(1000), age: 2 }),
    ingress("new", { host: "b.test", paths: paths(1000), age: 1, secretName: "tls" }),
  );
  const lastGood = new Map([["default/tls", { cert: "C", key: "K" }]]);
  assertEquals(
    sharded(store, lastGood),
    translate(store.snapshot(), { keysDirectory: "/keys", lastGood }),
  );
});

Deno.test("translate() leaves out what a host has too many of, the newest first, and tells whose it is", () => {
  const store = storeOf(
    ingress("oldest", { host: "large.test", paths: paths(1500, "a"), age: 3 }),
    ingress("middle", { host: "large.test", paths: paths(1500, "b"), age: 2 }),
    ingress("newest", { host: "large.test", paths: paths(100, "c"), age: 1 }),
    ingress("other", { host: "other.test", paths: paths(100), age: 0 }),
  );
  const translation = sharded(store);
  const served = rulesOf(translation, "large.test");
  assert(served > 2000 && served < 2600, `${served}`);
  const of = (start: string) =>
    translation.config.rules.filter(({ path }) => path.path.startsWith(`/${start}`)).length;
  assertEquals([of("a"), of("c")], [1500, 0]);
  assertEquals(rulesOf(translation, "other.test"), 100);
  const problems = translation.problems.map(({ ingress, field, reason }) => [ingress, field, reason]);
  const first = of("b");
  assertEquals(problems, [
    ["default/middle", `spec.rules[0].http.paths[${first}]`, "OutOfSpace"],
    ["default/newest", "spec.rules[0].http.paths[0]", "OutOfSpace"],
  ]);
  assertStringIncludes(
    translation.problems[0]?.message ?? "",
    `no room for large.test /b${first}${PATH} and ${1500 - first - 1} more of this Ingress: not served.`,
  );
  assertWritable(translation);
  assertEquals(sharded(store), translation);
});

Deno.test("translate() leaves out rules of all hosts when there are too many, the newest first", () => {
  const ingresses = Array.from(
    { length: 250 },
    (_, index) => ingress(`i${index}`, { host: `h${index}.test`, paths: paths(200), age: 1000 - index }),
  );
  const translation = sharded(storeOf(...ingresses));
  const served = ingresses.map((_, index) => rulesOf(translation, `h${index}.test`));
  assert(served.slice(0, 50).every((count) => count === 200));
  assert(served.slice(-10).some((count) => count === 0));
  const told = new Set(translation.problems.map(({ ingress }) => ingress));
  for (const [index, count] of served.entries()) assertEquals(told.has(`default/i${index}`), count < 200);
  assertWritable(translation);
});

Deno.test("translate() serves what it left out as soon as there is room", () => {
  const store = storeOf(
    ingress("old", { host: "large.test", paths: paths(3000, "a"), age: 2 }),
    ingress("new", { host: "large.test", paths: paths(10, "b"), age: 1 }),
  );
  assertEquals(sharded(store).problems.map(({ ingress }) => ingress), ["default/old", "default/new"]);
  store.delete("Ingress", "default/old");
  const translation = sharded(store);
  assertEquals([translation.problems, rulesOf(translation, "large.test")], [[], 10]);
});

Deno.test("translate() leaves out a rule whose endpoints there is no room for", () => {
  const store = storeOf(
    ingress("small", { host: "a.test", paths: ["/"], age: 2 }),
    ingress("large", { host: "a.test", paths: ["/large", "/larger"], age: 1, service: "large" }),
  );
  addService(
    store,
    "large",
    Array.from({ length: 60_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`),
  );
  const { config, endpoints, problems } = sharded(store);
  assertEquals(config.rules.map(({ path }) => path.path), ["/"]);
  assertEquals(Object.keys(endpoints), ["default/web:80"]);
  assertEquals(problems.map(({ ingress, reason }) => [ingress, reason]), [["default/large", "OutOfSpace"]]);
});

Deno.test("translate() keeps the default backend, whatever else there is no room for", () => {
  const large = ingress("large", { host: "a.test", paths: [], age: 1 });
  const backend = { service: { name: "web", port: { number: 80 } } };
  const { spec, metadata } = large;
  const everyHost = { http: { paths: paths(3000).map((path) => ({ path, pathType: "Prefix", backend })) } };
  const store = storeOf({ metadata, spec: { ...spec, defaultBackend: backend, rules: [everyHost] } });
  const { config, problems } = sharded(store);
  assertEquals(config.defaultBackend?.name, "web");
  assertStringIncludes(problems[0]?.message ?? "", "no room for every host /");
});

Deno.test("translate() serves a host without the certificate that there is no room for, and tells so", () => {
  const store = storeOf(
    ingress("old", { host: "a.test", paths: ["/"], age: 2, secretName: "small" }),
    ingress("new", { host: "b.test", paths: ["/"], age: 1, secretName: "large" }),
  );
  const lastGood = new Map([
    ["default/small", { cert: "C", key: "K" }],
    ["default/large", { cert: "C".repeat(MIB), key: "K" }],
  ]);
  const { config, certificates, problems } = sharded(store, lastGood);
  assertEquals([...certificates.keys()], ["a.test"]);
  assertEquals(config.rules.map(({ host, tls }) => [host, tls !== undefined]), [["a.test", true], [
    "b.test",
    false,
  ]]);
  const [problem] = problems.filter(({ reason }) => reason === "OutOfSpace");
  assertEquals([problem?.ingress, problem?.field], ["default/new", "spec.tls[0]"]);
  assertStringIncludes(problem?.message ?? "", "no room for the certificate of b.test");
});

Deno.test("translate() fills the Secrets no further than they hold", () => {
  const ingresses = Array.from({ length: 1200 }, (_, index) =>
    ingress(`i${index}`, {
      host: `${"long-name.".repeat(20)}h${index}.test`,
      paths: ["/"],
      age: 5000 - index,
      secretName: "tls",
    }));
  const lastGood = new Map([["default/tls", { cert: "C".repeat(20_000), key: "K" }]]);
  const translation = sharded(storeOf(...ingresses), lastGood);
  assert(translation.certificates.size > 500 && translation.certificates.size < 900);
  assertEquals(
    translation.problems.filter(({ reason }) => reason === "OutOfSpace").length,
    1200 - translation.certificates.size,
  );
  assertWritable(translation);
});
