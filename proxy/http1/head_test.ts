import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { eachForm, latin1 } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { ByteReader } from "./byte_reader.ts";
import { Fields } from "./fields.ts";
import { contentLengthOf, type HeadLines, HeadReader, type HeadReaderOptions } from "./head.ts";
import { MessageError } from "./message_error.ts";

const MAX_BYTES = 64 * 1024;

type Options = Partial<Omit<HeadReaderOptions<unknown>, "parse">>;

/** Reads heads of which any lines will do. */
function textReader(reader: ByteReader, options: Options = {}): HeadReader<{ text: string; fields: Fields }> {
  const parse = ({ bytes, start, end }: HeadLines) => ({
    text: latin1(bytes.subarray(start, end)),
    fields: Fields.of([]),
  });
  return new HeadReader(reader, { maxBytes: MAX_BYTES, ...options, parse });
}

/** Reads one head, as whoever reads a connection does. */
async function readHead(reader: ByteReader, options: Options = {}): Promise<string | undefined> {
  const heads = textReader(reader, options);
  let head;
  while ((head = heads.arrived()) === undefined) {
    if (await reader.fill()) continue;
    heads.end();
    return undefined;
  }
  return head.text;
}

async function read(text: string, options: Options = {}): Promise<string | undefined> {
  return await readHead(new ByteReader(new FakeTransport(text).end()), options);
}

Deno.test("HeadReader takes the lines up to the empty one", async () => {
  const cases: [sent: string, head: string][] = [
    ["a\r\n\r\n", "a\r\n"],
    ["a\r\nb\r\n\r\n", "a\r\nb\r\n"],
    ["\x80\xff\r\n\r\n", "\x80\xff\r\n"],
    ["a\rb\r\n\r\n", "a\rb\r\n"],
    ["\r\n", ""],
  ];
  for (const [sent, head] of cases) assertEquals(await read(sent), head, JSON.stringify(sent));
});

Deno.test("HeadReader reads a head that is split anywhere, and leaves what follows", async () => {
  const text = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest\r\n\r\n";
  for (let at = 1; at < text.length; at++) {
    const reader = new ByteReader(new FakeTransport(text.slice(0, at), text.slice(at)).end());
    assertEquals(await readHead(reader), "HTTP/1.1 200 OK\r\nA: b\r\n");
    while (await reader.fill());
    assertEquals(latin1(reader.peek()), "rest\r\n\r\n");
  }
});

Deno.test("HeadReader tells a connection that ended before it from one that broke off", async () => {
  assertEquals(await read(""), undefined);
  assertEquals(await read("\r\n\r\n", { emptyLines: 2 }), undefined);
  for (const text of ["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r", "\r"]) {
    await assertRejects(() => read(text), MessageError, "ended within the head");
  }
});

Deno.test("HeadReader refuses line feeds without carriage returns", async () => {
  const cases = [
    "HTTP/1.1 200 OK\nA: b\n\n",
    "HTTP/1.1 200 OK\r\nA: b\n\r\n\r\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n\n",
    "\n",
    "a\n\r\n\r\n",
    // no empty line needs to be waited for
    "a\nb",
  ];
  for (const text of cases) {
    await assertRejects(() => read(text), MessageError, "does not end with CRLF", JSON.stringify(text));
    await assertRejects(() => read(text, { emptyLines: 4 }), MessageError, "does not end with CRLF");
  }
});

Deno.test("HeadReader passes over so many empty lines, however they are split", async () => {
  for (let count = 0; count <= 4; count++) {
    const text = `${"\r\n".repeat(count)}a\r\n\r\nrest`;
    for (let at = 1; at < text.length; at++) {
      const reader = new ByteReader(new FakeTransport(text.slice(0, at), text.slice(at)).end());
      assertEquals(await readHead(reader, { emptyLines: 4 }), "a\r\n");
    }
  }
  assertEquals(await read("\r\na\r\n\r\n"), "");
  assertEquals(await read(`${"\r\n".repeat(5)}a\r\n\r\n`, { emptyLines: 4 }), "");
});

Deno.test("HeadReader limits the size, and says what is too large", async () => {
  const cases: [sent: string, reason: "target_too_long" | "head_too_large" | undefined][] = [
    [`${"a".repeat(96)}\r\n\r\n`, undefined],
    [`${"a".repeat(97)}\r\n\r\n`, "head_too_large"],
    [`${"a".repeat(101)}\r\n\r\n`, "target_too_long"],
    [`a\r\n${"b".repeat(93)}\r\n\r\n`, undefined],
    [`a\r\n${"b".repeat(94)}\r\n\r\n`, "head_too_large"],
    // no end in sight: it gives up without waiting for one
    ["a".repeat(101), "target_too_long"],
    [`a\r\n${"b".repeat(98)}`, "head_too_large"],
  ];
  for (const [sent, reason] of cases) {
    for (const at of [0, 1, 50, sent.length - 1]) {
      const pieces = [sent.slice(0, at), sent.slice(at)].filter((piece) => piece !== "");
      const act = () => readHead(new ByteReader(new FakeTransport(...pieces)), { maxBytes: 100 });
      if (reason === undefined) assertEquals(await act(), sent.slice(0, -2));
      else {
        const error = await assertRejects(act, MessageError, "larger than 100 bytes");
        assertEquals(error.reason, reason, JSON.stringify(sent));
      }
    }
  }
  const largest = `HTTP/1.1 200 OK\r\nA: ${"x".repeat(MAX_BYTES - 24)}\r\n\r\n`;
  assertEquals((await read(largest))?.length, MAX_BYTES - 2);
  await assertRejects(() => read(`x${largest}`), MessageError, "larger than 65536 bytes");
});

