import { assert, assertEquals } from "@std/assert";
import { highestFor } from "./rendezvous.ts";

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);

function endpoints(count: number): { name: string }[] {
  return Array.from({ length: count }, (_, index) => ({ name: `10.0.0.${index + 1}:8080` }));
}

Deno.test("highestFor() finds nothing where there is nothing", () => {
  assertEquals(highestFor([], "key"), undefined);
});

Deno.test("highestFor() does not care for the order of the endpoints", () => {
  const list = endpoints(7);
  for (const key of KEYS.slice(0, 100)) {
    assert(highestFor(list, key) === highestFor(list.toReversed(), key));
  }
});

for (const count of [2, 3, 10]) {
  Deno.test(`highestFor() spreads keys evenly over ${count} endpoints`, () => {
    const list = endpoints(count);
    const counts = new Map(list.map((endpoint) => [endpoint, 0]));
    for (const key of KEYS) {
      const endpoint = highestFor(list, key)!;
      counts.set(endpoint, counts.get(endpoint)! + 1);
    }
    const fair = KEYS.length / count;
    for (const [{ name }, found] of counts) {
      assert(Math.abs(found - fair) < fair * 0.15, `${name} has ${found} of ${KEYS.length} keys`);
    }
  });
}

Deno.test("highestFor() moves the keys of an endpoint that goes, and no others", () => {
  const list = endpoints(10);
  const [gone, ...left] = list;
  let moved = 0;
  for (const key of KEYS) {
    const before = highestFor(list, key);
    const after = highestFor(left, key);
    if (before === gone) moved++;
    else assert(before === after, key);
  }
  assert(moved > 800 && moved < 1200, `${moved} of ${KEYS.length} keys have moved`);
});
