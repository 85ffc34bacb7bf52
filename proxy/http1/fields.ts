import { Buffer } from "node:buffer";
import type { HeaderList } from "../exchange.ts";
import {
  COLON,
  COMMA,
  CR,
  IS_TEXT,
  isSpace,
  LF,
  LOWER,
  NAME_KIND,
  trimSpace,
  UNDERSCORE,
  ZERO,
} from "./characters.ts";
import { addToHash, type FieldName, type FieldNames, idOfName } from "./field_name.ts";
import { MessageError } from "./message_error.ts";

/** The most header fields that a head may have. */
export const MAX_HEADER_FIELDS = 200;

/** Numbers with more of them are not exact. */
const MOST_DIGITS = 15;

/** How many numbers there are in {@linkcode Fields.marks} for each field. */
export const MARKS = 4;

/** The number of a field that was removed. */
export const REMOVED = -1;

const NOTHING = new Uint8Array(0);

/**
 * The header fields of a message. Those that were received stay where they are, in the bytes of their head:
 * most are passed on and nobody reads them, and to make strings of them costs more than all the rest. Whatever
 * is added comes behind them.
 */
export class Fields {
  /** What {@linkcode marks} point into. */
  bytes: Uint8Array;
  /** For each received field: the number of its name, where its name starts, where its value starts and ends. */
  readonly marks: number[] = [];
  /** What was added, names in lower case. */
  readonly added: HeaderList;
  /** Some that are the same for many messages, and never changed. */
  shared: Fields | undefined;
  /** How many of those that were added come before the shared ones. */
  sharedAfter = 0;
  #hasUnderscores = false;

  private constructor(bytes: Uint8Array, added: HeaderList) {
    this.bytes = bytes;
    this.added = added;
  }

  /** Fields that are not in any head; names in lower case. The list belongs to it from now on. */
  static of(list: HeaderList): Fields {
    return new Fields(NOTHING, list);
  }

  /**
   * Fields that many messages may {@linkcode share}: they are written once, and copied as a whole. Names in lower
   * case.
   *
   * @throws {MessageError} for a name or value that cannot be sent.
   */
  static sharing(list: HeaderList): Fields {
    const lines = list.map(([name, value]) => `${name}: ${value}\r\n`).join("");
    // what is no byte becomes one that has no place in a field
    const bytes = Uint8Array.from(lines, (character) => character <= "\xff" ? character.charCodeAt(0) : 0);
    const fields = Fields.parse(bytes, { start: 0, end: bytes.length });
    if (fields.marks.length !== list.length * MARKS) throw new MessageError("A line end within a field");
    return fields;
  }

  /**
   * Reads field lines, each with its CRLF; behind the last one there is another one.
   *
   * @throws {MessageError} for anything that two parsers could read differently: folded lines, spaces before a
   * colon, control characters (RFC 9112, section 5), and for too many of them.
   */
  static parse(bytes: Uint8Array, { start, end }: { start: number; end: number }): Fields {
    const fields = new Fields(bytes, []);
    const { marks } = fields;
    let kinds = 0;
    for (let at = start; at < end;) {
      const name = at;
      let hash = 0;
      for (;; at++) {
        const code = bytes[at] ?? 0;
        const kind = NAME_KIND[code] ?? 0;
        if (kind === 0) break;
        kinds |= kind;
        hash = addToHash(hash, LOWER[code] ?? 0);
      }
      const colon = at;
      if (bytes[at] !== COLON || at === name) throw invalidLine(bytes, name);
      do at++; while (isSpace(bytes[at]));
      const value = at;
      while (IS_TEXT[bytes[at] ?? 0] === 1) at++;
      if (bytes[at] !== CR || bytes[at + 1] !== LF) throw invalidLine(bytes, name);
      let valueEnd = at;
      while (valueEnd > value && isSpace(bytes[valueEnd - 1])) valueEnd--;
      at += 2;
      if (marks.length === MAX_HEADER_FIELDS * MARKS) {
        throw new MessageError(`More than ${MAX_HEADER_FIELDS} header fields`, "head_too_large");
      }
      marks.push(idOfName(bytes, { start: name, end: colon, hash }), name, value, valueEnd);
    }
    fields.#hasUnderscores = (kinds & UNDERSCORE) === UNDERSCORE;
    return fields;
  }

