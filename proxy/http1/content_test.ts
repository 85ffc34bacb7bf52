import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { latin1 } from "../../tests/testing.ts";
import { ByteReader } from "./byte_reader.ts";
import { contentReader, PIECE_BYTES } from "./content.ts";
import type { Framing } from "./head.ts";
import { MessageError } from "./message_error.ts";

const CHUNKED: Framing = { kind: "chunked" };

/** Reads content to its end. @returns it with what is left on the connection. */
async function read(framing: Framing, ...pieces: string[]): Promise<[content: string, rest: string]> {
  const reader = new ByteReader(new FakeTransport(...pieces).end());
  const content = contentReader(reader, framing);
  let text = "";
  for (let piece; (piece = await content.next()) !== undefined;) text += latin1(piece);
  assertEquals(await content.next(), undefined);
  while (await reader.fill());
  return [text, latin1(reader.peek())];
}

Deno.test("contentReader() reads as much as the framing says", async () => {
  const large = "x".repeat(200_000);
  const cases: [Framing, string[], content: string, rest: string][] = [
    [{ kind: "none" }, ["abc"], "", "abc"],
    [{ kind: "length", length: 0 }, ["abc"], "", "abc"],
    [{ kind: "length", length: 3 }, ["abc"], "abc", ""],
    [{ kind: "length", length: 3 }, ["a", "b", "cPOISON"], "abc", "POISON"],
    [{ kind: "length", length: 200_000 }, [large, "rest"], large, "rest"],
    [{ kind: "until-close" }, ["ab", "c"], "abc", ""],
    [{ kind: "until-close" }, [], "", ""],
    [CHUNKED, ["0\r\n\r\n"], "", ""],
    [CHUNKED, ["3\r\nabc\r\n0\r\n\r\nPOISON"], "abc", "POISON"],
    [CHUNKED, [`30d40\r\n${large}\r\n0\r\n\r\n`], large, ""],
    [CHUNKED, ["A\r\n0123456789\r\n00001\r\nx\r\n000\r\n\r\n"], "0123456789x", ""],
    [CHUNKED, ['1;a=b;c="d;e"\r\nx\r\n1 ; f\r\ny\r\n0;last\r\n\r\n'], "xy", ""],
    [CHUNKED, ["1\r\nx\r\n0\r\nTrailer: 1\r\nContent-Length: 9\r\n\r\nrest"], "x", "rest"],
    [CHUNKED, ["2\r\n\r\n\r\n0\r\n\r\n"], "\r\n", ""],
  ];
  for (const [framing, pieces, content, rest] of cases) {
    assertEquals(await read(framing, ...pieces), [content, rest]);
  }
});

Deno.test("contentReader() reads chunks that are split anywhere", async () => {
  const text = "5;ext=1\r\nhello\r\nB\r\n, wide worl\r\n1\r\nd\r\n0\r\nA: b\r\n\r\nrest";
  for (let at = 1; at < text.length; at++) {
    assertEquals(await read(CHUNKED, text.slice(0, at), text.slice(at)), ["hello, wide world", "rest"]);
  }
  assertEquals(await read(CHUNKED, ...text), ["hello, wide world", "rest"]);
});

Deno.test("contentReader() passes a chunk on before the line end behind it arrives", async () => {
  const transport = new FakeTransport("3\r\nabc");
  const content = contentReader(new ByteReader(transport), CHUNKED);
  assertEquals(latin1((await content.next())!), "abc");
  transport.send("\r\n0\r\n\r\n");
  assertEquals(await content.next(), undefined);
});

Deno.test("contentReader() fails when the content breaks off", async () => {
  const message = "3\r\nabc\r\n0\r\nA: b\r\n\r\n";
  for (let length = 0; length < message.length; length++) {
    await assertRejects(
      () => read(CHUNKED, message.slice(0, length)),
      MessageError,
      "ended within the chunked",
    );
  }
  const length: Framing = { kind: "length", length: 3 };
  await assertRejects(() => read(length, "ab"), MessageError, "ended 1 bytes before the end");
  await assertRejects(() => read(length), MessageError, "ended 3 bytes before the end");
});

