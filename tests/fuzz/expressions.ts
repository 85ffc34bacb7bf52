/**
 * Paths that are regular expressions, made to take a matcher long, and requests that are as long as they may be.
 *
 * @module
 */
import {
  LEAST_PATH_CHARACTERS,
  MOST_PATH_CHARACTERS,
  MOST_STEPS,
  parseProxyConfig,
  PathRegex,
} from "@pingress/config";
import { PREFIXES } from "../../controller/annotations/known.ts";
import { translate } from "../../controller/translate/translate.ts";
import type { FuzzRange } from "./differential.ts";
import { HOST, ingressOf, OBJECTS } from "./ingresses.ts";
import { Random } from "./random.ts";
import { RuleSite } from "./rule_site.ts";
import { expression, HOSTILE, makeValue } from "./value_grammar.ts";

/** What a run has come to. */
export interface ExpressionReport {
  /** What is wrong, with the flags that make the input again. */
  findings: string[];
  /** How many expressions are served. */
  served: number;
  /**
   * The longest that a request took, the fastest of three times, in milliseconds, and its expression: to be read, as
   * other programs take time too.
   */
  slowest: { milliseconds: number; expression: string };
  /** The same of translating. */
  slowestTranslation: { milliseconds: number; expression: string };
}

/** Serves expressions with numbers from `from` on. */
export async function fuzzExpressions({ seed, from, count }: FuzzRange): Promise<ExpressionReport> {
  const report: ExpressionReport = {
    findings: [],
    served: 0,
    slowest: { milliseconds: 0, expression: "" },
    slowestTranslation: { milliseconds: 0, expression: "" },
  };
  for (let index = from; index < from + count; index++) {
    const random = new Random(seed, index);
    const text = index % 5 === 0
      ? HOSTILE[index / 5 % HOSTILE.length] ?? ""
      : random.chance(0.6)
      ? expression(random)
      : makeValue(expression, random);
    const path = random.pick(["/", "/", "/app/", "/", "^/"]) + text;
    try {
      if (await checkPath(path, { random, report })) report.served++;
    } catch (error) {
      const what = JSON.stringify(path.slice(0, 200));
      report.findings.push(`--seed ${seed} --from ${index} --count 1: ${what}: ${(error as Error).stack}`);
    }
  }
  return report;
}

/** @returns whether the path is served. @throws {Error} for what must not be. */
async function checkPath(
  path: string,
  { random, report }: { random: Random; report: ExpressionReport },
): Promise<boolean> {
  const annotations = {
    [`${PREFIXES[0]}use-regex`]: "true",
    [`${PREFIXES[0]}rewrite-target`]: random.pick(["/", "/x$1", "/$1/$2$3", `/${"$1$2".repeat(100)}`]),
  };
  const snapshot = { ...OBJECTS, Ingress: [ingressOf("fuzz", { path, annotations })] };
  const start = performance.now();
  const { config, problems } = translate(snapshot, { keysDirectory: "/keys" });
  note(report.slowestTranslation, performance.now() - start, path.slice(0, 100));
  if (config.rules.length + problems.length !== 1) throw new Error(`${JSON.stringify(problems.slice(0, 3))}`);
  if (problems.some(({ message }) => message.length > 2000)) throw new Error("The message is too long");
  const [rule] = parseProxyConfig(JSON.parse(JSON.stringify(config))).rules;
  if (rule === undefined) return false;
  if (rule.path.type === "Regex") {
    const regex = PathRegex.of(rule.path.path);
    const steps = regex.steps(LEAST_PATH_CHARACTERS) + regex.groupSteps(LEAST_PATH_CHARACTERS);
    if (steps > MOST_STEPS) throw new Error(`It may take ${steps} steps`);
  }
  const site = new RuleSite(config, new Map());
  for (const target of targetsFor(path, random)) {
    let least = Infinity;
    for (let turn = 0; turn < 3; turn++) {
      const start = performance.now();
      await site.ask({ authority: HOST, target });
      least = Math.min(least, performance.now() - start);
    }
    note(report.slowest, least, `${path} for ${target.length} characters`);
  }
  return true;
}

function note(slowest: ExpressionReport["slowest"], milliseconds: number, expression: string): void {
  if (milliseconds > slowest.milliseconds) Object.assign(slowest, { milliseconds, expression });
}

/** Paths of what the expression has letters for, up to the longest that is compared. */
function targetsFor(path: string, random: Random): string[] {
  const letters = [...path.replace(/[^a-z/.]/gi, ""), "a", "x", "/"];
  const start = /^\^?(\/[a-z/]*)/.exec(path)?.[1] ?? "/";
  return random.times(4, () => {
    const length = random.pick([20, LEAST_PATH_CHARACTERS, 2000, MOST_PATH_CHARACTERS - 1, 9000]);
    const unit = random.times(1 + random.below(random.pick([1, 3, 20])), () => random.pick(letters)).join("");
    return (start + unit.repeat(length).slice(0, length)).slice(0, length) + random.pick(["", "!", "a", "/"]);
  });
}
