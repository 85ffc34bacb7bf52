import type { Arrival, Observation } from "./observation.ts";
import { endToEnd, type Fault, FAULTS, type ReferenceRequest } from "./reference.ts";

/** One way in which a server does something else than the model. */
export interface Difference {
  /** What differs. */
  kind:
    /** It takes a request that the model refuses. */
    | "accepts"
    /** It refuses a request that the model takes. */
    | "refuses"
    /** It serves another request behind the last one. */
    | "goes on"
    /** It closes in front of a request that the model takes. */
    | "closes"
    | "method"
    | "target"
    | "Host"
    | "fields"
    | "content";
  /** The request that it is about. */
  request: ReferenceRequest;
  /** What was seen instead, in words. */
  seen: string;
  /** The request as it arrived, where it did. */
  arrival: Arrival | undefined;
  /** The request in front of it on the connection. */
  before: ReferenceRequest | undefined;
  /** The status that it answered. */
  status: number | undefined;
}

const NOTHING: ReadonlySet<string> = new Set();

/**
 * Compares what was seen of a server with the model, up to the first request behind which the two read the
 * connection in different ways.
 */
export function compare(expected: readonly ReferenceRequest[], observation: Observation): Difference[] {
  const { arrivals, answers } = observation;
  const differences: Difference[] = [];
  let arrived = 0;
  for (const [index, request] of expected.entries()) {
    const answer = answers[index];
    // without an answer, it may have gone through all the same: HTTP/0.9 has no heads
    const isAccepted = answer === undefined ? arrived < arrivals.length : answer.arrival !== undefined;
    const arrival = isAccepted ? arrivals[answer?.arrival ?? arrived++] : undefined;
    if (answer?.arrival !== undefined) arrived++;
    const before = expected[index - 1];
    const differs = (kind: Difference["kind"], seen: string) =>
      differences.push({ kind, request, seen, arrival, before, status: answer?.status });
    if (before?.goesOn === false) {
      if (isAccepted) differs("goes on", "another request is served");
      return differences;
    }
    if (request.faults.length > 0) {
      if (arrival !== undefined) differs("accepts", `${arrival.method} ${arrival.target}`);
      // whoever refuses may close, and what is accepted may be framed in another way
      if (arrival !== undefined || answer === undefined) return differences;
      continue;
    }
    if (arrival === undefined) {
      // whoever has refused a request may close
      if (answer === undefined && before !== undefined && before.faults.length > 0) return differences;
      differs(answer === undefined ? "closes" : "refuses", answer === undefined ? "" : String(answer.status));
      return differences;
    }
    const { method, target, host, fields, body } = arrival;
    if (method !== request.method) differs("method", method);
    if (target !== request.target) differs("target", target);
    if (host !== request.host) differs("Host", host);
    if (body !== request.body) differs("content", body);
    const seenFields = endToEnd(fields, NOTHING);
    if (seenFields.join("\n") !== request.fields.join("\n")) differs("fields", seenFields.join("\n"));
  }
  const last = expected.at(-1);
  if (arrived < arrivals.length && last !== undefined) {
    const arrival = arrivals[arrived];
    const seen = `${arrival?.method} ${arrival?.target}`;
    differences.push({ kind: "goes on", request: last, seen, arrival, before: last, status: undefined });
  }
  return differences;
}

/** What Pingress does otherwise than the model says, down to the status: nothing. */
export function violationsOf(expected: readonly ReferenceRequest[], observation: Observation): string[] {
  const violations = [...observation.violations];
  for (const { kind, request, seen } of compare(expected, observation)) {
    violations.push(`${kind} ${request.head}: ${seen}`);
  }
  const { answers, arrivals } = observation;
  // what arrived is what was answered, one by one
  const answered = answers.flatMap(({ arrival }) => arrival ?? []);
  if (answered.join() !== [...arrivals.keys()].join()) {
    violations.push(`${arrivals.length} requests arrived, but answered were ${answered.join()}`);
  }
  for (const [index, { faults }] of expected.entries()) {
    const answer = answers[index];
    if (answer === undefined) {
      // a refusal may be the last answer
      if (index === 0 || expected[index - 1]?.faults.length === 0) violations.push(`No answer ${index}`);
      break;
    }
    const allowed = faults.flatMap((fault: Fault): readonly number[] => FAULTS[fault][0]);
    if (faults.length > 0 && !allowed.includes(answer.status)) {
      violations.push(`${answer.status} instead of ${allowed.join(" or ")} for ${faults.join(", ")}`);
    }
  }
  if (answers.length > expected.length) violations.push(`${answers.length} answers for ${expected.length}`);
  return violations;
}
