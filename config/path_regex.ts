import type { RE2JS } from "re2js";
import { compileRegex } from "./compile_regex.ts";
import { MOST_STEPS, type RegexSteps, stepsOf } from "./regex_steps.ts";

/** The longest path that is compared with expressions, in characters. */
export const MOST_PATH_CHARACTERS = 8192;

/** Says what groups took, an empty text for those that took nothing: to find out takes longer than to match. */
export type Groups = () => readonly string[];

/** A path of so many characters can be compared with every expression, and with all those that a host may have. */
export const LEAST_PATH_CHARACTERS = 1024;

/** What is copied of so many groups takes as long as a step. */
const GROUPS_PER_STEP = 8;

/**
 * A regular expression for the start of a path, in upper or lower case, in RE2's syntax
 * (https://github.com/google/re2/wiki/Syntax). However it is written, a match takes time in proportion to the path;
 * one that takes more than there is for a path of {@linkcode LEAST_PATH_CHARACTERS} is refused.
 */
export class PathRegex {
  static #isWarm = false;
  /** The number of its groups. */
  readonly groups: number;
  /** What all paths that match begin with, in lower case. */
  readonly start: string;
  readonly #regex: RE2JS;
  readonly #steps: RegexSteps;

  private constructor(text: string) {
    this.#regex = compileRegex(text, { ignoresCase: true });
    this.groups = this.#regex.groupCount();
    this.#steps = stepsOf(this.#regex.re2().prog);
    if (this.steps(LEAST_PATH_CHARACTERS) + this.groupSteps(LEAST_PATH_CHARACTERS) > MOST_STEPS) {
      throw new RangeError(
        `a path of ${LEAST_PATH_CHARACTERS} characters would take too long: it has too many repetitions`,
      );
    }
    // it finds no such text in an expression that leaves the case open
    // nor behind an anchor, at which every comparison begins anyway
    const unanchored = text.replace(/^\^(?![*+?{])/, "");
    this.start = String(compileRegex(unanchored).re2().prefix ?? "").toLowerCase();
  }

  /** The one with this text. @throws {Error} for what is no such expression, or takes too much time. */
  static of(text: string): PathRegex {
    let regex = known.get(text);
    if (regex === undefined) {
      try {
        regex = new PathRegex(text);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        regex = error;
      }
      if (known.size === MOST_KNOWN) known.clear();
      known.set(text, regex);
    }
    if (regex instanceof Error) throw regex;
    return regex;
  }

  /**
   * Has the matcher compiled before it matters: the first paths would take up to ten times as long as others. It
   * takes some 55 milliseconds, once.
   */
  static warmUp(): void {
    if (PathRegex.#isWarm) return;
    PathRegex.#isWarm = true;
    for (const [expression, path] of WARM_UPS) {
      const regex = new PathRegex(expression);
      for (let turn = 0; turn < WARM_UP_TURNS; turn++) regex.match(path);
    }
  }

  /** How many steps it takes at worst to find out whether a path of some length matches. */
  steps(length: number): number {
    return this.#steps.fixed + this.#steps.each * length;
  }

  /** How many more it takes to find out what its groups took. */
  groupSteps(length: number): number {
    return this.groups === 0 ? 0 : this.steps(length) * (1 + this.groups / GROUPS_PER_STEP);
  }

  /**
   * Does a path, in lower case, begin as all that match do? Nearly all expressions of a host begin with a name:
   * there is no faster way to tell that it is another one.
   */
  mayMatch(lower: string): boolean {
    return lower.startsWith(this.start);
  }

  /**
   * Compares a path of at most {@linkcode MOST_PATH_CHARACTERS}, and of a length whose steps are there to be taken.
   *
   * @returns what tells what its groups took; nothing when it does not match.
   */
  match(path: string): Groups | undefined {
    const matcher = this.#regex.matcher(path);
    if (!matcher.lookingAt()) return undefined;
    return () => {
      const taken: string[] = [];
      for (let group = 1; group <= this.groups; group++) taken.push(matcher.group(group) ?? "");
      return taken;
    };
  }
}

/**
 * The path of a request, which the expressions of a host are compared with: all comparisons together take at most
 * {@linkcode MOST_STEPS} steps. What a host has too many of (`fitRegexes()`) takes nothing from another host.
 */
export class ComparedPath {
  /** The path itself. */
  readonly path: string;
  #lower: string | undefined;
  #steps = 0;

  /** A path that has not been compared yet. */
  constructor(path: string) {
    this.path = path;
  }

  /**
   * Compares it with one more expression.
   *
   * @returns what tells what its groups took; nothing when it does not match, and `too long` where that may take
   * too many steps to find out.
   */
  compare(regex: PathRegex): Groups | "too long" | undefined {
    const { length } = this.path;
    if (length > MOST_PATH_CHARACTERS) return "too long";
    this.#lower ??= this.path.toLowerCase();
    if (!regex.mayMatch(this.#lower)) return undefined;
    this.#steps += regex.steps(length);
    return this.#steps + regex.groupSteps(length) > MOST_STEPS ? "too long" : regex.match(this.path);
  }
}

/** What takes each of the matcher's ways: short texts go one, and long ones for large programs another. */
const WARM_UPS: readonly [expression: string, path: string][] = [
  ["/((?:x*)*|[a-z]+)(.*)(y|yy)!", `/${"x".repeat(300)}`],
  ["/(?:.*a){10}(.)\\b", `/${"a".repeat(300)}`],
  ["/a{300}(?:.*[a-z]?b?){9}!", `/${"a".repeat(900)}`],
  ["/a{300}(.*)(?:a|aa)*\\b", `/${"a".repeat(900)}`],
];
const WARM_UP_TURNS = 20;

/** Configurations come again and again with the same expressions, and the same faulty ones. */
const known = new Map<string, PathRegex | Error>();
const MOST_KNOWN = 10_000;
