import { dump } from "js-yaml";

/** Where kubectl keeps the object once more. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** What the API server adds to the metadata of every object. */
const ADDED = [
  "creationTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
];

/** An Ingress as YAML, with what somebody wrote and nothing else: one could apply it again. */
export function ingressYaml(object: object): string {
  const { metadata = {}, spec } = object as { metadata?: Record<string, unknown>; spec?: unknown };
  const { annotations, ...others } = metadata;
  const written = Object.entries(others).filter(([name]) => !ADDED.includes(name));
  const notes = Object.entries(annotations ?? {}).filter(([name]) => name !== LAST_APPLIED);
  return dump({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      ...Object.fromEntries(written),
      ...notes.length > 0 && { annotations: Object.fromEntries(notes) },
    },
    ...spec !== undefined && { spec },
  }, { lineWidth: -1, noRefs: true });
}
