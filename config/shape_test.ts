import { assertEquals, assertThrows } from "@std/assert";
import {
  boolean,
  type Decoder,
  dictionary,
  either,
  integer,
  list,
  object,
  oneOf,
  optional,
  otherwise,
  ShapeError,
  string,
} from "./shape.ts";

const person = object({ name: string(), age: optional(integer(0, 150)) });
const people = object({ people: list(person) });
const ports = dictionary(list(integer(1, 65535)));
const long = "x ".repeat(100);

Deno.test("a decoder names the path, what was found and what was expected", () => {
  const cases: [Decoder<unknown>, unknown, string][] = [
    [string(), 1, "the document: found 1, expected a string"],
    [string(), undefined, "the document: found nothing, expected a string"],
    [string("a word", (text) => /^\w+$/.test(text)), "a b", 'the document: found "a b", expected a word'],
    [string("a word", (text) => /^\w+$/.test(text)), long, `found "${"x ".repeat(38)}…, expected a word`],
    [integer(1, 3), 4, "the document: found 4, expected a whole number from 1 to 3"],
    [integer(1, 3), 0, "the document: found 0, expected a whole number from 1 to 3"],
    [integer(1, 3), 1.5, "the document: found 1.5, expected a whole number from 1 to 3"],
    [integer(1, 3), "2", 'the document: found "2", expected a whole number from 1 to 3'],
    [boolean(), "true", 'the document: found "true", expected true or false'],
    [oneOf("a", "b"), "c", 'the document: found "c", expected one of "a", "b"'],
    [list(string()), {}, "the document: found an object, expected a list"],
    [list(string()), ["a", []], "[1]: found a list, expected a string"],
    [either(integer(1, 9), string(), "a number or a name"), null, "found null, expected a number or a name"],
    [people, { people: [{ name: "A" }, {}] }, "people[1].name: found nothing, expected a string"],
    [people, { people: [{ name: "A", age: -1 }] }, "people[0].age: found -1, expected a whole number"],
    [people, { people: "A" }, 'people: found "A", expected a list'],
    [people, [], "the document: found a list, expected an object"],
    [people, null, "the document: found null, expected an object"],
    [ports, { "a/b:80": [0] }, '["a/b:80"][0]: found 0, expected a whole number from 1 to 65535'],
    [ports, { "a": 1 }, "a: found 1, expected a list"],
  ];
  for (const [decode, value, message] of cases) {
    assertThrows(() => decode(value, ""), ShapeError, message);
  }
});

Deno.test("ShapeError carries the path", () => {
  const error = assertThrows(() => people({ people: [{}] }, ""), ShapeError);
  assertEquals([error.name, error.path], ["ShapeError", "people[0].name"]);
});

Deno.test("a decoder returns what fits", () => {
  const cases: [Decoder<unknown>, unknown, unknown][] = [
    [string(), "", ""],
    [integer(1, 3), 1, 1],
    [integer(1, 3), 3, 3],
    [boolean(), false, false],
    [oneOf("a", "b"), "b", "b"],
    [list(string()), [], []],
    [either(integer(1, 9), string(), "a number or a name"), 2, 2],
    [either(integer(1, 9), string(), "a number or a name"), "two", "two"],
    [ports, { a: [1], b: [] }, { a: [1], b: [] }],
  ];
  for (const [decode, value, expected] of cases) assertEquals(decode(value, ""), expected);
});

Deno.test("object() takes null for a missing member and drops members that it does not know", () => {
  assertEquals<unknown>(person({ name: "A", age: null, other: 1 }, ""), { name: "A" });
  assertEquals<unknown>(person({ name: "A", age: 3 }, ""), { name: "A", age: 3 });
});

Deno.test("object() reads no inherited members", () => {
  const inherited = Object.create({ name: "inherited" });
  assertThrows(() => person(inherited, ""), ShapeError, "name: found nothing");
});

Deno.test("dictionary() takes __proto__ for a key like any other", () => {
  const decoded = ports(JSON.parse('{"__proto__":[80]}'), "");
  assertEquals(Object.keys(decoded), ["__proto__"]);
  assertEquals(Object.getPrototypeOf(decoded), Object.prototype);
});

Deno.test("otherwise() leaves to another decoder what does not fit, and tells it why", () => {
  const decode = otherwise<unknown>(integer(1, 9), (value, path, fault) => [value, path, fault.message]);
  assertEquals(list(decode)([1, "a"], "x"), [1, [
    "a",
    "x[1]",
    'x[1]: found "a", expected a whole number from 1 to 9',
  ]]);
});

Deno.test("either() and otherwise() pass on what is not about the shape", () => {
  const broken: Decoder<string> = () => {
    throw new TypeError("broken");
  };
  assertThrows(() => either(broken, string(), "a string")("a", ""), TypeError, "broken");
  assertThrows(() => otherwise(broken, () => "")("a", ""), TypeError, "broken");
});
