import { assert, assertEquals, assertRejects } from "@std/assert";
import { bytesOf, latin1, settled, within } from "../../tests/testing.ts";
import type { Piece } from "../exchange.ts";
import { Cable } from "./cable.ts";

/** A byte stream that does what a test says. */
class Setup {
  readonly writes: string[] = [];
  reads = 0;
  calls: string[] = [];
  arrival = Promise.withResolvers<Piece | undefined>();
  /** Whoever writes waits for this. */
  release = Promise.withResolvers<void>();
  readonly cable = new Cable({
    read: () => {
      this.reads++;
      return this.arrival.promise;
    },
    write: async (bytes) => {
      this.writes.push(latin1(bytes));
      await this.release.promise;
    },
    closeWrite: () => Promise.resolve(void this.calls.push("closeWrite")),
    close: () => this.calls.push("close"),
  }, { prefaceBytes: Infinity });
}

Deno.test("Cable reads to the end, and fails when the byte stream does", async () => {
  const cases: [end: (arrival: PromiseWithResolvers<Piece | undefined>) => void, expected: string][] = [
    [({ resolve }) => resolve(undefined), "end"],
    [({ reject }) => reject(new Error("gone")), "gone"],
  ];
  for (const [end, expected] of cases) {
    const setup = new Setup();
    const told = Promise.withResolvers<string>();
    const first = setup.arrival;
    setup.cable.on("data", (bytes: Piece) => {
      assertEquals(latin1(bytes), "hello");
      end(setup.arrival);
    });
    setup.cable.on("end", () => told.resolve("end"));
    setup.cable.on("error", ({ message }) => told.resolve(message));
    await settled();
    setup.arrival = Promise.withResolvers();
    first.resolve(bytesOf("hello"));
    assertEquals(await within(told.promise, expected), expected);
    setup.cable.destroy();
  }
});

Deno.test("Cable writes together what has waited, and is full until it has been taken", async () => {
  const setup = new Setup();
  setup.cable.on("data", () => {});
  await settled();
  for (const text of ["one", "two", "three"]) setup.cable.write(bytesOf(text));
  await setup.cable.drained();
  setup.cable.write(new Uint8Array(64 * 1024));
  assertEquals(setup.writes, ["one"]);
  const reads = setup.reads;
  let isDrained = false;
  const drained = setup.cable.drained().then(() => isDrained = true);
  setup.arrival.resolve(bytesOf("ping"));
  await settled();
  assertEquals([isDrained, setup.reads], [false, reads], "nothing is read while nothing is taken");
  setup.arrival = Promise.withResolvers();
  setup.release.resolve();
  await within(drained, "room");
  assertEquals(setup.writes.length, 2);
  assert(setup.writes[1]?.startsWith("twothree"));
  while (setup.reads === reads) await settled();
  setup.cable.destroy();
});

Deno.test("Cable.drained() waits for nobody who has gone", async () => {
  const setup = new Setup();
  setup.cable.write(new Uint8Array(64 * 1024));
  const drained = setup.cable.drained();
  setup.cable.destroy();
  await within(drained, "the end");
  await setup.cable.drained();
  await within(setup.cable.flushed(), "the end");
  assertEquals(setup.calls, ["close"]);
});

Deno.test("Cable.flushed() waits for what was written, and says that it is all", async () => {
  const setup = new Setup();
  setup.cable.write(bytesOf("last words"));
  let isFlushed = false;
  const flushed = setup.cable.flushed().then(() => isFlushed = true);
  await settled();
  assertEquals([isFlushed, setup.calls], [false, []]);
  setup.release.resolve();
  await within(flushed, "the end");
  assertEquals(setup.calls, ["closeWrite"]);
  setup.cable.destroy();
});

Deno.test("Cable fails when it cannot write", async () => {
  const setup = new Setup();
  setup.release.reject(new Error("broken pipe"));
  const { promise, reject } = Promise.withResolvers<never>();
  setup.cable.on("error", reject);
  setup.cable.write(bytesOf("hello"));
  await assertRejects(() => within(promise, "an error"), Error, "broken pipe");
});
