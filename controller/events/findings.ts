import type { ObjectReference } from "@cloudydeno/kubernetes-apis/core/v1";
import { type Ingress, objectKey } from "../objects.ts";
import { CONFIG_MAP_NAME } from "../render/names.ts";
import type { Outcome } from "../reporter.ts";

/** Something that whoever looks at an object should know as long as it is so. */
export interface Finding {
  /** The object. */
  about: ObjectReference;
  /** A word for programs, such as `ServiceNotFound`. */
  reason: string;
  /** The field, such as `spec.rules[0].host`; empty for the whole object. */
  field: string;
  /** Why, what follows from it, and what to do. */
  message: string;
}

/** One thing to tell: that something is so, or that it is so no more. */
export interface Step {
  /** What it is about. */
  finding: Finding;
  /** How {@linkcode findings} names it. */
  key: string;
  /** Is it so now? */
  isSo: boolean;
  /** What is told; for nothing it is enough to know it. */
  notice: Notice | undefined;
}

/** What an Event says. */
export interface Notice {
  /** The severity that Kubernetes knows. */
  type: "Normal" | "Warning";
  /** A word for programs. */
  reason: string;
  /** A sentence for people. */
  message: string;
}

/** Options of {@linkcode findings}. */
export interface FindingsOptions {
  /** The Ingresses that are ours. */
  ingresses: readonly Ingress[];
  /** The controller's own namespace. */
  namespace: string;
}

/** All that there is to know about one run, by a name that is different for all of them. */
export function findings(
  { translation, failure }: Outcome,
  { ingresses, namespace }: FindingsOptions,
): Map<string, Finding> {
  const byKey = new Map(ingresses.map((ingress) => [objectKey(ingress), ingress]));
  const found: Finding[] = translation.problems.flatMap(({ ingress: key, reason, field, message }) => {
    const metadata = byKey.get(key)?.metadata;
    if (metadata === undefined) return [];
    const { name, namespace, uid } = metadata;
    const kind = { apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
    const about = {
      ...kind,
      name,
      ...namespace !== undefined && { namespace },
      ...uid !== undefined && { uid },
    };
    return [{ about, reason, field, message }];
  });
  if (failure !== undefined) {
    const about = { apiVersion: "v1", kind: "ConfigMap", namespace, name: CONFIG_MAP_NAME };
    found.push({ about, reason: "ApplyFailed", field: "", message: failure });
  }
  return new Map(found.map((finding) => [JSON.stringify(finding), finding]));
}

/** Options of {@linkcode steps}. */
export interface StepsOptions {
  /** What has been told. */
  told: ReadonlyMap<string, Finding>;
  /** Is an object still there, and ours? Else nobody need be told that something with it is solved. */
  isOurs: (about: ObjectReference) => boolean;
}

/** What is to be told to whoever knows `told`, so that they know what there is now. */
export function steps(current: ReadonlyMap<string, Finding>, { told, isOurs }: StepsOptions): Step[] {
  const places = new Set([...current.values()].map(placeOf));
  const appeared = [...current].filter(([key]) => !told.has(key)).map(([key, finding]): Step => ({
    finding,
    key,
    isSo: true,
    notice: { type: "Warning", reason: finding.reason, message: withField(finding, finding.message) },
  }));
  const gone = [...told].filter(([key]) => !current.has(key)).map(([key, finding]): Step => ({
    finding,
    key,
    isSo: false,
    notice: places.has(placeOf(finding)) || !isOurs(finding.about)
      ? undefined // it is still wrong, in another way; or it is not ours to say
      : { type: "Normal", reason: "Resolved", message: withField(finding, `${finding.reason} is resolved`) },
  }));
  return [...appeared, ...gone];
}

/** Where it is wrong, and how: there may be several messages about it. */
function placeOf({ about, reason, field }: Finding): string {
  return JSON.stringify([aboutKey(about), reason, field]);
}

/** Tells objects apart, also one from a later one of the same name. */
export function aboutKey({ kind, namespace, name, uid }: ObjectReference): string {
  return [kind, namespace, name, uid].join("/");
}

function withField({ field }: Finding, text: string): string {
  return field === "" ? text : `${field}: ${text}`;
}
