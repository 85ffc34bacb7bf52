import { assertEquals, assertRejects } from "@std/assert";
import { clientOf } from "../../tests/fake_cluster.ts";
import type { Ingress } from "../objects.ts";
import { ingressDetails } from "./ingress_details.ts";

/** A client that gives every call the same answer, and what it was asked. */
function answering(answer: unknown) {
  const asked: string[] = [];
  const performRequest = (
    { method, path, querystring }: { method: string; path: string; querystring: URLSearchParams },
  ) => {
    asked.push(`${method} ${path}?${querystring}`);
    return Promise.resolve(structuredClone(answer));
  };
  return { asked, details: ingressDetails(clientOf(performRequest)) };
}

const INGRESS: Ingress = { metadata: { name: "web", namespace: "shop", uid: "1" } };

Deno.test("ingressDetails() reads one Ingress whole, by a list that the controller may read anyway", async () => {
  const object = { metadata: { name: "web", labels: { a: "b" } }, spec: { anything: 1 } };
  const { asked, details } = answering({ items: [object] });
  assertEquals(await details.object("shop", "web"), object);
  assertEquals(asked, [
    "GET /apis/networking.k8s.io/v1/namespaces/shop/ingresses?fieldSelector=metadata.name%3Dweb",
  ]);
  assertEquals(await answering({ items: [] }).details.object("shop", "web"), undefined);
  await assertRejects(() => answering({ kind: "Status" }).details.object("shop", "web"));
});

Deno.test("ingressDetails() reads the Events of an Ingress, whoever wrote them, the latest first", async () => {
  const about = { involvedObject: { kind: "Ingress", uid: "1" }, metadata: {} };
  const { asked, details } = answering({
    items: [
      {
        ...about,
        type: "Warning",
        reason: "ServiceNotFound",
        message: "There is no Service.",
        count: 3,
        lastTimestamp: "2026-01-01T00:00:02Z",
        eventTime: null,
      },
      {
        ...about,
        type: "Normal",
        reason: "Newer",
        message: "In the newer way.",
        eventTime: "2026-01-01T00:00:01.000000Z",
        series: { count: 7, lastObservedTime: "2026-01-01T00:00:03.000000Z" },
      },
      {
        involvedObject: { uid: "1" },
        metadata: { creationTimestamp: "2026-01-01T00:00:01Z" },
        type: "Odd",
      },
      { ...about, involvedObject: { uid: "of an earlier one" }, reason: "Earlier" },
    ],
  });
  const at = (second: number) => Date.parse(`2026-01-01T00:00:0${second}Z`);
  assertEquals(await details.events(INGRESS), [
    { at: at(3), type: "Normal", reason: "Newer", message: "In the newer way.", count: 7 },
    { at: at(2), type: "Warning", reason: "ServiceNotFound", message: "There is no Service.", count: 3 },
    { at: at(1), type: "Normal", reason: "", message: "", count: 1 },
  ]);
  assertEquals(asked, [
    "GET /api/v1/namespaces/shop/events?fieldSelector=" +
    "involvedObject.kind%3DIngress%2CinvolvedObject.name%3Dweb&limit=500",
  ]);
});

Deno.test("ingressDetails() shows 50 Events, the latest ones", async () => {
  const items = Array.from({ length: 80 }, (_, index) => ({
    involvedObject: {},
    metadata: {},
    lastTimestamp: new Date(index * 1000).toISOString(),
  }));
  const events = await answering({ items }).details.events(INGRESS);
  assertEquals([events.length, events[0]?.at, events.at(-1)?.at], [50, 79_000, 30_000]);
});