Deno.test("contentReader() refuses chunks that two parsers could read differently", async () => {
  const cases: [string, string][] = [
    ["-1\r\n", "Invalid chunk size"],
    ["+1\r\nx\r\n", "Invalid chunk size"],
    ["0x1\r\nx\r\n", "Invalid chunk size"],
    ["\r\n", "Invalid chunk size"],
    [" 1\r\nx\r\n", "Invalid chunk size"],
    ["1 \r\nx\r\n", "Invalid chunk size"],
    ["g\r\n", "Invalid chunk size"],
    ["1_0\r\n", "Invalid chunk size"],
    [";a\r\n", "Invalid chunk size"],
    ["1;\0\r\nx\r\n", "Invalid chunk size"],
    ["FFFFFFFFFFFFFFFFF\r\n", "Invalid chunk size"],
    ["1000000000000\r\n", "Invalid chunk size"],
    ["1\nx\r\n", "A bare line end"],
    ["1;a\nb\r\nx\r\n", "A bare line end"],
    ["1;a\rb\r\nx\r\n", "A bare line end"],
    ["1\r\r\nx\r\n", "A bare line end"],
    ["1\r\nx\n0\r\n\r\n", "A bare line end"],
    ["1\r\nxy\r\n", "too long"],
    ["1\r\nxyz\r\n", "too long"],
    ["0\r\nA: b\n\r\n", "A bare line end"],
    ["0\r\n\n", "A bare line end"],
    ["0\r\nA : b\r\n\r\n", "Invalid header line"],
    ["0\r\nno colon\r\n\r\n", "Invalid header line"],
    ["0\r\nA: b\r\n folded\r\n\r\n", "Invalid header line"],
    ["0\r\nA: b\0\r\n\r\n", "Invalid header line"],
    ["0\r\nGET /evil HTTP/1.1\r\n\r\n", "Invalid header line"],
    [`1;${"a".repeat(5000)}`, "too long"],
    ["1".repeat(5000), "too long"],
    [`0\r\n${`A: ${"b".repeat(1000)}\r\n`.repeat(100)}`, "too long"],
    [`0\r\n${"a".repeat(100_000)}`, "too long"],
  ];
  for (const [text, message] of cases) {
    await assertRejects(
      () => read(CHUNKED, `${text}${" ".repeat(20)}`),
      MessageError,
      message,
      JSON.stringify(text),
    );
  }
});

Deno.test("contentReader() reads no further than its content", async () => {
  const transport = new FakeTransport("3\r\nabc\r\n0\r\n\r\n");
  const content = contentReader(new ByteReader(transport), CHUNKED);
  await content.next();
  // nothing more will ever arrive, and nothing more is waited for
  assertEquals(await content.next(), undefined);
});

Deno.test("contentReader() hands out what has arrived without waiting for more", () => {
  const reader = contentReader(new ByteReader(new FakeTransport("never read")), CHUNKED);
  assertEquals([reader.arrived(), reader.hasEnded], [undefined, false]);
});

Deno.test("contentReader() says when it has ended", async () => {
  const cases: [Framing, sent: string, pieces: string[], endsWithLast: boolean][] = [
    [{ kind: "none" }, "rest", [], true],
    [{ kind: "length", length: 3 }, "abcrest", ["abc"], true],
    [CHUNKED, "3\r\nabc\r\n0\r\n\r\nrest", ["abc"], false],
    [{ kind: "until-close" }, "abc", ["abc"], false],
  ];
  for (const [framing, sent, pieces, endsWithLast] of cases) {
    const source = new ByteReader(new FakeTransport(sent).end());
    await source.fill();
    const reader = contentReader(source, framing);
    assertEquals(reader.hasEnded, framing.kind === "none");
    for (const piece of pieces) assertEquals(latin1(reader.arrived()!), piece);
    assertEquals(reader.hasEnded, endsWithLast);
    assertEquals([reader.arrived(), await reader.next(), reader.hasEnded], [undefined, undefined, true]);
  }
});

Deno.test("contentReader() hands out no more than a piece at once", async () => {
  const large = "x".repeat(3 * PIECE_BYTES);
  const cases: [Framing, string][] = [
    [{ kind: "length", length: large.length }, large],
    [CHUNKED, `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`],
    [{ kind: "until-close" }, large],
  ];
  for (const [framing, sent] of cases) {
    const source = new ByteReader(new FakeTransport(sent).end());
    while (await source.fill());
    const reader = contentReader(source, framing);
    let length = 0;
    for (let piece; (piece = await reader.next()) !== undefined;) {
      assert(piece.length <= PIECE_BYTES);
      length += piece.length;
    }
    assertEquals(length, large.length);
  }
});

Deno.test("contentReader() reads nothing more of content that was malformed", async () => {
  const source = new ByteReader(new FakeTransport("zz\r\n3\r\nabc\r\n0\r\n\r\n").end());
  await source.fill();
  const reader = contentReader(source, CHUNKED);
  for (let attempt = 0; attempt < 3; attempt++) {
    assertThrows(() => reader.arrived(), MessageError, "Invalid chunk size");
    await assertRejects(() => reader.next(), MessageError, "Invalid chunk size");
  }
  assertEquals(reader.hasEnded, false);
});
