import { affinity } from "./affinity.ts";
import { backendTls } from "./backend_tls.ts";
import { balancing } from "./balance.ts";
import { canaries } from "./canary.ts";
import type { Feature, Inert, Row } from "./feature.ts";
import { redirects } from "./redirects.ts";

/** What annotations begin with: our own, and what Ingresses that come from ingress-nginx have. */
export const PREFIXES = ["pingress.dev/", "nginx.ingress.kubernetes.io/"] as const;

/** All that there is. */
export const FEATURES: readonly Feature[] = [
  redirects,
  canaries,
  affinity,
  balancing,
  backendTls,
];

/** What is known and does nothing, by name without prefix. */
export const INERT: Readonly<Record<string, Inert>> = {
  "upstream-hash-by-subset": {
    kind: "unsupported",
    why: "with upstream-hash-by there is always one endpoint for a text, not a set of them",
  },
  "upstream-hash-by-subset-size": {
    kind: "unsupported",
    why: "with upstream-hash-by there is always one endpoint for a text, not a set of them",
  },
  "proxy-ssl-ciphers": {
    kind: "unsupported",
    why: "backends are offered the cipher suites that are taken to be safe",
  },
  "proxy-ssl-protocols": { kind: "unsupported", why: "backends are offered TLS 1.2 and TLS 1.3" },
  "proxy-ssl-verify-depth": {
    kind: "unsupported",
    why: "a backend's chain may have any length, as long as it ends with a certificate of the Secret",
  },
  "configuration-snippet": {
    kind: "refused",
    why: "Pingress takes no text for a configuration of another program: use the annotation for what it does",
  },
};

/** All annotations that do something, by name without prefix. */
export const ROWS: ReadonlyMap<string, Row<unknown>> = new Map(
  FEATURES.flatMap(({ rows }) => Object.entries(rows)),
);
