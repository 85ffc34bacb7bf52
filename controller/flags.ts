import {
  type Address,
  type FlagValues,
  LOG_LEVELS,
  type LogLevelName,
  type Program,
  UsageError,
} from "@pingress/config";
import { OWN_PROXY_ARGS } from "./render/daemon_set.ts";

/** The controller's command line. */
export const PROGRAM: Program = {
  name: "pingress-controller",
  summary: "Turns Ingresses of class pingress into the configuration of proxies, and runs the proxies.",
  flags: [
    {
      name: "backend",
      value: "HostPort|LoadBalancer|Standalone",
      required: true,
      help:
        "What serves the Ingresses: a DaemonSet on the ports 80 and 443 of each node, or a proxy that runs beside the controller",
    },
    {
      name: "namespace",
      value: "NAME",
      default: "pingress-system",
      help: "Where the proxies and their configuration are",
    },
    { name: "proxy-server-image", value: "IMAGE", help: "The proxies' image; required but with Standalone" },
    { name: "image-pull-secret", value: "NAME", help: "The Secret to pull the proxies' image with" },
    {
      name: "node-selector",
      value: "KEY=VALUE,…",
      help: "The labels of the nodes that run a proxy; all nodes unless given",
    },
    {
      name: "proxy-arg",
      value: "--FLAG=VALUE",
      repeats: true,
      help: "A flag for the proxies, such as --workers=2; may be given more than once",
    },
    { name: "output", value: "DIR", help: "With Standalone: where the configuration is written" },
    {
      name: "manifests",
      value: "DIR",
      help: "With Standalone: a directory of Kubernetes YAML that is followed instead of a cluster",
    },
    {
      name: "listen-admin",
      value: "ADDRESS",
      default: "off",
      help: 'Where /healthz, /readyz and /metrics are served, or "off"',
    },
    {
      name: "log-level",
      value: "LEVEL",
      default: "info",
      help: `The least that is logged: ${LOG_LEVELS.join(", ")}`,
    },
  ],
};

/** What serves the Ingresses. */
export type BackendFlags =
  | {
    backend: "HostPort";
    image: string;
    imagePullSecret?: string;
    nodeSelector?: Record<string, string>;
    proxyArgs: string[];
  }
  | { backend: "Standalone"; outputDirectory: string; manifestsDirectory?: string };

/** The controller's flags, checked. */
export type ControllerFlags = BackendFlags & {
  /** `--namespace` */
  namespace: string;
  /** `--listen-admin` */
  listenAdmin?: Address;
  /** `--log-level` */
  logLevel: LogLevelName;
};

/** Reads the flags' values. @throws {UsageError} for one that makes no sense. */
export function controllerFlags(values: FlagValues): ControllerFlags {
  return {
    ...backendFlags(values),
    namespace: values.requiredText("namespace"),
    ...values.text("listen-admin") !== "off" && { listenAdmin: values.address("listen-admin") },
    logLevel: values.choice("log-level", LOG_LEVELS) ?? "info",
  };
}

function backendFlags(values: FlagValues): BackendFlags {
  const backend = values.choice("backend", ["HostPort", "LoadBalancer", "Standalone"]);
  if (backend === "LoadBalancer") {
    throw new UsageError("--backend LoadBalancer is not there yet: use HostPort, or Standalone");
  }
  if (backend === "Standalone") {
    const outputDirectory = values.text("output");
    const manifestsDirectory = values.text("manifests");
    refuseOthers(
      values,
      ["proxy-server-image", "image-pull-secret", "node-selector", "proxy-arg"],
      "HostPort",
    );
    if (outputDirectory === undefined) {
      throw new UsageError("Missing --output: --backend Standalone writes to a directory");
    }
    if (manifestsDirectory !== undefined && isBelow(outputDirectory, manifestsDirectory)) {
      throw new UsageError(
        "--output is in the directory of --manifests: what is written there would be read again",
      );
    }
    return { backend, outputDirectory, ...manifestsDirectory !== undefined && { manifestsDirectory } };
  }
  refuseOthers(values, ["output", "manifests"], "Standalone");
  const image = values.text("proxy-server-image");
  if (image === undefined) {
    throw new UsageError("Missing --proxy-server-image: the image that the DaemonSet runs");
  }
  const imagePullSecret = values.text("image-pull-secret");
  const nodeSelector = values.text("node-selector");
  return {
    backend: "HostPort",
    image,
    ...imagePullSecret !== undefined && { imagePullSecret },
    ...nodeSelector !== undefined && { nodeSelector: parseNodeSelector(nodeSelector) },
    proxyArgs: values.lines("proxy-arg").map(checkProxyArg),
  };
}

function isBelow(path: string, directory: string): boolean {
  const [inner = "", outer = ""] = [path, directory].map((text) =>
    `${text.replace(/^\.\//, "").replace(/\/+$/, "")}/`
  );
  return inner.startsWith(outer);
}

/** A flag that would do nothing is a mistake. */
function refuseOthers(values: FlagValues, names: string[], backend: string): void {
  for (const name of names) {
    if (values.text(name) !== undefined) throw new UsageError(`--${name} belongs to --backend ${backend}`);
  }
}

/** What a proxy makes of its flags is its own affair, but those of the DaemonSet must stay what they are. */
function checkProxyArg(argument: string): string {
  const [name = ""] = argument.split("=");
  const invalid = `Invalid --proxy-arg ${JSON.stringify(argument)}`;
  if (!/^--[a-z][a-z0-9-]*$/.test(name)) {
    throw new UsageError(`${invalid}: it takes one flag of the proxy with its value, such as --workers=2`);
  }
  if (OWN_PROXY_ARGS.some((own) => own.startsWith(`${name}=`))) {
    throw new UsageError(`${invalid}: the controller sets ${name} itself`);
  }
  return argument;
}

function parseNodeSelector(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((label) => {
      const [key = "", value, ...rest] = label.split("=");
      if (key.trim() === "" || value === undefined || rest.length > 0) {
        throw new UsageError(
          `Invalid --node-selector ${JSON.stringify(text)}: it takes labels such as disk=ssd,zone=a`,
        );
      }
      return [key.trim(), value.trim()];
    }),
  );
}
