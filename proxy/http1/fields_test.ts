import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytesOf, eachForm, fieldsOf, latin1 } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { FieldName, FieldNames } from "./field_name.ts";
import { elementsOf, Fields, latin1 as textOf, MAX_HEADER_FIELDS } from "./fields.ts";
import { MessageError } from "./message_error.ts";
import { Output } from "./output.ts";

const A = FieldName.of("a");
const B = FieldName.of("b");
const CONNECTION = FieldName.of("connection");

/** What is written of fields. */
function written(fields: Fields): string {
  const output = Output.take();
  try {
    return latin1(output.fields(fields).bytes);
  } finally {
    output.free();
  }
}

Deno.test("Fields.parse() reads names and values", () => {
  const cases: [string, HeaderList][] = [
    ["", []],
    ["Server: a\r\nX-A:b\r\n", [["server", "a"], ["x-a", "b"]]],
    ["A: \t b c \t\r\nA:\r\n", [["a", "b c"], ["a", ""]]],
    ["A: \t \r\n", [["a", ""]]],
    ["a: b:c\xe9\r\n", [["a", "b:c\xe9"]]],
    ["a: b\tc\r\n", [["a", "b\tc"]]],
    ["a::b\r\n", [["a", ":b"]]],
    ["!#$%&'*+-.^_`|~09Az: 1\r\n", [["!#$%&'*+-.^_`|~09az", "1"]]],
    ["a: \x80\xa0\xff\r\n", [["a", "\x80\xa0\xff"]]],
  ];
  for (const [lines, expected] of cases) {
    assertEquals(fieldsOf(lines).list(), expected, JSON.stringify(lines));
    // wherever they are, and whatever is around them
    const bytes = bytesOf(`start\r\n${lines}\r\nX: y\r\n\r\n`);
    const inside = Fields.parse(bytes, { start: 7, end: 7 + lines.length });
    assertEquals(inside.list(), expected, JSON.stringify(lines));
  }
});

Deno.test("Fields.parse() refuses what two parsers could read differently", () => {
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
    "A",
    "",
  ];
  for (const field of fields) {
    for (const lines of [`${field}\r\n`, `B: c\r\n${field}\r\n`, `${field}\r\nB: c\r\n`]) {
      assertThrows(() => fieldsOf(lines), MessageError, "Invalid header line", JSON.stringify(lines));
    }
  }
});

Deno.test("Fields.parse() takes each byte where it may be, and nowhere else", () => {
  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/;
  for (let code = 0; code < 256; code++) {
    const character = String.fromCharCode(code);
    const what = `code ${code}`;
    // a colon ends the name
    const isName = token.test(character) || character === ":";
    const isValue = code === 9 || (code >= 32 && code !== 127);
    const cases: [lines: string, isAllowed: boolean][] = [
      [`x${character}y: v\r\n`, isName],
      [`n: x${character}y\r\n`, isValue],
    ];
    for (const [lines, isAllowed] of cases) {
      if (isAllowed) assertEquals(fieldsOf(lines).list().length, 1, what);
      else assertThrows(() => fieldsOf(lines), MessageError, "Invalid header line", what);
    }
  }
});

Deno.test("Fields.parse() says which line it refuses, but repeats not much of it", () => {
  const cases: [lines: string, message: string][] = [
    [`${"x".repeat(1000)}\r\n`, "x".repeat(80)],
    [`A: b\r\n${"x".repeat(79)}\r\n`, "x".repeat(79)],
    [`A: b\r\n${"x".repeat(80)}\r\n`, "x".repeat(80)],
    ["A: b\r\nC : d\r\nE: f\r\n", "C : d"],
    ["A: b\rc\r\n", "A: b\\rc"],
    ["A: b\0\r\n", "A: b\\u0000"],
    ["\r\n", ""],
  ];
  for (const [lines, message] of cases) {
    const error = assertThrows(() => fieldsOf(lines), MessageError);
    assertEquals([error.message, error.reason], [`Invalid header line "${message}"`, "bad_request"]);
  }
});

