import type { DaemonSet } from "@cloudydeno/kubernetes-apis/apps/v1";
import { PROXY_LABELS, proxyMetadata } from "./names.ts";
import { type ProxyPodOptions, renderProxyPod } from "./proxy_pod.ts";

/** The proxies of `--backend HostPort`: one on each node, on the node's ports 80 and 443. */
export function renderDaemonSet(options: ProxyPodOptions, namespace: string): DaemonSet {
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: proxyMetadata(namespace),
    spec: {
      selector: { matchLabels: PROXY_LABELS },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      template: renderProxyPod(options, { hostPorts: true }),
    },
  };
}
