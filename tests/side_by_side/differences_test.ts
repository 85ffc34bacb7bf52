import { assertEquals } from "@std/assert";
import { CASES } from "./cases.ts";
import { DIFFERENCES, differenceTable, EVERYWHERE } from "./differences.ts";

const DOCUMENT = new URL("../../docs/migrating_from_ingress_nginx.md", import.meta.url);
const [START, END] = ["<!-- side by side -->", "<!-- end of side by side -->"];

/** Set by `deno task test:update`: the table is written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

Deno.test("docs/migrating_from_ingress_nginx.md has all known differences", async () => {
  const text = await Deno.readTextFile(DOCUMENT);
  const [before = "", rest = ""] = text.split(START);
  const [table = "", after = ""] = rest.split(END);
  if (isUpdate) {
    const written = `${before}${START}\n\n${differenceTable()}\n\n${END}${after}`;
    return await Deno.writeTextFile(DOCUMENT, written);
  }
  assertEquals(cells(table), cells(differenceTable()));
});

Deno.test("every known difference is one that a case, or every case, shows", () => {
  const shown = [
    ...EVERYWHERE.map(({ why }) => why),
    ...CASES.flatMap(({ differs, questions }) => [differs, ...questions.map((one) => one.differs)])
      .map((differs) => differs?.[0]),
  ];
  assertEquals(Object.keys(DIFFERENCES).filter((name) => !shown.some((why) => why === name)), []);
});

Deno.test("every case has a host of its own", () => {
  const hosts = CASES.map(({ host }) => host);
  assertEquals(hosts, [...new Set(hosts)]);
});

/** The cells of a table, however wide its columns are. */
function cells(table: string): string[] {
  return table.trim().split("\n").map((row) => row.replace(/ *\| */g, "|").replace(/-+/g, "-"));
}
