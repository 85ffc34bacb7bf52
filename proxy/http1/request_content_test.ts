import { assertEquals, assertRejects } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { latin1 } from "../../tests/testing.ts";
import { ByteReader } from "./byte_reader.ts";
import { contentReader } from "./content.ts";
import type { Framing } from "./head.ts";
import { MessageError } from "./message_error.ts";
import { RequestContent } from "./request_content.ts";

const LENGTH: Framing = { kind: "length", length: 3 };
const CHUNKED: Framing = { kind: "chunked" };

/** Content that `transport` brings, and what is told about it. */
function contentOf(transport: FakeTransport, framing: Framing) {
  const reader = new ByteReader(transport);
  const told: string[] = [];
  const content = new RequestContent(contentReader(reader, framing), {
    length: framing.kind === "length" ? framing.length : undefined,
    onWait: () => told.push("wait"),
    onArrival: () => told.push("arrival"),
    onEnd: () => told.push("end"),
  });
  return { reader, content, told };
}

Deno.test("RequestContent hands out the content, counts it and tells its end once", async () => {
  const cases: [Framing, sent: string, length: number | undefined][] = [
    [LENGTH, "abcrest", 3],
    [CHUNKED, "1\r\na\r\n2\r\nbc\r\n0\r\n\r\nrest", undefined],
  ];
  for (const [framing, sent, length] of cases) {
    const { content, told } = contentOf(new FakeTransport(sent), framing);
    assertEquals([content.length, content.received, content.hasEnded], [length, 0, false]);
    let text = "";
    for (let piece; (piece = await content.next()) !== undefined;) text += latin1(piece);
    assertEquals([text, content.received, content.hasEnded], ["abc", 3, true]);
    assertEquals([await content.next(), content.arrived()], [undefined, undefined]);
    assertEquals(told.filter((what) => what === "end").length, 1);
  }
});

Deno.test("RequestContent says when the client is waited for, and when no more", async () => {
  const transport = new FakeTransport("ab");
  const { reader, content, told } = contentOf(transport, LENGTH);
  await reader.fill();
  assertEquals([latin1((await content.next())!), told], ["ab", []]);
  const next = content.next();
  assertEquals(told, ["wait"]);
  transport.send("c");
  assertEquals(latin1((await next)!), "c");
  assertEquals(told.filter((what) => what !== "end"), ["wait", "arrival"]);
});

Deno.test("RequestContent says so too when waiting was in vain", async () => {
  const { content, told } = contentOf(new FakeTransport("ab").end(), LENGTH);
  await content.next();
  told.length = 0;
  await assertRejects(() => content.next(), MessageError, "1 bytes before the end");
  assertEquals([told, content.hasEnded, content.received], [["wait", "arrival"], false, 2]);
});

Deno.test("RequestContent.drain() passes over what has arrived of content that nobody began to read", async () => {
  const cases: [Framing, sent: string, isAll: boolean, received: number][] = [
    [LENGTH, "abcrest", true, 3],
    [LENGTH, "ab", false, 2],
    [CHUNKED, "1\r\na\r\n2\r\nbc\r\n0\r\n\r\nrest", true, 3],
    [CHUNKED, "1\r\na\r\n2\r\nbc\r\n", false, 3],
    [CHUNKED, "1\r", false, 0],
  ];
  for (const [framing, sent, isAll, received] of cases) {
    const { reader, content } = contentOf(new FakeTransport(sent), framing);
    await reader.fill();
    assertEquals([content.drain(), content.hasEnded, content.received], [isAll, isAll, received], sent);
    if (isAll) assertEquals(latin1(reader.peek()), "rest");
  }
});

Deno.test("RequestContent.drain() never takes malformed content for all of it", async () => {
  for (const sent of ["zz\r\nabc", "zz\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n"]) {
    const { reader, content } = contentOf(new FakeTransport(sent), CHUNKED);
    await reader.fill();
    assertEquals([content.drain(), content.drain(), content.hasEnded], [false, false, false], sent);
  }
});

Deno.test("RequestContent.drain() leaves content to the one who reads it", async () => {
  const begun = contentOf(new FakeTransport("a", "bc"), LENGTH);
  await begun.content.next();
  await begun.reader.fill();
  assertEquals([begun.content.drain(), latin1(begun.reader.peek())], [false, "bc"]);
  assertEquals(latin1((await begun.content.next())!), "bc");
  const transport = new FakeTransport();
  const waited = contentOf(transport, LENGTH);
  const next = waited.content.next();
  assertEquals(waited.content.drain(), false);
  transport.send("abc");
  assertEquals(latin1((await next)!), "abc");
  assertEquals(waited.content.drain(), true);
});
