import { LOWER } from "./characters.ts";

/** The names that somebody asks for have a number each, so that a head's are compared with them only once. */
const HASHES = 4096;
const known: FieldName[][] = Array.from({ length: HASHES }, () => []);
let count = 0;

/** A field name that the program knows: made once for each name, from the code or from the configuration. */
export class FieldName {
  /** In lower case. */
  readonly text: string;
  /** More than 0. */
  readonly id: number;
  readonly #codes: number[];

  private constructor(text: string) {
    this.text = text;
    this.#codes = Array.from(text, (character) => character.charCodeAt(0));
    this.id = ++count;
  }

  /**
   * The one with this text, which is a token, in any case. It must be made before fields are received in which
   * it is looked for.
   */
  static of(text: string): FieldName {
    const lower = text.toLowerCase();
    let hash = 0;
    for (let index = 0; index < lower.length; index++) hash = addToHash(hash, lower.charCodeAt(index));
    const sameHash = slotOf(hash);
    let name = sameHash.find((one) => one.text === lower);
    if (name === undefined) sameHash.push(name = new FieldName(lower));
    return name;
  }

  /** Do these bytes, which are as many as it has, spell it? */
  isAt(bytes: Uint8Array, start: number): boolean {
    for (let index = 0; index < this.#codes.length; index++) {
      if (LOWER[bytes[start + index] ?? 0] !== this.#codes[index]) return false;
    }
    return true;
  }
}

/** The number of the name that these bytes spell; 0 when nobody asks for it. `hash` is that of the bytes. */
export function idOfName(
  bytes: Uint8Array,
  { start, end, hash }: { start: number; end: number; hash: number },
): number {
  const sameHash = slotOf(hash);
  for (let index = 0; index < sameHash.length; index++) {
    const name = sameHash[index];
    if (name?.text.length === end - start && name.isAt(bytes, start)) return name.id;
  }
  return 0;
}

/** The hash of a name that goes on with this character, which is in lower case. */
export function addToHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}

function slotOf(hash: number): FieldName[] {
  return known[(hash ^ (hash >>> 12)) & (HASHES - 1)] ?? [];
}

/** A set of names. */
export class FieldNames {
  readonly #texts: Set<string>;
  readonly #ids: Uint8Array;

  /** The set of some names, in lower case. */
  constructor(texts: readonly string[]) {
    this.#texts = new Set(texts);
    const ids = texts.map((text) => FieldName.of(text).id);
    this.#ids = new Uint8Array(Math.max(0, ...ids) + 1);
    for (const id of ids) this.#ids[id] = 1;
  }

  /** Is this name, in lower case, one of them? */
  has(text: string): boolean {
    return this.#texts.has(text);
  }

  /** Is the one with this number, or with 0 for a name that has none? */
  hasId(id: number): boolean {
    return id < this.#ids.length && this.#ids[id] === 1;
  }
}
