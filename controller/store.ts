import { type Kind, KINDS, type Kinds, objectKey } from "./objects.ts";

/** All objects at one moment, each kind sorted by namespace and name. */
export type Snapshot = { readonly [K in Kind]: readonly Kinds[K][] };

/** The objects that a source has seen. */
export class Store {
  readonly #objects = new Map<Kind, Map<string, Kinds[Kind]>>();

  /**
   * Adds an object or replaces the one of its name.
   *
   * @returns whether that changes anything: much of what is written to objects is none of Pingress's business.
   */
  set<K extends Kind>(kind: K, object: Kinds[K]): boolean {
    const objects = this.#of(kind);
    const key = objectKey(object);
    if (JSON.stringify(objects.get(key)) === JSON.stringify(object)) return false;
    objects.set(key, object);
    return true;
  }

  /** Forgets an object. */
  delete(kind: Kind, key: string): void {
    this.#of(kind).delete(key);
  }

  /** Replaces all objects of a kind. */
  replace<K extends Kind>(kind: K, objects: Iterable<Kinds[K]>): void {
    this.#objects.set(kind, new Map([...objects].map((object) => [objectKey(object), object])));
  }

  /** What is there now. */
  snapshot(): Snapshot {
    const entries = (Object.keys(KINDS) as Kind[]).map((kind) => {
      const objects = [...this.#of(kind)].sort(([one], [other]) => one < other ? -1 : 1).map(([, object]) =>
        object
      );
      return [kind, objects];
    });
    return Object.fromEntries(entries) as Snapshot;
  }

  #of(kind: Kind): Map<string, Kinds[Kind]> {
    let objects = this.#objects.get(kind);
    if (objects === undefined) this.#objects.set(kind, objects = new Map());
    return objects;
  }
}