Deno.test("Fields.parse() limits the number of fields", () => {
  const most = "A: b\r\n".repeat(MAX_HEADER_FIELDS);
  assertEquals(fieldsOf(most).list().length, MAX_HEADER_FIELDS);
  const error = assertThrows(() => fieldsOf(`${most}A: b\r\n`), MessageError, "More than 200 header");
  assertEquals(error.reason, "head_too_large");
});

/** Runs something that must not be slower than it is long: a client could stop everybody else with it. */
function atOnce(act: () => void): void {
  const start = performance.now();
  act();
  assert(performance.now() - start < 1000, "too slow");
}

Deno.test("Fields.parse() takes no time over a value full of spaces", () => {
  const spaces = " ".repeat(60_000);
  atOnce(() => assertEquals(fieldsOf(`a:${spaces}b${spaces}\r\n`).list(), [["a", "b"]]));
  atOnce(() => {
    assertThrows(() => fieldsOf(`a:${spaces}\0\r\n`), MessageError, "Invalid header line");
  });
});

Deno.test("Fields finds the values of a field in order", () => {
  const list: HeaderList = [["b", "2"], ["a", "1"], ["connection", "x"], ["a", ""], ["a-b", "4"], ["a", "3"]];
  for (const fields of eachForm(list)) {
    assertEquals([fields.get(A), fields.count(A), fields.values(A)], ["1", 3, ["1", "", "3"]]);
    assertEquals([fields.get(B), fields.count(B), fields.values(B)], ["2", 1, ["2"]]);
    const none = FieldName.of("content-type");
    assertEquals([fields.get(none), fields.count(none), fields.values(none)], [undefined, 0, []]);
    assertEquals([A, B, none].map((name) => fields.has(name)), [true, true, false]);
    assertEquals(fields.list(), list);
  }
});

Deno.test("Fields finds what was received before what was added", () => {
  const fields = fieldsOf("B: 1\r\nA: 2\r\n");
  fields.add("a", "3");
  fields.add("c", "4");
  fields.add("a", "5");
  assertEquals([fields.get(A), fields.count(A), fields.values(A)], ["2", 3, ["2", "3", "5"]]);
  assertEquals([fields.get(FieldName.of("c")), fields.has(FieldName.of("d"))], ["4", false]);
  assertEquals(fields.list(), [["b", "1"], ["a", "2"], ["a", "3"], ["c", "4"], ["a", "5"]]);
});

Deno.test("Fields.get() tells a field that is empty from none", () => {
  for (const fields of eachForm([["a", ""]])) {
    assertEquals([fields.get(A), fields.get(B), fields.has(A), fields.has(B)], ["", undefined, true, false]);
  }
});

Deno.test("Fields.lists() knows the elements of a list", () => {
  const cases: [string[], boolean][] = [
    [[], false],
    [[""], false],
    [["close"], true],
    [["Close"], true],
    [["x, close , y"], true],
    [["x,\tclose\t,y"], true],
    [["x", "close"], true],
    [["x,y", "z,CLOSE"], true],
    [[",close"], true],
    [["x-close"], false],
    [["close-x"], false],
    [["clos"], false],
    [["clo se"], false],
    [['"close"'], false],
    [["close;q=1"], false],
    [["\xa0close"], false],
    [["x, close;q=1"], false],
  ];
  for (const [values, expected] of cases) {
    const list = values.map((value): [string, string] => ["connection", value]);
    for (const fields of eachForm([["a", "close"], ...list])) {
      assertEquals(fields.lists(CONNECTION, "close"), expected, values.join("|"));
    }
  }
});

Deno.test("Fields.lists() takes no time over spaces", () => {
  const spaces = " ".repeat(60_000);
  for (const fields of eachForm([["connection", `a${spaces}b,${spaces}close${spaces}`]])) {
    atOnce(() => assertEquals(fields.lists(CONNECTION, "close"), true));
  }
});

