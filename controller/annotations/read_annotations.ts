import { isDeepStrictEqual } from "node:util";
import type { RuleOptions } from "@pingress/config";
import type { Ingress } from "../objects.ts";
import type { ProblemList } from "../translate/problem.ts";
import { CANARY_NAMES } from "./canary.ts";
import { AnnotationError, type Inert, MOST_VALUE_CHARACTERS, type Row, type RuleContext } from "./feature.ts";
import { FEATURES, INERT, PREFIXES, ROWS } from "./known.ts";
import { nearest } from "./nearest.ts";

/** What an Ingress says beyond its rules. */
export interface AnnotationValues {
  /** By name without prefix. */
  values: Record<string, unknown>;
  /** The names without prefix of those whose values mean nothing. */
  faulty: ReadonlySet<string>;
  /** Why none of its requests may be passed on: who may come in cannot be told. */
  closed: string | undefined;
  /** The same for all requests to its hosts, whichever Ingress they are for. */
  hostsClosed: string | undefined;
}

const CLOSED = "the Ingress answers 503, for who may come in cannot be told";
const HOSTS_CLOSED = CLOSED.replace("the Ingress answers", "all hosts of the Ingress answer");

/** Of so many names that do nothing here it is looked for what is meant: nobody misspells more in one Ingress. */
const MOST_ADVISED = 100;

/** Reads the annotations of an Ingress. What is unknown, or has a bad value, is told and does nothing. */
export function readAnnotations(
  ingress: Ingress,
  { problems }: { problems: ProblemList },
): AnnotationValues {
  const { annotations = {} } = ingress.metadata;
  const faulty = new Set<string>();
  const values: Record<string, unknown> = {};
  let closed: string | undefined;
  let hostsClosed: string | undefined;
  let unknown = 0;
  // our own spelling comes last, and so before the other one
  for (const prefix of PREFIXES.toReversed()) {
    for (const [annotation, text] of Object.entries(annotations)) {
      if (!annotation.startsWith(prefix)) continue;
      const name = annotation.slice(prefix.length);
      const field = annotationField(annotation);
      const row = ROWS.get(name);
      if (row === undefined) {
        const isAdvised = unknown++ < MOST_ADVISED;
        const guard = tellUnknown(name, { prefix, text: text.trim(), field, isAdvised, problems });
        if (guard !== undefined) closed = `${annotation} is not supported`;
        if (guard === "hosts") hostsClosed = closed;
        continue;
      }
      try {
        values[name] = parse(text.trim(), row);
        faulty.delete(name);
      } catch (error) {
        if (!(error instanceof AnnotationError)) throw error;
        faulty.add(name);
        const said = `${JSON.stringify(text.slice(0, 80))} is ${error.message}`;
        if (row.isGuard) closed = `${annotation}: ${said}`;
        if (row.otherwise !== undefined) values[name] = row.otherwise.value;
        const follows = row.isGuard ? CLOSED : row.otherwise?.says ?? "the annotation does nothing";
        problems.add("InvalidAnnotation", field, `${said}: ${follows}`, { closes: row.isGuard });
      }
    }
  }
  for (const name of Object.keys(values)) {
    // what is said of a canary beside its backend does nothing anyway
    if (values["canary"] === true && !CANARY_NAMES.includes(name)) continue;
    const why = whyIdle(name, { values, faulty });
    if (why === undefined) continue;
    problems.add("AnnotationConflict", fieldOf(ingress, name), `It does nothing: ${why}`);
  }
  return { values, faulty, closed, hostsClosed };
}

function parse(text: string, { parse, longest = MOST_VALUE_CHARACTERS }: Row<unknown>): unknown {
  if (text.length <= longest) return parse(text);
  throw new AnnotationError(`too long: it has ${text.length} characters, and may have ${longest}`);
}

/** Why an annotation does nothing beside the others, if it asks for anything. What is wrong with those is told. */
function whyIdle(
  name: string,
  { values, faulty }: Pick<AnnotationValues, "values" | "faulty">,
): string | undefined {
  if (values[name] === false || faulty.has(name)) return undefined;
  const { needs = [], yieldsTo } = ROWS.get(name) ?? {};
  for (const { anyOf, isMetBy = (value: unknown) => value !== false, says } of [needs].flat()) {
    const isMet = anyOf.some((other) => faulty.has(other) || (other in values && isMetBy(values[other])));
    if (!isMet) return `the Ingress has no annotation ${says}`;
  }
  if (yieldsTo === undefined || !(yieldsTo in values)) return undefined;
  return isDeepStrictEqual(values[name], values[yieldsTo]) ? undefined : `${yieldsTo} counts instead`;
}

/** The options of one rule. */
export function optionsOf(
  { values, faulty, closed }: Pick<AnnotationValues, "values" | "faulty" | "closed">,
  rule: Omit<RuleContext, "isFaulty">,
): RuleOptions {
  const context: RuleContext = { ...rule, isFaulty: (name) => faulty.has(name) };
  const options: RuleOptions = closed === undefined ? {} : { closed };
  return Object.assign(options, ...FEATURES.map((feature) => feature.optionsOf(values, context)));
}

/** The field of an Ingress that an annotation without prefix is in. */
export function fieldOf({ metadata: { annotations = {} } }: Ingress, name: string): string {
  const prefix = PREFIXES.find((prefix) => Object.hasOwn(annotations, prefix + name)) ?? PREFIXES[0];
  return annotationField(prefix + name);
}

/** The field of an Ingress that an annotation is in. */
export function annotationField(annotation: string): string {
  return `metadata.annotations[${JSON.stringify(annotation)}]`;
}

/** @returns whether nobody may come in because of it, to the Ingress or to all of its hosts. */
function tellUnknown(
  name: string,
  { prefix, text, field, isAdvised, problems }: {
    prefix: string;
    text: string;
    field: string;
    isAdvised: boolean;
    problems: ProblemList;
  },
): Inert["isGuard"] {
  const inert = Object.hasOwn(INERT, name) ? INERT[name] : undefined;
  if (inert?.kind === "accepted" || inert?.asksNothing?.(text)) return undefined;
  if (inert !== undefined) {
    const guard = inert.isGuard ?? (inert.closes?.(text) ? true : undefined);
    const follows = guard === undefined
      ? "It does nothing"
      : `It is not served, and ${guard === "hosts" ? HOSTS_CLOSED : CLOSED}`;
    problems.add("UnsupportedAnnotation", field, `${follows}: ${inert.why}`, { closes: guard !== undefined });
    return guard;
  }
  const meant = isAdvised ? meantBy(name) : undefined;
  const advice = meant === undefined ? "remove it" : `did you mean ${prefix}${meant}?`;
  problems.add("UnknownAnnotation", field, `There is no such annotation, so it does nothing: ${advice}`);
  return undefined;
}

/** What is meant by names that there are not: they come again with every run, and to compare them takes long. */
const misspelt = new Map<string, string | undefined>();
const MOST_MISSPELT = 10_000;

function meantBy(name: string): string | undefined {
  if (!misspelt.has(name)) {
    if (misspelt.size === MOST_MISSPELT) misspelt.clear();
    misspelt.set(name, nearest(name, [...ROWS.keys(), ...Object.keys(INERT)]));
  }
  return misspelt.get(name);
}
