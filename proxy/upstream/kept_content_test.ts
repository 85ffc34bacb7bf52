import { assertEquals, assertRejects } from "@std/assert";
import { FakeContent, textOf } from "../../tests/fakes.ts";
import { bytesOf } from "../../tests/testing.ts";
import { Fields } from "../http1/fields.ts";
import { KeptContent } from "./kept_content.ts";

Deno.test("KeptContent is the content, and once more the same", async () => {
  const trailers = Fields.of([["x", "y"]]);
  const inner = Object.assign(new FakeContent(5).send("he").send("llo").end(), { trailers: () => trailers });
  const kept = new KeptContent(inner);
  assertEquals([kept.length, await textOf(kept), kept.hasEnded, inner.isClosed], [5, "hello", true, true]);
  for (let count = 0; count < 2; count++) {
    const again = kept.again()!;
    assertEquals([again.length, await textOf(again), again.hasEnded], [5, "hello", true]);
    assertEquals(again.trailers?.(), trailers);
  }
});

Deno.test("KeptContent keeps pieces whose bytes are used again", async () => {
  const kept = new KeptContent(new FakeContent().send("ab").end());
  const piece = kept.arrived();
  piece?.set(bytesOf("xy"));
  await kept.next();
  assertEquals(await textOf(kept.again()!), "ab");
});

Deno.test("KeptContent is not there once more before its end, nor when it is long", async () => {
  const open = new KeptContent(new FakeContent().send("ab"));
  open.arrived();
  assertEquals(open.again(), undefined);
  for (const [length, isKept] of [[16 * 1024, true], [16 * 1024 + 1, false]] as const) {
    const kept = new KeptContent(new FakeContent().send("x").send("x".repeat(length - 1)).end());
    assertEquals((await textOf(kept)).length, length);
    assertEquals(kept.again() !== undefined, isKept, `${length} bytes`);
  }
});

Deno.test("KeptContent is not there once more when it came in many pieces", async () => {
  for (const [count, isKept] of [[64, true], [65, false]] as const) {
    const inner = new FakeContent();
    for (let piece = 0; piece < count; piece++) inner.send("x");
    const kept = new KeptContent(inner.end());
    assertEquals((await textOf(kept)).length, count);
    assertEquals(kept.again() !== undefined, isKept, `${count} pieces`);
  }
});

Deno.test("KeptContent that fails is not there once more", async () => {
  const inner = new FakeContent().send("ab");
  inner.next = () => Promise.reject(new Error("too large"));
  const kept = new KeptContent(inner.end());
  kept.arrived();
  await assertRejects(() => kept.next(), Error, "too large");
  assertEquals(kept.again(), undefined);
});
