import type { RuleOptions } from "@pingress/config";
import type { Ingress } from "../objects.ts";
import type { ProblemList } from "../translate/problem.ts";
import { AnnotationError, type RuleContext } from "./feature.ts";
import { FEATURES, INERT, PREFIXES, ROWS } from "./known.ts";
import { nearest } from "./nearest.ts";

/** What an Ingress says beyond its rules. */
export interface AnnotationValues {
  /** By name without prefix. */
  values: Record<string, unknown>;
  /** Why none of its requests may be passed on: who may come in cannot be told. */
  closed: string | undefined;
}

/** Reads the annotations of an Ingress. What is unknown, or has a bad value, is told and does nothing. */
export function readAnnotations(
  { metadata: { annotations = {} } }: Ingress,
  { problems }: { problems: ProblemList },
): AnnotationValues {
  const values: Record<string, unknown> = {};
  let closed: string | undefined;
  // our own spelling comes last, and so before the other one
  for (const prefix of PREFIXES.toReversed()) {
    for (const [annotation, text] of Object.entries(annotations)) {
      if (!annotation.startsWith(prefix)) continue;
      const name = annotation.slice(prefix.length);
      const field = `metadata.annotations[${JSON.stringify(annotation)}]`;
      const row = ROWS.get(name);
      if (row === undefined) {
        tellUnknown(name, { prefix, field, problems });
        continue;
      }
      try {
        values[name] = row.parse(text.trim());
      } catch (error) {
        if (!(error instanceof AnnotationError)) throw error;
        const said = `${JSON.stringify(text.slice(0, 80))} is ${error.message}`;
        if (row.isGuard) closed = `${annotation}: ${said}`;
        const follows = row.isGuard
          ? "the Ingress answers 503, for who may come in cannot be told"
          : "the annotation does nothing";
        problems.add("InvalidAnnotation", field, `${said}: ${follows}`);
      }
    }
  }
  return { values, closed };
}

/** The options of one rule. */
export function optionsOf({ values, closed }: AnnotationValues, context: RuleContext): RuleOptions {
  const options: RuleOptions = closed === undefined ? {} : { closed };
  return Object.assign(options, ...FEATURES.map((feature) => feature.optionsOf(values, context)));
}

/** The field of an Ingress that an annotation without prefix is in. */
export function fieldOf({ metadata: { annotations = {} } }: Ingress, name: string): string {
  const annotation = PREFIXES.map((prefix) => prefix + name).find((one) => Object.hasOwn(annotations, one));
  return `metadata.annotations[${JSON.stringify(annotation ?? name)}]`;
}

function tellUnknown(
  name: string,
  { prefix, field, problems }: { prefix: string; field: string; problems: ProblemList },
): void {
  const inert = Object.hasOwn(INERT, name) ? INERT[name] : undefined;
  if (inert?.kind === "accepted") return;
  if (inert !== undefined) {
    return problems.add("UnsupportedAnnotation", field, `It does nothing: ${inert.why}`);
  }
  const meant = nearest(name, [...ROWS.keys(), ...Object.keys(INERT)]);
  const advice = meant === undefined ? "remove it" : `did you mean ${prefix}${meant}?`;
  problems.add("UnknownAnnotation", field, `There is no such annotation, so it does nothing: ${advice}`);
}
