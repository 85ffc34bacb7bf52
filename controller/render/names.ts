/** The ConfigMap with `proxy.json` and `endpoints.json`; more of them have a number behind the name. */
export const CONFIG_MAP_NAME = "pingress-config";

/** The Secret with the certificates and keys; more of them have a number behind the name. */
export const TLS_SECRET_NAME = "pingress-tls-secret";

/** What runs the proxies, and the Service in front of them. */
export const PROXY_NAME = "pingress-proxy-server";

/** The Lease that the leading controller holds. */
export const LEASE_NAME = "pingress-controller";

/** Who owns the fields that the controller applies. */
export const FIELD_MANAGER = "pingress-controller";

/** The label that everything which the controller makes has, and its value. */
export const MANAGED_BY = { key: "app.kubernetes.io/managed-by", value: "pingress-controller" } as const;

/** Labels of everything that the controller makes (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/). */
export const COMMON_LABELS: Record<string, string> = {
  "app.kubernetes.io/name": "pingress",
  "app.kubernetes.io/part-of": "pingress",
  [MANAGED_BY.key]: MANAGED_BY.value,
};

/** Labels by which the proxies' Pods are found. */
export const PROXY_LABELS: Record<string, string> = {
  "app.kubernetes.io/name": "pingress",
  "app.kubernetes.io/component": "proxy",
};

/** The same as list and watch calls take it. */
export const PROXY_SELECTOR: string = Object.entries(PROXY_LABELS).map(([key, value]) => `${key}=${value}`)
  .join(",");

/** What everything that is called {@linkcode PROXY_NAME} has in common. */
export function proxyMetadata(namespace: string) {
  return { name: PROXY_NAME, namespace, labels: { ...COMMON_LABELS, ...PROXY_LABELS } };
}

/** Which Secret each certificate is from: JSON, from host to `namespace/name`. */
export const SOURCES_ANNOTATION = "pingress.dev/certificate-sources";
