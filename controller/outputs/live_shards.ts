import { type InformerApi, runInformer } from "../informer.ts";
import { shardNames } from "../shards.ts";
import { LiveObject, type LiveObjectOptions, type ManagedObject } from "./live_objects.ts";

/** The calls of all shards of a kind. */
export interface ShardsApi<T> extends InformerApi<T> {
  /** The name of the first one. */
  name: string;
  /** Reads one that the list may leave out; nothing when there is none. */
  find(name: string): Promise<T | undefined>;
  patch(name: string, object: T): Promise<T>;
  delete(name: string): Promise<unknown>;
}

/** The objects that hold a configuration together. They are followed by one watch. */
export class LiveShards<T extends ManagedObject> {
  readonly #api: ShardsApi<T>;
  readonly #options: LiveObjectOptions;
  readonly #shards: LiveObject<T>[];
  #running: Promise<void> = Promise.resolve();

  /** Follows nothing yet. */
  constructor(api: ShardsApi<T>, options: LiveObjectOptions) {
    this.#api = api;
    this.#options = options;
    this.#shards = shardNames(api.name).map((name) =>
      new LiveObject<T>({
        ...api,
        name,
        find: () => api.find(name),
        patch: (object) => api.patch(name, object),
        delete: () => api.delete(name),
      }, options)
    );
  }

  /** What there is in the cluster. */
  get current(): T[] {
    return this.#shards.flatMap(({ current }) => current ?? []);
  }

  /** How many are in use, as far as one can see: those up to the last one that is there. */
  get count(): number {
    return this.#shards.findLastIndex(({ current }) => current !== undefined) + 1;
  }

  /** Follows the objects; resolves when they have been read once. */
  async follow(): Promise<void> {
    const { promise: synced, resolve } = Promise.withResolvers<void>();
    const byName = new Map(this.#shards.map((shard) => [shard.name, shard]));
    const nameOf = ({ metadata }: T) => metadata?.name ?? "";
    this.#running = runInformer<T>(this.#api, {
      ...this.#options,
      target: {
        replace: (objects) => {
          const found = new Map(objects.map((object) => [nameOf(object), object]));
          for (const [name, shard] of byName) shard.see(found.get(name));
          resolve();
        },
        set: (object) => byName.get(nameOf(object))?.see(object),
        delete: (object) => byName.get(nameOf(object))?.see(undefined),
      },
    });
    this.#running.finally(resolve);
    await synced;
  }

  /** Waits for the end of {@linkcode follow}. */
  async closed(): Promise<void> {
    await this.#running;
  }

  /**
   * Makes the shards as they should be, and deletes all others.
   *
   * The last one is written first. So when their number changes, what moves is in its new place before it leaves
   * the old one; and the first shard, which tells proxies how many there are, is the last to say so. One that
   * cannot be written holds up no other, unless things are moving: they could be lost.
   *
   * @returns whether anything in the cluster was written.
   */
  async apply(wanted: readonly T[], onFailure: (error: unknown) => void): Promise<boolean> {
    const isMoving = wanted.length !== this.count;
    let hasChanged = false;
    let hasFailed = false;
    const attempt = async (work: () => Promise<boolean | void>) => {
      if (hasFailed && isMoving) return;
      try {
        if (await work()) hasChanged = true;
      } catch (error) {
        hasFailed = true;
        onFailure(error);
      }
    };
    for (const [index, shard] of [...this.#shards.entries()].reverse()) {
      const object = wanted[index];
      if (object !== undefined) await attempt(() => shard.apply(object));
    }
    for (const shard of this.#shards.slice(wanted.length)) await attempt(() => shard.delete());
    return hasChanged;
  }
}
