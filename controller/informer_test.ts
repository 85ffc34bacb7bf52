import { assert, assertEquals } from "@std/assert";
import { pause, settled } from "../tests/testing.ts";
import type { WatchEvent } from "@cloudydeno/kubernetes-apis/common.ts";
import { SILENT_LOG } from "@pingress/config";
import { type InformerApi, type InformerOptions, runInformer } from "./informer.ts";

interface Thing {
  apiVersion: string;
  kind: string;
  metadata: { name: string; resourceVersion: string };
}

type Event = WatchEvent<Thing, { apiVersion: string; kind: string; code?: number; reason?: string }>;

/** One call of the informer that a test answers. */
interface Call<Options, Answer> {
  options: Options;
  answer(answer: Answer): void;
  fail(error: unknown): void;
}

type ListOptions = Parameters<InformerApi<Thing>["list"]>[0];
type Page = Awaited<ReturnType<InformerApi<Thing>["list"]>>;
type WatchOptions = Parameters<InformerApi<Thing>["watch"]>[0];

/** An API whose calls wait for the test. */
class FakeApi implements InformerApi<Thing> {
  readonly lists = new Queue<ListOptions, Page>();
  readonly watches = new Queue<WatchOptions, ReadableStream<Event>>();

  list(options: ListOptions) {
    return this.lists.call(options);
  }

  watch(options: WatchOptions) {
    return this.watches.call(options) as ReturnType<InformerApi<Thing>["watch"]>;
  }

  /** Answers the next list. @returns what was asked for. */
  async answerList(version: string, names: string[], more?: string) {
    const { options, answer } = await this.lists.next();
    answer({
      metadata: { resourceVersion: version, ...more !== undefined && { continue: more } },
      items: names.map((name) => thing(name, version)),
    });
    return options;
  }

  /** Answers the next watch. */
  async answerWatch() {
    const { options, answer } = await this.watches.next();
    const { readable, writable } = new TransformStream<Event, Event>();
    const writer = writable.getWriter();
    answer(readable);
    const send = async (type: string, object: unknown) => {
      await writer.write({ type, object } as Event);
      await settled(); // it is read by then
    };
    return { options, writer, send };
  }
}

class Queue<Options, Answer> {
  readonly #calls: Call<Options, Answer>[] = [];
  #arrived = Promise.withResolvers<void>();

  call(options: Options): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#calls.push({ options, answer: resolve, fail: reject });
    this.#arrived.resolve();
    return promise;
  }

  async next(): Promise<Call<Options, Answer>> {
    for (;;) {
      const call = this.#calls.shift();
      if (call !== undefined) return call;
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
  }

  get length(): number {
    return this.#calls.length;
  }
}

function thing(name: string, resourceVersion: string): Thing {
  return { apiVersion: "v1", kind: "Thing", metadata: { name, resourceVersion } };
}

/** Runs an informer for a test. */
function start(options: Partial<InformerOptions<Thing>> = {}) {
  const api = new FakeApi();
  const stop = new AbortController();
  const seen: string[] = [];
  const warnings: string[] = [];
  const running = runInformer(api, {
    kind: "Thing",
    signal: stop.signal,
    log: { ...SILENT_LOG, warn: (message) => void warnings.push(message) },
    target: {
      replace: (things) => void seen.push(`= ${things.map(({ metadata }) => metadata.name).join(" ")}`),
      set: ({ metadata }) => void seen.push(`+ ${metadata.name}`),
      delete: ({ metadata }) => void seen.push(`- ${metadata.name}`),
    },
    retryAfter: 5,
    ...options,
  });
  const end = async () => {
    stop.abort();
    await running;
  };
  return { api, seen, warnings, end, [Symbol.asyncDispose]: end };
}

Deno.test("runInformer() lists page by page, then follows", async () => {
  await using informer = start();
  const { api, seen } = informer;
  assertEquals((await api.answerList("5", ["a"], "next")).continue, undefined);
  assertEquals((await api.answerList("5", ["b"])).continue, "next");
  const { options, send } = await api.answerWatch();
  assertEquals([options.resourceVersion, options.allowWatchBookmarks], ["5", true]);
  await send("ADDED", thing("c", "6"));
  await send("MODIFIED", thing("a", "7"));
  await send("DELETED", thing("b", "8"));
  await send("BOOKMARK", { metadata: { resourceVersion: "9" } });
  assertEquals(seen, ["= a b", "+ c", "+ a", "- b"]);
});

Deno.test("runInformer() resumes a watch that ends or breaks where it was", async () => {
  await using informer = start();
  const { api, seen, warnings } = informer;
  await api.answerList("5", ["a"]);
  const first = await api.answerWatch();
  await first.send("BOOKMARK", { metadata: { resourceVersion: "7" } });
  await first.writer.close();
  const second = await api.answerWatch();
  assertEquals([second.options.resourceVersion, warnings], ["7", []]);
  await second.send("ADDED", thing("b", "8"));
  await second.writer.abort(new Error("connection reset"));
  const third = await api.answerWatch();
  assertEquals([third.options.resourceVersion, warnings.length], ["8", 1]);
  assertEquals(seen, ["= a", "+ b"]);
});

