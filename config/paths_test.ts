import { assertEquals, assertMatch } from "@std/assert";
import { certFile, keyFile, shardFile } from "./paths.ts";

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

Deno.test("certFile() and keyFile() are short enough for the key of a Secret, and differ for all hosts", () => {
  const label = "a".repeat(49);
  const longest = Array<string>(5).fill(label).join(".");
  const hosts = ["", ".b", ".bc", ".bcd", ".bce"].map((end) => `${longest.slice(1)}${end}`);
  hosts.push(`*.${longest}`, `w.${longest}`);
  const files = hosts.flatMap((host) => [certFile(host), keyFile(host)]);
  for (const file of files) assertMatch(file, /^[-._a-zA-Z0-9]{1,253}$/);
  assertEquals(new Set(files).size, files.length);
});

Deno.test("shardFile() numbers the files after the first one", () => {
  const cases: [file: string, shard: number, expected: string][] = [
    ["proxy.json", 0, "proxy.json"],
    ["proxy.json", 1, "proxy.1.json"],
    ["/etc/a.json/proxy.json", 15, "/etc/a.json/proxy.15.json"],
    ["./routes", 2, "./routes.2"],
  ];
  for (const [file, shard, expected] of cases) assertEquals(shardFile(file, shard), expected);
});
