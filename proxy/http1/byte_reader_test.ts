import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTransport, latin1 } from "../../tests/testing.ts";
import { ByteReader } from "./byte_reader.ts";

Deno.test("ByteReader keeps what was read too far", async () => {
  const reader = new ByteReader(new FakeTransport("abcdef", "ghi").end());
  assert(await reader.fill());
  assertEquals(latin1(reader.take(2)), "ab");
  assertEquals([reader.buffered, latin1(reader.peek())], [4, "cdef"]);
  assert(await reader.fill());
  assertEquals(latin1(reader.take(100)), "cdefghi");
  assertEquals(reader.take(100).length, 0);
  assertEquals(await reader.fill(), false);
});

Deno.test("ByteReader never writes over bytes that were taken", async () => {
  const pieces = ["a", "b", "c", "d"].map((letter) => letter.repeat(20_000));
  const reader = new ByteReader(new FakeTransport(...pieces).end());
  const taken = [];
  while (await reader.fill()) {
    taken.push(reader.take(15_000));
  }
  taken.push(reader.take(Infinity));
  assertEquals(taken.map(latin1).join(""), pieces.join(""));
});

Deno.test("ByteReader lets two callers wait for the same bytes", async () => {
  const transport = new FakeTransport();
  const reader = new ByteReader(transport);
  const both = Promise.all([reader.fill(), reader.fill()]);
  transport.send("abc").send("def");
  assertEquals(await both, [true, true]);
  assertEquals(latin1(reader.peek()), "abc");
});

Deno.test("ByteReader counts what arrives for each message", async () => {
  const reader = new ByteReader(new FakeTransport("abc", "de"));
  await reader.fill();
  assertEquals(reader.received, 3);
  reader.take(2);
  reader.resetReceived();
  assertEquals(reader.received, 1);
  await reader.fill();
  assertEquals(reader.received, 3);
});

Deno.test("ByteReader passes on that reading failed", async () => {
  const reader = new ByteReader(new FakeTransport().fail(new Deno.errors.ConnectionReset("reset")));
  await assertRejects(() => reader.fill(), Deno.errors.ConnectionReset, "reset");
});