Deno.test("Fields.hasOther() knows values that are not expected", () => {
  const cases: [string[], boolean][] = [
    [[], false],
    [["close"], false],
    [["Keep-Alive"], false],
    [["close", "KEEP-ALIVE"], false],
    [[""], true],
    [["close, keep-alive"], true],
    [["closed"], true],
    [["clos"], true],
    [["close", "x"], true],
    [["x", "close"], true],
  ];
  for (const [values, expected] of cases) {
    const list = values.map((value): [string, string] => ["connection", value]);
    for (const fields of eachForm([["a", "x"], ...list])) {
      assertEquals(fields.hasOther(CONNECTION, ["keep-alive", "close"]), expected, values.join("|"));
      assertEquals(fields.hasOther(CONNECTION, []), values.length > 0);
    }
  }
});

Deno.test("Fields.remove() removes all fields with a name, and no others", () => {
  const list: HeaderList = [["a", "1"], ["b", "2"], ["ab", "3"], ["a", "4"], ["c", "5"], ["b", "6"]];
  const cases: [names: FieldNames, left: HeaderList][] = [
    [new FieldNames(["a"]), [["b", "2"], ["ab", "3"], ["c", "5"], ["b", "6"]]],
    [new FieldNames(["b", "c"]), [["a", "1"], ["ab", "3"], ["a", "4"]]],
    [new FieldNames(["a", "b", "c", "ab"]), []],
    [new FieldNames(["a-name-that-nobody-sent"]), list],
  ];
  for (const [names, left] of cases) {
    for (const fields of eachForm(list)) {
      fields.remove(names);
      assertEquals(fields.list(), left);
    }
  }
});

Deno.test("Fields.remove() leaves nothing of a field, and lets it be added again", () => {
  for (const fields of eachForm([["a", "1"], ["connection", "close"], ["b", "2"], ["a", "3"]])) {
    fields.remove(new FieldNames(["a", "connection"]));
    assertEquals([fields.get(A), fields.count(A), fields.has(A), fields.values(A)], [
      undefined,
      0,
      false,
      [],
    ]);
    assertEquals(fields.lists(CONNECTION, "close"), false);
    assertEquals(fields.hasOther(CONNECTION, []), false);
    fields.removeIf((name) => {
      assertEquals(name, "b");
      return false;
    });
    fields.add("a", "4");
    assertEquals([fields.get(A), fields.list()], ["4", [["b", "2"], ["a", "4"]]]);
    fields.remove(new FieldNames(["a"]));
    assertEquals(fields.list(), [["b", "2"]]);
  }
});

Deno.test("Fields.remove() knows what was received apart from names that nobody asks for", () => {
  const fields = fieldsOf("X-Nobody-Asks-For-This: 1\r\nA: 2\r\n");
  fields.remove(new FieldNames(["b"]));
  assertEquals(fields.list(), [["x-nobody-asks-for-this", "1"], ["a", "2"]]);
});

Deno.test("Fields.removeIf() asks for each name in lower case", () => {
  const lines = "X-Nobody-Knows: 1\r\nA: 2\r\na: 3\r\nB: 4\r\n";
  const list: HeaderList = [["x-nobody-knows", "1"], ["a", "2"], ["a", "3"], ["b", "4"]];
  for (const fields of [fieldsOf(lines), Fields.of(list)]) {
    const asked: string[] = [];
    fields.removeIf((name) => {
      asked.push(name);
      return name === "a" || name === "x-nobody-knows";
    });
    assertEquals(asked.toSorted(), ["a", "a", "b", "x-nobody-knows"]);
    assertEquals(fields.list(), [["b", "4"]]);
  }
});

