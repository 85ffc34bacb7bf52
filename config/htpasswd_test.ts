import { assertEquals } from "@std/assert";
import { parseHtpasswd } from "./htpasswd.ts";

const BCRYPT = `$2y$05$${"a".repeat(53)}`;
const APR1 = `$apr1$salt$${"a".repeat(22)}`;
const SHA = `{SHA}${"a".repeat(27)}=`;

const texts: [text: string, users: Record<string, string>, faults: number[]][] = [
  ["", {}, []],
  [`a:${BCRYPT}\nb:${APR1}\r\nc:${SHA}`, { a: BCRYPT, b: APR1, c: SHA }, []],
  [`# comment\n\n a:${SHA}:comment\n`, { a: SHA }, []],
  [`a:plain\na:${SHA}\nb:${SHA}`, { b: SHA }, [1, 2]],
  [`a:${SHA}\na:${APR1}`, { a: SHA }, [2]],
  ["nonsense", {}, [1]],
  ["a:{PLAIN}x\nb:$6$salt$hash\nc:{SSHA}abc\nd:", {}, [1, 2, 3, 4]],
  [`a:$2y$15$${"a".repeat(53)}\nb:$2y$03$${"a".repeat(53)}\nc:$2x$05$${"a".repeat(53)}`, {}, [1, 2, 3]],
];

for (const [text, users, lines] of texts) {
  Deno.test(`parseHtpasswd() reads ${JSON.stringify(text.slice(0, 40))}`, () => {
    const read = parseHtpasswd(text);
    assertEquals([Object.fromEntries(read.users), read.faults.map(({ line }) => line)], [users, lines]);
  });
}
