import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import type { Event } from "@cloudydeno/kubernetes-apis/core/v1";
import { type EventApi, newEvent, recordEvent } from "./event_api.ts";

const ABOUT = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  namespace: "shop",
  name: "web",
  uid: "1",
};
const NOTICE = {
  about: ABOUT,
  type: "Warning",
  reason: "ServiceNotFound",
  message: "There is no Service",
} as const;

/** The Events of a cluster. */
class FakeEvents implements EventApi {
  readonly events = new Map<string, Event>();

  create(namespace: string, event: Event): Promise<void> {
    const key = `${namespace}/${event.metadata.name}`;
    if (this.events.has(key)) return Promise.reject(Object.assign(new Error("exists"), { httpCode: 409 }));
    this.events.set(key, event);
    return Promise.resolve();
  }

  set({ namespace, name }: { namespace: string; name: string }, fields: object): Promise<number> {
    const event = this.events.get(`${namespace}/${name}`);
    if (event === undefined) return Promise.reject(Object.assign(new Error("not found"), { httpCode: 404 }));
    Object.assign(event, fields);
    return Promise.resolve(event.count ?? 0);
  }
}

Deno.test("recordEvent() makes an Event that kubectl finds", async () => {
  const api = new FakeEvents();
  await recordEvent(api, NOTICE);
  const [event] = api.events.values();
  assertEquals(event?.metadata.namespace, "shop");
  assertEquals([event?.type, event?.reason, event?.message, event?.count], [
    "Warning",
    "ServiceNotFound",
    "There is no Service",
    1,
  ]);
  assertEquals([event?.involvedObject, event?.source], [ABOUT, { component: "pingress-controller" }]);
});

Deno.test("recordEvent() counts the same again, and nothing else", async () => {
  const api = new FakeEvents();
  for (let count = 0; count < 3; count++) await recordEvent(api, NOTICE);
  const others = [
    { ...NOTICE, about: { ...ABOUT, uid: "2" } },
    { ...NOTICE, reason: "PortNotFound" },
    { ...NOTICE, message: "There is no port" },
  ];
  for (const other of others) await recordEvent(api, other);
  assertEquals([...api.events.values()].map(({ count }) => count), [3, 1, 1, 1]);
});

Deno.test("recordEvent() passes on what else goes wrong", async () => {
  const api = new FakeEvents();
  api.create = () => Promise.reject(new Error("connection refused"));
  await assertRejects(() => recordEvent(api, NOTICE), Error, "connection refused");
});

Deno.test("newEvent() has a valid name, however long that of the object is", async () => {
  for (const name of ["w".repeat(253), `${"w".repeat(229)}-.b`, "a"]) {
    const { metadata } = await newEvent({ ...NOTICE, about: { ...ABOUT, name } }, new Date());
    assertMatch(metadata.name ?? "", /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
    assert((metadata.name ?? "").length <= 253);
  }
});

Deno.test("newEvent() shortens a message without mixing up what begins alike", async () => {
  const [one, other] = await Promise.all(
    ["1", "2"].map((end) => newEvent({ ...NOTICE, message: "m".repeat(2000) + end }, new Date())),
  );
  assertEquals(one?.message?.length, 1024);
  assertNotEquals(one?.metadata.name, other?.metadata.name);
});
