import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import type { Log } from "@pingress/config";
import { readCluster, readFiles } from "../sources/read_once.ts";
import { translate } from "../translate/translate.ts";
import type { CheckFlags } from "./flags.ts";
import { layOver } from "./lay_over.ts";
import { buildReport } from "./report.ts";
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
  { paths, usesCluster, namespace, defaultCertificate, isStrict, output }: CheckFlags,
  { connect, stdin, log }: CheckWorld,
): Promise<{ text: string; passed: boolean }> {
  const files = await readFiles(paths, { stdin, namespace });
  const report = buildReport({
    now: Date.now(),
    files,
    defaultCertificate,
    ...usesCluster && {
      cluster: await readCluster(await connect(), {
        log,
        secretsOf: (cluster) =>
          translate(layOver(files, cluster).snapshot, { keysDirectory: "" }).namedSecrets,
      }),
    },
  });
  const { errors, warnings } = report.summary;
  const passed = errors === 0 && !(isStrict && warnings > 0);
  return {
    text: output === "json" ? JSON.stringify({ passed, ...report }, null, 2) : formatReport(report),
    passed,
  };
}
