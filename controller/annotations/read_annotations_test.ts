import { assertEquals } from "@std/assert";
import { optionsFor } from "./testing.ts";

const long = (count: number) => "a".repeat(count);

/** What no value may be, and proxies would not take of the controller. */
const values: [name: string, value: string, told: string][] = [
  ["temporal-redirect", "https://a.test/\u2028a", "is not one line of visible characters"],
  ["permanent-redirect", "https://💥.test/", "is not one line of visible characters"],
  ["upstream-hash-by", "$host€", "is not one line of visible characters"],
  [
    "permanent-redirect",
    `https://a.test/${long(4082)}`,
    "is too long: it has 4097 characters, and may have 4096",
  ],
  ["custom-headers", `X-A: ${long(8188)}`, "is too long: it has 8193 characters, and may have 8192"],
  ["server-alias", "a.test,".repeat(101), "is no list of 1 to 100 hosts"],
];

for (const [name, value, told] of values) {
  Deno.test(`${name} of ${value.length} characters, ${JSON.stringify(value.slice(0, 20))}, ${told}`, () => {
    const { options, told: all } = optionsFor({ [name]: value });
    assertEquals(options, {});
    assertEquals(all, [`${JSON.stringify(value.slice(0, 80))} ${told}: the annotation does nothing`]);
  });
}

Deno.test("a list may be long; what says who may come in closes the Ingress where it is too long", () => {
  const list = (count: number) => Array.from({ length: count }, () => "10.0.0.0/8").join(",");
  assertEquals(optionsFor({ "allowlist-source-range": list(5000) }).options.allow?.length, 5000);
  const { options, told } = optionsFor({ "allowlist-source-range": list(6000) });
  assertEquals([typeof options.closed, told.length], ["string", 1]);
});

Deno.test("what is meant is told of many unknown annotations, and not of any number", () => {
  const names = Array.from({ length: 150 }, (_, index) => `ssl-redirect${index}`);
  const { told } = optionsFor(Object.fromEntries(names.map((name) => [name, "true"])));
  const advised = told.filter((message) => message.endsWith(": did you mean pingress.dev/ssl-redirect?"));
  const others = told.filter((message) => message.endsWith(": remove it"));
  assertEquals([advised.length, others.length], [100, 50]);
});
