import { assertEquals } from "@std/assert";
import type { HeaderList } from "../exchange.ts";
import { Fields } from "../http1/fields.ts";
import { fromNode, toNode } from "./node_fields.ts";

Deno.test("fromNode() keeps fields in their order, without pseudo-headers, and makes one Cookie", () => {
  const cases: [raw: string[], expected: HeaderList][] = [
    [[], []],
    [[":method", "GET", ":path", "/", "x-a", "1", "x-b", "2", "x-a", "3"], [
      ["x-a", "1"],
      ["x-b", "2"],
      ["x-a", "3"],
    ]],
    [["cookie", "a=1", "x", "y", "cookie", "b=2", "cookie", "c=3"], [["cookie", "a=1; b=2; c=3"], [
      "x",
      "y",
    ]]],
    [["x", "caf\xe9"], [["x", "caf\xe9"]]],
  ];
  for (const [raw, expected] of cases) assertEquals(fromNode(raw).list(), expected);
});

Deno.test("toNode() makes lists of fields that come more than once", () => {
  const fields = Fields.of([["x", "1"], ["y", "2"], ["x", "3"], ["x", "4"]]);
  assertEquals(toNode(fields), { x: ["1", "3", "4"], y: "2" });
});
