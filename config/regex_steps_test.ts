import { assert, assertEquals } from "@std/assert";
import { RE2JS } from "re2js";
import { Random } from "../tests/fuzz/random.ts";
import { type RegexProgram, stepsOf } from "./regex_steps.ts";

const EXPRESSIONS = [
  ...["/foo", "/a|/b|/cd", "/api(/|$)(.*)", "/(a+)+$", "/(a*)*b", "/((a?)*)*", "/(x+x+)+y", "/(a|aa)+$"],
  ...[
    "/(a?){20}a{20}",
    "/(?:.*a){10}!",
    "/((ab|c)*d|e?f)+g",
    "/a{0,30}(b{0,10}c)*",
    "/()*",
    "/(|a)*",
    "/(?:$)*x",
  ],
  ...[
    "/users/[^/]+/profile/?$",
    "/v[0-9]+/(users|groups)/[^/]+/?$",
    "/(.+)\\.(png|jpg|js)$",
    "/[ab]*a[ab]{12}",
  ],
  ...["/[^/]+/[^/]+/?(.*)", "/x*y{20}", "/(?i:straße|\\pL+)z?", "/\\b(a|\\B)*", "(^|/)*"],
];

function programOf(expression: string): RegexProgram {
  return RE2JS.compile(expression, RE2JS.CASE_INSENSITIVE).re2().prog;
}

/** Follows all ways through a program that a text has. */
function reached({ start, inst }: RegexProgram, text: string): Set<number>[] {
  let current = new Set([start]);
  const places: Set<number>[] = [];
  for (let place = 0; place <= text.length; place++) {
    const next = new Set<number>();
    // a set goes on with what is added to it
    for (const pc of current) {
      const { op, out, arg } = inst[pc]!;
      const kind = operation(op);
      if (kind === "rune" && takes(inst[pc]!, text.charCodeAt(place))) next.add(out);
      if (kind === "alternative" || kind === "other") current.add(out);
      if (kind === "alternative") current.add(arg);
    }
    places.push(current);
    current = next;
  }
  return places;
}

const [ANY, ANY_BUT_LINE_FEED] = [10, 11];

function takes(instruction: RegexProgram["inst"][number], character: number): boolean {
  if (instruction.op === ANY) return true;
  return instruction.op === ANY_BUT_LINE_FEED ? character !== 10 : instruction.matchRune(character);
}

function operation(op: number): "alternative" | "end" | "rune" | "other" {
  if (op <= 2) return "alternative";
  if (op === 5 || op === 6) return "end";
  return op >= 8 ? "rune" : "other";
}

for (const expression of EXPRESSIONS) {
  Deno.test(`stepsOf() ${expression} is never less than what a text leads to`, () => {
    const program = programOf(expression);
    const { fixed, each } = stepsOf(program);
    const letters = [...expression.replaceAll(/[^a-zß/-]/g, ""), "A", "a", "/", "-", "0", "\xff", "\n"];
    for (let index = 0; index < 20; index++) {
      const random = new Random(1, index);
      const unit = random.times(1 + random.below(20), () => random.pick(letters)).join("");
      let steps = 0;
      for (const [characters, place] of reached(program, `/${unit.repeat(100)}`.slice(0, 200)).entries()) {
        steps += place.size;
        assert(steps <= fixed + each * characters, `${steps} steps for ${characters} characters of ${unit}`);
      }
    }
  });
}

Deno.test("stepsOf() counts what a text can lead to at one place, and no more", () => {
  const cases: [expression: string, each: number][] = [
    ["/foo", 0],
    ["/(.*)", 4],
    ["/(?:.*a){10}!", 31],
    ["/users/[^/]+/profile$", 3],
    ["/v[0-9]+/(users|groups)/[^/]+/?$", 6],
    // there are too many ways to look at them all
    ["/[ab]*a[ab]{12}", 16],
  ];
  for (const [expression, each] of cases) assertEquals(stepsOf(programOf(expression)).each, each, expression);
});

Deno.test("stepsOf() is what a text leads to that leads to everything at once", () => {
  for (
    const [expression, text] of [["/foo", "/foo"], ["/(.*)", "/a"], ["/(a?){20}", "/a"], [
      "/[^/]+",
      "/a",
    ]] as const
  ) {
    const program = programOf(expression);
    const { fixed, each } = stepsOf(program);
    const steps = reached(program, text.padEnd(100, "a")).reduce((sum, { size }) => sum + size, 0);
    // what follows a repetition is reached a little later than at once
    assert(fixed + each * 100 - steps <= Math.max(1, each) * program.inst.length, expression);
  }
});