Deno.test("runInformer() lists anew when a watch fails twice in a row", async () => {
  await using informer = start();
  const { api } = informer;
  await api.answerList("5", ["a"]);
  for (let count = 0; count < 2; count++) (await api.watches.next()).fail(new Error("unreadable"));
  await api.answerList("6", ["a"]);
  assertEquals((await api.answerWatch()).options.resourceVersion, "6");
});

for (
  const [how, expire] of [
    ["an event", async (api: FakeApi) => {
      const { send } = await api.answerWatch();
      await send("ERROR", { apiVersion: "v1", kind: "Status", code: 410, reason: "Expired" });
    }],
    ["an HTTP status", async (api: FakeApi) => {
      const call = await api.watches.next();
      call.fail(Object.assign(new Error("Gone"), { httpCode: 410 }));
    }],
  ] as const
) {
  Deno.test(`runInformer() lists anew at once when ${how} says 410`, async () => {
    await using informer = start({ retryAfter: 60_000 });
    const { api, seen, warnings } = informer;
    await api.answerList("5", ["a"]);
    await expire(api);
    await api.answerList("9", ["b"]);
    assertEquals((await api.answerWatch()).options.resourceVersion, "9");
    assertEquals([seen, warnings], [["= a", "= b"], []]);
  });
}

Deno.test("runInformer() does not hammer a server that forgets every version", async () => {
  await using informer = start({ retryAfter: 60_000 });
  const { api } = informer;
  for (let count = 0; count < 2; count++) {
    await api.answerList("5", []);
    (await api.watches.next()).fail(Object.assign(new Error("Gone"), { httpCode: 410 }));
  }
  // much longer than it would take to ask again
  await pause(20);
  assertEquals(api.lists.length, 0);
});

Deno.test("runInformer() reads a list in one piece when it expires between two pages", async () => {
  await using informer = start({ retryAfter: 1 });
  const { api, seen } = informer;
  await api.answerList("5", ["a"], "more");
  (await api.lists.next()).fail(
    Object.assign(new Error("The continue token has expired"), { httpCode: 410 }),
  );
  assertEquals((await api.answerList("6", ["a", "b"])).limit, undefined);
  assertEquals((await api.answerWatch()).options.resourceVersion, "6");
  assertEquals(seen, ["= a b"]);
});

Deno.test("runInformer() waits longer after each failure", async () => {
  const waits: number[] = [];
  await using informer = start({
    retryAfter: 8,
    mostRetry: 30,
    log: { ...SILENT_LOG, warn: (_, fields) => void waits.push(Number(fields?.seconds)) },
  });
  const times: number[] = [];
  for (let count = 0; count < 6; count++) {
    const call = await informer.api.lists.next();
    times.push(performance.now());
    call.fail(new Error("connection refused"));
  }
  assertEquals(waits.length, 5);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  const least = [4, 8, 15, 15, 15]; // half of 8, 16, 30, 30, 30
  for (const [index, gap] of gaps.entries()) assert(gap >= (least[index] ?? 0) - 1.5, `${index}: ${gap} ms`);
});

Deno.test("runInformer() does not hammer a server that ends every watch at once", async () => {
  await using informer = start({ retryAfter: 60_000 });
  const { api } = informer;
  await api.answerList("5", []);
  await (await api.answerWatch()).writer.close();
  // much longer than it would take to ask again
  await pause(20);
  assertEquals(api.watches.length, 0);
});

Deno.test("runInformer() opens a silent watch anew, whatever became of its signal", async () => {
  await using informer = start({ silence: 30 });
  const { api, seen, warnings } = informer;
  await api.answerList("5", ["a"]);
  const silent = await api.answerWatch();
  const { options, send } = await api.answerWatch();
  assert(silent.options.abortSignal.aborted);
  await silent.writer.closed.catch(() => {}); // it was cancelled
  assertEquals([options.resourceVersion, warnings], ["5", []]);
  await send("ADDED", thing("b", "6"));
  assertEquals(seen, ["= a", "+ b"]);
});

Deno.test("runInformer() tries a list anew that is never answered", async () => {
  await using informer = start({ silence: 20 });
  await informer.api.lists.next();
  await informer.api.answerList("5", ["a"]);
  await informer.api.answerWatch();
  assertEquals([informer.seen, informer.warnings.length], [["= a"], 1]);
});

Deno.test("runInformer() ends with its signal, whatever it waits for", async () => {
  const listing = start();
  await listing.api.lists.next();
  await listing.end();
  const opening = start();
  await opening.api.answerList("5", []);
  await opening.api.watches.next();
  await opening.end();
  const watching = start();
  await watching.api.answerList("5", []);
  await watching.api.answerWatch();
  await watching.end();
  const waiting = start({ retryAfter: 60_000 });
  (await waiting.api.lists.next()).fail(new Error("connection refused"));
  await waiting.end();
  assertEquals(watching.warnings, []);
});
