import { assertEquals } from "@std/assert";
import { optionsFor } from "./testing.ts";

const origins: [value: string, origins: string[] | undefined][] = [
  ["*", ["*"]],
  ["https://a.test, *", ["*"]],
  ["https://a.test,http://*.b.test:8080", ["https://a.test", "http://*.b.test:8080"]],
  ["null", ["null"]],
  ["https://my_app.test", ["https://my_app.test"]],
  ["HTTPS://A.test", ["HTTPS://A.test"]],
  ["", undefined],
  ["a.test", undefined],
  ["https://a.test/", undefined],
  ["https://a.test,", undefined],
  ["https://a.*.test", undefined],
  ["https://a.test:port", undefined],
  ["https://a.test\r\nX: y", undefined],
];

for (const [value, expected] of origins) {
  Deno.test(`cors-allow-origin ${JSON.stringify(value)} allows ${expected ?? "none"}`, () => {
    const { options, told } = optionsFor({ "enable-cors": "true", "cors-allow-origin": value });
    assertEquals([options.cors?.origins, told.length], [expected, expected === undefined ? 1 : 0]);
  });
}
