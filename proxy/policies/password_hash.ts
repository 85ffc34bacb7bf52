import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { compareSync } from "bcryptjs";

/** Is this the password of a hash that {@linkcode parseHtpasswd} takes? It keeps its thread busy for a while. */
export function matchesHash(password: string, hash: string): boolean {
  if (hash.startsWith("$2")) return compareSync(password, hash);
  const [, , salt = ""] = hash.split("$");
  const own = hash.startsWith("$apr1$") ? `$apr1$${salt}$${apr1(password, salt)}` : sha(password);
  const [one, other] = [Buffer.from(own), Buffer.from(hash)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function sha(password: string): string {
  return `{SHA}${createHash("sha1").update(password).digest("base64")}`;
}

const ROUNDS = 1000;
const DIGEST_BYTES = 16;
const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Which bytes of the digest are written together, the last ones first. */
const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] as const;

/** Apache's variant of the MD5-based crypt (https://httpd.apache.org/docs/2.4/misc/password_encryptions.html). */
function apr1(password: string, salt: string): string {
  const key = Buffer.from(password);
  const md5 = (...parts: (Buffer | string)[]) => {
    const hash = createHash("md5");
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const mixed = md5(key, salt, key);
  const start: (Buffer | string)[] = [key, "$apr1$", salt];
  for (let left = key.length; left > 0; left -= DIGEST_BYTES) {
    start.push(mixed.subarray(0, Math.min(left, DIGEST_BYTES)));
  }
  for (let bits = key.length; bits > 0; bits >>= 1) {
    start.push((bits & 1) === 1 ? Buffer.of(0) : key.subarray(0, 1));
  }
  let digest = md5(...start);
  for (let round = 0; round < ROUNDS; round++) {
    digest = md5(
      round % 2 === 1 ? key : digest,
      round % 3 > 0 ? salt : "",
      round % 7 > 0 ? key : "",
      round % 2 === 1 ? digest : key,
    );
  }
  const at = (index: number) => digest[index] ?? 0;
  const text = GROUPS.map(([high, middle, low]) => base64((at(high) << 16) | (at(middle) << 8) | at(low), 4));
  return `${text.join("")}${base64(at(11), 2)}`;
}

/** The lowest bits first. */
function base64(bits: number, characters: number): string {
  return Array.from({ length: characters }, (_, index) => ALPHABET[(bits >> (6 * index)) & 63]).join("");
}
