import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bytesOf } from "../../tests/testing.ts";
import { LOWER } from "./characters.ts";
import { addToHash, FieldName, FieldNames, idOfName } from "./field_name.ts";

/** The number of a name that lies among other bytes. */
function idOf(name: string): number {
  const before = "a: b\r\n";
  const bytes = bytesOf(`${before}${name}: c\r\n`);
  return idOfName(bytes, { start: before.length, end: before.length + name.length, hash: hashOf(name) });
}

function hashOf(name: string): number {
  return bytesOf(name).reduce((hash, code) => addToHash(hash, LOWER[code]!), 0);
}

Deno.test("FieldName.of() makes one of each name, whatever the case", () => {
  const one = FieldName.of("x-test-one");
  assert(FieldName.of("X-Test-ONE") === one);
  assertEquals(one.text, "x-test-one");
  assert(one.id > 0);
  const other = FieldName.of("x-test-two");
  assert(other !== one);
  assertNotEquals(other.id, one.id);
});

Deno.test("FieldName.isAt() compares bytes with every character of the name", () => {
  const name = FieldName.of("x-test-at");
  for (const text of ["x-test-at", "X-Test-AT"]) assertEquals(name.isAt(bytesOf(`: ${text}:`), 2), true);
  for (const text of ["y-test-at", "x-test-as", "x-test-a", "x-text-at", "x-test-a\xd4"]) {
    assertEquals(name.isAt(bytesOf(`: ${text}`), 2), false, text);
  }
});

Deno.test("idOfName() knows a name in bytes, whatever the case", () => {
  const { id } = FieldName.of("x-test-Any_case.1");
  for (const name of ["x-test-any_case.1", "X-TEST-ANY_CASE.1", "X-Test-Any_Case.1"]) {
    assertEquals(idOf(name), id);
  }
});

Deno.test("idOfName() is 0 for a name that nobody asks for", () => {
  FieldName.of("x-test-known");
  const names = [
    "x-test-unknown",
    "x-test-know",
    "x-test-known-",
    "x-test-knows",
    "y-test-known",
    // the bit by which upper and lower case differ is none of a hyphen
    "x\rtest\rknown",
  ];
  for (const name of names) assertEquals(idOf(name), 0, JSON.stringify(name));
});

Deno.test("idOfName() tells names apart of which one begins with the other", () => {
  // the last one shares its place with the first one
  const names = ["x-test-p", "x-test-pre", "x-test-prefix", "x-test-prefixed", "x-test-pbbu"];
  assertEquals(FieldName.of(names[0]!).id, idOf(names[0]!));
  assertEquals(names.slice(1).map(idOf), [0, 0, 0, 0]);
  const ids = names.map((name) => FieldName.of(name).id);
  assertEquals(names.map(idOf), ids);
  assertEquals(new Set(ids).size, names.length);
});

Deno.test("idOfName() tells names apart that share their hash", () => {
  const names = ["x-test-b_b_", "x-test-b_a~", "x-test-a~b_", "x-test-a~a~"];
  assertEquals(new Set(names.map(hashOf)).size, 1);
  const ids: number[] = [];
  for (const [index, name] of names.entries()) {
    ids.push(FieldName.of(name).id);
    assertEquals(names.map(idOf), [...ids, ...Array(names.length - 1 - index).fill(0)]);
  }
  assertEquals(new Set(ids).size, names.length);
  assertEquals(names.map((name) => FieldName.of(name).id), ids);
});

Deno.test("FieldNames knows its names, as text and by number", () => {
  const names = new FieldNames(["x-test-in", "x-test-also"]);
  const [one, also] = [FieldName.of("x-test-in"), FieldName.of("x-test-also")];
  // made afterwards: its number is greater than all of theirs
  const out = FieldName.of("x-test-out");
  assertEquals([one, also, out].map(({ id }) => names.hasId(id)), [true, true, false]);
  assertEquals([one, also, out].map(({ text }) => names.has(text)), [true, true, false]);
  // made before: its number is less
  const later = new FieldNames(["x-test-later"]);
  assertEquals([later.hasId(out.id), later.has(out.text)], [false, false]);
  assertEquals([names.hasId(0), names.hasId(-1), names.has("")], [false, false, false]);
});

Deno.test("FieldNames can be empty", () => {
  const none = new FieldNames([]);
  assertEquals([none.has("a"), none.hasId(FieldName.of("a").id), none.hasId(0)], [false, false, false]);
});
