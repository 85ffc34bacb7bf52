import { assertEquals, assertThrows } from "@std/assert";
import { parseEndpointsFile } from "./endpoints_file.ts";
import { ShapeError } from "./shape.ts";

Deno.test("parseEndpointsFile() takes addresses by backend", () => {
  const file = { "default/my-service:80": ["10.1.2.3:8080", "[fd00::1]:8080"], "default/none:http": [] };
  assertEquals(parseEndpointsFile(file), file);
  assertEquals(parseEndpointsFile({}), {});
});

Deno.test("parseEndpointsFile() names the place of a fault", () => {
  const cases: [unknown, string][] = [
    [[], "the document: found a list, expected an object"],
    [{ "a/b:80": "10.1.2.3:80" }, '["a/b:80"]: found "10.1.2.3:80", expected a list'],
    [{ "a/b:80": ["10.1.2.3"] }, '["a/b:80"][0]: found "10.1.2.3", expected an address and port'],
    [{ "a/b:80": ["10.1.2.3:80", "10.1.2.3:0"] }, '["a/b:80"][1]: found "10.1.2.3:0"'],
    [{ "a/b:80": ["10.1.2.3:65536"] }, '["a/b:80"][0]: found "10.1.2.3:65536"'],
    [{ "a/b:80": ["fd00::1:80"] }, '["a/b:80"][0]: found "fd00::1:80"'],
    [{ "a/b:80": [null] }, '["a/b:80"][0]: found null'],
  ];
  for (const [file, message] of cases) assertThrows(() => parseEndpointsFile(file), ShapeError, message);
});
