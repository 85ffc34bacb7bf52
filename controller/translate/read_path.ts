import { errorMessage, type PathMatch, PathRegex } from "@pingress/config";
import type { ProblemList } from "./problem.ts";

/** The catch-all of a host. */
export const ALL_PATHS: PathMatch = { type: "Prefix", path: "/" };

/** A path as an Ingress says it. */
export interface IngressPath {
  /** The path. */
  path?: string | undefined;
  /** How it is compared. */
  pathType?: string | undefined;
}

/** How many characters of a path are told. */
const MOST_SHOWN = 500;

/** Where a path stands. */
export interface PathPlace {
  /** The field that holds it. */
  field: string;
  /** Takes what is wrong with it. */
  list: ProblemList;
  /** Is it a regular expression, whatever its type is? */
  isRegex: boolean;
}

/** Reads a path. @returns nothing for one that cannot be served. */
export function readPath(
  { path = "", pathType }: IngressPath,
  { field, list, isRegex }: PathPlace,
): PathMatch | undefined {
  if (pathType !== "Exact" && pathType !== "Prefix" && pathType !== "ImplementationSpecific") {
    list.add(
      "InvalidPathType",
      `${field}.pathType`,
      `${
        JSON.stringify(pathType ?? null)
      } is none of Exact, Prefix and ImplementationSpecific: the path is not served`,
    );
    return undefined;
  }
  if (path === "" && pathType === "ImplementationSpecific") return ALL_PATHS;
  const fault = pathFault(path) ?? (isRegex ? regexFault(path) : plainFault(path));
  if (fault === undefined) {
    return { type: isRegex ? "Regex" : pathType === "Exact" ? "Exact" : "Prefix", path };
  }
  const shown = path.length > MOST_SHOWN ? `${path.slice(0, MOST_SHOWN)}…` : path;
  list.add("InvalidPath", `${field}.path`, `${JSON.stringify(shown)} ${fault}: the path is not served`);
  return undefined;
}

/** Why no request could ever match a path. */
function pathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "does not start with a slash";
  if (/[^\x21-\x7e]/.test(path)) return "has a character that must be percent-encoded";
  return undefined;
}

function plainFault(path: string): string | undefined {
  if (/[?#]/.test(path)) return "has a query or a fragment, which are not compared";
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(path)) {
    return "has a dot segment, which is resolved before paths are compared";
  }
  return undefined;
}

function regexFault(path: string): string | undefined {
  try {
    PathRegex.of(path);
    return undefined;
  } catch (error) {
    return `is no regular expression that is served (${errorMessage(error)})`;
  }
}
