import type { WatchEventStream } from "@cloudydeno/kubernetes-apis/common.ts";
import { errorMessage, type Log } from "@pingress/config";
import { SYSTEM_CLOCK } from "./clock.ts";

/** The list and watch calls of one kind, as the typed clients have them. */
export interface InformerApi<T> {
  /** Reads a page of the objects. */
  list(options: {
    limit?: number;
    continue?: string;
    abortSignal: AbortSignal;
  }): Promise<{ metadata: { resourceVersion?: string | null; continue?: string | null }; items: T[] }>;
  /** Follows changes from a version on. */
  watch(options: {
    resourceVersion: string;
    allowWatchBookmarks: boolean;
    timeoutSeconds: number;
    abortSignal: AbortSignal;
  }): Promise<WatchEventStream<T>>;
}

/** What an informer keeps up to date. */
export interface InformerTarget<T> {
  /** These are all the objects there are. */
  replace(objects: T[]): void;
  /** An object is new or has changed. */
  set(object: T): void;
  /** An object is gone. */
  delete(object: T): void;
}

/** Options of {@linkcode runInformer}. */
export interface InformerOptions<T> {
  /** The kind, for the log. */
  kind: string;
  /** Ends the informer. */
  signal: AbortSignal;
  /** Is kept up to date. */
  target: InformerTarget<T>;
  /** Told of interruptions. */
  log: Log;
  /** Called when a list or a watch has broken off and begins again. */
  onRestart?: () => void;
  /** The wait after a first failure, doubled after each further one up to `mostRetry`, in milliseconds. */
  retryAfter?: number;
  /** The longest wait, in milliseconds. */
  mostRetry?: number;
  /** A watch that is silent for this long is opened anew, in milliseconds. */
  silence?: number;
}

interface WatchableObject {
  metadata?: { resourceVersion?: string | null } | null;
}

const PAGE_SIZE = 500;

/**
 * Keeps a target up to date with all objects of a kind: lists them, then watches from there, until the signal
 * aborts. A watch that ends or breaks is resumed; one whose version the API server has forgotten (410 Gone)
 * leads to a new list (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 */
export async function runInformer<T extends WatchableObject>(
  api: InformerApi<T>,
  options: InformerOptions<T>,
): Promise<void> {
  const { kind, signal, log, retryAfter = 800, mostRetry = 30_000 } = options;
  let version: string | undefined;
  let failures = 0;
  let expiredAt = -Infinity;
  let isPaged = true;
  const progress = (seen: string) => {
    version = seen;
    failures = 0;
  };
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      version ??= await listAll(api, { ...options, isPaged });
      isPaged = true;
      await watchOnce(api, version, { ...options, progress });
      // a server that ends every watch at once is not asked all the time
      await SYSTEM_CLOCK.wait(startedAt + retryAfter - performance.now(), signal);
    } catch (error) {
      if (signal.aborted) return;
      options.onRestart?.();
      const delay = Math.min(retryAfter * 2 ** failures, mostRetry) * (0.5 + Math.random() / 2);
      if (isExpired(error)) {
        log.debug("A version has expired: listing anew", { kind });
        // what expires between two pages of a list has to be read in one piece
        isPaged = version !== undefined;
        version = undefined;
        const isFirst = failures++ === 0 && startedAt > expiredAt + retryAfter;
        expiredAt = performance.now();
        if (!isFirst) await SYSTEM_CLOCK.wait(delay, signal);
        continue;
      }
      // whatever it is that the watch stumbles over again, a list does not repeat it once it is gone
      if (failures++ > 0) version = undefined;
      log.warn("The Kubernetes API cannot be followed: trying again", {
        kind,
        error: errorMessage(error),
        seconds: (delay / 1000).toFixed(1),
      });
      await SYSTEM_CLOCK.wait(delay, signal);
    }
  }
}

/**
 * Gives a target all objects of a kind; in pages, whose version may expire between two of them, or in one piece.
 *
 * @returns the version that they are of.
 */
