import { PREFIXES, ROWS } from "../annotations/known.ts";
import type { Ingress } from "../objects.ts";
import { fieldKeys } from "../sources/yaml.ts";
import { CLASS_ANNOTATION, DEFAULT_CLASS_NAME } from "../translate/select_ingresses.ts";
import { annotationField } from "../annotations/read_annotations.ts";
import { splitName } from "./findings.ts";
import type { Change } from "./rewrite.ts";

/** What makes an Ingress ours that works as before. */
export function changesOf(
  { metadata: { annotations }, spec }: Ingress,
  { isSentToHttps }: { isSentToHttps: boolean },
): Change[] {
  const value = DEFAULT_CLASS_NAME;
  const has = (annotation: string) => annotations !== undefined && Object.hasOwn(annotations, annotation);
  const changes: Change[] = [];
  // with ingress-nginx that is so unless told
  if (isSentToHttps && !PREFIXES.some((prefix) => has(`${prefix}ssl-redirect`))) {
    const [key, value] = [`${PREFIXES[0]}ssl-redirect`, "true"];
    changes.push(
      annotations === undefined
        ? { op: "add", into: "metadata", key: "annotations", value: { [key]: value } }
        : { op: "add", into: "metadata.annotations", key, value },
    );
  }
  for (const annotation of Object.keys(annotations ?? {})) {
    const [prefix, name] = splitName(annotation);
    const to = `${PREFIXES[0]}${name}`;
    if (prefix === "" || annotation === to || has(to) || !ROWS.has(name)) continue;
    changes.push({ op: "rename", field: annotationField(annotation), to });
  }
  if (has(CLASS_ANNOTATION)) changes.push({ op: "set", field: annotationField(CLASS_ANNOTATION), value });
  if (spec?.ingressClassName !== undefined) {
    changes.push({ op: "set", field: "spec.ingressClassName", value });
  } else if (!has(CLASS_ANNOTATION)) {
    changes.push({ op: "add", into: "spec", key: "ingressClassName", value });
  }
  return changes;
}

/** A change as a sentence. */
export function describe(change: Change): string {
  if (change.op === "set") return `${change.field} becomes ${change.value}`;
  if (change.op === "rename") return `${fieldName(change.field)} becomes ${change.to}`;
  const { into, key, value } = change;
  if (typeof value === "string") return `${into} gets ${key}: ${JSON.stringify(value)}`;
  return Object.entries(value).map(([name, text]) =>
    describe({ op: "add", into: `${into}.${key}`, key: name, value: text })
  ).join("; ");
}

/** A field as people name it: an annotation by its name alone. */
export function fieldName(field: string): string {
  const [, parent, name] = fieldKeys(field);
  return parent === "annotations" && name !== undefined ? name : field;
}

/** Changes in a few words. */
export function summarize(changes: readonly Change[]): string {
  const renamed = changes.filter(({ op }) => op === "rename").length;
  return [
    changes.some((change) => change.op === "set" || (change.op === "add" && change.into === "spec")) &&
    "class",
    renamed > 0 && `${renamed} renamed`,
    changes.some((change) => change.op === "add" && change.into !== "spec") && "+ssl-redirect",
  ].filter(Boolean).join(", ");
}
