import { assertEquals, assertMatch } from "@std/assert";
import { certFile, keyFile } from "./paths.ts";

Deno.test("certFile() and keyFile() spell a host as the key of a Secret", () => {
  const cases: [host: string, cert: string, key: string][] = [
    ["example.com", "example.com.cert", "example.com.key"],
    ["*.example.com", "_.example.com.cert", "_.example.com.key"],
  ];
  for (const [host, cert, key] of cases) {
    assertEquals([certFile(host), keyFile(host)], [cert, key]);
    assertMatch(cert, /^[-._a-zA-Z0-9]+$/);
  }
});
