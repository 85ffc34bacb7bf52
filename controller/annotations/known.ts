import type { Feature, Inert, Row } from "./feature.ts";
import { access, accessInert } from "./access.ts";
import { limits } from "./limits.ts";
import { paths } from "./paths.ts";
import { redirects } from "./redirects.ts";

/** What annotations begin with: our own, and what Ingresses that come from ingress-nginx have. */
export const PREFIXES = ["pingress.dev/", "nginx.ingress.kubernetes.io/"] as const;

/** All that there is. */
export const FEATURES: readonly Feature[] = [
  redirects,
  paths,
  limits,
  access,
];

/** What is known and does nothing, by name without prefix. */
export const INERT: Readonly<Record<string, Inert>> = {
  "configuration-snippet": {
    kind: "refused",
    why: "Pingress takes no text for a configuration of another program: use the annotation for what it does",
  },
  ...accessInert,
};

/** All annotations that do something, by name without prefix. */
export const ROWS: ReadonlyMap<string, Row<unknown>> = new Map(
  FEATURES.flatMap(({ rows }) => Object.entries(rows)),
);
