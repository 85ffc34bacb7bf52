import { assert, assertEquals } from "@std/assert";
import { expandGlob } from "@std/fs";
import { readManifests } from "../sources/manifests.ts";
import { Store } from "../store.ts";
import { buildReport, type CheckInput } from "./report.ts";
import { formatReport } from "./text_report.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

/** Set by `deno task test:update`: expected files are written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

const cases = (await Array.fromAsync(expandGlob("*.in.*", { root: TESTDATA }))).map(({ path }) => path)
  .sort();

assert(cases.length > 0, "no test data was found");

for (const input of cases) {
  const [name = ""] = input.slice(TESTDATA.length).split(".");
  Deno.test(`buildReport() ${name.replaceAll("_", " ")}`, async () => {
    const report = buildReport({
      files: [{ name: input.slice(TESTDATA.length), ...readManifests(await Deno.readTextFile(input)) }],
      ...await clusterOf(`${TESTDATA}${name}.cluster.yaml`),
    });
    await assertFile(`${TESTDATA}${name}.out.txt`, `${formatReport(report)}\n`);
    await assertFile(`${TESTDATA}${name}.out.json`, `${JSON.stringify(report, null, 2)}\n`);
  });
}

async function assertFile(path: string, text: string): Promise<void> {
  if (isUpdate) await Deno.writeTextFile(path, text);
  assertEquals(text, await Deno.readTextFile(path));
}

/** What the cluster has, in the cases that have one. */
async function clusterOf(path: string): Promise<Pick<CheckInput, "cluster">> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  return text === undefined ? {} : { cluster: { snapshot: snapshotOf(text), refused: [] } };
}

function snapshotOf(text: string) {
  const store = new Store();
  for (const { kind, object } of readManifests(text).objects) store.set(kind, object);
  return store.snapshot();
}
