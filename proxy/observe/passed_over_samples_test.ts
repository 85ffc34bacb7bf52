import { assertEquals } from "@std/assert";
import type { Sample } from "@pingress/config";
import { boundPassedOver, PASSED_OVER } from "./passed_over_samples.ts";

/** The sample of an endpoint that one worker passes over. */
function passedOver(index: number): Sample {
  return [PASSED_OVER, `address="10.0.0.${100 + index}:80"`, 1];
}

Deno.test("boundPassedOver() counts the endpoints that are passed over, and has all else as it is", () => {
  const other: Sample = ["pingress_connections", "", 3];
  const total = (count: number): Sample => ["pingress_upstream_passed_over_endpoints", "", count];
  assertEquals(boundPassedOver([]), [total(0)]);
  assertEquals(boundPassedOver([passedOver(1), other, passedOver(0)]), [
    other,
    passedOver(0),
    passedOver(1),
    total(2),
  ]);
});

Deno.test("boundPassedOver() names 100 endpoints, the same ones in whichever order they come", () => {
  const all = Array.from({ length: 150 }, (_, index) => passedOver(index));
  const samples = boundPassedOver(all);
  assertEquals(samples.slice(0, -1), all.slice(0, 100));
  assertEquals(samples.at(-1)?.[2], 150);
  assertEquals(boundPassedOver(all.toReversed()), samples);
});