  /** Copies what it needs of bytes that will be overwritten. */
  keep(): void {
    const { marks } = this;
    const from = marks[1] ?? 0;
    this.bytes = this.bytes.slice(from, marks.at(-1) ?? 0);
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      for (let index = mark + 1; index < mark + MARKS; index++) marks[index] = (marks[index] ?? 0) - from;
    }
  }

  /** The first value of a field. */
  get(name: FieldName): string | undefined {
    const { marks } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === name.id) return this.#valueAt(mark);
    }
    const { added } = this;
    for (let index = 0; index < added.length; index++) {
      if (added[index]?.[0] === name.text) return added[index]?.[1];
    }
    return undefined;
  }

  /** The first value of a field as a number, if it is nothing but 1 to 15 digits. */
  number(name: FieldName): number | undefined {
    const { marks, bytes } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] !== name.id) continue;
      const end = marks[mark + 3] ?? 0;
      let at = marks[mark + 2] ?? 0;
      if (end === at || end - at > MOST_DIGITS) return undefined;
      let number = 0;
      for (; at < end; at++) {
        const digit = (bytes[at] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) return undefined;
        number = number * 10 + digit;
      }
      return number;
    }
    const value = this.get(name);
    return value !== undefined && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined;
  }

  /** How many fields have a name. */
  count(name: FieldName): number {
    let count = 0;
    const { marks } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) if (marks[mark] === name.id) count++;
    for (const field of this.added) if (field[0] === name.text) count++;
    return count;
  }

  /** Is there a field with this name? */
  has(name: FieldName): boolean {
    return this.count(name) > 0;
  }

  /** The values of a field, in order. */
  values(name: FieldName): string[] {
    const values: string[] = [];
    const { marks } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === name.id) values.push(this.#valueAt(mark));
    }
    for (const field of this.added) if (field[0] === name.text) values.push(field[1]);
    return values;
  }

  /** Is `token`, in lower case, an element of a field that is a list (RFC 9110, section 5.6.1)? */
  lists(name: FieldName, token: string): boolean {
    const { marks } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === name.id && this.#listsAt(mark, token)) return true;
    }
    return this.added.some((field) => field[0] === name.text && elementsOf(field[1]).includes(token));
  }

  /** Has a field with this name any value but these, which are in lower case? */
  hasOther(name: FieldName, values: readonly string[]): boolean {
    const { marks } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === name.id && !values.some((value) => this.#isAt(mark, value))) return true;
    }
    return this.added.some((field) => field[0] === name.text && !values.includes(field[1].toLowerCase()));
  }

  /** All of them in order, names in lower case. */
  list(): HeaderList {
    const list: HeaderList = [];
    const { marks, bytes } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === REMOVED) continue;
      const name = marks[mark + 1] ?? 0;
      list.push([latin1(bytes, name, bytes.indexOf(COLON, name)).toLowerCase(), this.#valueAt(mark)]);
    }
    list.push(...this.added.slice(0, this.sharedAfter), ...this.shared?.list() ?? []);
    list.push(...this.added.slice(this.sharedAfter));
    return list;
  }

  /** Adds a field behind all others; its name is in lower case. */
  add(name: string, value: string): void {
    this.added.push([name, value]);
  }

  /** Adds shared fields behind all others, once. They are not looked at when fields are asked for or removed. */
  share(fields: Fields): void {
    this.shared = fields;
    this.sharedAfter = this.added.length;
  }

  /** Removes all fields with one of these names. */
  remove(names: FieldNames): void {
    const { marks, added } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (names.hasId(marks[mark] ?? 0)) marks[mark] = REMOVED;
    }
    for (let index = added.length - 1; index >= 0; index--) {
      if (names.has(added[index]?.[0] ?? "")) this.#removeAdded(index);
    }
  }

  /** Removes all fields of which `isUnwanted` says so; it is asked for each name, in lower case. */
  removeIf(isUnwanted: (name: string) => boolean): void {
    const { marks, bytes, added } = this;
    for (let mark = 0; mark < marks.length; mark += MARKS) {
      if (marks[mark] === REMOVED) continue;
      const name = marks[mark + 1] ?? 0;
      if (isUnwanted(latin1(bytes, name, bytes.indexOf(COLON, name)).toLowerCase())) marks[mark] = REMOVED;
    }
    for (let index = added.length - 1; index >= 0; index--) {
      if (isUnwanted(added[index]?.[0] ?? "")) this.#removeAdded(index);
    }
  }

  /** Removes all fields whose name has an underscore. */
  removeUnderscored(): void {
    if (this.#hasUnderscores || this.added.length > 0) this.removeIf((name) => name.includes("_"));
  }

  #removeAdded(index: number): void {
    this.added.splice(index, 1);
    if (index < this.sharedAfter) this.sharedAfter--;
  }

  #valueAt(mark: number): string {
    return latin1(this.bytes, this.marks[mark + 2] ?? 0, this.marks[mark + 3] ?? 0);
  }

  #isAt(mark: number, value: string): boolean {
    const { bytes, marks } = this;
    const start = marks[mark + 2] ?? 0;
    if ((marks[mark + 3] ?? 0) - start !== value.length) return false;
    for (let index = 0; index < value.length; index++) {
      if (LOWER[bytes[start + index] ?? 0] !== value.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Nearly all lists have one element: no string is made for these. */
  #listsAt(mark: number, token: string): boolean {
    if (this.#isAt(mark, token)) return true;
    const { bytes, marks } = this;
    const end = marks[mark + 3] ?? 0;
    for (let at = marks[mark + 2] ?? 0; at < end; at++) {
      if (bytes[at] === COMMA) return elementsOf(this.#valueAt(mark)).includes(token);
    }
    return false;
  }
}

/** The elements of a list, in lower case. */
export function elementsOf(list: string): string[] {
  return list.toLowerCase().split(",").map(trimSpace);
}

function invalidLine(bytes: Uint8Array, start: number): MessageError {
  return new MessageError(`Invalid header line ${quoteLine(bytes, start)}`);
}

/** The line that starts at `start` as an error repeats it: not all of a long one. */
export function quoteLine(bytes: Uint8Array, start: number): string {
  const [line = ""] = latin1(bytes, start, Math.min(start + 82, bytes.length)).split("\r\n");
  return JSON.stringify(line.slice(0, 80));
}

/** Bytes as a string, one character for each byte. TextDecoder's "latin1" is windows-1252 instead. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end);
}
