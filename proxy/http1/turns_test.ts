import { assertEquals } from "@std/assert";
import { settled } from "../../tests/testing.ts";
import { Turns } from "./turns.ts";

/** More than are served in one turn. */
const MANY = 200;
/** Fills a turn. */
const FULL = 48;

Deno.test("Turns.next() holds nobody up where all connections fit into one turn", () => {
  const turns = new Turns(() => 128);
  assertEquals(served(turns, 1000).filter((turn) => turn !== undefined), []);
});

Deno.test("Turns.next() holds nobody up in turns that are not full", async () => {
  const turns = new Turns(() => MANY);
  for (let turn = 0; turn < 3; turn++) {
    assertEquals(served(turns, FULL - 1).filter((turn) => turn !== undefined), []);
    await turnEnds();
  }
});

Deno.test("Turns.next() has those that were served stand aside until a turn is not full", async () => {
  const turns = new Turns(() => MANY);
  const resumed: string[] = [];
  const serve = (name: string, count: number) => {
    for (const turn of served(turns, count)) turn?.then(() => resumed.push(name));
  };
  serve("of the first turn", FULL + 1);
  await turnEnds();
  serve("of the second turn", FULL);
  await turnEnds();
  assertEquals(resumed, []);
  serve("of the third turn", 1);
  await turnEnds();
  assertEquals(resumed, [
    ...Array(2).fill("of the first turn"),
    ...Array(FULL).fill("of the second turn"),
    "of the third turn",
  ]);
});

Deno.test("Turns.next() goes on after a turn in which nobody was served", async () => {
  const turns = new Turns(() => MANY);
  const aside = served(turns, FULL).at(-1);
  await turnEnds();
  await aside;
  assertEquals(turns.next(), undefined);
  await turnEnds();
});

Deno.test("Turns.next() lets nobody stand aside for longer than it takes to serve all once", async () => {
  const turns = new Turns(() => MANY);
  const aside = served(turns, FULL).at(-1);
  let isOver = false;
  aside?.then(() => isOver = true);
  let full = 1;
  for (; !isOver; full++) {
    await turnEnds();
    served(turns, FULL);
  }
  assertEquals(full, Math.ceil(MANY / FULL) + 1);
  await turnEnds();
  await turnEnds();
});

function served(turns: Turns, count: number): (Promise<void> | undefined)[] {
  return Array.from({ length: count }, () => turns.next());
}

/** Timers of the same time fire in their order: the one of the turn was first. */
async function turnEnds(): Promise<void> {
  await settled();
}
