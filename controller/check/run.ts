import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { errorMessage, type Log } from "@pingress/config";
import { KubernetesSource } from "../sources/kubernetes_source.ts";
import { readManifests } from "../sources/manifests.ts";
import { manifestFiles } from "../sources/manifests_source.ts";
import { translate } from "../translate/translate.ts";
import type { CheckFlags } from "./flags.ts";
import { layOver } from "./lay_over.ts";
import { buildReport, type CheckedFile } from "./report.ts";
import { formatReport } from "./text_report.ts";

/** What `check` needs of the world besides files. */
export interface CheckWorld {
  /** Connects to the cluster, when it is asked for. */
  connect(): Promise<RestClient>;
  /** The standard input. */
  stdin: ReadableStream<Uint8Array>;
  /** Told which objects of the cluster cannot be read. */
  log: Log;
}

/**
 * Checks what the flags name.
 *
 * @returns what is to be printed, and whether all is well.
 * @throws {Error} when the cluster cannot be read. A file that cannot be read is a problem in the report.
 */
export async function runCheck(
  { paths, usesCluster, namespace, isStrict, output }: CheckFlags,
  { connect, stdin, log }: CheckWorld,
): Promise<{ text: string; passed: boolean }> {
  const files: CheckedFile[] = [];
  for (const path of new Set(paths)) {
    for await (const file of readFiles(path, stdin)) {
      files.push("text" in file ? { name: file.name, ...readManifests(file.text, { namespace }) } : file);
    }
  }
  const report = buildReport({
    now: Date.now(),
    files,
    ...usesCluster && { cluster: await readCluster(await connect(), { files, log }) },
  });
  const { errors, warnings } = report.summary;
  const passed = errors === 0 && !(isStrict && warnings > 0);
  return {
    text: output === "json" ? JSON.stringify({ passed, ...report }, null, 2) : formatReport(report),
    passed,
  };
}

async function* readFiles(
  path: string,
  stdin: ReadableStream<Uint8Array>,
): AsyncGenerator<{ name: string; text: string } | CheckedFile> {
  if (path === "-") return yield { name: "<stdin>", text: await new Response(stdin).text() };
  const unreadable: CheckedFile[] = [];
  const skipped = (name: string, error: unknown) => {
    unreadable.push({
      name,
      objects: [],
      faults: [{ message: `This cannot be read: ${errorMessage(error)}` }],
    });
  };
  try {
    const { isDirectory } = await Deno.stat(path);
    const names = isDirectory
      ? await Array.fromAsync(manifestFiles(path.replace(/(?<=.)\/+$/, ""), { skipped }))
      : [path];
    for (const name of names.sort()) {
      try {
        yield { name, text: await Deno.readTextFile(name) };
      } catch (error) {
        skipped(name, error);
      }
    }
  } catch (error) {
    skipped(path, error);
  }
  yield* unreadable;
}

async function readCluster(client: RestClient, { files, log }: { files: readonly CheckedFile[]; log: Log }) {
  const source = new KubernetesSource(client, { log });
  const refused = await source.readOnce();
  if (refused.includes("Ingress")) {
    throw new Error(
      "The cluster's Ingresses may not be listed: use a kubeconfig that may, or leave --cluster out",
    );
  }
  const { snapshot } = layOver(files, source.snapshot());
  await source.readSecretsOnce(translate(snapshot, { keysDirectory: "" }).namedSecrets);
  return { snapshot: source.snapshot(), refused };
}