Deno.test("Fields.removeUnderscored() removes names with an underscore, wherever it is", () => {
  const cases: [HeaderList, HeaderList][] = [
    [[["a_b", "1"], ["_", "2"], ["_a", "3"], ["a_", "4"], ["ab", "_"]], [["ab", "_"]]],
    [[["a", "1"], ["b^c", "2"], ["d.e", "a_b"]], [["a", "1"], ["b^c", "2"], ["d.e", "a_b"]]],
    [[], []],
  ];
  for (const [list, left] of cases) {
    for (const fields of eachForm(list)) {
      fields.removeUnderscored();
      assertEquals(fields.list(), left);
    }
  }
  const mixed = fieldsOf("A: 1\r\n");
  mixed.add("b_c", "2");
  mixed.removeUnderscored();
  assertEquals(mixed.list(), [["a", "1"]]);
});

Deno.test("Fields.keep() makes fields independent of bytes that are overwritten", () => {
  const lines = "Content-Length: 1\r\nA:\t two \r\nX_y: 3\r\nConnection: Close, x\r\nA:\r\n";
  const list: HeaderList = [
    ["content-length", "1"],
    ["a", "two"],
    ["x_y", "3"],
    ["connection", "Close, x"],
    ["a", ""],
  ];
  for (const before of ["", "GET / HTTP/1.1\r\n", "x".repeat(5000)]) {
    const bytes = bytesOf(`${before}${lines}\r\nthe next head`);
    const end = before.length + lines.length;
    const fields = Fields.parse(bytes, { start: before.length, end });
    fields.add("b", "added");
    // a second time changes nothing
    for (let times = 0; times < 2; times++) {
      fields.keep();
      bytes.fill(88);
      assertEquals(fields.list(), [...list, ["b", "added"]]);
      assertEquals(fields.values(A), ["two", ""]);
      assertEquals(fields.lists(CONNECTION, "close"), true);
      assertEquals(
        written(fields),
        "content-length: 1\r\na: two\r\nx_y: 3\r\nconnection: Close, x\r\na: \r\nb: added\r\n",
      );
    }
    fields.remove(new FieldNames(["a", "connection"]));
    fields.removeUnderscored();
    assertEquals(fields.list(), [["content-length", "1"], ["b", "added"]]);
  }
});

Deno.test("Fields.keep() keeps removed what was removed before", () => {
  const bytes = bytesOf("A: 1\r\nB: 2\r\nA: 3\r\n\r\n");
  const fields = Fields.parse(bytes, { start: 0, end: bytes.length - 2 });
  fields.remove(new FieldNames(["a"]));
  fields.keep();
  bytes.fill(0);
  assertEquals([fields.list(), written(fields)], [[["b", "2"]], "b: 2\r\n"]);
});

Deno.test("Fields.keep() holds no more than the fields need", () => {
  const bytes = bytesOf(`${"x".repeat(3000)}A: 1\r\n\r\n${"x".repeat(3000)}`);
  const fields = Fields.parse(bytes, { start: 3000, end: 3006 });
  fields.keep();
  assertEquals(latin1(fields.bytes), "A: 1");
  assertEquals(fields.bytes.buffer.byteLength, 4);
  for (const none of [Fields.of([]), fieldsOf("")]) {
    none.keep();
    assertEquals([none.list(), none.bytes.length], [[], 0]);
  }
});

Deno.test("Fields.of() takes the list over", () => {
  const fields = Fields.of([["a", "1"]]);
  fields.add("b", "2");
  const other = Fields.of([["a", "1"]]);
  assertEquals([fields.list(), other.list()], [[["a", "1"], ["b", "2"]], [["a", "1"]]]);
});

Deno.test("Fields.list() is a list of its own", () => {
  for (const fields of eachForm([["a", "1"]])) {
    fields.list().push(["b", "2"]);
    assertEquals(fields.list(), [["a", "1"]]);
  }
});

Deno.test("elementsOf() splits a list", () => {
  const cases: [string, string[]][] = [
    ["", [""]],
    ["A", ["a"]],
    ["a,B\t, \tc ,", ["a", "b", "c", ""]],
    ["\xa0a\x0b,b c", ["\xa0a\x0b", "b c"]],
  ];
  for (const [list, elements] of cases) assertEquals(elementsOf(list), elements, JSON.stringify(list));
});

