/** The largest program that an expression may come to, in instructions. */
export const MOST_INSTRUCTIONS = 500;

/**
 * How many steps all comparisons of one request with the expressions of a host may take together: some 3
 * milliseconds, once the matcher is compiled (docs/fuzzing.md).
 */
export const MOST_STEPS = 200_000;

/** The part of RE2's programs that is read here (https://swtch.com/~rsc/regexp/regexp2.html). */
export interface RegexProgram {
  /** The number of the first instruction. */
  start: number;
  /** What the instructions do, and the numbers of those that follow. */
  inst: readonly Instruction[];
}

interface Instruction {
  op: number;
  out: number;
  arg: number;
  /** Where it takes a character: does it take this one? */
  matchRune(character: number): boolean;
}

/** A matcher takes at most `fixed + each * length` steps for a text. */
export interface RegexSteps {
  /** Those of instructions that are only reached near the start of the text. */
  fixed: number;
  /** How many of the other instructions can be reached at one place. */
  each: number;
}

/**
 * Counts the steps of a comparison from a text's start on, at worst. A matcher that never goes back does an
 * instruction at most once at each place of the text; and one that is behind no repetition is only reached at as
 * many places as there are lengths of ways to it, however long the text is.
 */
export function stepsOf({ start, inst }: RegexProgram): RegexSteps {
  // the lengths of all texts that lead to an instruction, from `least` to `most`
  const least = inst.map(() => Infinity);
  const most = inst.map(() => -Infinity);
  [least[start], most[start]] = [0, 0];
  for (const loop of loopsOf({ start, inst })) {
    // the ways to one of a loop are ways to all of it, and if it takes characters they have no end
    const low = Math.min(...loop.map((pc) => least[pc] ?? 0));
    const takesAny = loop.some((pc) => widthOf(inst[pc]) > 0 && goesAround(pc, loop, inst));
    const high = takesAny ? Infinity : Math.max(...loop.map((pc) => most[pc] ?? 0));
    for (const pc of loop) {
      [least[pc], most[pc]] = [low, high];
      for (const next of nextOf(inst[pc])) {
        if (loop.includes(next)) continue;
        least[next] = Math.min(least[next] ?? 0, low + widthOf(inst[pc]));
        most[next] = Math.max(most[next] ?? 0, high + widthOf(inst[pc]));
      }
    }
  }
  const anywhere = new Set(most.keys().filter((pc) => most[pc] === Infinity));
  const each = mostTogether({ start, inst }, anywhere);
  const near = most.map((length, pc) => Number.isFinite(length) ? length - (least[pc] ?? 0) + 1 : 0);
  // behind the last character is a place, too
  return { fixed: near.reduce((sum, places) => sum + places, each), each };
}

/** With so few there is not much to gain: nearly all expressions end with `(.*)` and have no other repetition. */
const FEW_INSTRUCTIONS = 5;

/** How many instructions are looked at until it is given up: there are expressions that need millions. */
const MOST_LOOKED_AT = 5000;

/**
 * How many of these instructions a text can lead to at one place, at most: after `/[^/]+` there is no way to be in the
 * middle of both `/shop` and `/blog`. To find out the program is followed through all texts at once, those that lead
 * to the same instructions together (https://en.wikipedia.org/wiki/Powerset_construction).
 */
function mostTogether({ start, inst }: RegexProgram, counted: ReadonlySet<number>): number {
  if (counted.size <= FEW_INSTRUCTIONS) return counted.size;
  const characters = differentCharacters(inst);
  const places = new Map<string, readonly number[]>();
  let most = 0;
  let lookedAt = 0;
  const add = (pcs: readonly number[]) => {
    const place = reachedFrom(pcs, inst);
    places.set(place.join(), place);
    lookedAt += place.length;
  };
  add([start]);
  for (const place of places.values()) {
    most = Math.max(most, place.filter((pc) => counted.has(pc)).length);
    for (const character of characters) {
      add(place.filter((pc) => takes(inst[pc], character)).flatMap((pc) => nextOf(inst[pc])));
    }
    if (lookedAt > MOST_LOOKED_AT) return counted.size;
  }
  return most;
}

/** These instructions and all that they lead to without a character, in their order. */
function reachedFrom(pcs: readonly number[], inst: readonly Instruction[]): readonly number[] {
  const reached = new Set(pcs);
  // a set goes on with what is added to it
  for (const pc of reached) {
    if (widthOf(inst[pc]) > 0) continue;
    for (const next of nextOf(inst[pc])) reached.add(next);
  }
  return [...reached].sort((one, other) => one - other);
}

/** One of all characters that the same instructions take. */
function differentCharacters(inst: readonly Instruction[]): number[] {
  const byTakers = new Map<string, number>();
  for (let character = 0; character < 256; character++) {
    byTakers.set(inst.map((instruction) => takes(instruction, character) ? "1" : "0").join(""), character);
  }
  return [...byTakers.values()];
}

function goesAround(pc: number, loop: readonly number[], inst: readonly Instruction[]): boolean {
  return loop.length > 1 || nextOf(inst[pc]).includes(pc);
}

/** Numbers of operations, as re2js has them. */
const [ALTERNATIVE, ALTERNATIVE_MATCH, FAIL, MATCH, FIRST_RUNE, LAST_RUNE] = [1, 2, 5, 6, 8, 11];

/** Stands for an instruction that there is not. */
const NOTHING: Instruction = { op: FAIL, out: 0, arg: 0, matchRune: () => false };

function nextOf({ op, out, arg }: Instruction = NOTHING): number[] {
  if (op === FAIL || op === MATCH) return [];
  return op === ALTERNATIVE || op === ALTERNATIVE_MATCH ? [out, arg] : [out];
}

/** How many characters an instruction takes. */
function widthOf({ op }: Instruction = NOTHING): number {
  return op >= FIRST_RUNE && op <= LAST_RUNE ? 1 : 0;
}

function takes(instruction: Instruction = NOTHING, character: number): boolean {
  return widthOf(instruction) > 0 && instruction.matchRune(character);
}

/**
 * The instructions, together with those that lead back to them, from the first one on: the strongly connected
 * components of the program in topological order (Tarjan,
 * https://en.wikipedia.org/wiki/Tarjan%27s_strongly_connected_components_algorithm).
 */
function loopsOf({ start, inst }: RegexProgram): number[][] {
  const order = new Map<number, number>();
  const stack: number[] = [];
  const loops: number[][] = [];
  const placed = new Set<number>();
  const visit = (pc: number): number => {
    const own = order.size;
    order.set(pc, own);
    stack.push(pc);
    let first = own;
    for (const next of nextOf(inst[pc])) {
      if (!placed.has(next)) first = Math.min(first, order.get(next) ?? visit(next));
    }
    if (first === own) {
      const loop = stack.splice(stack.indexOf(pc));
      for (const one of loop) placed.add(one);
      loops.push(loop);
    }
    return first;
  };
  visit(start);
  return loops.reverse();
}
