/** What a file in htpasswd's format says. */
export interface Htpasswd {
  /** The hash of each user's password. */
  users: Map<string, string>;
  /** What lets nobody in, by the number of its line; nothing of the line itself is told. */
  faults: { line: number; fault: string }[];
}

/** A hash that costs more than 2 to the power of this would keep a thread busy for seconds. */
const MOST_BCRYPT_COST = 14;

/**
 * Reads a file in the format of Apache's htpasswd (https://httpd.apache.org/docs/2.4/misc/password_encryptions.html):
 * a user's name, a colon and a hash on each line. Hashes are bcrypt's, Apache's MD5 (`$apr1$`) and `{SHA}`. Of
 * several lines for a user the first one counts, whatever it says.
 */
export function parseHtpasswd(text: string): Htpasswd {
  const users = new Map<string, string>();
  const faults: Htpasswd["faults"] = [];
  const seen = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [name = "", hash] = trimmed.split(":", 2);
    const fault = hash === undefined
      ? "has no colon between a user's name and a hash"
      : seen.has(name)
      ? "is for a user that an earlier line is for"
      : faultOf(hash);
    seen.add(name);
    if (fault !== undefined) faults.push({ line: index + 1, fault });
    else users.set(name, hash ?? "");
  }
  return { users, faults };
}

/** Why a hash is not one that passwords can be compared with, if it is none. */
function faultOf(hash: string): string | undefined {
  if (/^\{SHA\}[A-Za-z0-9+/]{27}=$/.test(hash)) return undefined;
  if (/^\$apr1\$[^$:]{0,8}\$[./A-Za-z0-9]{22}$/.test(hash)) return undefined;
  const cost = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
  if (cost === undefined) return "has a hash that is neither bcrypt's ($2y$) nor $apr1$ nor {SHA}";
  if (Number(cost) >= 4 && Number(cost) <= MOST_BCRYPT_COST) return undefined;
  return `has a hash of bcrypt's whose cost is ${cost}: from 04 to ${MOST_BCRYPT_COST} are taken`;
}
