import type { WatchEventStream } from "@cloudydeno/kubernetes-apis/common.ts";
import { errorMessage, type Log } from "@pingress/config";

/** The list and watch calls of one kind, as the typed clients have them. */
export interface InformerApi<T> {
  /** Reads a page of the objects. */
  list(options: {
    limit: number;
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
 * aborts. A watch that ends is resumed; one whose version the API server has forgotten (410 Gone) leads to a
 * new list (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 */
export async function runInformer<T extends WatchableObject>(
  api: InformerApi<T>,
  options: InformerOptions<T>,
): Promise<void> {
  const { kind, signal, log, retryAfter = 800, mostRetry = 30_000 } = options;
  let version: string | undefined;
  for (let failures = 0; !signal.aborted;) {
    try {
      version ??= await listAll(api, options);
      version = await watchOnce(api, version, options);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        log.debug("A watch has expired: listing anew", { kind });
        version = undefined;
        continue;
      }
      // whatever went wrong, a list is right again
      version = undefined;
      const delay = Math.min(retryAfter * 2 ** failures++, mostRetry) * (0.5 + Math.random() / 2);
      log.warn("The Kubernetes API cannot be followed: trying again", {
        kind,
        error: errorMessage(error),
        seconds: (delay / 1000).toFixed(1),
      });
      await wait(delay, signal);
    }
  }
}

async function listAll<T>(api: InformerApi<T>, { signal, target }: InformerOptions<T>): Promise<string> {
  const objects: T[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await api.list({ limit: PAGE_SIZE, abortSignal: signal, ...token && { continue: token } });
    for (const item of page.items) objects.push(item);
    token = page.metadata.continue || undefined;
    if (token !== undefined) continue;
    if (!page.metadata.resourceVersion) throw new Error("The API server sent a list without a version");
    target.replace(objects);
    return page.metadata.resourceVersion;
  }
}

/** @returns the version to go on from. */
async function watchOnce<T extends WatchableObject>(
  api: InformerApi<T>,
  from: string,
  { signal, target, silence = 150_000 }: InformerOptions<T>,
): Promise<string> {
  const watchdog = new AbortController();
  let timer = setTimeout(() => watchdog.abort(), silence);
  let version = from;
  try {
    const events = await api.watch({
      resourceVersion: from,
      allowWatchBookmarks: true,
      timeoutSeconds: 240 + Math.floor(Math.random() * 60),
      abortSignal: AbortSignal.any([signal, watchdog.signal]),
    });
    for await (const event of events) {
      clearTimeout(timer);
      timer = setTimeout(() => watchdog.abort(), silence);
      if (event.type === "ERROR") throw new WatchError(event.object);
      version = event.object.metadata?.resourceVersion ?? version;
      if (event.type === "DELETED") target.delete(event.object);
      else if (event.type !== "BOOKMARK") target.set(event.object);
    }
  } catch (error) {
    // a silent watch may be a connection that nobody is at the other end of
    if (!watchdog.signal.aborted || signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return version;
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

async function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
