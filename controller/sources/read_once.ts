import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { errorMessage, type Log } from "@pingress/config";
import type { Kind } from "../objects.ts";
import type { Snapshot } from "../store.ts";
import { KubernetesSource } from "./kubernetes_source.ts";
import { type ManifestFault, type ManifestObject, readManifests } from "./manifests.ts";
import { manifestFiles } from "./manifests_source.ts";

/** A file that was read. */
export interface ReadFile {
  /** Its name: the path that was asked for, or one below it. */
  name: string;
  /** The part of its name that says where it is below the directory that was asked for. */
  relative: string;
  /** What is in it; empty where it cannot be read. */
  text: string;
  /** The objects in it. */
  objects: readonly ManifestObject[];
  /** What cannot be read; without a line where that is the whole file. */
  faults: readonly (Omit<ManifestFault, "line"> & { line?: number })[];
}

/** Options of {@linkcode readFiles}. */
export interface ReadFilesOptions {
  /** What `-` stands for. */
  stdin: ReadableStream<Uint8Array>;
  /** The namespace of objects that name none. */
  namespace: string;
}

/** Reads files, and directories with all below them, each once. What cannot be read is a fault. */
export async function readFiles(
  paths: readonly string[],
  { stdin, namespace }: ReadFilesOptions,
): Promise<ReadFile[]> {
  const files: ReadFile[] = [];
  const add = (name: string, relative: string, text: string) =>
    files.push({ name, relative, text, ...readManifests(text, { namespace }) });
  for (const path of new Set(paths)) {
    if (path === "-") {
      add("<stdin>", "stdin.yaml", await new Response(stdin).text());
      continue;
    }
    const unreadable: ReadFile[] = [];
    const skipped = (name: string, error: unknown) => {
      const faults = [{ message: `This cannot be read: ${errorMessage(error)}` }];
      unreadable.push({ name, relative: name, text: "", objects: [], faults });
    };
    try {
      const { isDirectory } = await Deno.stat(path);
      const directory = path.replace(/(?<=.)\/+$/, "");
      const names = isDirectory ? await Array.fromAsync(manifestFiles(directory, { skipped })) : [path];
      for (const name of names.sort()) {
        try {
          const relative = isDirectory ? name.slice(directory.length + 1) : name.replace(/^.*\//, "");
          add(name, relative, await Deno.readTextFile(name));
        } catch (error) {
          skipped(name, error);
        }
      }
    } catch (error) {
      skipped(path, error);
    }
    files.push(...unreadable);
  }
  return files;
}

/** What there is in a cluster, and the kinds that may not be listed. */
export interface ReadCluster {
  /** All that may be listed. */
  snapshot: Snapshot;
  /** What may not. */
  refused: readonly Kind[];
}

/** Options of {@linkcode readCluster}. */
export interface ReadClusterOptions {
  /** Told of what cannot be read. */
  log: Log;
  /** Finds out which Secrets (`namespace/name`) are needed beyond those of certificates. */
  secretsOf: (snapshot: Snapshot) => ReadonlySet<string>;
}

/** Reads a cluster once. @throws {Error} when it does not answer, or when its Ingresses may not be listed. */
export async function readCluster(
  client: RestClient,
  { log, secretsOf }: ReadClusterOptions,
): Promise<ReadCluster> {
  const source = new KubernetesSource(client, { log });
  const refused = await source.readOnce();
  if (refused.includes("Ingress")) {
    throw new Error("The cluster's Ingresses may not be listed: use a kubeconfig that may, or name files");
  }
  await source.readSecretsOnce(secretsOf(source.snapshot()));
  return { snapshot: source.snapshot(), refused };
}
