import { assert, assertEquals } from "@std/assert";
import { limitMemory, LimitTable, type Rate } from "./limit_table.ts";

const PER_SECOND: Rate = { bucket: 0, interval: 1000, burst: 5 };
const PER_MINUTE: Rate = { bucket: 1, interval: 60_000, burst: 1 };
const NOW = Date.parse("2026-01-01T00:00:00Z");

/** How many of ten requests pass at a time. */
function passing(table: LimitTable, rates: readonly Rate[], now: number, key = "a"): number {
  return Array.from({ length: 10 }, () => table.take(key, rates, now)).filter((passes) => passes).length;
}

Deno.test("LimitTable.take() lets a burst pass, then what leaks", () => {
  const table = new LimitTable(limitMemory());
  const cases: [after: number, passed: number][] = [
    [0, 6],
    [0, 0],
    [999, 0],
    [1000, 1],
    [1500, 0],
    [3000, 2],
    [
      100_000,
      6,
    ],
  ];
  for (const [after, passed] of cases) {
    assertEquals(passing(table, [PER_SECOND], NOW + after), passed, `${after}`);
  }
  assertEquals(passing(table, [PER_SECOND], NOW, "b"), 6);
});

Deno.test("LimitTable.take() is nginx's leaky bucket", () => {
  // excess = max(0, excess - rate * time + 1), refused when it is more than the burst
  for (let run = 0; run < 200; run++) {
    const table = new LimitTable(limitMemory());
    const rate = { bucket: 0 as const, interval: 100, burst: run % 7 };
    let excess = 0;
    let last: number | undefined;
    for (let now = NOW; now < NOW + 3000; now += 10 * Math.floor(Math.random() * 30)) {
      const next = last === undefined ? 0 : Math.max(0, excess - (now - last) / rate.interval + 1);
      const passes = next < rate.burst + 1e-9;
      assertEquals(table.take("a", [rate], now), passes);
      if (passes) [excess, last] = [next, now];
    }
  }
});

Deno.test("LimitTable.take() fills no bucket when one of them is full", () => {
  const table = new LimitTable(limitMemory());
  assertEquals(passing(table, [PER_SECOND, PER_MINUTE], NOW), 2);
  assertEquals(passing(table, [PER_SECOND], NOW), 4);
});

Deno.test("LimitTable.take() starts anew when the clock is put back", () => {
  const table = new LimitTable(limitMemory());
  passing(table, [PER_SECOND], NOW);
  assertEquals(passing(table, [PER_SECOND], NOW - 3_600_000), 6);
});

Deno.test("LimitTable counts for all who have its memory", () => {
  const memory = limitMemory();
  const [one, other] = [new LimitTable(memory), new LimitTable(memory)];
  assertEquals([passing(one, [PER_SECOND], NOW), passing(other, [PER_SECOND], NOW)], [6, 0]);
  const end = one.begin("a", 1);
  assertEquals(other.begin("a", 1), undefined);
  end?.();
  assert(other.begin("a", 1) !== undefined);
});

Deno.test("LimitTable.begin() counts what is under way, and each end once", () => {
  const table = new LimitTable(limitMemory());
  const [one, other] = [table.begin("a", 2), table.begin("a", 2)];
  assert(one !== undefined && other !== undefined);
  assertEquals(table.begin("a", 2), undefined);
  one();
  one();
  assert(table.begin("a", 2) !== undefined);
  assertEquals(table.begin("a", 2), undefined);
  table.forgetRunning();
  // those that were forgotten end without being counted
  other();
  assert(table.begin("a", 1) !== undefined);
  assertEquals(table.begin("a", 1), undefined);
});

Deno.test("LimitTable forgets the oldest of more keys than it has place for, and none that is in use", () => {
  const table = new LimitTable(limitMemory());
  const end = table.begin("busy", 1);
  for (let key = 0; key < 200_000; key++) table.take(`${key}`, [PER_SECOND], NOW + key);
  assertEquals(table.begin("busy", 1), undefined);
  end?.();
  const isKnown = (key: number) => !table.take(`${key}`, [{ ...PER_SECOND, burst: 0 }], NOW + 200_000);
  const known = Array.from({ length: 1000 }, (_, index) => 199_999 - index).filter(isKnown).length;
  assert(known > 950, `${known} of the last thousand are known`);
  assertEquals(Array.from({ length: 1000 }, (_, index) => index).filter(isKnown).length, 0);
});
