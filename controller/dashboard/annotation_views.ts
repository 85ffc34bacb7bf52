import type { Inert } from "../annotations/feature.ts";
import { INERT, PREFIXES, ROWS } from "../annotations/known.ts";
import { annotationField } from "../annotations/read_annotations.ts";
import type { Ingress } from "../objects.ts";
import type { Problem } from "../translate/problem.ts";
import type { AnnotationView } from "./api.ts";

/** The annotations of an Ingress that are for an Ingress controller, and what becomes of them. */
export function annotationViews(
  { metadata: { annotations = {} } }: Ingress,
  problems: readonly Pick<Problem, "field" | "message">[],
): AnnotationView[] {
  const messages = new Map(problems.map(({ field, message }) => [field, message]));
  return Object.entries(annotations).flatMap(([name, value]): AnnotationView[] => {
    const prefix = PREFIXES.find((prefix) => name.startsWith(prefix));
    if (prefix === undefined) return [];
    const { support, note } = supportOf(name.slice(prefix.length));
    // what is wrong with this very value says more than what is so with all of them
    const said = messages.get(annotationField(name)) ?? note;
    return [{ name, value, support, ...said !== undefined && { note: said } }];
  });
}

function supportOf(name: string): Pick<AnnotationView, "support"> & { note?: string | undefined } {
  const row = ROWS.get(name);
  if (row !== undefined) {
    return { support: row.differs === undefined ? "supported" : "different", note: row.differs };
  }
  const inert: Inert | undefined = Object.hasOwn(INERT, name) ? INERT[name] : undefined;
  if (inert === undefined) return { support: "unsupported", note: "There is no such annotation" };
  return { support: inert.kind, note: inert.why };
}
