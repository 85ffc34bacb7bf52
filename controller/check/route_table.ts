import { EVERY_NAME, type PathMatch, type ServiceBackend, serviceKey, wildcardOf } from "@pingress/config";
import type { Translation } from "../translate/translate.ts";

/** A route, as it is shown. */
export interface RouteRow {
  /** Left out for every host. */
  host?: string;
  /** Left out for all that is left. */
  path?: string;
  /** How the path is compared; `Default` for what no other route takes. */
  type: "Exact" | "Prefix" | "Regex" | "Default";
  /** The Service and its port, as `namespace/name:port`. */
  backend: string;
  /** The Secret with the host's certificate, as `namespace/name`; left out where the host has none. */
  certificate?: string;
  /** How many addresses the backend has; left out where that is not known. */
  endpoints?: number;
  /** What the files do to the routes of the cluster; what they change is removed and added. */
  change?: "added" | "removed";
}

/** Shows the routes of a translation; `isKnown` says whether it knows the endpoints of a backend. */
export function routeTable(
  { config, certificates, endpoints }: Translation,
  isKnown: (backend: ServiceBackend) => boolean,
): RouteRow[] {
  const target = (backend: ServiceBackend) => {
    const key = serviceKey(backend);
    return { backend: key, ...isKnown(backend) && { endpoints: endpoints[key]?.length ?? 0 } };
  };
  const rows = config.rules.map(({ host, path, backend }): RouteRow => {
    const certificate = certificateOf(host, certificates)?.secret;
    return {
      ...host !== undefined && { host },
      path: path.path,
      type: pathType(path),
      ...target(backend),
      ...certificate && { certificate },
    };
  });
  const { defaultBackend } = config;
  return defaultBackend === undefined ? rows : [...rows, { type: "Default", ...target(defaultBackend) }];
}

/** How a path is compared, in the words that are shown. */
export function pathType({ type }: PathMatch): "Exact" | "Prefix" | "Regex" {
  return type === "ImplementationSpecific" ? "Prefix" : type;
}

/** The certificate that a client is shown for a host: its own, that of its wildcard, or the one for all others. */
export function certificateOf<T>(
  host: string | undefined,
  certificates: ReadonlyMap<string, T>,
): T | undefined {
  const own = host === undefined
    ? undefined
    : certificates.get(host) ?? certificates.get(wildcardOf(host) ?? "");
  return own ?? certificates.get(EVERY_NAME);
}

/** Marks the routes that were not there before, and puts in those that are no longer there. */
export function markChanges(rows: readonly RouteRow[], before: readonly RouteRow[]): RouteRow[] {
  const [keys, earlier] = [rows, before].map((all) => new Set(all.map(routeKey)));
  const removed = before.filter((row) => !keys?.has(routeKey(row)));
  return [
    ...rows.map((row): RouteRow => earlier?.has(routeKey(row)) ? row : { ...row, change: "added" }),
    ...removed.map((row): RouteRow => ({ ...row, change: "removed" })),
  ].sort((one, other) => sortKey(one) < sortKey(other) ? -1 : 1);
}

/** The table as text, a line for each route, under a line of titles. */
export function formatRoutes(rows: readonly RouteRow[]): string[] {
  const marks = rows.some(({ change }) => change !== undefined);
  const cells = rows.map(({ host, path, type, backend, certificate, endpoints, change }) => [
    ...marks ? [change === undefined ? "" : MARKS[change]] : [],
    host ?? "*",
    path ?? "*",
    type,
    backend,
    certificate ?? "-",
    endpoints === undefined ? "-" : `${endpoints}`,
  ]);
  const lines = [
    [...marks ? [""] : [], "HOST", "PATH", "TYPE", "BACKEND", "CERTIFICATE", "ENDPOINTS"],
    ...cells,
  ];
  return inColumns(lines);
}

/** Cells as lines of text, those of a column below each other. */
export function inColumns(lines: readonly string[][]): string[] {
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ??
    [];
  return lines.map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()
  );
}

const MARKS = { added: "+", removed: "-" } as const;

/** Endpoints come and go by themselves. */
function routeKey({ host, path, type, backend, certificate }: RouteRow): string {
  return JSON.stringify([host, path, type, backend, certificate]);
}

function sortKey({ host = "", path = "", type, change }: RouteRow): string {
  return JSON.stringify([type === "Default", host, path, type, change === "added"]);
}
