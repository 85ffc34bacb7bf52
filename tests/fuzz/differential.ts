import { errorMessage } from "@pingress/config";
import { compare, violationsOf } from "./compare.ts";
import { explain, type Explanation } from "./differences.ts";
import { mutate } from "./mutate.ts";
import type { Observation } from "./observation.ts";
import { Random } from "./random.ts";
import { type Fault, readRequests, type ReferenceRequest } from "./reference.ts";
import { generateRequests } from "./request_grammar.ts";
import type { FuzzedServer } from "./servers.ts";

/** Which inputs are tried. */
export interface FuzzRange {
  /** What all of them depend on. */
  seed: number;
  /** The number of the first one. */
  from: number;
  /** How many there are. */
  count: number;
}

/** What was found. */
export interface FuzzReport {
  /** How many connections there were. */
  inputs: number;
  /** How many requests were on them, as the model reads them. */
  requests: number;
  /** How many of these are to be accepted. */
  accepted: number;
  /** How often there was each reason to refuse one. */
  faults: Map<Fault, number>;
  /** How often each known difference was seen. */
  explained: Map<Explanation, number>;
  /** What is wrong, or not explained: the input, and what was seen. */
  findings: string[];
}

/** How many connections there are at a time. */
const CONCURRENCY = 32;

/** More would only be more of the same. */
const MOST_FINDINGS = 20;

/** Makes the input with a number: requests, most of them changed in a few places. */
export function makeInput(seed: number, index: number): string {
  const random = new Random(seed, index);
  const text = generateRequests(random);
  return random.chance(0.75) ? mutate(text, random, () => generateRequests(random)) : text;
}

/** Sends the same inputs to all servers, and compares what each of them does with the model. */
export async function fuzzRequests(
  servers: readonly FuzzedServer[],
  { seed, from, count }: FuzzRange,
): Promise<FuzzReport> {
  const report: FuzzReport = {
    ...{ inputs: 0, requests: 0, accepted: 0 },
    faults: new Map(),
    explained: new Map(),
    findings: [],
  };
  let next = from;
  const work = async () => {
    while (next < from + count && report.findings.length < MOST_FINDINGS) {
      const index = next++;
      const text = makeInput(seed, index);
      const expected = readRequests(text);
      tally(report, expected);
      const found = await Promise.all(
        servers.map((server) => judge(server, { text, index, expected }, report)),
      );
      for (const finding of found.flat()) {
        report.findings.push(
          `--seed ${seed} --from ${index} --count 1: ${finding}\n  ${JSON.stringify(text)}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return report;
}

function tally(report: FuzzReport, expected: readonly ReferenceRequest[]): void {
  report.inputs++;
  report.requests += expected.length;
  for (const { faults } of expected) {
    if (faults.length === 0) report.accepted++;
    for (const fault of faults) report.faults.set(fault, (report.faults.get(fault) ?? 0) + 1);
  }
}

interface Input {
  text: string;
  index: number;
  expected: readonly ReferenceRequest[];
}

/** @returns what a server does that is wrong or not explained. */
async function judge(server: FuzzedServer, input: Input, report: FuzzReport): Promise<string[]> {
  const { text, index, expected } = input;
  let findings: string[] = [];
  // on a busy machine Deno.serve may be taken for silent too soon: what is so comes twice
  for (let attempt = 0; attempt < 2; attempt++) {
    let observation: Observation;
    try {
      observation = await server.observe(text, index, expected);
    } catch (error) {
      return [`${server.name}: ${errorMessage(error)}`];
    }
    if (server.name === "Pingress") return violationsOf(expected, observation);
    const explained: Explanation[] = [];
    findings = [];
    for (const difference of compare(expected, observation)) {
      const explanations = explain(server.name, difference);
      if (explanations !== undefined) explained.push(...explanations);
      else {
        const { kind, request, seen, status } = difference;
        const faults = request.faults.join(", ");
        const what = `${kind} ${faults} ${status ?? ""} ${JSON.stringify(seen)}`;
        findings.push(`${server.name}: ${what} for ${JSON.stringify(request.head)}`);
      }
    }
    if (findings.length > 0) continue;
    for (const one of explained) report.explained.set(one, (report.explained.get(one) ?? 0) + 1);
    break;
  }
  return findings;
}
