import { RE2JS, RE2JSException } from "re2js";

/** The longest expression, in characters. */
const MOST_CHARACTERS = 512;

/** The largest program that an expression may come to: a match takes as much time for each character at worst. */
const MOST_INSTRUCTIONS = 500;

/** A value that has more characters matches nothing. */
const MOST_VALUE_CHARACTERS = 4096;

/**
 * Makes the test of whether a field's value has a match of a regular expression anywhere, in RE2's syntax
 * (https://github.com/google/re2/wiki/Syntax): however that is written, it takes time in proportion to the value.
 *
 * @throws {Error} for what is no such expression, or takes too much time.
 */
export function compileValuePattern(text: string): (value: string) => boolean {
  if (text.length > MOST_CHARACTERS) throw new Error(`it has more than ${MOST_CHARACTERS} characters`);
  let regex: RE2JS;
  try {
    regex = RE2JS.compile(text);
  } catch (error) {
    if (error instanceof RE2JSException) throw new Error(error.message, { cause: error });
    throw error;
  }
  if (regex.programSize() > MOST_INSTRUCTIONS) throw new Error("its repetitions make it too large");
  return (value) => value.length <= MOST_VALUE_CHARACTERS && regex.matcher(value).find();
}
