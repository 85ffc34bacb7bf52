import { assert, assertEquals } from "@std/assert";
import { Random } from "../tests/fuzz/random.ts";
import { fitRegexes } from "./fit_regexes.ts";
import { ComparedPath, LEAST_PATH_CHARACTERS, PathRegex } from "./path_regex.ts";
import { MOST_STEPS } from "./regex_steps.ts";

/** How many of so many expressions fit. */
function fitting(count: number, textOf: (index: number) => string): number {
  const fit = fitRegexes(Array.from({ length: count }, (_, index) => PathRegex.of(textOf(index))));
  return fit.filter((fits) => fits).length;
}

Deno.test("fitRegexes() has room for what large hosts have", () => {
  const cases: [count: number, textOf: (index: number) => string][] = [
    [1000, (index) => `/name${index}(/|$)(.*)`],
    [1000, (index) => `/team-${index % 50}/app-${index}(/|$)(.*)`],
    [1000, (index) => `/name${index}`],
    // nothing tells them apart but an expression
    [40, (index) => `/[a-z]{2}/name${index}(/|$)(.*)`],
  ];
  for (const [count, textOf] of cases) assertEquals(fitting(count, textOf), count, textOf(0));
});

Deno.test("fitRegexes() refuses those that come last, and takes what there is time for after all", () => {
  const slow = (start: string) => PathRegex.of(`${start}(?:.*a){20}!`);
  const cases: [regexes: PathRegex[], expected: boolean[]][] = [
    // three of them take too long
    [[slow("/"), slow("/."), slow("/.."), slow("/...")], [true, true, true, false]],
    [[slow("/"), slow("/."), slow("/b"), slow("/b."), PathRegex.of("/b")], [true, true, true, false, true]],
    [[slow("/a"), slow("/b"), slow("/c"), slow("/d")], [true, true, true, true]],
    // with the worst of those that begin with it, whichever came before
    [[slow("/aa"), slow("/ab"), slow("/aa."), slow("/a"), slow("/a."), slow("/b")], [
      true,
      true,
      true,
      true,
      false,
      true,
    ]],
  ];
  for (const [regexes, expected] of cases) assertEquals(fitRegexes(regexes), expected);
});

const STARTS = ["/", "/a", "/ab", "/abc", "/b", "/B", "/b/c", ""];
const RESTS = [
  "(/|$)(.*)",
  "(?:.*a){9}!",
  "[^/]+/x(.*)(y|z)",
  "(.*)(.*)(.*)(.*)(.*)!",
  "x{0,9}",
  "(?i)q.*",
  "(.*)!",
];

/** What the worst of all paths takes, by looking at all of them. */
function worst(regexes: readonly PathRegex[]): number {
  return Math.max(
    0,
    ...regexes.map(({ start }) => {
      const compared = regexes.filter((regex) => regex.mayMatch(start));
      return compared.reduce((sum, regex) => sum + regex.steps(LEAST_PATH_CHARACTERS), 0) +
        Math.max(...compared.map((regex) => regex.groupSteps(LEAST_PATH_CHARACTERS)));
    }),
  );
}

Deno.test("fitRegexes() takes as many as every path can be compared with, and no fewer", () => {
  let refused = 0;
  for (let index = 0; index < 100; index++) {
    const random = new Random(1, index);
    const texts = random.times(60, () => `${random.pick(STARTS)}${random.pick(RESTS)}${random.below(9)}`);
    const regexes = [...new Set(texts)].map((text) => PathRegex.of(text));
    const taken: PathRegex[] = [];
    for (const [index, fits] of fitRegexes(regexes).entries()) {
      const regex = regexes[index]!;
      assertEquals(fits, worst([...taken, regex]) <= MOST_STEPS);
      if (fits) taken.push(regex);
      else refused++;
    }
    for (const start of new Set(taken.map(({ start }) => start))) {
      const compared = new ComparedPath(start.padEnd(LEAST_PATH_CHARACTERS, random.pick(["a", "/", "x"])));
      for (const regex of taken) assert(compared.compare(regex) !== "too long", start);
    }
  }
  assert(refused > 1000, `${refused} are refused`);
});
