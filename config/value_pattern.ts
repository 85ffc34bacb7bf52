import { compileRegex } from "./compile_regex.ts";
import { MOST_STEPS } from "./regex_steps.ts";

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
  const regex = compileRegex(text);
  // it may begin anywhere, so that every instruction can be reached at every place
  const most = Math.min(MOST_VALUE_CHARACTERS, Math.floor(MOST_STEPS / regex.programSize()) - 1);
  return (value) => value.length <= most && regex.matcher(value).find();
}
