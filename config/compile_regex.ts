import { RE2JS, RE2JSException } from "re2js";
import { MOST_INSTRUCTIONS } from "./regex_steps.ts";

/** The longest expression, in characters. */
const MOST_CHARACTERS = 512;

/** Nothing that is compared has other characters than bytes; and to compile all letters there are takes long. */
const ONLY_BYTES = RE2JS.DISABLE_UNICODE_GROUPS;
const NO_BYTE = /[\u0100-\uffff]|\\x\{0*[1-9A-Fa-f][0-9A-Fa-f]{2,}/;

/**
 * Compiles an expression of somebody else's, in RE2's syntax (https://github.com/google/re2/wiki/Syntax), if that
 * takes little time and space.
 *
 * @throws {Error} whose message says what is wrong with it.
 */
export function compileRegex(text: string, { ignoresCase = false } = {}): RE2JS {
  if (text.length > MOST_CHARACTERS) {
    throw new RangeError(`it has more than ${MOST_CHARACTERS} characters`);
  }
  if (NO_BYTE.test(text)) {
    throw new RangeError("it has a character above U+00FF, and no path or field has one");
  }
  // each repetition has as many instructions at least: there is no need to make them all to count them
  if (repetitionsOf(text) > MOST_INSTRUCTIONS) throw new RangeError(TOO_LARGE);
  try {
    const regex = RE2JS.compile(text, ignoresCase ? RE2JS.CASE_INSENSITIVE | ONLY_BYTES : ONLY_BYTES);
    if (regex.programSize() <= MOST_INSTRUCTIONS) return regex;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new SyntaxError(error.message.replace(/^error parsing regexp: /, ""), { cause: error });
  }
  throw new RangeError(TOO_LARGE);
}

const TOO_LARGE = "its repetitions make it too large";

/** The sum of all counts of repetitions, such as 7 in `a{2}b{3,5}`. */
function repetitionsOf(text: string): number {
  const plain = text.replaceAll(/\\./gs, "");
  return plain.matchAll(/\{([0-9]+)(?:,([0-9]*))?\}/g)
    .reduce((sum, [, least, most]) => sum + Math.max(Number(least), Number(most || 0)), 0);
}
