import { assertThrows } from "@std/assert";
import { pagesBelow } from "../markdown.ts";
import { checkOutput, hasBlocks, walk } from "./walk.ts";

for (const { path, text } of await pagesBelow()) {
  if (!hasBlocks(text, "runnable")) continue;
  Deno.test(`${path} does what it says`, async () => {
    await walk(path, "runnable");
  });
}

Deno.test("checkOutput() wants each line, in order, with … for anything", () => {
  checkOutput("a … c\n…\nd\n", "x\na b c\n  y\n d \n", "here");
  for (const [expected, printed] of [["a", "b"], ["a\nb", "b\na"], ["a.c", "abc"], ["a", "aa"]] as const) {
    assertThrows(() => checkOutput(expected, printed, "here"), Error, "here: nothing like");
  }
});
