import { assert, assertEquals, assertFalse } from "@std/assert";
import { KINDS } from "./objects.ts";
import { Store } from "./store.ts";

function service(name: string, status: object): ReturnType<typeof KINDS.Service.read> {
  return KINDS.Service.read({
    metadata: { name, namespace: "default" },
    spec: { ports: [{ port: 80 }] },
    status,
  }, "");
}

Deno.test("Store.set() tells a change from one that Pingress never looks at", () => {
  const store = new Store();
  assert(store.set("Service", service("web", {})));
  assertFalse(store.set("Service", service("web", { loadBalancer: {} })));
  const moved = service("web", {});
  moved.spec!.ports![0]!.port = 81;
  assert(store.set("Service", moved));
  assertEquals(store.snapshot().Service, [moved]);
});

Deno.test("Store.snapshot() sorts by namespace and name, and does not change afterwards", () => {
  const store = new Store();
  for (const name of ["b", "a", "c"]) store.set("Service", service(name, {}));
  const before = store.snapshot();
  store.delete("Service", "default/b");
  store.replace("Ingress", [{ metadata: { name: "web" } }]);
  assertEquals(before.Service.map(({ metadata }) => metadata.name), ["a", "b", "c"]);
  assertEquals(before.Ingress, []);
  assertEquals(store.snapshot().Service.map(({ metadata }) => metadata.name), ["a", "c"]);
});
