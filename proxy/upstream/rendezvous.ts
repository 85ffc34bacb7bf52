/**
 * Chooses the endpoint for a key so that every proxy chooses the same one, and that one more or less moves only
 * the keys of that one: each endpoint has a rank for each key, and the highest counts (rendezvous hashing,
 * https://en.wikipedia.org/wiki/Rendezvous_hashing).
 *
 * @returns nothing where there is no endpoint.
 */
export function highestFor<T extends { readonly name: string }>(
  endpoints: readonly T[],
  key: string,
): T | undefined {
  const seed = hash(key, 0x811c9dc5);
  let highest: T | undefined;
  let most = -1;
  for (const endpoint of endpoints) {
    const rank = mix(hash(endpoint.name, seed));
    // which one comes first in the list must not matter
    if (rank < most || (rank === most && highest !== undefined && endpoint.name < highest.name)) continue;
    highest = endpoint;
    most = rank;
  }
  return highest;
}

/** FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), from where another one has ended. */
function hash(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** Lets every bit depend on every other one (MurmurHash3's last step): FNV's last character moves but a few. */
function mix(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
