import { assertEquals } from "@std/assert";
import { backendKeys, type ServiceBackend } from "./proxy_config.ts";

function backend(name: string): ServiceBackend {
  return { type: "Service", namespace: "default", name, port: 80 };
}

Deno.test("backendKeys() names each backend that requests may go to, once", () => {
  const path = { type: "Prefix", path: "/" } as const;
  const errors = { codes: [503], backend: backend("pages"), ingress: "web" };
  const keys = backendKeys({
    rules: [
      { path, backend: backend("web"), options: { canary: { backend: backend("new"), weight: 1 } } },
      { path, backend: backend("web") },
    ],
    defaultBackend: backend("rest"),
    defaultOptions: { errors },
  });
  assertEquals([...keys], ["web", "new", "rest", "pages"].map((name) => `default/${name}:80`));
  assertEquals(backendKeys({ rules: [] }), new Set());
});
