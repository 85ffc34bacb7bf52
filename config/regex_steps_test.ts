import { assert, assertEquals } from "@std/assert";
import { RE2JS } from "re2js";
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
  ...["/[^/]+/[^/]+/?(.*)", "/x*y{20}", "/(?i:straße|\\pL+)z?", "/\\b(a|\\B)*", "(^|/)*"],
];

function programOf(expression: string): RegexProgram {
  return RE2JS.compile(expression, RE2JS.CASE_INSENSITIVE).re2().prog;
}

/** Follows all ways through a program at once, as if every character were the right one. */
function reachable({ start, inst }: RegexProgram, characters: number): Set<number>[] {
  let current = new Set([start]);
  const places: Set<number>[] = [];
  for (let place = 0; place <= characters; place++) {
    const next = new Set<number>();
    // a set goes on with what is added to it
    for (const pc of current) {
      const { op, out, arg } = inst[pc]!;
      const kind = operation(op);
      if (kind === "rune") next.add(out);
      else if (kind !== "end") current.add(out);
      if (kind === "alternative") current.add(arg);
    }
    places.push(current);
    current = next;
  }
  return places;
}

function operation(op: number): "alternative" | "end" | "rune" | "other" {
  if (op <= 2) return "alternative";
  if (op === 5 || op === 6) return "end";
  return op >= 8 ? "rune" : "other";
}

for (const expression of EXPRESSIONS) {
  Deno.test(`stepsOf() ${expression} is never less than what can be reached`, () => {
    const program = programOf(expression);
    const { fixed, each } = stepsOf(program);
    let steps = 0;
    for (const [characters, place] of reachable(program, 200).entries()) {
      steps += place.size;
      assert(steps <= fixed + each * characters, `${steps} steps for ${characters} characters`);
    }
  });
}

Deno.test("stepsOf() is what can be reached where each instruction is reached at once", () => {
  for (const expression of ["/foo", "/(.*)", "/(a?){20}", "/[^/]+"]) {
    const program = programOf(expression);
    const { fixed, each } = stepsOf(program);
    const steps = reachable(program, 100).reduce((sum, { size }) => sum + size, 0);
    // what follows a repetition is reached a little later than at once
    assert(fixed + each * 100 - steps <= each * program.inst.length, expression);
  }
  assertEquals(stepsOf(programOf("/foo")).each, 0);
  assertEquals(stepsOf(programOf("/(.*)")).each, 4);
});
