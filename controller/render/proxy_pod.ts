import { Quantity } from "@cloudydeno/kubernetes-apis/common.ts";
import type { PodTemplateSpec } from "@cloudydeno/kubernetes-apis/core/v1";
import { CONFIG_DIRECTORY, KEYS_DIRECTORY, PROXY_CONFIG_FILE } from "@pingress/config";
import { shardNames } from "../shards.ts";
import { COMMON_LABELS, CONFIG_MAP_NAME, PROXY_LABELS, TLS_SECRET_NAME } from "./names.ts";

/** What proxies are like, wherever they run. */
export interface ProxyPodOptions {
  /** The proxy's image. */
  image: string;
  /** The Secret to pull the image with. */
  imagePullSecret?: string;
  /** Labels of the nodes that run a proxy; all nodes unless told. */
  nodeSelector?: Record<string, string>;
  /** More flags of the proxy, each as it is on a command line; none of {@linkcode OWN_PROXY_ARGS}. */
  proxyArgs?: readonly string[];
}

const HTTP_PORT = 8080;
const HTTPS_PORT = 8443;
/** Where proxies serve probes and metrics. */
export const ADMIN_PORT = 10254;

/** The flags of the proxy that the rest of the DaemonSet depends on: its mounts, ports and probes. */
export const OWN_PROXY_ARGS: readonly string[] = [
  `--config=${CONFIG_DIRECTORY}/${PROXY_CONFIG_FILE}`,
  `--watch=${CONFIG_DIRECTORY.replace(/\/[^/]*$/, "")}`,
  `--listen-http=0.0.0.0:${HTTP_PORT}`,
  `--listen-https=0.0.0.0:${HTTPS_PORT}`,
  `--listen-admin=0.0.0.0:${ADMIN_PORT}`,
];

/** Neither the user nor its group is in any image's /etc/passwd: it owns no file. */
const USER_ID = 65532;

/**
 * A Pod with a proxy. It listens on ports that need no privilege, as a user that has none, on a file system that
 * it cannot write to; with `hostPorts` they are the node's ports 80 and 443, too. Where there are several nodes
 * or zones it is spread over those that the labels `spreadOver` tell apart.
 */
export function renderProxyPod(
  { image, imagePullSecret, nodeSelector, proxyArgs = [] }: ProxyPodOptions,
  { hostPorts, spreadOver = [] }: { hostPorts: boolean; spreadOver?: readonly string[] },
): PodTemplateSpec {
  return {
    metadata: { labels: { ...COMMON_LABELS, ...PROXY_LABELS } },
    spec: {
      // a proxy never talks to the Kubernetes API
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 60,
      ...imagePullSecret !== undefined && { imagePullSecrets: [{ name: imagePullSecret }] },
      ...nodeSelector !== undefined && { nodeSelector },
      ...spreadOver.length > 0 && {
        topologySpreadConstraints: spreadOver.map((topologyKey) => ({
          maxSkew: 1,
          topologyKey,
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: PROXY_LABELS },
        })),
      },
      securityContext: {
        runAsNonRoot: true,
        runAsUser: USER_ID,
        runAsGroup: USER_ID,
        fsGroup: USER_ID,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [{
        name: "proxy",
        image,
        imagePullPolicy: "IfNotPresent",
        args: [...OWN_PROXY_ARGS, ...proxyArgs],
        ports: [
          { name: "http", containerPort: HTTP_PORT, ...hostPorts && { hostPort: 80 }, protocol: "TCP" },
          { name: "https", containerPort: HTTPS_PORT, ...hostPorts && { hostPort: 443 }, protocol: "TCP" },
          { name: "admin", containerPort: ADMIN_PORT, protocol: "TCP" },
        ],
        readinessProbe: {
          httpGet: { path: "/readyz", port: "admin" },
          periodSeconds: 2,
          failureThreshold: 3,
        },
        livenessProbe: {
          httpGet: { path: "/healthz", port: "admin" },
          initialDelaySeconds: 10,
          periodSeconds: 10,
          timeoutSeconds: 5,
        },
        resources: {
          requests: { cpu: new Quantity(100, "m"), memory: new Quantity(128, "Mi") },
          limits: { memory: new Quantity(1, "Gi") },
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
        volumeMounts: [
          { name: "config", mountPath: CONFIG_DIRECTORY, readOnly: true },
          { name: "keys", mountPath: KEYS_DIRECTORY, readOnly: true },
        ],
      }],
      volumes: [
        {
          name: "config",
          projected: { sources: sources(CONFIG_MAP_NAME).map((configMap) => ({ configMap })) },
        },
        {
          name: "keys",
          projected: {
            sources: sources(TLS_SECRET_NAME).map((secret) => ({ secret })),
            defaultMode: 0o440,
          },
        },
      ],
    },
  };
}

/** All shards that there can ever be: proxies go on when their number changes. A Pod waits for the first one. */
function sources(name: string): { name: string; optional?: boolean }[] {
  return shardNames(name).map((name, shard) => shard === 0 ? { name } : { name, optional: true });
}
