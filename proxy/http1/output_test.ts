import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytesOf, fieldsOf, latin1 } from "../../tests/testing.ts";
import { FieldNames } from "./field_name.ts";
import { Fields } from "./fields.ts";
import { MessageError } from "./message_error.ts";
import { Output } from "./output.ts";

const GONE = new FieldNames(["gone"]);

/** What is written. */
function written(write: (output: Output) => void): string {
  const output = Output.take();
  try {
    write(output);
    assertEquals(output.length, output.bytes.length);
    return latin1(output.bytes);
  } finally {
    output.free();
  }
}

Deno.test("Output writes one thing behind the other", () => {
  const cases: [(output: Output) => void, string][] = [
    [() => {}, ""],
    [(output) => output.text("a b").text("\t\xe9\xff~!").lineEnd(), "a b\t\xe9\xff~!\r\n"],
    [(output) => output.field("a", "b").field("c", ""), "a: b\r\nc: \r\n"],
    [(output) => output.append(bytesOf("\0\r\n\x80")).text("x"), "\0\r\n\x80x"],
    [(output) => output.chunk(bytesOf("abc")), "3\r\nabc\r\n"],
    [(output) => output.chunk(bytesOf("x".repeat(255))), `ff\r\n${"x".repeat(255)}\r\n`],
    [(output) => output.chunk(bytesOf("0\r\n\r\n")), "5\r\n0\r\n\r\n\r\n"],
    [(output) => (output.text("gone").clear(), output.text("b")), "b"],
  ];
  for (const [write, expected] of cases) assertEquals(written(write), expected);
});

Deno.test("Output writes no chunk for nothing: that would be the last one", () => {
  assertEquals(written((output) => output.chunk(new Uint8Array())), "");
});

Deno.test("Output takes no character that could end a line or is no byte", () => {
  for (
    const character of ["\r", "\n", "\0", "\x01", "\x0b", "\x1f", "\x7f", "\u0100", "\u010a", "\u{1f600}"]
  ) {
    for (const text of [character, `a${character}b`]) {
      const what = JSON.stringify(text);
      assertThrows(() => written((output) => output.text(text)), MessageError, "no place", what);
      assertThrows(() => written((output) => output.field("a", text)), MessageError, "no place", what);
      assertThrows(() => written((output) => output.field(text, "a")), MessageError, "place", what);
    }
  }
});

Deno.test("Output takes no name that is no token", () => {
  assertEquals(written((output) => output.token("!#$%&'*+-.^_`|~09AZaz")), "!#$%&'*+-.^_`|~09AZaz");
  for (
    const name of ["", " ", "a b", "a:", "a\t", "(a)", '"a"', "a/b", "a\r\nb", "\0", "\x7f", "\xe9", "\u0141"]
  ) {
    const what = JSON.stringify(name);
    assertThrows(() => written((output) => output.token(name)), MessageError, "name", what);
    assertThrows(() => written((output) => output.field(name, "a")), MessageError, "name", what);
  }
});

Deno.test("Output grows with what is written", () => {
  for (const size of [4095, 4096, 4097, 100_000, 300_000]) {
    const text = "0123456789".repeat(size / 10 + 1).slice(0, size);
    assert(written((output) => output.text(text).lineEnd().append(bytesOf(text))) === `${text}\r\n${text}`);
    assert(written((output) => output.chunk(bytesOf(text))) === `${size.toString(16)}\r\n${text}\r\n`);
  }
});

Deno.test("Output.fields() writes received fields in lower case, without those removed, then those added", () => {
  assertEquals(written((output) => output.text("start").fields(Fields.of([])).fields(fieldsOf(""))), "start");
  const fields = fieldsOf("A-B: One \r\nGONE: x\r\nC_d:\ttwo\xff\r\nE:\r\nGone: y\r\n");
  fields.remove(GONE);
  fields.add("a-b", "Three");
  fields.add("f", "");
  const expected = "a-b: One\r\nc_d: two\xff\r\ne: \r\na-b: Three\r\nf: \r\n";
  assertEquals(written((output) => output.fields(fields)), expected);
  // as often as they are wanted, wherever they are
  fields.keep();
  const twice = written((output) => output.text("start").lineEnd().fields(fields).fields(fields).text("end"));
  assertEquals(twice, `start\r\n${expected}${expected}end`);
});

