import { assertEquals } from "@std/assert";
import { fuzzPieces } from "./pieces.ts";
import { ResponseProxy } from "./responses.ts";
import { startPingress } from "./servers.ts";

Deno.test("messages are the same however they are split, and never look whole when they are cut", async () => {
  await using pingress = await startPingress();
  await using responses = await ResponseProxy.start();
  assertEquals(await fuzzPieces({ pingress, responses }, { seed: 1, from: 0, count: 15 }), []);
});
