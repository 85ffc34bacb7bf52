import type { RuleOptions, ServiceBackend } from "@pingress/config";
import type { Ingress, Secret } from "../objects.ts";
import type { ProblemReason } from "../translate/problem.ts";

/** A value does not say what its annotation is for. */
export class AnnotationError extends Error {
  override name = "AnnotationError";

  /** The message ends the sentence `"yes" is …`. */
  constructor(expected: string) {
    super(expected);
  }
}

/** Reads the value of an annotation. @throws {AnnotationError} for one that means nothing. */
export type Parse<T> = (text: string) => T;

/** The longest value of most annotations, in characters: they become a part of messages. */
export const MOST_VALUE_CHARACTERS = 4096;

/** The longest value of annotations with many elements, in characters. */
export const MOST_LIST_CHARACTERS = 65_536;

/** One annotation. */
export interface Row<T> {
  /** Reads its value. */
  parse: Parse<T>;
  /** What it is for, in one sentence, for the documentation. */
  help: string;
  /** What is another way than with ingress-nginx, where anything is. */
  differs?: string;
  /** Does it say who may come in? With a bad value nobody may. */
  isGuard?: boolean;
  /** Its longest value, in characters; {@linkcode MOST_VALUE_CHARACTERS} unless told. */
  longest?: number;
  /** What has to be there for it to do anything: where it asks for something it is told what is not. */
  needs?: Need | readonly Need[];
  /** The annotation that counts instead of it where both are there, which is told. */
  yieldsTo?: string;
  /** What a bad value counts as, where to leave it out would allow more; and that in words. */
  otherwise?: { value: T; says: string };
}

/** What has to be there for an annotation to do anything. */
export interface Need {
  /** Annotations, of which one is enough. */
  anyOf: readonly string[];
  /** Whether a value of theirs is; all but `false` are unless told. */
  isMetBy?: (value: unknown) => boolean;
  /** What the Ingress has not, in words. */
  says: string;
}

/** The need of an annotation with any value, or with one that is not `false`. */
export function need(annotation: string, says: string = annotation): Need {
  return { anyOf: [annotation], says };
}

/** The values that an Ingress has for some annotations, by their names without prefix. */
export type ValuesOf<Rows> = { [Name in keyof Rows]?: Rows[Name] extends Row<infer T> ? T : never };

/** What is known of the rule that options are for. */
export interface RuleContext {
  /** Whose it is. */
  ingress: Ingress;
  /** Its host; every one when there is none. */
  host: string | undefined;
  /** Its path, as the Ingress says it. */
  path: string;
  /** Is there a certificate for its host? */
  hasCertificate: boolean;
  /** What counts where the Ingress says nothing. */
  defaults: RuleDefaults;
  /** A Secret of the Ingress's namespace, which is read from now on. */
  secret(name: string): Secret | undefined;
  /** Hands proxies a file beside their keys. @returns its path; nothing when there is no room for it. */
  keep(file: string, text: string): string | undefined;
  /** Finds a Service of the Ingress' namespace, and its first port, if there is one. */
  findService(name: string): ServiceBackend | undefined;
  /** Is an annotation there, with a value that means nothing? That has been told. */
  isFaulty(annotation: string): boolean;
  /**
   * Tells what is wrong with what an annotation names; of an Ingress with many rules once. It closes the Ingress if
   * nobody may come in because of it.
   */
  tell(annotation: string, reason: ProblemReason, message: string, effect?: { closes?: boolean }): void;
}

/** What counts where an Ingress says nothing. */
export interface RuleDefaults {
  /** Are requests over HTTP sent to HTTPS, where there is a certificate? */
  redirectsToHttps: boolean;
}

/** Annotations that belong together, and what becomes of them. */
export interface Feature {
  /** The annotations, by their names without prefix. */
  readonly rows: Readonly<Record<string, Row<unknown>>>;
  /** Makes the options of one rule out of the values; nothing that is unsafe to leave out is left out. */
  readonly optionsOf: (values: Record<string, unknown>, context: RuleContext) => RuleOptions;
}

/** Describes a feature. */
export function feature<Rows extends Record<string, Row<unknown>>>(
  rows: Rows,
  optionsOf: (values: ValuesOf<Rows>, context: RuleContext) => RuleOptions,
): Feature {
  return { rows, optionsOf: optionsOf as Feature["optionsOf"] };
}

/** An annotation that is accepted or known, and does nothing. */
export interface Inert {
  /** Is it refused by principle, is there no such thing here, or is it how everything works anyway? */
  kind: "refused" | "unsupported" | "accepted";
  /** Why, and what to do instead. */
  why: string;
  /** Does every value say who may come in? Nobody may where it is given: to the Ingress, or to all of its hosts. */
  isGuard?: true | "hosts";
  /** Does this value ask for nothing that is not so anyway? Then nothing is told. */
  asksNothing?: (text: string) => boolean;
  /** Would requests come in with this value that should not, if it were passed over? Then nobody may. */
  closes?: (text: string) => boolean;
}
