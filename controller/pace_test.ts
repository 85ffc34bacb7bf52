import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { Pace } from "./pace.ts";

/** Collects when runs happened and lets a test wait for the next one. */
class Runs {
  readonly times: number[] = [];
  readonly #waiting: (() => void)[] = [];
  fail: Error | undefined;

  run = (): Promise<void> => {
    this.times.push(performance.now());
    for (const resolve of this.#waiting.splice(0)) resolve();
    return this.fail === undefined ? Promise.resolve() : Promise.reject(this.fail);
  };

  async reach(count: number): Promise<void> {
    while (this.times.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

const unexpected = (error: unknown) => {
  throw error;
};

Deno.test("tick() leads to one run soon after, however many ticks there were", async () => {
  const runs = new Runs();
  const pace = new Pace({ run: runs.run, onFailure: unexpected });
  const start = performance.now();
  for (let tick = 0; tick < 100; tick++) pace.tick();
  await runs.reach(1);
  assertLess((runs.times[0] ?? Infinity) - start, 100);
  await pace.close();
  assertEquals(runs.times.length, 1);
});

Deno.test("tick() under a storm leads to a burst and then one run in an interval", async () => {
  const runs = new Runs();
  const pace = new Pace({ run: runs.run, onFailure: unexpected, collect: 1, interval: 100, burst: 2 });
  const start = performance.now();
  const storm = setInterval(() => pace.tick(), 1);
  await runs.reach(6);
  clearInterval(storm);
  await pace.close();
  // counted from the start: on a busy machine a run may be late, and the next one is not
  runs.times.forEach((time, index) => assertGreater(time - start, (index - 2) * 100 - 20));
});

Deno.test("tick() during a run leads to another run, not to two at a time", async () => {
  let running = 0;
  let most = 0;
  const second = Promise.withResolvers<void>();
  const pace = new Pace({
    collect: 1,
    onFailure: unexpected,
    run: async () => {
      most = Math.max(most, ++running);
      if (most === 1 && firstRun) {
        firstRun = false;
        pace.tick();
        await Promise.resolve();
      } else second.resolve();
      running--;
    },
  });
  let firstRun = true;
  pace.tick();
  await second.promise;
  await pace.close();
  assertEquals(most, 1);
});

Deno.test("tick() is not needed for another try after a failure, which waits longer each time", async () => {
  const runs = new Runs();
  const waits: number[] = [];
  runs.fail = new Error("no");
  const pace = new Pace({
    run: runs.run,
    onFailure: (_error, retryIn) => waits.push(retryIn),
    collect: 1,
    interval: 1,
    retryAfter: 4,
  });
  pace.tick();
  await runs.reach(4);
  runs.fail = undefined;
  await runs.reach(5);
  await pace.close();
  assertEquals(waits.slice(0, 4), [4, 8, 16, 32]);
});

Deno.test("tick() does not wait for the next try after a failure", async () => {
  const runs = new Runs();
  runs.fail = new Error("no");
  const failed = Promise.withResolvers<void>();
  const pace = new Pace({ run: runs.run, onFailure: () => failed.resolve(), collect: 1, retryAfter: 60_000 });
  pace.tick();
  await failed.promise;
  runs.fail = undefined;
  pace.tick();
  await runs.reach(2);
  await pace.close();
});

Deno.test("close() waits for the run under way and starts none any more", async () => {
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  let runs = 0;
  const pace = new Pace({
    collect: 1,
    onFailure: unexpected,
    run: async () => {
      runs++;
      started.resolve();
      await release.promise;
    },
  });
  pace.tick();
  await started.promise;
  pace.tick();
  const closed = pace.close();
  release.resolve();
  await closed;
  pace.tick();
  assertEquals(runs, 1);
});
