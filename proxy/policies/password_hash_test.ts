import { assertEquals } from "@std/assert";
import { matchesHash } from "./password_hash.ts";

/** Made by openssl, crypt(3) and Python's hashlib. */
const hashes: [password: string, hash: string][] = [
  ["a", "$apr1$x/.Z$TvPl.zteik9HNZPxDsC9I."],
  ["", "$apr1$x/.Z$N4pEtt7xi1u.z08Zjwzyu0"],
  ["0123456789abcdef", "$apr1$x/.Z$0orW4Bpk8dBwiJBAX5rGQ/"],
  ["0123456789abcdefg", "$apr1$x/.Z$o1lRPjy0qojObFuq4Myb5/"],
  ["pässwörd", "$apr1$x/.Z$tUGZrM9Xdw7xz5EiFT2FF."],
  [
    "a long password of more than thirty-two bytes, of which all count",
    "$apr1$x/.Z$awlTLhLKOrHpLmlZe3yxO/",
  ],
  ["bcrypt-pw", "$2b$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq"],
  ["bcrypt-pw", "$2y$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq"],
  ["bcrypt-pw", "$2a$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq"],
  ["sha-pw", "{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw="],
];

for (const [password, hash] of hashes) {
  Deno.test(`matchesHash() knows ${JSON.stringify(password)} by ${hash.slice(0, 16)}`, () => {
    assertEquals(matchesHash(password, hash), true);
    assertEquals(matchesHash(`${password}x`, hash), false);
  });
}

Deno.test("matchesHash() takes no hash for its own password", () => {
  for (const hash of ["plain", "{PLAIN}plain", "$1$salt$x", "$apr1$", "$2y$", ""]) {
    assertEquals([matchesHash(hash, hash), matchesHash("plain", hash)], [false, false], hash);
  }
});
