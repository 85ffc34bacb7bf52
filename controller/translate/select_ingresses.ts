import { type Ingress, type IngressClass, objectKey } from "../objects.ts";
import type { Snapshot } from "../store.ts";

/** The class that is ours even where its IngressClass object is missing. */
export const DEFAULT_CLASS_NAME = "pingress";

/** What `spec.controller` of our IngressClasses says. */
export const CONTROLLER_NAME = "pingress.dev/ingress-controller";

/** Where Ingresses named their class before there was a field for it. */
export const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const DEFAULT_CLASS_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";

/**
 * The Ingresses that are ours, the oldest first: where two of them claim the same thing the first one has it.
 * An Ingress names its class in `spec.ingressClassName` or in the older annotation; one with neither is ours
 * when our class is the default one
 * (https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class).
 */
export function selectIngresses(snapshot: Snapshot): Ingress[] {
  const classes = snapshot.IngressClass;
  const names = classes.filter(({ spec }) => spec?.controller === CONTROLLER_NAME).map(({ metadata }) =>
    metadata.name
  );
  const isDefined = classes.some(({ metadata }) => metadata.name === DEFAULT_CLASS_NAME);
  return ofClasses(snapshot, isDefined ? names : [...names, DEFAULT_CLASS_NAME]);
}

/** The Ingresses of classes that are another controller's, the oldest first; none that is ours. */
export function selectGuests(snapshot: Snapshot, classes: readonly string[]): Ingress[] {
  const ours = new Set(selectIngresses(snapshot));
  return ofClasses(snapshot, classes).filter((ingress) => !ours.has(ingress));
}

function ofClasses({ Ingress: ingresses, IngressClass }: Snapshot, names: readonly string[]): Ingress[] {
  const hasDefault = IngressClass.some((ingressClass) =>
    names.includes(ingressClass.metadata.name) && isDefaultClass(ingressClass)
  );
  return ingresses.filter((ingress) => {
    const name = classNameOf(ingress);
    return name === undefined ? hasDefault : names.includes(name);
  }).sort(byAge);
}

/** The class that an Ingress names, if it names one. */
export function classNameOf({ spec, metadata }: Ingress): string | undefined {
  return spec?.ingressClassName ?? metadata.annotations?.[CLASS_ANNOTATION];
}

function isDefaultClass({ metadata }: IngressClass): boolean {
  return metadata.annotations?.[DEFAULT_CLASS_ANNOTATION] === "true";
}

function byAge(one: Ingress, other: Ingress): number {
  const age = (one.metadata.creationTimestamp ?? 0) - (other.metadata.creationTimestamp ?? 0);
  return age !== 0 ? age : objectKey(one) < objectKey(other) ? -1 : 1;
}
