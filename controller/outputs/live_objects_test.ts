import { assert, assertEquals, assertRejects } from "@std/assert";
import { settled } from "../../tests/testing.ts";
import type { ConfigMap } from "@cloudydeno/kubernetes-apis/core/v1";
import { SILENT_LOG } from "@pingress/config";
import { COMMON_LABELS, CONFIG_MAP_NAME } from "../render/names.ts";
import { LiveObject, type ManagedApi } from "./live_objects.ts";

/** One ConfigMap as a cluster has it: every write gets a version and comes back as an event. */
class FakeCluster implements ManagedApi<ConfigMap> {
  readonly name = CONFIG_MAP_NAME;
  readonly calls: string[] = [];
  object: ConfigMap | undefined;
  /** Runs in the middle of a write. */
  duringWrite: () => void = () => {};
  #version = 1;
  #events: ReadableStreamDefaultController | undefined;

  list() {
    const items = this.object === undefined ? [] : [this.object];
    return Promise.resolve({ metadata: { resourceVersion: String(this.#version) }, items });
  }

  watch() {
    return Promise.resolve(new ReadableStream({ start: (controller) => void (this.#events = controller) }));
  }

  async patch(wanted: ConfigMap): Promise<ConfigMap> {
    this.calls.push("patch");
    const written = this.put(wanted);
    this.duringWrite();
    await settled();
    return written;
  }

  delete() {
    this.calls.push("delete");
    this.remove();
    return Promise.resolve({});
  }

  /** Writes as anybody could. */
  put(object: ConfigMap): ConfigMap {
    const { resourceVersion: _, ...metadata } = { resourceVersion: "", ...object.metadata };
    const before = this.object;
    if (before !== undefined && JSON.stringify(dataOf(before)) === JSON.stringify(dataOf(object))) {
      return before;
    }
    const uid = before?.metadata?.uid ?? crypto.randomUUID();
    this.object = { ...object, metadata: { ...metadata, uid, resourceVersion: String(++this.#version) } };
    this.#events?.enqueue({ type: before === undefined ? "ADDED" : "MODIFIED", object: this.object });
    return this.object;
  }

  /** Deletes as anybody could. */
  remove(): void {
    const metadata = { ...this.object?.metadata, resourceVersion: String(++this.#version) };
    this.#events?.enqueue({ type: "DELETED", object: { ...this.object, metadata } });
    this.object = undefined;
  }
}

function dataOf({ metadata, data }: ConfigMap) {
  return [metadata?.labels, data];
}

function wanted(text: string): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: CONFIG_MAP_NAME, namespace: "test", labels: COMMON_LABELS },
    data: { text },
  };
}

async function follow(cluster: FakeCluster) {
  const stop = new AbortController();
  const state = { changes: 0 };
  const live = new LiveObject<ConfigMap>(cluster, {
    kind: "ConfigMap",
    namespace: "test",
    signal: stop.signal,
    log: SILENT_LOG,
    onChange: () => void state.changes++,
  });
  await live.follow();
  await settled();
  return {
    live,
    state,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await live.closed();
    },
  };
}

Deno.test("LiveObject writes only what has changed, and its own writes are no changes", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { live, state } = followed;
  assertEquals(await live.apply(wanted("one")), true);
  await settled();
  assertEquals(await live.apply(wanted("one")), false);
  assertEquals(await live.apply(wanted("two")), true);
  await settled();
  assertEquals(await live.apply(wanted("two")), false);
  assertEquals([cluster.calls, state.changes], [["patch", "patch"], 0]);
});

Deno.test("LiveObject finds what an earlier run has left", async () => {
  const cluster = new FakeCluster();
  cluster.put(wanted("old"));
  await using followed = await follow(cluster);
  assertEquals(followed.live.current?.data, { text: "old" });
  assertEquals(await followed.live.apply(wanted("new")), true);
  assertEquals(cluster.object?.data, { text: "new" });
});

for (
  const [what, meddle] of [
    ["changed", (cluster: FakeCluster) => void cluster.put(wanted("tampered with"))],
    ["deleted", (cluster: FakeCluster) => cluster.remove()],
    ["relabelled", (cluster: FakeCluster) => {
      const { metadata, ...others } = wanted("one");
      cluster.put({ ...others, metadata: { ...metadata, labels: {} } });
    }],
    ["replaced", (cluster: FakeCluster) => {
      cluster.remove();
      cluster.put(wanted("another"));
    }],
  ] as const
) {
  Deno.test(`LiveObject puts right what somebody else has ${what}`, async () => {
    const cluster = new FakeCluster();
    await using followed = await follow(cluster);
    const { live, state } = followed;
    await live.apply(wanted("one"));
    await settled();
    meddle(cluster);
    await settled();
    assert(state.changes > 0, "no tick");
    assertEquals(await live.apply(wanted("one")), true);
    assertEquals(dataOf(cluster.object ?? {}), dataOf(wanted("one")));
    await settled();
    assertEquals(await live.apply(wanted("one")), false);
  });

  Deno.test(`LiveObject notices what somebody else has ${what} while it wrote`, async () => {
    const cluster = new FakeCluster();
    await using followed = await follow(cluster);
    const { live, state } = followed;
    cluster.duringWrite = () => meddle(cluster);
    await live.apply(wanted("one"));
    cluster.duringWrite = () => {};
    assert(state.changes > 0, "no tick");
    await live.apply(wanted("one"));
    assertEquals(dataOf(cluster.object ?? {}), dataOf(wanted("one")));
  });
}

Deno.test("LiveObject tells a DaemonSet that was replaced from its own, though both are of generation 1", async () => {
  const daemonSet = (uid: string, image: string) => ({
    apiVersion: "apps/v1" as const,
    kind: "DaemonSet" as const,
    metadata: { name: "proxies", uid, generation: 1, labels: COMMON_LABELS },
    spec: { image },
  });
  const stop = new AbortController();
  let events: ReadableStreamDefaultController | undefined;
  const patches: unknown[] = [];
  const live = new LiveObject({
    name: "proxies",
    list: () => Promise.resolve({ metadata: { resourceVersion: "1" }, items: [] }),
    watch: () => Promise.resolve(new ReadableStream({ start: (controller) => void (events = controller) })),
    patch: (object) => {
      patches.push(object);
      return Promise.resolve(daemonSet("ours", "ours") as never);
    },
    delete: () => Promise.resolve(),
  }, { kind: "DaemonSet", namespace: "test", signal: stop.signal, log: SILENT_LOG, onChange: () => {} });
  await live.follow();
  await live.apply(daemonSet("", "wanted") as never);
  events?.enqueue({ type: "ADDED", object: daemonSet("theirs", "theirs") });
  await settled();
  await live.apply(daemonSet("", "wanted") as never);
  stop.abort();
  await live.closed();
  assertEquals(patches.length, 2);
});

Deno.test("LiveObject refuses an object that is not Pingress's, and never deletes it", async () => {
  const cluster = new FakeCluster();
  const foreign = wanted("mine");
  cluster.put({ ...foreign, metadata: { ...foreign.metadata, labels: {} } });
  await using followed = await follow(cluster);
  const { live } = followed;
  const error = await assertRejects(() => live.apply(wanted("one")), Error);
  assert(error.message.startsWith("ConfigMap test/pingress-config was not made by Pingress"), error.message);
  await live.delete();
  assertEquals([cluster.calls, cluster.object?.data], [[], { text: "mine" }]);
});

Deno.test("LiveObject deletes what it made, once", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { live, state } = followed;
  await live.apply(wanted("one"));
  await live.delete();
  await settled();
  await live.delete();
  assertEquals([cluster.calls, cluster.object, state.changes], [["patch", "delete"], undefined, 0]);
});

Deno.test("LiveObject takes an object that is gone already as deleted", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  await followed.live.apply(wanted("one"));
  cluster.delete = () => Promise.reject(Object.assign(new Error("not found"), { httpCode: 404 }));
  await followed.live.delete();
  assertEquals(followed.live.current, undefined);
});
