/**
 * The characters of a message's head, as bytes.
 *
 * @module
 */

/** A tab. */
const TAB = 9;
/** A line feed. */
export const LF = 10;
/** A carriage return. */
export const CR = 13;
/** A space. */
export const SPACE = 32;
/** What separates the elements of a list. */
export const COMMA = 44;
/** The digit 0. */
export const ZERO = 48;
/** What ends a field's name. */
export const COLON = 58;

/** 1 for each character that a value may have (RFC 9110, section 5.5). */
export const IS_TEXT = new Uint8Array(256).fill(1, SPACE);
IS_TEXT[TAB] = 1;
IS_TEXT[127] = 0;

/** 0 for what no field name may have, 1 for what it may, 3 for an underscore (RFC 9110, section 5.6.2). */
export const NAME_KIND = new Uint8Array(256);
for (const character of "!#$%&'*+-.^`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
  NAME_KIND[character.charCodeAt(0)] = 1;
}
/** What underscores are in {@linkcode NAME_KIND}. */
export const UNDERSCORE = 3;
NAME_KIND["_".charCodeAt(0)] = UNDERSCORE;

/** Each character in lower case. */
export const LOWER = Uint8Array.from(
  { length: 256 },
  (_, code) => code >= 65 && code <= 90 ? code + 32 : code,
);

/** Is it whitespace (RFC 9110, section 5.6.3)? There is no other one than spaces and tabs. */
export function isSpace(code: number | undefined): boolean {
  return code === SPACE || code === TAB;
}

/** A value without the whitespace around it. An expression would go through long runs of it again and again. */
export function trimSpace(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isSpace(value.charCodeAt(start))) start++;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}
