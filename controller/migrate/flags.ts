import { type FlagValues, type Program, UsageError } from "@pingress/config";

/** The command line of `migrate`. */
export const MIGRATE_PROGRAM: Program = {
  name: "pingress-controller migrate",
  summary:
    "Says which Ingresses of ingress-nginx can move to Pingress as they are, and what to look at in others.\n" +
    "Reads the cluster of the kubeconfig; or YAML and JSON: files, directories with all below them, or - for the\n" +
    "standard input. Nothing is changed where it is read.",
  operands: "[FILE|DIR|-…]",
  flags: [
    {
      name: "from-class",
      value: "NAME",
      repeats: true,
      help:
        "The class of the Ingresses, nginx and that of ingress-nginx unless given; may be given more than once",
    },
    {
      name: "namespace",
      value: "NAME",
      default: "default",
      help: "The namespace of objects in files that name none",
    },
    {
      name: "write",
      value: "DIR",
      help: "Write the files whose Ingresses can move into this directory, with these changed",
    },
    { name: "output", value: "text|json|html", default: "text", help: "How it is said" },
  ],
  ignoresEnvironment: true,
};

/** What `migrate` is told. */
export interface MigrateFlags {
  /** Files and directories; `-` is the standard input. None for the cluster. */
  paths: string[];
  /** `--from-class` */
  classes: string[];
  /** `--namespace` */
  namespace: string;
  /** `--write` */
  directory?: string;
  /** `--output` */
  output: "text" | "json" | "html";
}

/** Reads the flags' values. @throws {UsageError} for one that makes no sense. */
export function migrateFlags(values: FlagValues, paths: string[]): MigrateFlags {
  const directory = values.text("write");
  if (directory !== undefined && paths.length === 0) {
    throw new UsageError(
      "--write changes manifests, of which there are none: name them, or read those of a cluster with " +
        "kubectl get ingresses -A -o yaml | pingress-controller migrate --write DIR -",
    );
  }
  return {
    paths,
    classes: values.lines("from-class"),
    namespace: values.requiredText("namespace"),
    ...directory !== undefined && { directory },
    output: values.choice("output", ["text", "json", "html"]) ?? "text",
  };
}
