import { printable } from "@pingress/config";
import { inColumns } from "../check/route_table.ts";
import { fieldName, summarize } from "./changes.ts";
import type { Finding } from "./findings.ts";
import type { MigratedIngress, MigrationReport } from "./migration.ts";

/** The report for people: a table of Ingresses, what there is to look at, a table of annotations, the counts. */
export function formatMigration(report: MigrationReport): string {
  const { faults, ingresses, written = [] } = report;
  const paragraphs = [
    faults.map(({ file, line, object, field, message }) =>
      [line === undefined ? file : `${file}:${line}`, object, field, message].filter(Boolean).join(": ")
    ),
    ingresses.length > 0
      ? inColumns([["VERDICT", "INGRESS", "TO LOOK AT", "CHANGES", "HOSTS"], ...ingresses.map(rowOf)])
      : [],
    ...ingresses.filter(({ verdict }) => verdict !== "moves").map(formatIngress),
    formatUses(annotationUses(report)),
    written.map((path) => `Written: ${path}`),
    [formatSummary(report)],
  ];
  return paragraphs.filter((lines) => lines.length > 0).map((lines) => lines.map(printable).join("\n"))
    .join("\n\n");
}

/** How often an annotation is there, and what becomes of it. */
export interface AnnotationUse {
  /** Its name. */
  annotation: string;
  /** What becomes of it, for each Ingress that has it the worst, by how many have it. */
  kinds: Map<Finding["kind"], number>;
}

/** The annotations of all Ingresses, by their names. */
export function annotationUses({ ingresses }: MigrationReport): AnnotationUse[] {
  const uses = new Map<string, Map<Finding["kind"], number>>();
  for (const { findings } of ingresses) {
    const seen = new Set<string>();
    for (const { field = "", kind } of findings) {
      if (!field.startsWith("metadata.annotations[") || kind === "manual" || seen.has(field)) continue;
      seen.add(field);
      const kinds = uses.get(fieldName(field)) ?? new Map();
      uses.set(fieldName(field), kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
    }
  }
  return [...uses].sort(([one], [other]) => one < other ? -1 : 1).map(([annotation, kinds]) => ({
    annotation,
    kinds,
  }));
}

/** The verdict in words, and counts. */
export function formatSummary({ summary, faults }: MigrationReport): string {
  const { classes, moves, look, cannot, ours, otherClasses } = summary;
  const total = moves + look + cannot;
  return [
    `${count(total, "Ingress", "es")} of class ${classes.join(", ")}`,
    ...total === 0 ? [] : [`${moves} as ${moves === 1 ? "it is" : "they are"}`, `${look} to look at`],
    cannot > 0 && `${cannot} cannot move`,
    faults.length > 0 && `${count(faults.length, "fault")} in the files`,
    ours > 0 && `${count(ours, "Ingress", "es")} for Pingress already`,
    otherClasses.length > 0 && `other classes: ${otherClasses.join(", ")}`,
  ].filter(Boolean).join("; ");
}

function rowOf({ verdict, ingress, findings, changes, hosts }: MigratedIngress): string[] {
  const open = findings.filter((finding) => finding.verdict !== "moves").length;
  return [verdict, ingress, open === 0 ? "-" : `${open}`, summarize(changes) || "-", hosts.join(", ") || "*"];
}

function formatIngress({ ingress, file, line, findings }: MigratedIngress): string[] {
  const open = findings.filter(({ verdict }) => verdict !== "moves");
  return [
    `${ingress}${file === undefined ? "" : ` (${file}:${line})`}`,
    ...open.map(({ verdict, kind, field, line, message }) => {
      const where = [line, field && fieldName(field)].filter((part) => part !== undefined).join(" ");
      return `  ${verdict}: ${where && `${where}: `}${
        ANNOTATION_KINDS.has(kind) ? `${kind}: ` : ""
      }${message}`;
    }),
  ];
}

/** The kinds that say what becomes of an annotation. */
const ANNOTATION_KINDS: ReadonlySet<Finding["kind"]> = new Set([
  "differs",
  "unsupported",
  "refused",
  "unknown",
  "invalid",
]);

function formatUses(uses: readonly AnnotationUse[]): string[] {
  if (uses.length === 0) return [];
  const rows = uses.map(({ annotation, kinds }) => [
    annotation,
    [...kinds].map(([kind, number]) => kinds.size === 1 && number === 1 ? kind : `${number} ${kind}`).join(
      ", ",
    ),
  ]);
  return inColumns([["ANNOTATION", "WHAT BECOMES OF IT"], ...rows]);
}

function count(number: number, word: string, plural = "s"): string {
  return `${number} ${word}${number === 1 ? "" : plural}`;
}
