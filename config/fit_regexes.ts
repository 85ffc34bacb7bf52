import { LEAST_PATH_CHARACTERS, type PathRegex } from "./path_regex.ts";
import { MOST_STEPS } from "./regex_steps.ts";

/** The expressions that all begin with the same text, in steps for a path of the least length. */
interface Start {
  readonly text: string;
  /** The longest other one that it begins with. */
  readonly parent: Start | undefined;
  /** What it takes to compare a path with all of them. */
  steps: number;
  /** What the groups of one of them take at most. */
  groupSteps: number;
  /** What the worst path takes to be compared with these, and those of all starts that it goes on with. */
  compared: number;
  /** What the worst path takes together with the groups of one of them. */
  worst: number;
}

/**
 * Which expressions of a host there is time for, where those that come first have it first: a path of
 * {@linkcode LEAST_PATH_CHARACTERS}, or less, can be compared with all of them in {@linkcode MOST_STEPS}.
 *
 * Only those are compared with a path that it begins with the start of, and of these starts each begins with the
 * other ones: so those of `/a` and `/b` never come together, however many there are.
 *
 * @returns the answer for each of them.
 */
export function fitRegexes(regexes: readonly PathRegex[]): boolean[] {
  const starts = startsOf(regexes);
  return regexes.map((regex) => {
    const start = starts.get(regex.start);
    if (start === undefined) throw new Error("BUG: an expression without a start");
    return take(start, {
      steps: regex.steps(LEAST_PATH_CHARACTERS),
      groupSteps: regex.groupSteps(LEAST_PATH_CHARACTERS),
    });
  });
}

function startsOf(regexes: readonly PathRegex[]): Map<string, Start> {
  const starts = new Map<string, Start>();
  let last: Start | undefined;
  // in this order a text comes before all that begin with it, and nothing else comes in between
  for (const text of [...new Set(regexes.map(({ start }) => start))].sort()) {
    while (last !== undefined && !text.startsWith(last.text)) last = last.parent;
    last = { text, parent: last, steps: 0, groupSteps: 0, compared: 0, worst: 0 };
    starts.set(text, last);
  }
  return starts;
}

/** @returns false where some path would take too many steps: nothing is taken then. */
function take(start: Start, { steps, groupSteps }: Pick<Start, "steps" | "groupSteps">): boolean {
  let compared = start.compared + steps;
  let worst = Math.max(start.worst + steps, compared + groupSteps);
  const sums: [Start, compared: number, worst: number][] = [[start, compared, worst]];
  for (let above = start.parent; above !== undefined; above = above.parent) {
    worst = above.steps + Math.max(worst, compared + above.groupSteps);
    compared += above.steps;
    sums.push([above, compared, worst]);
  }
  if (worst > MOST_STEPS) return false;
  start.steps += steps;
  start.groupSteps = Math.max(start.groupSteps, groupSteps);
  for (const [each, compared, worst] of sums) {
    each.compared = Math.max(each.compared, compared);
    each.worst = Math.max(each.worst, worst);
  }
  return true;
}
