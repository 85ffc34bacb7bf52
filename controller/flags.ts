import { isIP } from "node:net";
import {
  type Address,
  type FlagValues,
  LOG_LEVELS,
  type LogLevelName,
  type Program,
  UsageError,
} from "@pingress/config";
import { CHECK_PROGRAM, defaultCertificateFlag } from "./check/flags.ts";
import { MIGRATE_PROGRAM } from "./migrate/flags.ts";
import type { PublishedAddress } from "./status/published_addresses.ts";
import { readHost } from "./translate/hosts.ts";
import { EXTERNAL_TRAFFIC_POLICIES, type LoadBalancerOptions } from "./render/load_balancer.ts";
import { OWN_PROXY_ARGS, type ProxyPodOptions } from "./render/proxy_pod.ts";

/** The controller's command line. */
export const PROGRAM: Program = {
  name: "pingress-controller",
  summary: "Turns Ingresses of class pingress into the configuration of proxies, and runs the proxies.",
  commands: [CHECK_PROGRAM, MIGRATE_PROGRAM],
  flags: [
    {
      name: "backend",
      value: "HostPort|LoadBalancer|Standalone",
      required: true,
      help:
        "What serves the Ingresses: a DaemonSet on the ports 80 and 443 of each node, a Deployment behind a Service of type LoadBalancer, or a proxy that runs beside the controller",
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
    {
      name: "publish-address",
      value: "ADDRESS",
      repeats: true,
      help:
        "An IP address or a host name for the status of Ingresses; those of the nodes with a proxy, or of the load balancer, unless given",
    },
    {
      name: "replicas",
      value: "COUNT",
      help: "With LoadBalancer: how many proxies there are; 2 unless given",
    },
    {
      name: "service-annotation",
      value: "KEY=VALUE",
      repeats: true,
      help: "With LoadBalancer: what the cloud is told about its load balancer; may be given more than once",
    },
    {
      name: "external-traffic-policy",
      value: EXTERNAL_TRAFFIC_POLICIES.join("|"),
      help: "With LoadBalancer: Local (unless given) keeps the client's address, Cluster uses all nodes",
    },
    { name: "output", value: "DIR", help: "With Standalone: where the configuration is written" },
    {
      name: "manifests",
      value: "DIR",
      help: "With Standalone: a directory of Kubernetes YAML that is followed instead of a cluster",
    },
    {
      name: "default-certificate",
      value: "NAMESPACE/NAME",
      help:
        "The TLS Secret with the certificate of all names that have none, and of hosts that name no Secret",
    },
    {
      name: "class",
      value: "NAME",
      repeats: true,
      help:
        "Serve the Ingresses of this class of ingress-nginx, too, without writing to them: to compare before they move; may be given more than once",
    },
    {
      name: "leader-election",
      help:
        "With HostPort and LoadBalancer: let one of several controllers write at a time; =false for one that is alone",
    },
    {
      name: "listen-admin",
      value: "ADDRESS",
      default: "off",
      help: 'Where /healthz, /readyz and /metrics are served, or "off"',
    },
    {
      name: "dashboard",
      help:
        "Serve the dashboard at --listen-admin, to this machine or Pod alone; =false where nobody looks at it",
    },
    {
      name: "log-level",
      value: "LEVEL",
      default: "info",
      help: `The least that is logged: ${LOG_LEVELS.join(", ")}`,
    },
  ],
};

/** What is told of proxies in a cluster, however they run. */
interface ClusterFlags {
  /** `--leader-election` */
  leaderElection: boolean;
  /** `--publish-address` */
  publishAddresses: PublishedAddress[];
}

/** What serves the Ingresses. */
export type BackendFlags =
  | { backend: "HostPort"; proxy: ProxyPodOptions } & ClusterFlags
  | { backend: "LoadBalancer"; proxy: LoadBalancerOptions } & ClusterFlags
  | { backend: "Standalone"; outputDirectory: string; manifestsDirectory?: string };

/** The controller's flags, checked. */
export type ControllerFlags = BackendFlags & {
  /** `--namespace` */
  namespace: string;
  /** `--default-certificate` */
  defaultCertificate?: string;
  /** `--class` */
  guestClasses: string[];
  /** `--listen-admin` */
  listenAdmin?: Address;
  /** `--dashboard` */
  dashboard: boolean;
  /** `--log-level` */
  logLevel: LogLevelName;
};

/** Reads the flags' values. @throws {UsageError} for one that makes no sense. */
export function controllerFlags(values: FlagValues): ControllerFlags {
  return {
    ...backendFlags(values),
    namespace: values.requiredText("namespace"),
    ...defaultCertificateFlag(values),
    guestClasses: values.lines("class"),
    ...values.text("listen-admin") !== "off" && { listenAdmin: values.address("listen-admin") },
    dashboard: dashboardFlag(values),
    logLevel: values.choice("log-level", LOG_LEVELS) ?? "info",
  };
}

function dashboardFlag(values: FlagValues): boolean {
  const hasPort = values.text("listen-admin") !== "off";
  if (values.text("dashboard") === undefined) return hasPort;
  const isWanted = values.switch("dashboard");
  if (isWanted && !hasPort) {
    throw new UsageError(
      "Missing --listen-admin: the dashboard is served there, at 127.0.0.1:9000 for example",
    );
  }
  return isWanted;
}

function backendFlags(values: FlagValues): BackendFlags {
  const backend = values.choice("backend", ["HostPort", "LoadBalancer", "Standalone"]);
  if (backend === "Standalone") {
    const outputDirectory = values.text("output");
    const manifestsDirectory = values.text("manifests");
    refuseOthers(values, CLUSTER_FLAGS, "HostPort and LoadBalancer");
    refuseOthers(values, LOAD_BALANCER_FLAGS, "LoadBalancer");
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
  const proxy = proxyOptions(values);
  const cluster: ClusterFlags = {
    leaderElection: values.text("leader-election") === undefined || values.switch("leader-election"),
    publishAddresses: values.lines("publish-address").map(parsePublishAddress),
  };
  if (backend === "LoadBalancer") {
    return { backend, proxy: { ...proxy, ...loadBalancerOptions(values) }, ...cluster };
  }
  refuseOthers(values, LOAD_BALANCER_FLAGS, "LoadBalancer");
  return { backend: "HostPort", proxy, ...cluster };
}

const CLUSTER_FLAGS = [
  "proxy-server-image",
  "image-pull-secret",
  "node-selector",
  "proxy-arg",
  "publish-address",
  "leader-election",
];
const LOAD_BALANCER_FLAGS = ["replicas", "service-annotation", "external-traffic-policy"];

function proxyOptions(values: FlagValues): ProxyPodOptions {
  const image = values.text("proxy-server-image");
  if (image === undefined) {
    throw new UsageError("Missing --proxy-server-image: the image of the proxies");
  }
  const imagePullSecret = values.text("image-pull-secret");
  const nodeSelector = values.text("node-selector");
  return {
    image,
    ...imagePullSecret !== undefined && { imagePullSecret },
    ...nodeSelector !== undefined && { nodeSelector: parseNodeSelector(nodeSelector) },
    proxyArgs: values.lines("proxy-arg").map(checkProxyArg),
  };
}

function loadBalancerOptions(values: FlagValues) {
  const replicas = values.text("replicas") ?? "2";
  if (!/^[1-9][0-9]{0,2}$/.test(replicas)) {
    throw new UsageError(`Invalid --replicas ${JSON.stringify(replicas)}: it takes a number from 1 to 999`);
  }
  return {
    replicas: Number(replicas),
    serviceAnnotations: Object.fromEntries(values.lines("service-annotation").map(parseAnnotation)),
    externalTrafficPolicy: values.choice("external-traffic-policy", EXTERNAL_TRAFFIC_POLICIES) ?? "Local",
  };
}

function parseAnnotation(text: string): [key: string, value: string] {
  const equals = text.indexOf("=");
  if (equals < 1) {
    throw new UsageError(
      `Invalid --service-annotation ${
        JSON.stringify(text)
      }: it takes one annotation such as example.com/name=value`,
    );
  }
  return [text.slice(0, equals), text.slice(equals + 1)];
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

function parsePublishAddress(text: string): PublishedAddress {
  if (isIP(text) !== 0) return { ip: text };
  const hostname = readHost(text);
  if (hostname !== undefined && !hostname.startsWith("*")) return { hostname };
  throw new UsageError(
    `Invalid --publish-address ${
      JSON.stringify(text)
    }: it takes an IP address or a host name, without a port`,
  );
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
