import { assertEquals } from "@std/assert";
import { type Address, formatAddress, parseAddress } from "./address.ts";

Deno.test("parseAddress() reads a host and a port", () => {
  const cases: [string, Address | undefined][] = [
    ["0.0.0.0:80", { hostname: "0.0.0.0", port: 80 }],
    ["my-service.default:8080", { hostname: "my-service.default", port: 8080 }],
    ["[::]:443", { hostname: "::", port: 443 }],
    ["[::ffff:10.0.0.1]:0", { hostname: "::ffff:10.0.0.1", port: 0 }],
    ["a:65535", { hostname: "a", port: 65535 }],
    ["a:65536", undefined],
    ["a:100000", undefined],
    ["a:-1", undefined],
    ["a:8o", undefined],
    ["a:", undefined],
    [":80", undefined],
    ["80", undefined],
    ["a", undefined],
    ["", undefined],
    ["::1:80", undefined],
    ["[::1]", undefined],
    ["[::1:80", undefined],
    ["[a]:80]", undefined],
    ["[example]:80", undefined],
    ["a b:80", undefined],
    ["http://a:80", undefined],
    ["a:80\n", undefined],
    ["a:80:90", undefined],
  ];
  for (const [text, expected] of cases) assertEquals(parseAddress(text), expected, JSON.stringify(text));
});

Deno.test("formatAddress() writes what parseAddress() reads", () => {
  for (const text of ["10.1.2.3:80", "my-service.default:8080", "[fd00::1]:443"]) {
    assertEquals(formatAddress(parseAddress(text)!), text);
  }
});
