import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  certificateBytes,
  SHARD_BYTES,
  shardCount,
  shardName,
  shardNames,
  type ShardPart,
  ShardSpace,
  spread,
} from "./shards.ts";

const KIB = 1024;

/** Hosts of some size each. */
function hosts(count: number, bytes = 1): ShardPart[] {
  return Array.from({ length: count }, (_, index) => ({ name: `app-${index}.example.com`, bytes }));
}

/** In which shard each name is. */
function places(shards: ShardPart[][]): Map<string | undefined, number> {
  return new Map(shards.flatMap((parts, shard) => parts.map(({ name }) => [name, shard])));
}

/** Buckets that hold `kib` KiB each; with a list, those that come first. */
function buckets(kib: number | number[]): number[] {
  const sizes = Array.isArray(kib) ? kib : new Array<number>(16).fill(kib);
  return Array.from({ length: 16 }, (_, bucket) => (sizes[bucket] ?? 0) * KIB);
}

Deno.test("shardName() numbers the objects after the first one", () => {
  assertEquals([shardName("a", 0), shardName("a", 7)], ["a", "a-7"]);
  assertEquals([shardNames("a").length, shardNames("a").at(0), shardNames("a").at(-1)], [16, "a", "a-15"]);
});

Deno.test("spread() puts every part into one shard, and about as many into each", () => {
  const parts = hosts(4000);
  for (const count of [1, 2, 4, 8, 16]) {
    const shards = spread(parts, () => count);
    assertEquals(shards.length, count);
    assertEquals(new Set(shards.flat()).size, parts.length);
    for (const shard of shards) assert(Math.abs(shard.length * count / parts.length - 1) < 0.25);
  }
});

Deno.test("spread() keeps the order of parts, and all parts of a name together", () => {
  const parts = [...hosts(100), ...hosts(100)];
  for (const shard of spread(parts, () => 4)) {
    assertEquals(shard, parts.filter((part) => shard.includes(part)));
    for (const { name } of shard) assertEquals(shard.filter((part) => part.name === name).length, 2);
  }
});

Deno.test("spread() moves nothing when a host is added or removed", () => {
  const before = places(spread(hosts(500), () => 8));
  const after = places(spread(hosts(501), () => 8));
  for (const [name, shard] of before) assertEquals(after.get(name), shard);
});

Deno.test("spread() never changes where a name is: a new version finds what an old one has written", () => {
  const names = [undefined, "example.com", "*.example.com", "a.test", "default/web:80"];
  const shards = places(spread(names.map((name) => ({ name, bytes: 1 })), () => 16));
  assertEquals(names.map((name) => shards.get(name)), [0, 4, 4, 3, 7]);
});

Deno.test("spread() lets the shards of a number be halves of those of half that number", () => {
  const few = places(spread(hosts(500), () => 4));
  const many = places(spread(hosts(500), () => 8));
  for (const [name, shard] of many) assertEquals(few.get(name), shard % 4);
});

Deno.test("spread() tells how many bytes each bucket holds", () => {
  const seen: number[][] = [];
  spread([{ name: undefined, bytes: 3 }, { name: undefined, bytes: 4 }, ...hosts(16, 2)], (bytes) => {
    seen.push([...bytes]);
    return 1;
  });
  assertEquals(seen[0]?.length, 16);
  assertEquals(seen[0]?.reduce((sum, bytes) => sum + bytes, 0), 39);
});

Deno.test("shardCount() doubles the shards as long as one is large", () => {
  const cases: [kib: number, current: number, expected: number][] = [
    [0, 0, 1],
    [37, 0, 1],
    [37, 1, 1], // 592 KiB
    [38, 1, 2], // 608 KiB
    [75, 2, 2],
    [76, 2, 4],
    [76, 1, 4], // it need not go through 2
    [150, 4, 4],
    [151, 4, 8],
    [300, 8, 8],
    [301, 8, 16],
    [600, 16, 16],
    [900, 16, 16],
    [2000, 16, 16],
  ];
  for (const [kib, current, expected] of cases) {
    assertEquals(shardCount(buckets(kib), current), expected, `${kib} KiB in each of 16, now ${current}`);
  }
});

Deno.test("shardCount() goes back only when half as many are small", () => {
  const cases: [kib: number, current: number, expected: number][] = [
    [30, 2, 2], // 480 KiB in one
    [19, 2, 2], // 304 KiB
    [18, 2, 1], // 288 KiB
    [18, 16, 1],
    [30, 16, 2],
    [38, 4, 4],
    [37, 4, 2],
    [0, 16, 1],
  ];
  for (const [kib, current, expected] of cases) {
    assertEquals(shardCount(buckets(kib), current), expected, `${kib} KiB in each of 16, now ${current}`);
  }
});

Deno.test("shardCount() stays where it is between the two limits, and comes to rest at once", () => {
  for (let kib = 0; kib <= 700; kib++) {
    for (const current of [1, 2, 4, 8, 16]) {
      const count = shardCount(buckets(kib), current);
      assertEquals(shardCount(buckets(kib), count), count, `${kib} KiB in each of 16, now ${current}`);
    }
  }
});

Deno.test("shardCount() makes no more shards for what is large by itself", () => {
  assertEquals(shardCount(buckets([700]), 1), 1);
  assertEquals(shardCount(buckets([700, 200]), 1), 1);
  assertEquals(shardCount(buckets([700, 300]), 1), 2);
  assertEquals(shardCount(buckets([700, 0, 300]), 1), 4);
  assertEquals(shardCount(buckets([700]), 8), 8); // it has 8, and 1 would not be small
});

Deno.test("shardCount() makes the best of a number that is none of its own", () => {
  assertEquals(shardCount(buckets(38), 3), 4);
  assertEquals(shardCount(buckets(38), 9), 4);
});

Deno.test("ShardSpace gives what it has, all or nothing", () => {
  const space = new ShardSpace();
  const [first, second] = [{ name: undefined, bytes: SHARD_BYTES - 10 }, {
    name: "a.test",
    bytes: SHARD_BYTES,
  }];
  assert(space.take([first]));
  assertFalse(space.take([second, { name: undefined, bytes: 11 }]));
  assert(space.take([{ name: undefined, bytes: 4 }, { name: undefined, bytes: 6 }]));
  assertFalse(space.take([{ name: undefined, bytes: 1 }]));
  assert(space.take([second]));
});

Deno.test("ShardSpace holds no more than shardCount() can place", () => {
  const space = new ShardSpace();
  const parts = hosts(4000, 5000).filter((part) => space.take([part]));
  assert(parts.length < 4000);
  const shards = spread(parts, (bytes) => shardCount(bytes, 1));
  assertEquals(shards.length, 16);
  for (const shard of shards) assert(shard.reduce((sum, { bytes }) => sum + bytes, 0) <= SHARD_BYTES);
});

Deno.test("certificateBytes() counts bytes, and what an annotation holds four times", () => {
  const pair = { cert: "ä", key: "k", secret: "n/s" };
  assertEquals(certificateBytes("a.test", pair), 3 + 4 * ('["a.test","n/s"]'.length + 10));
});
