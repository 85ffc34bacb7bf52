/**
 * The HTML report of `migrate`, opened from a file as its reader does: of all cases that the tests of `migrate`
 * know, with a file that cannot be read among them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import { runMigrate } from "../../controller/migrate/run.ts";
import { browserTest, Visit } from "./browser.ts";

const CASES = "controller/migrate/testdata";

/** Writes the report into a file. @returns its URL. */
async function writeReport(directory: string): Promise<string> {
  const paths = [`${directory}/unreadable.yaml`];
  await Deno.writeTextFile(`${directory}/unreadable.yaml`, "a: [");
  for await (const { name } of Deno.readDir(CASES)) {
    if (name.endsWith(".in.yaml")) paths.push(`${CASES}/${name}`);
  }
  const { text } = await runMigrate(
    {
      paths: paths.sort(),
      classes: ["nginx"],
      namespace: "default",
      directory: `${directory}/out`,
      output: "html",
    },
    {
      connect: () => Promise.reject(new Error("no cluster is asked")),
      stdin: ReadableStream.from([]),
      log: SILENT_LOG,
    },
  );
  await Deno.writeTextFile(`${directory}/migrate.html`, text);
  return `file://${directory}/migrate.html`;
}

browserTest("the report of migrate can be read by everybody", async (browser, t) => {
  const directory = await Deno.makeTempDir({ prefix: "pingress_browser_" });
  try {
    const report = await writeReport(directory);

    for (const scheme of ["light", "dark"] as const) {
      await t.step(`${scheme}: no barrier, no complaint, and nothing is loaded`, async () => {
        await using visit = await Visit.to(browser, report, { scheme });
        assertEquals(await visit.page.title(), "From ingress-nginx to Pingress");
        // what is folded is read, too
        await visit.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)");
        assertEquals(await visit.barriers(), []);
        assertEquals(visit.complaints, []);
        assertEquals(visit.foreignRequests(), []);
        const colours = await visit.page.evaluate("getComputedStyle(document.body).colorScheme");
        const [red = 0] =
          /\d+/.exec(await visit.page.evaluate("getComputedStyle(document.body).backgroundColor") as string)
            ?.map(Number) ?? [];
        assertEquals([colours, red < 128], ["light dark", scheme === "dark"]);
      });
    }

    await t.step("its links lead to its parts, and its parts unfold, by the keyboard alone", async () => {
      await using visit = await Visit.to(browser, report);
      const { page } = visit;
      const stops = await visit.tabStops();
      const links = await page.$$eval("a", (all) => all.map(({ hash }) => hash));
      const folds = await page.$$eval("summary", (all) => all.length);
      assertEquals(stops.length, links.length + folds);
      assert(folds > 50, `there are ${folds} Ingresses`);

      for (const link of links) assert(await page.$(link) !== null, `${link} leads nowhere`);
      await page.focus("a[href='#moves']");
      await page.keyboard.press("Enter");
      assertEquals(await page.evaluate("location.hash"), "#moves");
      assert(await page.$eval("#moves", (part) => part.getBoundingClientRect().top) < 800);
      await page.keyboard.press("Tab");
      const isOpen = () => page.evaluate("document.activeElement.closest('#moves details').open");
      assertEquals(await isOpen(), false);
      await page.keyboard.press("Enter");
      assertEquals(await isOpen(), true);
      await page.keyboard.press("Space");
      assertEquals(await isOpen(), false);
      assert(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") !== "none");
    });

    await t.step("a narrow window scrolls in one direction alone", async () => {
      await using visit = await Visit.to(browser, report, { width: 320 });
      assertEquals(await visit.page.evaluate("document.documentElement.scrollWidth"), 320);
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
