import { assertEquals } from "@std/assert";
import { type Address, serviceKey } from "@pingress/config";
import { Endpoints } from "./endpoints.ts";

Deno.test("Endpoints.of() lists a backend's addresses, or names it for DNS", () => {
  const endpoints = new Endpoints({
    "default/listed:80": ["10.0.0.1:8080", "[fd00::1]:8080"],
    "default/empty:80": [],
    "default/named:http": ["10.0.0.2:80"],
  });
  const cases: [name: string, port: number | string, Address[]][] = [
    ["listed", 80, [{ hostname: "10.0.0.1", port: 8080 }, { hostname: "fd00::1", port: 8080 }]],
    ["listed", 81, [{ hostname: "listed.default", port: 81 }]],
    ["empty", 80, []],
    ["named", "http", [{ hostname: "10.0.0.2", port: 80 }]],
    ["named", "https", []],
    ["unlisted", 80, [{ hostname: "unlisted.default", port: 80 }]],
  ];
  for (const [name, port, expected] of cases) {
    const backend = { type: "Service" as const, name, namespace: "default", port };
    assertEquals([...endpoints.of({ key: serviceKey(backend), backend })], expected, serviceKey(backend));
  }
});
