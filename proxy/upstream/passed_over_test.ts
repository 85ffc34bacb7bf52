import { assert, assertEquals } from "@std/assert";
import { until } from "../../tests/testing.ts";
import { PassedOver } from "./passed_over.ts";

Deno.test("PassedOver.isNow is true from a failure to the next success", () => {
  const passedOver = new PassedOver();
  assertEquals(passedOver.isNow, false);
  passedOver.failed();
  assertEquals(passedOver.isNow, true);
  passedOver.failed();
  passedOver.succeeded();
  assertEquals(passedOver.isNow, false);
  passedOver.failed();
  assertEquals(passedOver.isNow, true);
});

Deno.test("PassedOver.isNow is true for twice as long after each failure", async () => {
  const once = new PassedOver();
  once.failed();
  const twice = new PassedOver();
  twice.failed();
  twice.failed();
  const again = new PassedOver();
  for (let failure = 0; failure < 5; failure++) again.failed();
  again.succeeded();
  again.failed();
  const start = performance.now();
  await until(() => !once.isNow && !again.isNow, "their next chance");
  assert(performance.now() - start < 1800, "it is more than a second");
  assert(performance.now() - start > 900, "it is less than a second");
  assertEquals(twice.isNow, true);
});
