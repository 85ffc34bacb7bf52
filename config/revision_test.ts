import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { configRevision, textDigest } from "./revision.ts";

Deno.test("configRevision() is another one for other texts, and for the same ones elsewhere", () => {
  const of = (...texts: string[]) => configRevision(texts.map(textDigest));
  assertMatch(of("a", "b"), /^[0-9a-f]{12}$/);
  assertEquals(of("a", "b"), of("a", "b"));
  for (const other of [of("a"), of("b", "a"), of("ab", ""), of("a", "b", ""), of()]) {
    assertNotEquals(other, of("a", "b"));
  }
});
