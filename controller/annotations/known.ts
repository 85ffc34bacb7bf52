import { access } from "./access.ts";
import { accessLog } from "./access_log.ts";
import { affinity } from "./affinity.ts";
import { backendTls } from "./backend_tls.ts";
import { balancing } from "./balance.ts";
import { canaries } from "./canary.ts";
import { cors } from "./cors.ts";
import { delivery } from "./delivery.ts";
import { errors } from "./errors.ts";
import type { Feature, Row } from "./feature.ts";
import { limits } from "./limits.ts";
import { paths } from "./paths.ts";
import { redirects } from "./redirects.ts";
import { responseHeaders } from "./response_headers.ts";

export { INERT } from "./inert.ts";

/** What annotations begin with: our own, and what Ingresses that come from ingress-nginx have. */
export const PREFIXES = ["pingress.dev/", "nginx.ingress.kubernetes.io/"] as const;

/** All that there is. */
export const FEATURES: readonly Feature[] = [
  redirects,
  paths,
  limits,
  access,
  cors,
  delivery,
  errors,
  responseHeaders,
  canaries,
  affinity,
  balancing,
  backendTls,
  accessLog,
];

/** All annotations that do something, by name without prefix. */
export const ROWS: ReadonlyMap<string, Row<unknown>> = new Map(
  FEATURES.flatMap(({ rows }) => Object.entries(rows)),
);
