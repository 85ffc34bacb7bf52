import { assertEquals } from "@std/assert";
import type { Sample } from "@pingress/config";
import { addUp } from "./add_up.ts";

Deno.test("addUp() adds what has the same name and labels", () => {
  const samples: Sample[] = [
    ["a", "", 1],
    ["a", 'x="1"', 2],
    ["b", "", 3],
    ["a", "", 4],
    ["a", 'x="1"', 5],
  ];
  const before = structuredClone(samples);
  assertEquals(addUp(samples), [["a", "", 5], ["a", 'x="1"', 7], ["b", "", 3]]);
  assertEquals(samples, before);
  assertEquals(addUp([]), []);
});
