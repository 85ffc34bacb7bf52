import { INERT, PREFIXES, ROWS } from "../annotations/known.ts";
import { annotationField } from "../annotations/read_annotations.ts";
import type { Ingress } from "../objects.ts";
import type { Problem, ProblemReason } from "../translate/problem.ts";
import { CLASS_ANNOTATION } from "../translate/select_ingresses.ts";

/** May an Ingress move as it is, should somebody look at something first, or would some of it not be served? */
export type Verdict = "moves" | "look" | "cannot";

/** What is said about a field. */
export interface Finding {
  /** What it means for the Ingress. */
  verdict: Verdict;
  /**
   * A word for programs: what becomes of an annotation (`supported`, `accepted` without having anything to do,
   * `foreign` to both controllers, the `class`, `overruled` by our own spelling, or not quite as it was:
   * `differs`, `unsupported`, `refused`, `unknown`, `invalid`), or what is the matter with another field.
   */
  kind:
    | "supported"
    | "accepted"
    | "foreign"
    | "class"
    | "overruled"
    | "differs"
    | "unsupported"
    | "refused"
    | "unknown"
    | "invalid"
    | "host"
    | "path"
    | "manual"
    | ProblemReason;
  /** The field; left out for the whole Ingress. */
  field?: string;
  /** Its line in the file, from 1 on. */
  line?: number;
  /** A sentence. */
  message: string;
}

/** With these a path, or all of them, is not served. */
const NOT_SERVED: ReadonlySet<ProblemReason> = new Set([
  "InvalidBackend",
  "InvalidHost",
  "InvalidPath",
  "InvalidPathType",
  "OutOfSpace",
  "ResourceBackend",
  "TooManyRegexes",
  "UnsafeExternalName",
]);

/** What is said of each annotation, and of every other field with a problem. */
export function annotationFindings(
  ingress: Ingress,
  { problems, classes }: { problems: readonly Problem[]; classes: readonly string[] },
): Finding[] {
  const byField = Map.groupBy(problems, ({ field }) => field);
  const findings: Finding[] = [];
  const { annotations = {} } = ingress.metadata;
  for (const [annotation, text] of Object.entries(annotations)) {
    const field = annotationField(annotation);
    const [, name] = splitName(annotation);
    const own = byField.get(field) ?? [];
    byField.delete(field);
    if (own.length === 0) findings.push({ field, ...fineOrNot(annotation, { text, annotations, classes }) });
    for (const { reason, message, closes } of own) {
      findings.push({ verdict: closes ? "cannot" : "look", kind: kindOf(reason, name), field, message });
    }
  }
  for (const { reason, field, message } of [...byField.values()].flat()) {
    findings.push({ verdict: NOT_SERVED.has(reason) ? "cannot" : "look", kind: reason, field, message });
  }
  return findings;
}

/** What becomes of an annotation that is no problem. */
function fineOrNot(
  annotation: string,
  { text, annotations, classes }: {
    text: string;
    annotations: Record<string, string>;
    classes: readonly string[];
  },
): Omit<Finding, "field"> {
  if (annotation === CLASS_ANNOTATION) {
    return { verdict: "moves", kind: "class", message: "It names the class" };
  }
  const [prefix, name] = splitName(annotation);
  const row = ROWS.get(name);
  const inert = Object.hasOwn(INERT, name) ? INERT[name] : undefined;
  if (prefix === "" || (row === undefined && inert === undefined)) {
    return classes.includes(text)
      ? {
        verdict: "look",
        kind: "foreign",
        message: `Its value is the class ${text}: whoever reads it must be told of the new one`,
      }
      : { verdict: "moves", kind: "foreign", message: "Neither controller reads it" };
  }
  if (prefix !== PREFIXES[0] && Object.hasOwn(annotations, `${PREFIXES[0]}${name}`)) {
    return { verdict: "moves", kind: "overruled", message: `${PREFIXES[0]}${name} comes before it` };
  }
  if (row === undefined) return { verdict: "moves", kind: "accepted", message: inert?.why ?? "" };
  if (row.differs !== undefined) return { verdict: "look", kind: "differs", message: row.differs };
  return { verdict: "moves", kind: "supported", message: row.help };
}

function kindOf(reason: ProblemReason, name: string): Finding["kind"] {
  if (reason === "InvalidAnnotation") return "invalid";
  if (reason === "UnknownAnnotation") return "unknown";
  if (reason !== "UnsupportedAnnotation") return reason;
  return INERT[name]?.kind === "refused" ? "refused" : "unsupported";
}

/** The prefix of an annotation that Pingress reads, or nothing, and the rest of its name. */
export function splitName(annotation: string): [prefix: string, name: string] {
  const prefix = PREFIXES.find((prefix) => annotation.startsWith(prefix)) ?? "";
  return [prefix, annotation.slice(prefix.length)];
}