export async function listAll<T>(
  api: Pick<InformerApi<T>, "list">,
  { signal, target, silence, isPaged }:
    & Pick<InformerOptions<T>, "signal" | "silence">
    & { target: Pick<InformerTarget<T>, "replace">; isPaged: boolean },
): Promise<string> {
  using watchdog = new Watchdog(signal, silence);
  const objects: T[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await watchdog.guard(
      api.list({
        ...isPaged && { limit: PAGE_SIZE },
        abortSignal: watchdog.signal,
        ...token && { continue: token },
      }),
    );
    watchdog.heard();
    for (const item of page.items) objects.push(item);
    token = page.metadata.continue || undefined;
    if (token !== undefined) continue;
    if (!page.metadata.resourceVersion) throw new Error("The API server sent a list without a version");
    target.replace(objects);
    return page.metadata.resourceVersion;
  }
}

async function watchOnce<T extends WatchableObject>(
  api: InformerApi<T>,
  from: string,
  { signal, target, silence, progress }: InformerOptions<T> & { progress(version: string): void },
): Promise<void> {
  using watchdog = new Watchdog(signal, silence);
  let cancel: (() => Promise<void>) | undefined;
  try {
    const opening = api.watch({
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds: 240 + Math.floor(Math.random() * 60),
      abortSignal: watchdog.signal,
    });
    const reader = (await watchdog.guard(opening)).getReader();
    cancel = () => reader.cancel();
    for (;;) {
      const { value: event, done } = await watchdog.guard(reader.read());
      if (done) return;
      watchdog.heard();
      if (event.type === "ERROR") throw new WatchError(event.object);
      if (event.type === "DELETED") target.delete(event.object);
      else if (event.type !== "BOOKMARK") target.set(event.object);
      const version = event.object.metadata?.resourceVersion;
      if (version) progress(version);
    }
  } catch (error) {
    // a silent watch may be a connection that nobody is at the other end of: it is resumed on another one
    if (!watchdog.isSilent) throw error;
  } finally {
    cancel?.().catch(() => {});
  }
}

/**
 * Ends a call when the informer ends, or when nothing was heard of it for too long.
 *
 * Deno forgets what a request's signal is for at the next garbage collection, so the signal alone ends nothing
 * that has lasted for a while: what waits is guarded too.
 */
class Watchdog implements Disposable {
  readonly #informer: AbortSignal;
  readonly #silence: number;
  readonly #call = new AbortController();
  readonly #end = () => this.#call.abort(this.#informer.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSilent = false;

  constructor(informer: AbortSignal, silence = 150_000) {
    this.#informer = informer;
    this.#silence = silence;
    informer.addEventListener("abort", this.#end);
    if (informer.aborted) this.#end();
    this.heard();
  }

  /** Aborts at the end. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** Was it silence that ended the call? */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Something was heard. */
  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isSilent = true;
      this.#call.abort(new Error(`The API server said nothing for ${this.#silence / 1000} seconds`));
    }, this.#silence);
  }

  /** Waits for `work`, but not beyond the end. */
  async guard<R>(work: Promise<R>): Promise<R> {
    const { signal } = this;
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = () => reject(signal.reason);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    try {
      return await Promise.race([work, ended]);
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#informer.removeEventListener("abort", this.#end);
  }
}

/** The API server ends a watch with a Status. */
class WatchError extends Error {
  readonly status: { code?: number | null; reason?: string | null };

  constructor(status: { code?: number | null; reason?: string | null; message?: string | null }) {
    super(`The watch failed: ${status.message ?? status.reason}`);
    this.status = status;
  }
}

/** Comes as an event on the stream, or as the answer to the request. */
function isExpired(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { status, httpCode } = error as { status?: { code?: number; reason?: string }; httpCode?: number };
  return httpCode === 410 || status?.code === 410 || status?.reason === "Expired" ||
    status?.reason === "Gone";
}
