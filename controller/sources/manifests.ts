import { ShapeError } from "@pingress/config";
import { type Kind, KINDS, type Kinds } from "../objects.ts";
import { type LineOf, type PlaceOf, readYaml } from "./yaml.ts";

/** An object of a file: what Pingress reads of it and all that is written of it, and where its fields are. */
export type ManifestObject = {
  [K in Kind]: { kind: K; object: Kinds[K]; written: unknown; lineOf: LineOf; placeOf: PlaceOf };
}[Kind];

/** Something in a file that cannot be read. */
export interface ManifestFault {
  /** Where it is. */
  line: number;
  /** The object, such as `Ingress default/web`, where it is in one. */
  object?: string;
  /** The field of the object. */
  field?: string;
  /** What is wrong. */
  message: string;
}

/** What a file holds. */
export interface Manifests {
  /** The objects of the kinds that Pingress uses. */
  objects: ManifestObject[];
  /** What cannot be read; what stands beside it can. */
  faults: ManifestFault[];
}

/** Options of {@linkcode readManifests}. */
export interface ReadManifestsOptions {
  /** The namespace of objects that name none; `default` unless told. */
  namespace?: string;
}

/**
 * Reads the objects of a text of YAML or JSON, as `kubectl apply` does. Other kinds than those that Pingress
 * uses are passed over.
 */
export function readManifests(
  text: string,
  { namespace = "default" }: ReadManifestsOptions = {},
): Manifests {
  const manifests: Manifests = { objects: [], faults: [] };
  for (const document of readYaml(text)) {
    if ("fault" in document) {
      const hint = text.includes("{{") ? " (a template has to be rendered first)" : "";
      manifests.faults.push({ line: document.line, message: `This is no YAML: ${document.fault}${hint}` });
      continue;
    }
    for (const { value, path } of listItems(document.value)) {
      const within = (field: string) => path && field ? `${path}.${field}` : path || field;
      const lineOf: LineOf = (field) => document.lineOf(within(field));
      const placeOf: PlaceOf = (field) => document.placeOf(within(field));
      const read = readManifest(value, namespace);
      if (read === undefined) continue;
      if ("message" in read) manifests.faults.push({ line: lineOf(read.field ?? ""), ...read });
      else manifests.objects.push({ ...read, written: value, lineOf, placeOf } as ManifestObject);
    }
  }
  return manifests;
}

/** A list as kubectl prints it, and as the API server sends it, which says the kind of its items only once. */
function listItems(value: unknown): { value: unknown; path: string }[] {
  if (isRecord(value) && typeof value.kind === "string" && Array.isArray(value.items)) {
    const kind = value.kind.replace(/List$/, "");
    if (kind === "" || Object.hasOwn(KINDS, kind)) {
      const common = kind === "" ? {} : { kind, apiVersion: value.apiVersion };
      return value.items.map((item: unknown, index) => ({
        value: isRecord(item) ? { ...common, ...item } : item,
        path: `items[${index}]`,
      }));
    }
  }
  return [{ value, path: "" }];
}

/** Reads an object. @returns nothing for one that is none of Pingress's business. */
function readManifest(
  value: unknown,
  namespace: string,
): Pick<ManifestObject, "kind" | "object"> | Omit<ManifestFault, "line"> | undefined {
  if (value === null || value === undefined) return undefined; // an empty document
  if (!isRecord(value) || typeof value.kind !== "string" || typeof value.apiVersion !== "string") {
    return { message: "This is no Kubernetes object: it needs apiVersion and kind" };
  }
  if (value.kind === "List") return { message: "A List in a List is not read: take it apart" };
  const kind = (Object.keys(KINDS) as Kind[]).find((kind) => kind === value.kind);
  if (kind === undefined) return undefined;
  const { apiVersion, isClusterScoped, read } = KINDS[kind];
  const object = `${kind} ${nameOf(value, isClusterScoped ? undefined : namespace)}`;
  if (value.apiVersion !== apiVersion) {
    if (!isOtherVersion(value.apiVersion, apiVersion)) return undefined;
    const message = `${kind} is read as ${apiVersion}, not ${value.apiVersion}: rewrite it`;
    return { object, field: "apiVersion", message };
  }
  try {
    const decoded = read(value, "");
    if (!isClusterScoped) decoded.metadata.namespace ||= namespace;
    return { kind, object: decoded };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { object, field: error.path, message: error.detail };
  }
}

function nameOf({ metadata }: Record<string, unknown>, namespace: string | undefined): string {
  const { name, namespace: own } = isRecord(metadata) ? metadata : {};
  if (typeof name !== "string" || name === "") return "without a name";
  return namespace === undefined ? name : `${typeof own === "string" && own || namespace}/${name}`;
}

/** Is this another version of an API, rather than an API whose kinds happen to have the same names? */
function isOtherVersion(found: string, wanted: string): boolean {
  const [group, other] = [wanted, found].map((apiVersion) => /^(.*)\//.exec(apiVersion)?.[1] ?? "");
  // Ingresses were in `extensions` once
  return group === other || (group === "networking.k8s.io" && other === "extensions");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
