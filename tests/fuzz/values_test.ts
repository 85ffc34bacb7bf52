import { assert, assertEquals } from "@std/assert";
import { ROWS } from "../../controller/annotations/known.ts";
import { fuzzExpressions } from "./expressions.ts";
import { MAKERS } from "./value_grammar.ts";
import { fuzzValues, GROUPS } from "./values.ts";

Deno.test("no value of an annotation crashes anything, or does anything but what it is for", async () => {
  const { findings, different } = await fuzzValues({ seed: 1, from: 0, count: 1500 * GROUPS.length });
  assertEquals(findings, []);
  for (const [name, count] of different) assert(count >= 1000, `${name} has got ${count} different values`);
  assertEquals(different.size, GROUPS.length);
});

Deno.test("no expression takes a proxy more steps than there are", async () => {
  const { findings, served } = await fuzzExpressions({ seed: 1, from: 0, count: 2000 });
  assertEquals(findings, []);
  assert(served > 400, `${served} are served`);
});

Deno.test("each annotation has a grammar", () => {
  assertEquals(Object.keys(MAKERS).sort(), [...ROWS.keys()].sort());
});
