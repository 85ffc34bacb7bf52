import { assertEquals } from "@std/assert";
import { rowsOf, windowsIn } from "./paged_rows.js";

Deno.test("windowsIn() names the parts of a list that are in sight", () => {
  const cases: [first: number, last: number, windows: number[]][] = [
    [0, 0, [0]],
    [0, 99, [0]],
    [0, 100, [0, 1]],
    [95, 305, [0, 1, 2, 3]],
    [4980, 5010, [49, 50]],
  ];
  for (const [first, last, windows] of cases) {
    assertEquals(windowsIn({ first, last }), windows, `${first} to ${last}`);
  }
});

Deno.test("rowsOf() has the rows of a list, and none before there is one", () => {
  assertEquals(rowsOf(["a", "b"]).total, 2);
  assertEquals(rowsOf(["a", "b"]).at(1), "b");
  assertEquals(rowsOf(undefined).total, undefined);
});
