import { assert, assertEquals, assertMatch } from "@std/assert";
import { SCENARIOS } from "./scenarios.ts";

Deno.test("SCENARIOS have names of their own", () => {
  const names = SCENARIOS.map(({ name }) => name);
  assertEquals(names, [...new Set(names)]);
});

Deno.test("SCENARIOS tell how they are measured in a line that deno fmt leaves as it is", () => {
  for (const { name, how } of SCENARIOS) assert(`\`${name}\`: ${how}`.length <= 110, name);
});

Deno.test("SCENARIOS compare rows with rows that are there, and the reference with itself", () => {
  for (const { name, rows, columns } of SCENARIOS) {
    for (const { head, to } of columns) {
      const others = Object.keys(rows).map((row) => to?.(row) ?? row);
      assertEquals(others.filter((other) => !(other in rows)), [], `${name}, ${head}`);
      assertEquals(others.map((other) => to?.(other) ?? other), others, `${name}, ${head}`);
    }
  }
});

Deno.test("SCENARIOS name rows by their proxies", () => {
  for (const { rows } of SCENARIOS) {
    for (const [row, { proxy }] of Object.entries(rows)) assertMatch(row, new RegExp(`^${proxy}(,|$)`));
  }
});
