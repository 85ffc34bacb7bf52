/**
 * Fuzzes the proxy: `deno task fuzz`.
 *
 * @module
 */
import {
  errorMessage,
  helpText,
  parseFlags,
  PathRegex,
  type Program,
  UsageError,
  VERSION,
} from "@pingress/config";
import { EXPLANATIONS } from "./differences.ts";
import { type FuzzRange, type FuzzReport, fuzzRequests } from "./differential.ts";
import { fuzzExpressions } from "./expressions.ts";
import { fuzzParsers } from "./parsers.ts";
import { fuzzPieces } from "./pieces.ts";
import { fuzzResponses, ResponseProxy } from "./responses.ts";
import { fuzzValues } from "./values.ts";
import { startDeno, startNginx, startPingress } from "./servers.ts";

/** What is fuzzed: which part of the inputs each has, and how. */
const THEMES: Record<string, { part: number; run: (range: FuzzRange) => Promise<string[]> | string[] }> = {
  requests: { part: 1, run: requests },
  responses: { part: 0.25, run: responses },
  parsers: { part: 0.25, run: fuzzParsers },
  pieces: { part: 0.001, run: pieces },
  values: { part: 1, run: values },
  expressions: { part: 0.25, run: expressions },
};

const PROGRAM: Program = {
  name: "deno task fuzz",
  summary:
    "Sends generated and mutated bytes to the proxy, and compares it with Deno.serve and nginx; and gives annotations all kinds of values.",
  ignoresEnvironment: true,
  flags: [
    { name: "seed", value: "N", help: "What all inputs depend on; another one each time unless told" },
    { name: "from", value: "N", default: "0", help: "The number of the first input" },
    { name: "count", value: "N", default: "200000", help: "How many connections with requests there are" },
    { name: "only", value: "THEME", help: `One theme only: ${Object.keys(THEMES).join(", ")}` },
  ],
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  try {
    const commandLine = parseFlags(PROGRAM, Deno.args, { readEnv: () => undefined });
    if (commandLine.action !== "run") {
      return print(commandLine.action === "help" ? helpText(PROGRAM) : VERSION);
    }
    const { values } = commandLine;
    const number = (name: string) => {
      const text = values.text(name) ?? String(Date.now() % 1_000_000_000);
      if (!/^[0-9]{1,9}$/.test(text)) throw new UsageError(`--${name} must be a number below 1000000000`);
      return Number(text);
    };
    const range = { seed: number("seed"), from: number("from"), count: number("count") };
    Deno.exit(await fuzz(range, values.text("only")) ? 0 : 1);
  } catch (error) {
    // deno-lint-ignore no-console -- results alone go to standard output
    console.error(errorMessage(error));
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** @returns whether all is well. */
async function fuzz(range: FuzzRange, only: string | undefined): Promise<boolean> {
  if (only !== undefined && THEMES[only] === undefined) throw new UsageError(`There is no theme ${only}`);
  let isWell = true;
  for (const [name, { part, run }] of Object.entries(THEMES)) {
    if (only !== undefined && name !== only) continue;
    const count = Math.ceil(range.count * (only === undefined ? part : 1));
    print(`${name}: --seed ${range.seed} --from ${range.from} --count ${count}`);
    const start = performance.now();
    const findings = await run({ ...range, count });
    print(`${name}: ${findings.length} findings in ${((performance.now() - start) / 1000).toFixed()} s`);
    for (const finding of findings) print(`--only ${name} ${finding}`);
    isWell &&= findings.length === 0;
  }
  return isWell;
}

async function requests(range: FuzzRange): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const nginx = await startNginx();
  const servers = [await startPingress(), startDeno(), ...nginx === undefined ? [] : [nginx]];
  for (const server of servers) stack.use(server);
  print(servers.map(({ name }) => name).join(", "));
  const report = await fuzzRequests(servers, range);
  print(describe(report));
  return report.findings;
}

function describe({ inputs, requests, accepted, faults, explained }: FuzzReport): string {
  const line = ([what, times]: readonly [string, number]) => `${String(times).padStart(9)}  ${what}`;
  return [
    `${inputs} connections with ${requests} requests, ${accepted} of them valid; the others have`,
    ...[...faults].sort((one, other) => other[1] - one[1]).map(line),
    "known differences",
    ...EXPLANATIONS.map((one) => {
      const fault = one.fault === undefined ? "" : ` (${one.fault})`;
      return line([`${one.server} ${one.kind}${fault}: ${one.where}`, explained.get(one) ?? 0]);
    }),
  ].join("\n");
}

async function responses(range: FuzzRange): Promise<string[]> {
  await using proxy = await ResponseProxy.start();
  const { inputs, valid, findings } = await fuzzResponses(proxy, range);
  print(`${inputs} responses, ${valid} of them valid`);
  return findings;
}

async function pieces(range: FuzzRange): Promise<string[]> {
  await using pingress = await startPingress();
  await using responses = await ResponseProxy.start();
  return await fuzzPieces({ pingress, responses }, range);
}

async function values(range: FuzzRange): Promise<string[]> {
  const { findings, understood, different } = await fuzzValues(range);
  const least = Math.min(...different.values());
  print(`${understood} values were understood; each parser got ${least} different ones or more`);
  return findings;
}

async function expressions(range: FuzzRange): Promise<string[]> {
  PathRegex.warmUp();
  const { findings, served, slowest, slowestTranslation } = await fuzzExpressions(range);
  const line = ({ milliseconds, expression }: typeof slowest) =>
    `${milliseconds.toFixed(1)} ms: ${expression.slice(0, 100)}`;
  print(`${served} expressions are served; the slowest request took ${line(slowest)}`);
  print(`the slowest translation took ${line(slowestTranslation)}`);
  return findings;
}

function print(text: string): void {
  // deno-lint-ignore no-console -- this is its output
  console.log(text);
}
