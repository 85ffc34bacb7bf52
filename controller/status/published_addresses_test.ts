import { assertEquals } from "@std/assert";
import type { Node, Pod } from "@cloudydeno/kubernetes-apis/core/v1";
import { SILENT_LOG } from "@pingress/config";
import { settled, within } from "../../tests/testing.ts";
import type { InformerApi } from "../informer.ts";
import { addressesOf, ProxyNodeAddresses } from "./published_addresses.ts";

const internal = (address: string) => ({ type: "InternalIP", address });
const external = (address: string) => ({ type: "ExternalIP", address });

const cases: [what: string, nodes: ReturnType<typeof internal>[][], addresses: string[]][] = [
  ["nothing for no nodes", [], []],
  ["addresses from inside", [[internal("10.0.0.2")], [internal("10.0.0.1")]], ["10.0.0.1", "10.0.0.2"]],
  ["addresses from outside alone where one node has one", [
    [internal("10.0.0.1"), external("192.0.2.1")],
    [internal("10.0.0.2")],
  ], ["192.0.2.1"]],
  ["no address twice", [[internal("10.0.0.1")], [internal("10.0.0.1")]], ["10.0.0.1"]],
  ["no names", [[{ type: "Hostname", address: "node1" }, internal("10.0.0.1")]], ["10.0.0.1"]],
  ["no IPv6 addresses", [[internal("10.0.0.1"), internal("fd00::1"), external("2001:db8::1")]], ["10.0.0.1"]],
];

for (const [what, nodes, addresses] of cases) {
  Deno.test(`addressesOf() gives ${what}`, () => {
    assertEquals(addressesOf(nodes), addresses.map((ip) => ({ ip })));
  });
}

/** The objects of a kind, which a test changes. */
class FakeApi<T extends { metadata?: { name?: string | null } | null }> implements InformerApi<T> {
  readonly #objects: T[];
  #events: ReadableStreamDefaultController | undefined;
  #version = 1;

  constructor(...objects: T[]) {
    this.#objects = objects;
  }

  list() {
    return Promise.resolve({ metadata: { resourceVersion: "1" }, items: this.#objects });
  }

  watch() {
    return Promise.resolve(new ReadableStream({ start: (controller) => void (this.#events = controller) }));
  }

  async send(type: "MODIFIED" | "DELETED", object: T): Promise<void> {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.#events?.enqueue({ type, object: { ...object, metadata } });
    await settled(); // it is read by then
  }
}

function pod(name: string, nodeName: string, isReady = true): Pod {
  const conditions = [{ type: "Ready", status: isReady ? "True" : "False" }];
  return { metadata: { name }, spec: { nodeName, containers: [] }, status: { conditions } };
}

function node(name: string, address: string): Node {
  return { metadata: { name }, status: { addresses: [internal(address)] } };
}

async function follow(pods: FakeApi<Pod>, { linger = 60_000 } = {}) {
  const nodes = new FakeApi<Node>(node("one", "10.0.0.1"), node("two", "10.0.0.2"));
  const addresses = new ProxyNodeAddresses({ apis: { pods, nodes }, log: SILENT_LOG, linger });
  let ticked = Promise.withResolvers<void>();
  let ticks = 0;
  const tick = () => {
    ticks++;
    ticked.resolve();
    ticked = Promise.withResolvers();
  };
  await addresses.start(tick);
  await settled(); // both lists are read
  return {
    ips: () => addresses.current().map(({ ip }) => ip),
    ticks: () => ticks,
    ticked: () => within(ticked.promise, "a tick"),
    nodes,
    [Symbol.asyncDispose]: () => addresses.close(),
  };
}

Deno.test("ProxyNodeAddresses has the nodes with a ready proxy", async () => {
  const pods = new FakeApi(pod("a", "one"), pod("b", "two", false));
  await using followed = await follow(pods);
  assertEquals([followed.ips(), followed.ticks()], [["10.0.0.1"], 1]);
  await pods.send("MODIFIED", pod("b", "two"));
  assertEquals([followed.ips(), followed.ticks()], [["10.0.0.1", "10.0.0.2"], 2]);
});

Deno.test("ProxyNodeAddresses does not tick when the addresses are the same", async () => {
  const pods = new FakeApi(pod("a", "one"));
  await using followed = await follow(pods);
  await pods.send("MODIFIED", pod("a", "one"));
  await followed.nodes.send("MODIFIED", node("two", "10.0.0.22"));
  assertEquals(followed.ticks(), 1);
  await followed.nodes.send("MODIFIED", node("one", "10.0.0.11"));
  assertEquals([followed.ips(), followed.ticks()], [["10.0.0.11"], 2]);
});

Deno.test("ProxyNodeAddresses keeps a node whose proxy is replaced", async () => {
  const pods = new FakeApi(pod("a", "one"), pod("b", "two"));
  await using followed = await follow(pods);
  await pods.send("MODIFIED", pod("a", "one", false));
  await pods.send("DELETED", pod("a", "one", false));
  await pods.send("MODIFIED", pod("c", "one"));
  assertEquals([followed.ips(), followed.ticks()], [["10.0.0.1", "10.0.0.2"], 1]);
});

Deno.test("ProxyNodeAddresses lets a node go whose proxy does not come back", async () => {
  const pods = new FakeApi(pod("a", "one"), pod("b", "two"));
  await using followed = await follow(pods, { linger: 10 });
  const left = followed.ticked();
  await pods.send("DELETED", pod("a", "one"));
  await left;
  assertEquals(followed.ips(), ["10.0.0.2"]);
});

Deno.test("ProxyNodeAddresses lets a node go at once that is there no more", async () => {
  const pods = new FakeApi(pod("a", "one"), pod("b", "two"));
  await using followed = await follow(pods);
  await followed.nodes.send("DELETED", node("one", "10.0.0.1"));
  assertEquals(followed.ips(), ["10.0.0.2"]);
});
