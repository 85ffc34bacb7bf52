import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTransport, latin1 } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { ByteReader } from "./byte_reader.ts";
import {
  contentLengthOf,
  HeadReader,
  type HeadReaderOptions,
  listHas,
  MAX_HEADER_FIELDS,
  parseFields,
  valuesOf,
} from "./head.ts";
import { MessageError } from "./message_error.ts";

const MAX_BYTES = 64 * 1024;

/** Reads one head, as whoever reads a connection does. */
async function readHead(reader: ByteReader, options: HeadReaderOptions): Promise<string | undefined> {
  const heads = new HeadReader(reader, options);
  let head;
  while ((head = heads.arrived()) === undefined) {
    if (await reader.fill()) continue;
    heads.end();
    return undefined;
  }
  return head;
}

async function read(text: string, options: Partial<HeadReaderOptions> = {}): Promise<string | undefined> {
  return await readHead(new ByteReader(new FakeTransport(text).end()), { maxBytes: MAX_BYTES, ...options });
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
    assertEquals(await readHead(reader, { maxBytes: MAX_BYTES }), "HTTP/1.1 200 OK\r\nA: b\r\n");
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
      assertEquals(await readHead(reader, { maxBytes: MAX_BYTES, emptyLines: 4 }), "a\r\n");
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
  const head = readHead(reader, { maxBytes: MAX_BYTES, onBegin: () => begun++ });
  await Promise.resolve();
  assertEquals(begun, 0);
  transport.send("a\r\n").send("\r\nb\r\n\r\nc");
  assertEquals([await head, begun], ["a\r\n", 1]);
  // it is here already
  assertEquals(await readHead(reader, { maxBytes: MAX_BYTES, onBegin: () => begun++ }), "b\r\n");
  assertEquals(begun, 1);
  // its start is here already
  const last = readHead(reader, { maxBytes: MAX_BYTES, onBegin: () => begun++ });
  await Promise.resolve();
  assertEquals(begun, 2);
  transport.send("\r\n\r\n");
  assertEquals([await last, begun], ["c\r\n", 2]);
});

Deno.test("HeadReader reads one head after the other", async () => {
  const reader = new ByteReader(new FakeTransport("\r\na\r\n\r\n\r\nb\r\n\r\nc"));
  let begun = 0;
  const heads = new HeadReader(reader, { maxBytes: MAX_BYTES, emptyLines: 1, onBegin: () => begun++ });
  assertEquals(heads.arrived(), undefined);
  await reader.fill();
  assertEquals([heads.arrived(), heads.arrived(), begun], ["a\r\n", "b\r\n", 0]);
  assertEquals([heads.arrived(), heads.arrived(), begun], [undefined, undefined, 1]);
  assertThrows(() => heads.end(), MessageError, "ended within the head");
});

Deno.test("parseFields() reads names and values", () => {
  const cases: [string, HeaderList][] = [
    ["", []],
    ["Server: a\r\nX-A:b\r\n", [["server", "a"], ["x-a", "b"]]],
    ["A: \t b c \t\r\nA:\r\n", [["a", "b c"], ["a", ""]]],
    ["A: \t \r\n", [["a", ""]]],
    ["a: b:c\xe9\r\n", [["a", "b:c\xe9"]]],
    ["a: b\tc\r\n", [["a", "b\tc"]]],
    ["!#$%&'*+-.^_`|~09Az: 1\r\n", [["!#$%&'*+-.^_`|~09az", "1"]]],
  ];
  for (const [lines, expected] of cases) {
    assertEquals(parseFields(lines, 0), expected, JSON.stringify(lines));
    assertEquals(parseFields(`start\r\n${lines}`, 7), expected, JSON.stringify(lines));
  }
});