Deno.test("Output.fields() writes every character that a name can have, in lower case", () => {
  const name = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  assertEquals(
    written((output) => output.fields(fieldsOf(`${name}: ${name}\r\n`))),
    `${name.toLowerCase()}: ${name}\r\n`,
  );
});

Deno.test("Output.fields() takes nothing that is added and breaks out of its place", () => {
  const added: [string, string][] = [["a", "b\r\nc: d"], ["a", "b\0"], ["a", "\u0100"], ["a b", "c"], [
    "",
    "a",
  ]];
  for (const [name, value] of added) {
    const fields = fieldsOf("A: b\r\n");
    fields.add(name, value);
    assertThrows(
      () => written((output) => output.fields(fields)),
      MessageError,
      "",
      JSON.stringify([name, value]),
    );
  }
});

Deno.test("Output.fields() grows with heads of any length", () => {
  const lengths = [0, 1, 3, 20, 4079, 4080, 4084, 4085, 4086, 4087, 4088, 4096, 30_000];
  for (const length of lengths) {
    for (const before of [0, 1, 4000, 4096, 5000]) {
      const value = "0123456789".repeat(length / 10 + 1).slice(0, length);
      const start = "s".repeat(before);
      const one = written((output) => output.text(start).fields(fieldsOf(`A:${value}\r\n`)));
      assert(one === `${start}a: ${value}\r\n`, `${length} bytes behind ${before}`);
    }
  }
  // the space behind each colon is not among the bytes that were received
  for (const count of [10, 100, 200]) {
    for (const before of [0, 3000, 4000, 4096]) {
      const start = "s".repeat(before);
      const many = written((output) => output.text(start).fields(fieldsOf("A:\r\n".repeat(count))));
      assert(many === start + "a: \r\n".repeat(count), `${count} fields behind ${before} bytes`);
    }
  }
});

Deno.test("Output.take() gives an empty one with room for what is coming", () => {
  for (const bytes of [0, 1, 2000, 2048, 4096, 64 * 1024]) {
    const output = Output.take(bytes);
    assertEquals(output.length, 0);
    assert(output.room > bytes);
    const { room } = output;
    output.text("abc");
    assertEquals(output.room, room - 3);
    output.free();
  }
});

Deno.test("Output.take() gives one that was given back, but nobody else's", () => {
  for (const bytes of [0, 64 * 1024]) {
    const first = Output.take(bytes);
    const second = Output.take(bytes);
    assert(first !== second);
    first.text("secret");
    first.free();
    const third = Output.take(bytes);
    assert(third === first);
    assertEquals(third.length, 0);
    third.text("a");
    second.text("b");
    assertEquals([latin1(third.bytes), latin1(second.bytes)], ["a", "b"]);
    second.free();
    third.free();
  }
});

Deno.test("Output.free() keeps no buffer of unusual size", () => {
  const large = Output.take();
  large.text("x".repeat(200_000));
  large.free();
  for (const bytes of [0, 64 * 1024]) {
    const output = Output.take(bytes);
    assert(output !== large);
    output.free();
  }
});

Deno.test("Output.take() has room for a piece with its framing, and not for much more", () => {
  for (const [bytes, most] of [[0, 4], [2 * 1024, 4], [32 * 1024, 33], [256 * 1024, 257]] as const) {
    const output = Output.take(bytes);
    const { room } = output;
    if (bytes > 0) output.chunk(new Uint8Array(bytes));
    assertEquals([room, output.length + output.room], [most * 1024, room], `${bytes}`);
    output.free();
  }
});
