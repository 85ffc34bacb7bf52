import { assertEquals } from "@std/assert";
import { EXPLANATIONS, explanationTable } from "./differences.ts";
import { FAULTS } from "./reference.ts";

const DOCUMENT = new URL("../../docs/fuzzing.md", import.meta.url);
const MARK = "<!-- differences -->";

/** Set by `deno task test:update`: the table is written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

Deno.test("docs/fuzzing.md has all known differences", async () => {
  const [text = "", table = ""] = (await Deno.readTextFile(DOCUMENT)).split(MARK);
  if (isUpdate) return await Deno.writeTextFile(DOCUMENT, `${text}${MARK}\n\n${explanationTable()}\n`);
  assertEquals(table.trim(), explanationTable());
});

Deno.test("every known difference is about a fault that there is, and says why", () => {
  for (const { fault, where, why } of EXPLANATIONS) {
    assertEquals([fault === undefined || fault in FAULTS, where === "", why === ""], [true, false, false]);
  }
});
