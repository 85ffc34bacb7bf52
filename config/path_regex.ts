import { RE2JS, RE2JSException } from "re2js";

/** The longest expression, in characters. */
const MOST_CHARACTERS = 512;

/** The largest program that an expression may come to: a match takes as much time for each character at worst. */
const MOST_INSTRUCTIONS = 500;

/** The longest path that is compared with expressions, in characters. */
export const MOST_PATH_CHARACTERS = 8192;

/** Says what groups took, an empty text for those that took nothing: to find out takes longer than to match. */
export type Groups = () => readonly string[];

/**
 * A regular expression for the start of a path, in upper or lower case, in RE2's syntax
 * (https://github.com/google/re2/wiki/Syntax). However it is written, a match takes time in proportion to the path.
 */
export class PathRegex {
  /** The number of its groups. */
  readonly groups: number;
  readonly #regex: RE2JS;
  readonly #start: string;

  private constructor(text: string) {
    if (text.length > MOST_CHARACTERS) {
      throw new RangeError(`it has more than ${MOST_CHARACTERS} characters`);
    }
    this.#regex = RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
    if (this.#regex.programSize() > MOST_INSTRUCTIONS) {
      throw new RangeError("its repetitions make it too large");
    }
    this.groups = this.#regex.groupCount();
    // it finds no such text in an expression that leaves the case open
    this.#start = String(RE2JS.compile(text).re2().prefix ?? "").toLowerCase();
  }

  /** The one with this text. @throws {Error} for what is no such expression, or takes too much time. */
  static of(text: string): PathRegex {
    let regex = known.get(text);
    if (regex !== undefined) return regex;
    try {
      regex = new PathRegex(text);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      if (error instanceof RE2JSException) {
        throw new SyntaxError(error.message.replace(/^error parsing regexp: /, ""));
      }
      throw error;
    }
    if (known.size === MOST_KNOWN) known.clear();
    known.set(text, regex);
    return regex;
  }

  /**
   * Compares a path of at most {@linkcode MOST_PATH_CHARACTERS}; `lower` is the same one in lower case.
   *
   * @returns what tells what its groups took; nothing when it does not match.
   */
  match(path: string, lower: string = path.toLowerCase()): Groups | undefined {
    // nearly all expressions of a host begin with a name: there is no faster way to tell that it is another one
    if (!lower.startsWith(this.#start)) return undefined;
    const matcher = this.#regex.matcher(path);
    if (!matcher.lookingAt()) return undefined;
    return () => {
      const taken: string[] = [];
      for (let group = 1; group <= this.groups; group++) taken.push(matcher.group(group) ?? "");
      return taken;
    };
  }
}

/** Configurations come again and again with the same expressions. */
const known = new Map<string, PathRegex>();
const MOST_KNOWN = 10_000;
