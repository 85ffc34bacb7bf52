/**
 * What can be seen of a server from outside: the answers that its client gets, and the requests that arrive
 * behind it.
 *
 * @module
 */
import { takeBody, takeHead, type WireField, wireFraming, wireValues } from "../conformance/wire.ts";

/** A request that arrived behind the server, all of it. */
export interface Arrival {
  /** Its method. */
  method: string;
  /** Its target. */
  target: string;
  /** Its Host; several of them with commas. */
  host: string;
  /** All of its fields. */
  fields: WireField[];
  /** Its content. */
  body: string;
}

/** A final answer that the client got. */
export interface Answer {
  /** Its status. */
  status: number;
  /** The number of the {@linkcode Arrival} that it answers; nothing when the server answered by itself. */
  arrival: number | undefined;
}

/** All that was seen of one connection. */
export interface Observation {
  /** In the order in which they arrived. */
  arrivals: Arrival[];
  /** In the order in which they came. */
  answers: Answer[];
  /** Bytes that should not have been there, on either side. */
  violations: string[];
}

/** The field by which an answer says what it answers. */
export const ANSWER_FIELD = "x-answers";

/** What is answered to each request that arrives: without content, so that nobody needs to know the method. */
export function answerTo(arrival: number): string {
  return `HTTP/1.1 204 No Content\r\n${ANSWER_FIELD}: ${arrival}\r\n\r\n`;
}

/**
 * Reads all that a client got; `methods` are those of its requests, one after the other.
 *
 * @returns the answers, and what is behind them that is none.
 */
export function readAnswers(text: string, methods: readonly string[]): { answers: Answer[]; rest: string } {
  const answers: Answer[] = [];
  for (let rest = text;;) {
    const answer = readAnswer(rest, methods[answers.length] ?? "");
    if (answer === undefined) return { answers, rest };
    rest = rest.slice(answer.length);
    if (answer.status >= 200) answers.push(answer);
  }
}

function readAnswer(text: string, method: string): Answer & { length: number } | undefined {
  try {
    const head = takeHead(text);
    const [, digits] = /^HTTP\/1\.[01] ([1-5][0-9]{2}) /.exec(head?.start ?? "") ?? [];
    if (head === undefined || digits === undefined) return undefined;
    const status = Number(digits);
    const [number] = wireValues(head.fields, ANSWER_FIELD);
    const arrival = number === undefined ? undefined : Number(number);
    const isEmpty = status < 200 || status === 204 || status === 304 || method === "HEAD";
    const framing = isEmpty ? 0 : wireFraming(head.fields) ?? text.length;
    const body = takeBody(text.slice(head.length), framing);
    return { status, arrival, length: head.length + body.length };
  } catch {
    return undefined; // no answer as servers write it
  }
}
