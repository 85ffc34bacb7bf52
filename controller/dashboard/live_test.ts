import { assertEquals } from "@std/assert";
import { settled, within } from "../../tests/testing.ts";
import { eventText, LiveClients, type LiveClientsOptions } from "./live.ts";

function setup(options: Partial<LiveClientsOptions> = {}) {
  const state = { current: "event 1" as string | undefined, counts: [] as number[] };
  const clients = new LiveClients({
    current: () => state.current,
    onCount: (count) => state.counts.push(count),
    ...options,
  });
  return { state, clients, [Symbol.dispose]: () => clients.close() };
}

function readerOf(stream: ReadableStream<Uint8Array> | undefined) {
  const reader = stream!.getReader();
  return {
    next: async () => {
      const { value, done } = await within(reader.read(), "an event");
      return done ? undefined : new TextDecoder().decode(value);
    },
    cancel: () => reader.cancel(),
  };
}

Deno.test("eventText() writes an event as browsers read it", () => {
  assertEquals(eventText("overview", { a: "x\ny" }), 'event: overview\ndata: {"a":"x\\ny"}\n\n');
});

Deno.test("LiveClients sends the event of the moment at once, then each new one", async () => {
  using test = setup();
  const { state, clients } = test;
  const client = readerOf(clients.open());
  assertEquals(await client.next(), "event 1");
  const next = client.next();
  state.current = "event 2";
  clients.send();
  assertEquals(await next, "event 2");
});

Deno.test("LiveClients sends something even while there is no event", async () => {
  using test = setup({ heartbeat: 1 });
  test.state.current = undefined;
  const client = readerOf(test.clients.open());
  assertEquals([await client.next(), await client.next()], [":\n\n", ":\n\n"]);
});

Deno.test("LiveClients keeps but the newest event for who is slow", async () => {
  using test = setup();
  const { state, clients } = test;
  const slow = readerOf(clients.open());
  for (let count = 2; count <= 1000; count++) {
    state.current = `event ${count}`;
    clients.send();
  }
  assertEquals(await slow.next(), "event 1000");
  const next = slow.next();
  await settled();
  state.current = "event 1001";
  clients.send();
  assertEquals(await next, "event 1001");
});

Deno.test("LiveClients has so many clients and no more, and forgets those that leave", async () => {
  using test = setup();
  const { state, clients } = test;
  const open = Array.from({ length: 32 }, () => readerOf(clients.open()));
  assertEquals(clients.open(), undefined);
  await open[0]?.cancel();
  assertEquals([clients.count, state.counts.at(-1)], [31, 31]);
  const another = readerOf(clients.open());
  assertEquals(await another.next(), "event 1");
});

Deno.test("LiveClients gives up who takes nothing", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  using test = setup({ heartbeat: 1, patience: 5, onCount: (count) => count === 0 && resolve() });
  test.clients.open();
  await within(promise, "the end of a client that takes nothing");
  assertEquals(test.clients.count, 0);
});

Deno.test("LiveClients.close() ends all streams and opens no others", async () => {
  using test = setup();
  const { state, clients } = test;
  const [reading, idle] = [readerOf(clients.open()), readerOf(clients.open())];
  await reading.next();
  const end = reading.next();
  clients.close();
  assertEquals(await end, undefined);
  assertEquals(await idle.next(), undefined);
  assertEquals([clients.open(), clients.count, state.counts.at(-1)], [undefined, 0, 0]);
});
