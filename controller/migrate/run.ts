import { UsageError } from "@pingress/config";
import type { CheckWorld } from "../check/run.ts";
import { readCluster, type ReadFile, readFiles } from "../sources/read_once.ts";
import type { MigrateFlags } from "./flags.ts";
import { formatHtml } from "./html_report.ts";
import { buildMigration, type MigrationReport, secretsOf } from "./migration.ts";
import { formatMigration } from "./text_report.ts";

const FORMATS: Record<MigrateFlags["output"], (report: MigrationReport) => string> = {
  text: formatMigration,
  html: formatHtml,
  json: (report) => JSON.stringify(report, null, 2),
};

/**
 * Looks at the Ingresses that the flags name, and writes them changed where that is asked for.
 *
 * @returns what is to be printed, and whether everything moves as it is.
 * @throws {UsageError} when the directory to write to is not empty, or two files have one name there.
 * @throws {Error} when the cluster cannot be read, or a file cannot be written.
 */
export async function runMigrate(
  { paths, classes, namespace, directory, output }: MigrateFlags,
  { connect, stdin, log }: CheckWorld,
): Promise<{ text: string; passed: boolean }> {
  if (directory !== undefined) await checkEmpty(directory);
  const { report, changed } = buildMigration({
    now: Date.now(),
    classes,
    files: await readFiles(paths, { stdin, namespace }),
    ...paths.length === 0 && {
      cluster: await readCluster(await connect(), {
        log,
        secretsOf: (snapshot) => secretsOf(snapshot, classes),
      }),
    },
  });
  if (directory !== undefined) report.written = await writeFiles(changed, directory);
  return { text: FORMATS[output](report), passed: report.passed };
}

/** What is there already may be of use to somebody. */
async function checkEmpty(directory: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(directory)) {
      throw new UsageError(
        `There is ${name} in ${directory} already: --write takes a new or an empty directory`,
      );
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function writeFiles(changed: ReadonlyMap<ReadFile, string>, directory: string): Promise<string[]> {
  const texts = new Map<string, string>();
  for (const [{ name, relative }, text] of changed) {
    const path = `${directory.replace(/(?<=.)\/+$/, "")}/${relative}`;
    if (texts.has(path)) {
      throw new UsageError(`Nothing is written: ${name} and another file would both be ${path}`);
    }
    texts.set(path, text);
  }
  for (const [path, text] of texts) {
    await Deno.mkdir(path.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(path, text, { createNew: true });
  }
  return [...texts.keys()];
}
