import { type FlagValues, isDnsName, type Program, UsageError } from "@pingress/config";

/** The command line of `check`. */
export const CHECK_PROGRAM: Program = {
  name: "pingress-controller check",
  summary: "Says what is wrong with Ingresses and which routes they come to. Nothing is changed.\n" +
    "Reads YAML and JSON: files, directories with all below them, or - for the standard input.",
  operands: "FILE|DIR|-…",
  flags: [
    {
      name: "cluster",
      help: "Read the cluster of the kubeconfig, too, and lay the files over what it has",
    },
    {
      name: "namespace",
      value: "NAME",
      default: "default",
      help: "The namespace of objects in files that name none",
    },
    {
      name: "default-certificate",
      value: "NAMESPACE/NAME",
      help: "What the controller is told by its flag of this name",
    },
    { name: "strict", help: "Fail for warnings, too" },
    { name: "output", value: "text|json", default: "text", help: "How it is said" },
  ],
  ignoresEnvironment: true,
};

/** What `check` is told. */
export interface CheckFlags {
  /** Files and directories; `-` is the standard input. */
  paths: string[];
  /** `--cluster` */
  usesCluster: boolean;
  /** `--namespace` */
  namespace: string;
  /** `--default-certificate` */
  defaultCertificate?: string;
  /** `--strict` */
  isStrict: boolean;
  /** `--output` */
  output: "text" | "json";
}

/** Reads the flags' values. @throws {UsageError} for one that makes no sense. */
export function checkFlags(values: FlagValues, paths: string[]): CheckFlags {
  const usesCluster = values.switch("cluster");
  if (paths.length === 0 && !usesCluster) {
    throw new UsageError(
      "There is nothing to check: name files or directories, - for the standard input, or --cluster",
    );
  }
  return {
    paths,
    usesCluster,
    namespace: values.requiredText("namespace"),
    ...defaultCertificateFlag(values),
    isStrict: values.switch("strict"),
    output: values.choice("output", ["text", "json"]) ?? "text",
  };
}

/** Reads `--default-certificate`, which is the controller's, too. @throws {UsageError} for what is no `NAMESPACE/NAME`. */
export function defaultCertificateFlag(values: FlagValues): { defaultCertificate?: string } {
  const secret = values.text("default-certificate");
  if (secret === undefined) return {};
  const parts = secret.split("/");
  if (parts.length !== 2 || !parts.every(isDnsName)) {
    throw new UsageError(
      `Invalid --default-certificate ${
        JSON.stringify(secret)
      }: it takes the namespace and the name of a Secret, ` +
        "such as default/wildcard-tls",
    );
  }
  return { defaultCertificate: secret };
}
