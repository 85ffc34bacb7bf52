import type { Log } from "@pingress/config";
import { type InformerApi, type InformerTarget, listAll, runInformer } from "../informer.ts";
import { isForbidden } from "../kubernetes_client.ts";
import { objectKey, type Secret } from "../objects.ts";

/** Options of {@linkcode NamedSecrets}. */
export interface NamedSecretsOptions {
  /** The calls for one Secret alone, by `namespace/name`. */
  apiOf: (key: string) => InformerApi<object>;
  /** Reads a Secret; nothing when it is none. */
  read: (object: object) => Secret | undefined;
  /** Called when one of them has been read, or has changed. */
  tick: () => void;
  /** Told of interruptions. */
  log: Log;
  /** Called when a watch begins again. */
  onRestart?: () => void;
}

interface Followed {
  stop: AbortController;
  secret: Secret | undefined;
  wasRead: boolean;
  running: Promise<void>;
}

/** Follows single Secrets, each with a watch of its own: no other Secret ever reaches the controller's memory. */
export class NamedSecrets {
  readonly #options: NamedSecretsOptions;
  readonly #followed = new Map<string, Followed>();
  readonly #ended: Promise<void>[] = [];

  /** Follows none yet. */
  constructor(options: NamedSecretsOptions) {
    this.#options = options;
  }

  /** Those that are there. */
  get secrets(): Secret[] {
    return [...this.#followed.values()].flatMap(({ secret }) => secret ?? []);
  }

  /** Follows these (`namespace/name`) and no others. @returns whether all of them have been read. */
  follow(keys: ReadonlySet<string>): boolean {
    for (const [key, { stop, running }] of this.#followed) {
      if (keys.has(key)) continue;
      stop.abort();
      this.#ended.push(running);
      this.#followed.delete(key);
    }
    for (const key of keys) if (!this.#followed.has(key)) this.#start(key);
    return [...this.#followed.values()].every(({ wasRead }) => wasRead);
  }

  /** Reads these once and follows none. A Secret that may not be read is not there. */
  async readOnce(keys: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    for (const key of keys) {
      const followed = {
        stop: new AbortController(),
        secret: undefined,
        wasRead: true,
        running: Promise.resolve(),
      };
      this.#followed.set(key, followed);
      const target = this.#target(key, followed);
      await listAll(this.#options.apiOf(key), { signal, target, isPaged: false }).catch((error) => {
        if (!isForbidden(error)) throw error;
      });
    }
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    this.follow(new Set());
    await Promise.allSettled(this.#ended);
  }

  #start(key: string): void {
    const { apiOf, log, onRestart } = this.#options;
    const stop = new AbortController();
    const followed: Followed = { stop, secret: undefined, wasRead: false, running: Promise.resolve() };
    this.#followed.set(key, followed);
    const target = this.#target(key, followed);
    const api = apiOf(key);
    followed.running = runInformer({
      watch: (options) => api.watch(options),
      list: async (options) => {
        try {
          return await api.list(options);
        } catch (error) {
          // what may not be read must not hold up all the rest
          if (isForbidden(error) && !followed.wasRead) target.replace([]);
          throw error;
        }
      },
    }, { kind: `Secret ${key}`, signal: stop.signal, target, log, ...onRestart && { onRestart } });
  }

  #target(key: string, followed: Followed): InformerTarget<object> {
    const { read, tick } = this.#options;
    const see = (secret: Secret | undefined) => {
      const isSame = followed.wasRead && JSON.stringify(secret) === JSON.stringify(followed.secret);
      [followed.secret, followed.wasRead] = [secret, true];
      if (!isSame) tick();
    };
    const isIt = (secret: Secret | undefined) => secret !== undefined && objectKey(secret) === key;
    return {
      replace: (objects) => see(objects.map(read).find(isIt)),
      set: (object) => see(read(object)),
      delete: () => see(undefined),
    };
  }
}
