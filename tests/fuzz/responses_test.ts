import { assert, assertEquals } from "@std/assert";
import { fuzzResponses, ResponseProxy } from "./responses.ts";

Deno.test("a client gets of each response what the model says", async () => {
  await using proxy = await ResponseProxy.start();
  const { findings, inputs, valid } = await fuzzResponses(proxy, { seed: 1, from: 0, count: 2500 });
  assertEquals(findings, []);
  assert(valid > inputs / 3, `${valid} of ${inputs} are valid`);
});
