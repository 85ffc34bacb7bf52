import { dump } from "js-yaml";
import type { Ingress } from "../objects.ts";

/** What kubectl keeps there is the object once more. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** An Ingress as YAML, without what nobody wrote. */
export function ingressYaml(object: object): string {
  const { metadata, ...others } = object as { metadata?: Record<string, unknown> };
  const { managedFields: _, annotations, ...rest } = metadata ?? {};
  const kept = Object.entries(annotations ?? {}).filter(([name]) => name !== LAST_APPLIED);
  return dump({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { ...rest, ...kept.length > 0 && { annotations: Object.fromEntries(kept) } },
    ...others,
  }, { lineWidth: -1, noRefs: true });
}

/** What the controller knows of an Ingress, as the API has it. */
export function knownObject({ metadata, ...others }: Ingress): object {
  const { creationTimestamp, ...rest } = metadata;
  return {
    metadata: {
      ...rest,
      ...creationTimestamp !== undefined &&
        { creationTimestamp: new Date(creationTimestamp).toISOString().replace(".000Z", "Z") },
    },
    ...others,
  };
}