Deno.test("parseFields() refuses what two parsers could read differently", () => {
  const fields = [
    "no colon",
    ": no name",
    "A : b",
    "A\t: b",
    " A: b",
    "A: b\r\n folded",
    "A: b\r\n\tfolded",
    "A: b\nB: c",
    "A: b\rc",
    "A: b\r",
    "A: b\0c",
    "A: b\x7fc",
    "A: b\x1bc",
    "A\0: b",
    "A(: b",
    "\xe9: b",
    '"A": b',
    "A:b\r\n",
  ];
  for (const field of fields) {
    for (const lines of [`${field}\r\n`, `B: c\r\n${field}\r\n`, `${field}\r\nB: c\r\n`]) {
      assertThrows(() => parseFields(lines, 0), MessageError, "Invalid header line", JSON.stringify(lines));
    }
  }
});

Deno.test("parseFields() repeats not much of what it refuses", () => {
  const error = assertThrows(() => parseFields(`${"x".repeat(1000)}\r\n`, 0), MessageError);
  assertEquals(error.message, `Invalid header line "${"x".repeat(80)}"`);
});

Deno.test("parseFields() limits the number of fields", () => {
  const most = "A: b\r\n".repeat(MAX_HEADER_FIELDS);
  assertEquals(parseFields(most, 0).length, MAX_HEADER_FIELDS);
  const error = assertThrows(() => parseFields(`${most}A: b\r\n`, 0), MessageError, "More than 200 header");
  assertEquals(error.reason, "head_too_large");
});

/** Runs something that must not be slower than it is long: a client could stop everybody else with it. */
function atOnce(act: () => void): void {
  const start = performance.now();
  act();
  assert(performance.now() - start < 1000, "too slow");
}

Deno.test("parseFields() takes no time over a value full of spaces", () => {
  const spaces = " ".repeat(60_000);
  atOnce(() => assertEquals(parseFields(`a:${spaces}b${spaces}\r\n`, 0), [["a", "b"]]));
  atOnce(() => {
    assertThrows(() => parseFields(`a:${spaces}\0\r\n`, 0), MessageError, "Invalid header line");
  });
});

Deno.test("valuesOf() lists a field's values in order", () => {
  const headers: HeaderList = [["a", "1"], ["b", "2"], ["a", "3"]];
  assertEquals([valuesOf(headers, "a"), valuesOf(headers, "c")], [["1", "3"], []]);
});

Deno.test("listHas() knows the elements of a list", () => {
  const cases: [string[], boolean][] = [
    [[], false],
    [[""], false],
    [["close"], true],
    [["Close"], true],
    [["x, close , y"], true],
    [["x,\tclose\t,y"], true],
    [["x", "close"], true],
    [["x-close"], false],
    [["close-x"], false],
    [["clo se"], false],
    [['"close"'], false],
    [["close;q=1"], false],
    [["\xa0close"], false],
  ];
  for (const [values, expected] of cases) assertEquals(listHas(values, "close"), expected, values.join("|"));
});

Deno.test("listHas() takes no time over spaces", () => {
  const spaces = " ".repeat(60_000);
  atOnce(() => assertEquals(listHas([`a${spaces}b,${spaces}close${spaces}`], "close"), true));
});

Deno.test("contentLengthOf() reads one field of digits", () => {
  const cases: [string, number][] = [["0", 0], ["3", 3], ["003", 3], ["9".repeat(15), 999_999_999_999_999]];
  for (const [value, length] of cases) assertEquals(contentLengthOf([["content-length", value]]), length);
  assertEquals(contentLengthOf([["x", "1"]]), undefined);
});

Deno.test("contentLengthOf() refuses several fields and anything but digits", () => {
  for (const value of ["2, 2", "abc", "-2", "+2", "0x2", "2.0", "", "1e3", "9".repeat(16), "2 2", "\xb2"]) {
    assertThrows(() => contentLengthOf([["content-length", value]]), MessageError, "Invalid Content-Length");
  }
  for (const second of ["2", "3"]) {
    const headers: HeaderList = [["content-length", "2"], ["content-length", second]];
    assertThrows(() => contentLengthOf(headers), MessageError, "Several Content-Length fields");
  }
});
