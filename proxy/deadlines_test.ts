import { assert, assertEquals } from "@std/assert";
import { pause, settled, within } from "../tests/testing.ts";
import { Deadlines, type Expiring } from "./deadlines.ts";

/** Something that may take so many milliseconds. */
class Task implements Expiring {
  deadline = Infinity;
  expiries = 0;
  #expired = Promise.withResolvers<void>();

  constructor(deadlines: Deadlines, milliseconds: number) {
    deadlines.add(this);
    this.deadline = deadlines.now + milliseconds;
  }

  expire(): void {
    this.expiries++;
    this.#expired.resolve();
  }

  async expired(): Promise<void> {
    await within(this.#expired.promise, "a deadline");
  }
}

Deno.test("Deadlines calls what is over once, and leaves the rest", async () => {
  const deadlines = new Deadlines();
  const start = performance.now();
  const [long, unhurried, short] = [60_000, Infinity, 150].map((time) => new Task(deadlines, time));
  const soon = new Task(deadlines, 1);
  await soon.expired();
  assertEquals([soon.deadline, soon.expiries, short!.expiries], [Infinity, 1, 0]);
  await short!.expired();
  const took = performance.now() - start;
  assert(took >= 150, `${took} ms`);
  assertEquals([soon, short, long, unhurried].map((task) => task!.expiries), [1, 1, 0, 0]);
  for (const task of [soon, short, long, unhurried]) deadlines.delete(task!);
});

Deno.test("Deadlines looks after a deadline that is set anew, and not after what was deleted", async () => {
  const deadlines = new Deadlines();
  const task = new Task(deadlines, 1);
  const deleted = new Task(deadlines, 1);
  const put = new Task(deadlines, 1);
  put.deadline = Infinity;
  deadlines.delete(deleted);
  await task.expired();
  assertEquals([deleted.expiries, put.expiries], [0, 0]);
  const other = new Task(deadlines, 1);
  put.deadline = deadlines.now;
  await other.expired();
  await put.expired();
  assertEquals([task.expiries, put.expiries], [1, 1]);
  for (const each of [task, put, other]) deadlines.delete(each);
});

Deno.test("Deadlines lets what expires delete itself and others, and add more", async () => {
  const deadlines = new Deadlines();
  let deleted = 0;
  const second: Expiring = { deadline: 0, expire: () => deleted++ };
  const { promise, resolve } = Promise.withResolvers<void>();
  const third: Expiring = { deadline: 0, expire: resolve };
  const first: Expiring = {
    deadline: 0,
    expire: () => {
      deadlines.delete(first);
      deadlines.delete(second);
      deadlines.add(third);
    },
  };
  deadlines.add(first);
  deadlines.add(second);
  await within(promise, "what was added");
  assertEquals(deleted, 0);
  deadlines.delete(third);
});

Deno.test("Deadlines has a clock that goes while it looks after something, and is right at the start", async () => {
  const deadlines = new Deadlines();
  const first = new Task(deadlines, 1);
  const before = deadlines.now;
  await first.expired();
  assert(deadlines.now > before);
  deadlines.delete(first);
  const stopped = deadlines.now;
  // the clock is what is tested; timers may be early
  while (performance.now() - stopped < 20) await pause(5);
  const second = new Task(deadlines, 60_000);
  assert(deadlines.now - stopped >= 20, "a deadline would be too early");
  deadlines.delete(second);
});

Deno.test("Deadlines blames nobody for what came late because the program was busy", async () => {
  const deadlines = new Deadlines();
  const task = new Task(deadlines, 500);
  const start = performance.now();
  while (performance.now() - start < 1200);
  // the late look is the first thing to happen
  await settled();
  assertEquals(task.expiries, 0);
  await task.expired();
  deadlines.delete(task);
});