Deno.test("latin1() makes one character of each byte", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, code) => code);
  assertEquals(textOf(bytes, 0, 256), latin1(bytes));
  assertEquals([textOf(bytes, 0x80, 0x83), textOf(bytes, 5, 5)], ["\x80\x81\x82", ""]);
});

/** Numbers from 0 to below `limit`, the same ones each time. */
function numbersFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

Deno.test("Fields of any kind are written as they were received", () => {
  const random = numbersFrom(7);
  const some = (from: string, most: number) =>
    Array.from({ length: random(most + 1) }, () => from[random(from.length)]).join("");
  const known = ["Host", "Connection", "content-length", "X-Forwarded-For", "TE", "a", "SET_Cookie"];
  const removals: [remove: (fields: Fields) => void, isGone: (name: string) => boolean][] = [
    [() => {}, () => false],
    [(fields) => fields.removeUnderscored(), (name) => name.includes("_")],
  ];
  for (const name of known.map((name) => name.toLowerCase())) {
    const names = new FieldNames([name]);
    const isGone = (other: string) => other === name;
    removals.push([(fields) => fields.remove(names), isGone], [(fields) => fields.removeIf(isGone), isGone]);
  }
  for (let round = 0; round < 2000; round++) {
    let lines = "";
    let list: HeaderList = [];
    for (let count = random(12); count > 0; count--) {
      const name = random(2) === 0 ? known[random(known.length)]! : `x${some("!#$%&'*+-.^_`|~01AZaz", 20)}`;
      const value = some(" \t !,:;=AZaz~\x80\xa0\xe9\xff", random(50) === 0 ? 5000 : 30);
      lines += `${name}:${value}\r\n`;
      list.push([name.toLowerCase(), value.replace(/^[ \t]+|[ \t]+$/g, "")]);
    }
    const before = some("ab\r\n:", 40);
    const bytes = bytesOf(`${before}${lines}\r\n${some("cd\r\n:", 40)}`);
    const fields = Fields.parse(bytes, { start: before.length, end: before.length + lines.length });
    if (random(2) === 0) {
      fields.keep();
      bytes.fill(random(256));
    }
    for (let count = random(3); count > 0; count--) {
      const value = some("abc", 5);
      fields.add("x-added", value);
      list.push(["x-added", value]);
    }
    const [remove, isGone] = removals[random(removals.length)]!;
    remove(fields);
    list = list.filter(([name]) => !isGone(name));
    const what = `round ${round}: ${JSON.stringify(lines)}`;
    assertEquals(fields.list(), list, what);
    assertEquals(written(fields), list.map(([name, value]) => `${name}: ${value}\r\n`).join(""), what);
  }
});

Deno.test("Fields.share() puts fields where they are added, and changes nothing in them", () => {
  const shared = Fields.sharing([["s", "1"], ["t", ""]]);
  for (const received of ["", "r: 1\r\nq: 2\r\n"]) {
    const fields = fieldsOf(received);
    fields.add("a", "1");
    fields.add("b", "2");
    fields.share(shared);
    fields.add("c", "3");
    fields.removeIf((name) => name === "a" || name === "s");
    const rest = [["b", "2"], ["s", "1"], ["t", ""], ["c", "3"]];
    assertEquals(fields.list().slice(-4), rest);
    const output = Output.take().fields(fields);
    assert(latin1(output.bytes).endsWith("b: 2\r\ns: 1\r\nt: \r\nc: 3\r\n"));
    output.free();
  }
  assertEquals(shared.list(), [["s", "1"], ["t", ""]]);
});

Deno.test("Fields.sharing() refuses what cannot be sent", () => {
  for (
    const [name, value] of [["", "1"], ["a b", "1"], ["a", "1\r\nb: 2"], ["a", "\0"], ["a", "€"]] as const
  ) {
    assertThrows(() => Fields.sharing([[name, value]]), MessageError);
  }
});