Deno.test("HeadReader says when a head begins that it had to wait for", async () => {
  const transport = new FakeTransport();
  const reader = new ByteReader(transport);
  let begun = 0;
  const head = readHead(reader, { onBegin: () => begun++ });
  await Promise.resolve();
  assertEquals(begun, 0);
  transport.send("a\r\n").send("\r\nb\r\n\r\nc");
  assertEquals([await head, begun], ["a\r\n", 1]);
  // it is here already
  assertEquals(await readHead(reader, { onBegin: () => begun++ }), "b\r\n");
  assertEquals(begun, 1);
  // its start is here already
  const last = readHead(reader, { onBegin: () => begun++ });
  await Promise.resolve();
  assertEquals(begun, 2);
  transport.send("\r\n\r\n");
  assertEquals([await last, begun], ["c\r\n", 2]);
});

Deno.test("HeadReader reads one head after the other", async () => {
  const reader = new ByteReader(new FakeTransport("\r\na\r\n\r\n\r\nb\r\n\r\nc"));
  let begun = 0;
  const heads = textReader(reader, { emptyLines: 1, onBegin: () => begun++ });
  assertEquals(heads.arrived(), undefined);
  await reader.fill();
  assertEquals([heads.arrived()?.text, heads.arrived()?.text, begun], ["a\r\n", "b\r\n", 0]);
  assertEquals([heads.arrived(), heads.arrived(), begun], [undefined, undefined, 1]);
  assertThrows(() => heads.end(), MessageError, "ended within the head");
});

/** Reads heads that are field lines and nothing else. */
function fieldsReader(reader: ByteReader): HeadReader<{ fields: Fields }> {
  return new HeadReader(reader, {
    maxBytes: MAX_BYTES,
    parse: ({ bytes, start, end }) => ({ fields: Fields.parse(bytes, { start, end }) }),
  });
}

Deno.test("HeadReader returns what is made of the lines, wherever they are in what has arrived", async () => {
  const reader = new ByteReader(new FakeTransport("A: 1\r\n\r\nB: 2\r\nC: 3\r\n\r\nD : 4\r\n\r\nrest"));
  const heads = fieldsReader(reader);
  await reader.fill();
  assertEquals(heads.arrived()?.fields.list(), [["a", "1"]]);
  assertEquals(heads.arrived()?.fields.list(), [["b", "2"], ["c", "3"]]);
  assertThrows(() => heads.arrived(), MessageError, "Invalid header line");
  assertEquals(latin1(reader.peek()), "rest");
});

Deno.test("HeadReader has the fields keep what they need when the next bytes come", async () => {
  const transport = new FakeTransport("A: one\r\nB: two\r\n\r\n");
  const reader = new ByteReader(transport);
  const heads = fieldsReader(reader);
  await reader.fill();
  const { fields } = heads.arrived()!;
  transport.send("X: overwritten\r\n\r\n");
  await reader.fill();
  assertEquals(heads.arrived()?.fields.list(), [["x", "overwritten"]]);
  assertEquals(fields.list(), [["a", "one"], ["b", "two"]]);
});

Deno.test("contentLengthOf() reads one field of digits", () => {
  const cases: [string, number][] = [["0", 0], ["3", 3], ["003", 3], ["9".repeat(15), 999_999_999_999_999]];
  for (const [value, length] of cases) {
    for (const fields of eachForm([["content-length", value]])) assertEquals(contentLengthOf(fields), length);
  }
  for (const fields of eachForm([["x", "1"]])) assertEquals(contentLengthOf(fields), undefined);
});

Deno.test("contentLengthOf() refuses several fields and anything but digits", () => {
  for (const value of ["2, 2", "abc", "-2", "+2", "0x2", "2.0", "", "1e3", "9".repeat(16), "2 2", "\xb2"]) {
    for (const fields of eachForm([["content-length", value]])) {
      assertThrows(() => contentLengthOf(fields), MessageError, "Invalid Content-Length");
    }
  }
  for (const second of ["2", "3"]) {
    const headers: HeaderList = [["content-length", "2"], ["content-length", second]];
    for (const fields of eachForm(headers)) {
      assertThrows(() => contentLengthOf(fields), MessageError, "Several Content-Length fields");
    }
  }
});
