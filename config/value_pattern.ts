import { RE2JS, RE2JSException } from "re2js";
import { MOST_INSTRUCTIONS, MOST_STEPS } from "./regex_steps.ts";

/** The longest expression, in characters. */
const MOST_CHARACTERS = 512;

/** A value that has more characters matches nothing. */
const MOST_VALUE_CHARACTERS = 4096;

/**
 * Makes the test of whether a field's value has a match of a regular expression anywhere, in RE2's syntax
 * (https://github.com/google/re2/wiki/Syntax): however that is written, it takes time in proportion to the value. One that
 * would take more than {@linkcode MOST_STEPS} matches nothing.
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
  // it may begin anywhere, so that every instruction can be reached at every place
  const most = Math.min(MOST_VALUE_CHARACTERS, Math.floor(MOST_STEPS / regex.programSize()) - 1);
  return (value) => value.length <= most && regex.matcher(value).find();
}
