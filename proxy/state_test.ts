import { assert, assertEquals, assertThrows } from "@std/assert";
import { type CheckedKeyPair, type ProxyConfig, serviceKey } from "@pingress/config";
import type { CertificateSet, Configuration } from "./configuration.ts";
import type { Compile } from "./routing_table.ts";
import { StateCompiler } from "./state.ts";
import { Resolver } from "./upstream/resolver.ts";

const BACKEND = { type: "Service" as const, name: "one", namespace: "default", port: 80 };

const NO_POLICIES: Compile = () => undefined;

function config(path: string): ProxyConfig {
  return { rules: [{ host: "a.test", path: { type: "Prefix", path }, backend: BACKEND }] };
}

function pair(name: string): CheckedKeyPair {
  return { cert: name, key: name, names: [name], notAfter: 0 };
}

function certificates(hosts: Record<string, CheckedKeyPair>, fallback?: CheckedKeyPair): CertificateSet {
  return { byHost: new Map(Object.entries(hosts)), fallback };
}

function configuration(): Configuration {
  return {
    config: config("/"),
    endpoints: { [serviceKey(BACKEND)]: ["10.0.0.1:80"] },
    certificates: certificates({ "a.test": pair("a") }, pair("default")),
    files: new Map(),
  };
}

/** A compiler that has compiled a configuration. */
function compiler(): StateCompiler {
  const compiler = new StateCompiler(
    new Resolver({ lookup: () => Promise.resolve(["10.9.9.9"]) }),
    NO_POLICIES,
  );
  compiler.update(configuration());
  return compiler;
}

Deno.test("StateCompiler compiles a configuration", async () => {
  const { state } = compiler();
  const route = state.routes.match("a.test", "/x")?.route;
  assertEquals(route?.backend, BACKEND);
  assertEquals([...await state.endpoints.of(route!)], [{ hostname: "10.0.0.1", port: 80 }]);
  assertEquals([state.certificates.find("a.test"), state.certificates.find("b.test")], [
    pair("a"),
    pair("default"),
  ]);
});

Deno.test("StateCompiler has no state before the first configuration", () => {
  const compiler = new StateCompiler(new Resolver(), NO_POLICIES);
  assertThrows(() => compiler.state, Error, "BUG");
  assertThrows(() => compiler.update({ config: config("/") }), Error, "BUG");
});

Deno.test("StateCompiler.update() compiles what has changed and nothing else", () => {
  const { config: _, ...others } = configuration();
  const cases: [change: Partial<Configuration>, compiled: string[]][] = [
    [{}, []],
    [{ config: config("/new") }, ["routes"]],
    [{ endpoints: {} }, ["endpoints"]],
    [{ certificates: certificates({}) }, ["certificates"]],
    [others, ["endpoints", "certificates"]],
  ];
  for (const [change, compiled] of cases) {
    const subject = compiler();
    const before = subject.state;
    subject.update(change);
    for (const part of ["routes", "endpoints", "certificates"] as const) {
      assertEquals(subject.state[part] !== before[part], compiled.includes(part), part);
    }
  }
});

Deno.test("StateCompiler.update() leaves the state before as it was", () => {
  const subject = compiler();
  const before = subject.state;
  subject.update({ config: config("/new") });
  assert(before.routes.match("a.test", "/") !== undefined);
  assertEquals(subject.state.routes.match("a.test", "/"), undefined);
  assert(subject.state.routes.match("a.test", "/new") !== undefined);
});

Deno.test("StateCompiler.update() looks up what the new endpoints do not list", async () => {
  const subject = compiler();
  subject.update({ endpoints: {} });
  const route = subject.state.routes.match("a.test", "/")!.route;
  assertEquals([...await subject.state.endpoints.of(route)], [{ hostname: "10.9.9.9", port: 80 }]);
});

Deno.test("StateCompiler.update() keeps the object of a pair that says the same", () => {
  const subject = compiler();
  const before = ["a.test", "other.test"].map((name) => subject.state.certificates.find(name));
  // a copy, as it comes from another thread
  const again = certificates(
    { "a.test": pair("a"), "b.test": pair("b"), "c.test": pair("a") },
    pair("default"),
  );
  subject.update({ certificates: structuredClone(again) });
  const { certificates: store } = subject.state;
  assert(store.find("a.test") === before[0]);
  assert(store.find("c.test") === before[0]);
  assert(store.find("other.test") === before[1]);
  assertEquals(store.find("b.test"), pair("b"));
  subject.update({ certificates: certificates({ "a.test": { ...pair("a"), key: "another" } }) });
  assertEquals(subject.state.certificates.find("a.test")?.key, "another");
  assertEquals(subject.state.certificates.find("b.test"), undefined);
});
