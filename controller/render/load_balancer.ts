import type { Deployment } from "@cloudydeno/kubernetes-apis/apps/v1";
import type { Service } from "@cloudydeno/kubernetes-apis/core/v1";
import type { PodDisruptionBudget } from "@cloudydeno/kubernetes-apis/policy/v1";
import { PROXY_LABELS, proxyMetadata } from "./names.ts";
import { type ProxyPodOptions, renderProxyPod } from "./proxy_pod.ts";

/** Which nodes a load balancer may send traffic to. */
export const EXTERNAL_TRAFFIC_POLICIES = ["Local", "Cluster"] as const;

/** Options of `--backend LoadBalancer`. */
export interface LoadBalancerOptions extends ProxyPodOptions {
  /** How many proxies there are. */
  replicas: number;
  /** What the cloud is told about its load balancer. */
  serviceAnnotations: Record<string, string>;
  /** `Local`: only to nodes with a proxy, which then sees the client's address. */
  externalTrafficPolicy: typeof EXTERNAL_TRAFFIC_POLICIES[number];
}

/**
 * How long a proxy that must go still serves: meanwhile load balancers and nodes learn that it is not ready any
 * more, and send it nothing new.
 */
const SHUTDOWN_DELAY = "--shutdown-delay=10";

/** The proxies: spread over nodes and zones where there are several; a new one is ready before an old one goes. */
export function renderDeployment(options: LoadBalancerOptions, namespace: string): Deployment {
  const { replicas, proxyArgs = [] } = options;
  const isDelayed = proxyArgs.some((argument) => /^--shutdown-delay(=|$)/.test(argument));
  const template = renderProxyPod(
    { ...options, proxyArgs: isDelayed ? proxyArgs : [SHUTDOWN_DELAY, ...proxyArgs] },
    { hostPorts: false, spreadOver: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] },
  );
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: proxyMetadata(namespace),
    spec: {
      replicas,
      selector: { matchLabels: PROXY_LABELS },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template,
    },
  };
}

/** What the cloud makes a load balancer for (https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer). */
export function renderService(
  { serviceAnnotations, externalTrafficPolicy }: LoadBalancerOptions,
  namespace: string,
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...proxyMetadata(namespace), annotations: serviceAnnotations },
    spec: {
      type: "LoadBalancer",
      externalTrafficPolicy,
      selector: PROXY_LABELS,
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
        { name: "https", port: 443, targetPort: "https", protocol: "TCP" },
      ],
    },
  };
}

/** When nodes are drained one proxy goes at a time. */
export function renderPodDisruptionBudget(namespace: string): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: proxyMetadata(namespace),
    spec: { maxUnavailable: 1, selector: { matchLabels: PROXY_LABELS } },
  };
}
