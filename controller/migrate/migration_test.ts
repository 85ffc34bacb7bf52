import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { expandGlob } from "@std/fs";
import { INERT, PREFIXES, ROWS } from "../annotations/known.ts";
import { objectKey } from "../objects.ts";
import { readManifests } from "../sources/manifests.ts";
import type { ReadFile } from "../sources/read_once.ts";
import { annotationField } from "../annotations/read_annotations.ts";
import { formatHtml } from "./html_report.ts";
import { buildMigration } from "./migration.ts";
import { formatMigration } from "./text_report.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

/** Set by `deno task test:update`: expected files are written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

const cases = (await Array.fromAsync(expandGlob("*.in.yaml", { root: TESTDATA }))).map(({ path }) => path)
  .sort();

assert(cases.length > 0, "no test data was found");

/** The manifests, by the names of their files. */
const files = new Map(
  await Promise.all(
    cases.map(async (path) => [path, readFile(path, await Deno.readTextFile(path))] as const),
  ),
);

function readFile(path: string, text: string): ReadFile {
  const name = path.slice(TESTDATA.length);
  return { name, relative: name, text, ...readManifests(text) };
}

/** What is said of one file. */
function migrate(file: ReadFile) {
  const { report, changed } = buildMigration({ files: [file], classes: [] });
  return { report, text: changed.get(file) };
}

for (const [path, file] of files) {
  const name = path.slice(TESTDATA.length, -".in.yaml".length).replaceAll("_", " ");

  // the expected file is the report, as comments, and what is written after it
  Deno.test(`buildMigration() ${name}`, async () => {
    const { report, text = "" } = migrate(file);
    const said = formatMigration(report).split("\n").map((line) => `# ${line}`.trimEnd()).join("\n");
    const output = path.replace(/\.in\.yaml$/, ".out.yaml");
    if (isUpdate) await Deno.writeTextFile(output, `${said}\n${text}`);
    assertEquals(`${said}\n${text}`, await Deno.readTextFile(output));
  });

  Deno.test(`buildMigration() drops no annotation without a word: ${name}`, () => {
    const { report } = migrate(file);
    const reports = [formatMigration(report), formatHtml(report)];
    const wanted = new Set(report.ingresses.map(({ ingress }) => ingress));
    for (const { kind, object } of file.objects) {
      if (kind !== "Ingress" || !wanted.has(objectKey(object))) continue;
      for (const annotation of Object.keys(object.metadata.annotations ?? {})) {
        const said = report.ingresses.flatMap(({ findings }) => findings).find(({ field }) =>
          field === annotationField(annotation)
        );
        assert(said !== undefined && said.message !== "", annotation);
        for (const text of reports) assertStringIncludes(text, annotation);
      }
    }
  });

  if (file.text.includes(PREFIXES[0])) continue;
  Deno.test(`buildMigration() says the same of our own spelling: ${name}`, () => {
    const inOurs = (text: string) => text.replaceAll(PREFIXES[1], PREFIXES[0]);
    const { report, text = "" } = migrate(file);
    const ours = migrate({ ...file, ...readFile(path, inOurs(file.text)) });
    const sayings = ({ ingresses }: typeof report) =>
      // what has our names already need not be renamed
      ingresses.map(({ ingress, verdict, findings }) =>
        inOurs(JSON.stringify({
          ingress,
          verdict,
          findings: findings.filter(({ kind }) => kind !== "manual"),
        }))
      );
    assertEquals(sayings(ours.report), sayings(report));
    assertEquals(inOurs(ours.text ?? ""), inOurs(text));
  });
}

Deno.test("buildMigration() has a manifest for each annotation that is known", () => {
  const all = [...files.values()].map(({ text }) => text).join("\n");
  const missing = [...ROWS.keys(), ...Object.keys(INERT)].filter((name) =>
    !PREFIXES.some((prefix) => all.includes(`${prefix}${name}:`) || all.includes(`${prefix}${name}":`))
  );
  assertEquals(missing, []);
});
