import { assert, assertEquals } from "@std/assert";
import { settled } from "../../tests/testing.ts";
import type { ConfigMap } from "@cloudydeno/kubernetes-apis/core/v1";
import { SILENT_LOG } from "@pingress/config";
import { COMMON_LABELS } from "../render/names.ts";
import { shardName } from "../shards.ts";
import { LiveShards, type ShardsApi } from "./live_shards.ts";

/** The ConfigMaps of a namespace: every write gets a version, and comes back as an event if the object is ours. */
class FakeCluster implements ShardsApi<ConfigMap> {
  readonly name = "shard";
  readonly objects = new Map<string, ConfigMap>();
  readonly calls: string[] = [];
  /** Writes of this object fail. */
  failing: string | undefined;
  watches = 0;
  #version = 1;
  #events: ReadableStreamDefaultController | undefined;

  list() {
    return Promise.resolve({
      metadata: { resourceVersion: String(this.#version) },
      items: [...this.objects.values()].filter(isOurs),
    });
  }

  watch() {
    this.watches++;
    return Promise.resolve(new ReadableStream({ start: (controller) => void (this.#events = controller) }));
  }

  find(name: string): Promise<ConfigMap | undefined> {
    return Promise.resolve(this.objects.get(name));
  }

  patch(name: string, object: ConfigMap): Promise<ConfigMap> {
    this.calls.push(`patch ${name}`);
    if (name === this.failing) return Promise.reject(new Error(`${name} was refused`));
    return Promise.resolve(this.put(name, object));
  }

  delete(name: string): Promise<unknown> {
    this.calls.push(`delete ${name}`);
    if (name === this.failing) return Promise.reject(new Error(`${name} was refused`));
    this.remove(name);
    return Promise.resolve({});
  }

  /** Writes as anybody could. */
  put(name: string, object: ConfigMap): ConfigMap {
    const before = this.objects.get(name);
    const uid = before?.metadata?.uid ?? crypto.randomUUID();
    const written = {
      ...object,
      metadata: { ...object.metadata, name, uid, resourceVersion: String(++this.#version) },
    };
    this.objects.set(name, written);
    // to who watches by a label, an object that loses it is deleted
    if (isOurs(written)) this.#tell(before && isOurs(before) ? "MODIFIED" : "ADDED", written);
    else if (before && isOurs(before)) this.#tell("DELETED", written);
    return written;
  }

  /** Deletes as anybody could. */
  remove(name: string): void {
    const object = this.objects.get(name);
    this.objects.delete(name);
    if (object !== undefined && isOurs(object)) this.#tell("DELETED", object);
  }

  #tell(type: string, object: ConfigMap): void {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.#events?.enqueue({ type, object: type === "DELETED" ? { ...object, metadata } : object });
  }
}

function isOurs({ metadata }: ConfigMap): boolean {
  return metadata?.labels !== undefined && Object.keys(metadata.labels ?? {}).length > 0;
}

function configMap(text: string, labels = COMMON_LABELS): ConfigMap {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace: "test", labels }, data: { text } };
}

/** One shard for each text. */
function wanted(...texts: string[]): ConfigMap[] {
  return texts.map((text, shard) => {
    const object = configMap(text);
    return { ...object, metadata: { ...object.metadata, name: shardName("shard", shard) } };
  });
}

async function follow(cluster: FakeCluster) {
  const stop = new AbortController();
  const state = { changes: 0, failures: [] as string[] };
  const shards = new LiveShards<ConfigMap>(cluster, {
    kind: "ConfigMap",
    namespace: "test",
    signal: stop.signal,
    log: SILENT_LOG,
    onChange: () => void state.changes++,
  });
  await shards.follow();
  await settled();
  return {
    state,
    shards,
    /** Applies. @returns the calls that it took. */
    apply: async (...texts: string[]) => {
      cluster.calls.length = 0;
      await shards.apply(wanted(...texts), (error) => state.failures.push((error as Error).message));
      await settled();
      return cluster.calls.map((call) => call.replace("shard", ""));
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await shards.closed();
    },
  };
}

function textsOf({ objects }: FakeCluster): Record<string, string | undefined> {
  return Object.fromEntries([...objects].sort().map(([name, { data }]) => [name, data?.text]));
}

Deno.test("LiveShards writes the shards that have changed, and no other", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { apply, state, shards } = followed;
  assertEquals(await apply("a", "b"), ["patch -1", "patch "]);
  assertEquals(await apply("a", "b"), []);
  assertEquals(await apply("a", "c"), ["patch -1"]);
  assertEquals(textsOf(cluster), { shard: "a", "shard-1": "c" });
  assertEquals([state.changes, shards.count, cluster.watches], [0, 2, 1]);
});

Deno.test("LiveShards.apply() says whether anything was written", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { shards } = followed;
  const fail = (error: unknown) => {
    throw error;
  };
  assertEquals(await shards.apply(wanted("a", "b"), fail), true);
  assertEquals(await shards.apply(wanted("a", "b"), fail), false);
  assertEquals(await shards.apply(wanted("a", "c"), fail), true);
});

Deno.test("LiveShards writes what gains before what loses, the first one last, and deletes in the end", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { apply } = followed;
  await apply("abcd");
  assertEquals(await apply("a", "b", "c", "d"), ["patch -3", "patch -2", "patch -1", "patch "]);
  assertEquals(await apply("ac", "bd"), ["patch -1", "patch ", "delete -2", "delete -3"]);
  assertEquals(await apply(), ["delete ", "delete -1"]);
  assertEquals([cluster.objects.size, await apply()], [0, []]);
});

Deno.test("LiveShards lets one that cannot be written hold up no other", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { apply, state } = followed;
  await apply("a", "b", "c");
  cluster.failing = "shard-1";
  assertEquals(await apply("A", "B", "C"), ["patch -2", "patch -1", "patch "]);
  assertEquals(state.failures, ["shard-1 was refused"]);
  cluster.failing = undefined;
  assertEquals(await apply("A", "B", "C"), ["patch -1"]);
});

Deno.test("LiveShards stops at one that cannot be written while things move, and goes on later", async () => {
  const cluster = new FakeCluster();
  await using followed = await follow(cluster);
  const { apply, state } = followed;
  await apply("ab");
  cluster.failing = "shard-1";
  assertEquals(await apply("a", "b"), ["patch -1"]);
  assertEquals(textsOf(cluster), { shard: "ab" });
  cluster.failing = undefined;
  assertEquals(await apply("a", "b"), ["patch -1", "patch "]);
  cluster.failing = "shard";
  assertEquals(await apply("ab"), ["patch "]);
  assertEquals(textsOf(cluster), { shard: "a", "shard-1": "b" });
  cluster.failing = undefined;
  assertEquals(await apply("ab"), ["patch ", "delete -1"]);
  assertEquals(state.failures, ["shard-1 was refused", "shard was refused"]);
});

Deno.test("LiveShards finds what an earlier run has left, and deletes what is too many", async () => {
  const cluster = new FakeCluster();
  for (const [index, object] of wanted("a", "b", "c", "d").entries()) {
    cluster.put(shardName("shard", index), object);
  }
  cluster.put("shard-stranger", configMap("ours by its label, but no shard"));
  await using followed = await follow(cluster);
  const { apply, shards } = followed;
  assertEquals([shards.count, shards.current.map(({ data }) => data?.text)], [4, ["a", "b", "c", "d"]]);
  assertEquals(await apply("ac", "bd"), ["patch -1", "patch ", "delete -2", "delete -3"]);
  assertEquals([...cluster.objects.keys()].sort(), ["shard", "shard-1", "shard-stranger"]);
});

for (
  const [what, meddle] of [
    ["changed", (cluster: FakeCluster) => void cluster.put("shard-1", configMap("tampered with"))],
    ["deleted", (cluster: FakeCluster) => cluster.remove("shard-1")],
    ["relabelled", (cluster: FakeCluster) => void cluster.put("shard-1", configMap("b", {}))],
    ["added", (cluster: FakeCluster) => void cluster.put("shard-9", configMap("too much"))],
  ] as const
) {
  Deno.test(`LiveShards puts right what somebody else has ${what}`, async () => {
    const cluster = new FakeCluster();
    await using followed = await follow(cluster);
    const { apply, state } = followed;
    await apply("a", "b");
    meddle(cluster);
    await settled();
    assert(state.changes > 0, "no tick");
    await apply("a", "b");
    assertEquals(textsOf(cluster), { shard: "a", "shard-1": "b" });
    assert([...cluster.objects.values()].every(isOurs));
    assertEquals([state.failures, await apply("a", "b")], [[], []]);
  });
}

Deno.test("LiveShards refuses an object that is not Pingress's, until it is gone", async () => {
  const cluster = new FakeCluster();
  cluster.put("shard-1", configMap("mine", {}));
  await using followed = await follow(cluster);
  const { apply, state, shards } = followed;
  assertEquals(await apply("a", "b"), []);
  assert(state.failures[0]?.startsWith("ConfigMap test/shard-1 was not made by Pingress"), state.failures[0]);
  assertEquals([textsOf(cluster), shards.count], [{ "shard-1": "mine" }, 0]);
  assertEquals(await apply(), []);
  cluster.remove("shard-1");
  assertEquals(await apply("a", "b"), ["patch -1", "patch "]);
});
