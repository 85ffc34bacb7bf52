import { assertEquals, assertRejects } from "@std/assert";
import type { Pod } from "@cloudydeno/kubernetes-apis/core/v1";
import { SILENT_LOG } from "@pingress/config";
import { settled, within } from "../../tests/testing.ts";
import type { InformerApi } from "../informer.ts";
import { ProxyPods } from "./proxy_pods.ts";

/** The Pods of a cluster, which a test changes. */
class FakeApi implements InformerApi<Pod> {
  pods: Pod[] = [];
  lists = 0;
  before: Promise<void> = Promise.resolve();
  #events: ReadableStreamDefaultController | undefined;

  async list() {
    this.lists++;
    await this.before;
    return { metadata: { resourceVersion: "1" }, items: this.pods };
  }

  watch() {
    return Promise.resolve(new ReadableStream({ start: (controller) => void (this.#events = controller) }));
  }

  async send(type: "MODIFIED" | "DELETED", object: Pod): Promise<void> {
    this.#events?.enqueue({
      type,
      object: { ...object, metadata: { ...object.metadata, resourceVersion: "2" } },
    });
    await settled(); // it is read by then
  }
}

function pod(name: string, nodeName?: string, podIP?: string): Pod {
  return {
    metadata: { name },
    spec: { containers: [], ...nodeName !== undefined && { nodeName } },
    ...podIP !== undefined && { status: { podIP } },
  };
}

const NEVER = new AbortController().signal;

Deno.test("ProxyPods follows the proxies' Pods from when they are asked for", async () => {
  const api = new FakeApi();
  api.pods = [pod("b", "node2", "10.0.0.2"), pod("a")];
  const pods = new ProxyPods({ api, log: SILENT_LOG });
  try {
    assertEquals(api.lists, 0);
    assertEquals(await pods.find(NEVER), [
      { name: "a" },
      { name: "b", node: "node2", admin: { hostname: "10.0.0.2", port: 10254 } },
    ]);
    await settled();
    await api.send("MODIFIED", pod("a", "node1", "fd00::1"));
    await api.send("DELETED", pod("b"));
    assertEquals(await pods.find(NEVER), [
      { name: "a", node: "node1", admin: { hostname: "fd00::1", port: 10254 } },
    ]);
    assertEquals(api.lists, 1);
  } finally {
    await pods.close();
  }
});

Deno.test("ProxyPods.close() follows them no more, and find() begins again", async () => {
  const api = new FakeApi();
  api.pods = [pod("a")];
  const pods = new ProxyPods({ api, log: SILENT_LOG });
  await pods.find(NEVER);
  await pods.close();
  api.pods = [pod("b")];
  assertEquals(await pods.find(NEVER), [{ name: "b" }]);
  assertEquals(api.lists, 2);
  await pods.close();
  await pods.close();
});

Deno.test("ProxyPods.find() does not wait longer than it may", async () => {
  const api = new FakeApi();
  const late = Promise.withResolvers<void>();
  api.before = late.promise;
  const pods = new ProxyPods({ api, log: SILENT_LOG });
  const stop = new AbortController();
  const finding = pods.find(stop.signal);
  stop.abort(new Error("too late"));
  await assertRejects(() => within(finding, "the end"), Error, "too late");
  await assertRejects(() => pods.find(stop.signal), Error, "too late");
  await within(pods.close(), "the end of the informer");
  late.resolve();
});
