import { assert, assertEquals, assertFalse } from "@std/assert";
import { TokenBucket } from "./token_bucket.ts";

Deno.test("TokenBucket gives a burst, and then a token in every interval", () => {
  const bucket = new TokenBucket({ burst: 3, interval: 100 }, 1000);
  const takenAt: number[] = [];
  for (let now = 1000; now <= 1300; now += 10) {
    if (bucket.untilToken(now) > 0) continue;
    bucket.take(now);
    takenAt.push(now);
  }
  assertEquals(takenAt, [1000, 1010, 1020, 1100, 1200, 1300]);
});

Deno.test("TokenBucket.untilToken() says how long to wait", () => {
  const bucket = new TokenBucket({ burst: 1, interval: 100 }, 0);
  assertEquals(bucket.untilToken(0), 0);
  bucket.take(0);
  assertEquals([bucket.untilToken(0), bucket.untilToken(30)].map(Math.round), [100, 70]);
  assertEquals(bucket.untilToken(100), 0);
});

Deno.test("TokenBucket never holds more than the burst", () => {
  const bucket = new TokenBucket({ burst: 2, interval: 100 }, 0);
  bucket.take(0);
  assertFalse(bucket.isFull(50));
  assert(bucket.isFull(1e6));
  for (let count = 0; count < 2; count++) bucket.take(1e6);
  assert(bucket.untilToken(1e6) > 0);
});
