import { type Ingress, type Kind, KINDS, objectKey } from "../objects.ts";
import type { ManifestObject } from "../sources/manifests.ts";
import { type Snapshot, Store } from "../store.ts";

/** Where an object is, and how it is written there. */
export interface Place extends Pick<ManifestObject, "written" | "lineOf" | "placeOf"> {
  /** The file's name. */
  file: string;
}

/** Where the objects of files are, by kind and name, such as `Ingress default/web`. */
export type Places = ReadonlyMap<string, Place>;

/** An object that is in files twice. */
export interface Duplicate {
  /** Kind and name. */
  name: string;
  /** Where it is. */
  place: Place;
  /** Where it was before. */
  earlier: Place;
}

/** What files come to. */
export interface Laid {
  /** What there would be if they were applied. */
  snapshot: Snapshot;
  /** Where their objects are. */
  places: Places;
  /** What is there more than once: the last one counts. */
  duplicates: Duplicate[];
}

/** The objects of a file. */
export interface LaidFile {
  /** Its name. */
  name: string;
  /** What it holds. */
  objects: readonly ManifestObject[];
}

/** Puts the objects of files in the place of those of a cluster that have their names. */
export function layOver(files: readonly LaidFile[], cluster: Snapshot | undefined): Laid {
  const store = new Store();
  const places = new Map<string, Place>();
  const duplicates: Duplicate[] = [];
  const ages = new Map<string, number | undefined>();
  if (cluster !== undefined) {
    for (const kind of Object.keys(KINDS) as Kind[]) store.replace(kind, cluster[kind]);
    for (const ingress of cluster.Ingress) ages.set(objectKey(ingress), ingress.metadata.creationTimestamp);
  }
  for (const { name: file, objects } of files) {
    for (const { kind, object, ...written } of objects) {
      const name = `${kind} ${objectKey(object).replace(/^\//, "")}`;
      const earlier = places.get(name);
      if (earlier !== undefined) duplicates.push({ name, place: { file, ...written }, earlier });
      places.set(name, { file, ...written });
      store.set(kind, cluster !== undefined && kind === "Ingress" ? withAge(object, ages) : object);
    }
  }
  return { snapshot: store.snapshot(), places, duplicates };
}

/** What is applied keeps the age of what was there; what is new is younger than all others. */
function withAge({ metadata, ...others }: Ingress, ages: ReadonlyMap<string, number | undefined>): Ingress {
  const creationTimestamp = ages.get(objectKey({ metadata })) ?? Number.MAX_SAFE_INTEGER;
  return { ...others, metadata: { ...metadata, creationTimestamp } };
}
