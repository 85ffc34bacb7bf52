import { assertEquals } from "@std/assert";
import { fieldsOf } from "../../tests/testing.ts";
import { cookieOf } from "./cookies.ts";

const cookies: [lines: string, value: string | undefined][] = [
  ["", undefined],
  ["Cookie: a=1\r\n", "1"],
  ["Cookie: b=2; a=1\r\n", "1"],
  ["Cookie: b=2;a=1 ;c\r\n", "1"],
  ["Cookie: b=2\r\nCookie: a=1\r\n", "1"],
  ["Cookie: a=1; a=2\r\n", "1"],
  ["Cookie: a=\r\n", ""],
  ["Cookie: a=1=2|3\r\n", "1=2|3"],
  ["Cookie: a\r\n", undefined],
  ["Cookie: A=1; xa=2; a =3\r\n", "3"],
  ["Cookie: \xa0a=1; a=\xa02\r\n", "\xa02"],
];

for (const [lines, value] of cookies) {
  Deno.test(`cookieOf() finds a in ${JSON.stringify(lines)}`, () => {
    assertEquals(cookieOf(fieldsOf(lines), "a"), value);
  });
}
