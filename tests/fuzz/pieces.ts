/**
 * Messages that arrive in pieces, or not all of them: how they are split must not change what they are, and
 * what is cut off must not look whole.
 *
 * @module
 */
import { errorMessage } from "@pingress/config";
import { FakeTransport } from "../fakes.ts";
import { within } from "../testing.ts";
import { violationsOf } from "./compare.ts";
import { type FuzzRange, makeInput } from "./differential.ts";
import { readResponse, serve } from "./glue.ts";
import { readAnswers } from "./observation.ts";
import { readRequests } from "./reference.ts";
import { makeResponse, type ResponseProxy } from "./responses.ts";
import type { FuzzedServer } from "./servers.ts";

/** What cut off messages are tried on. */
export interface PiecesServers {
  /** Gets requests. */
  pingress: FuzzedServer;
  /** Gets responses. */
  responses: ResponseProxy;
}

/** Longer ones take too long: each byte is a case. */
const LONGEST = 500;

/** Splits and cuts inputs at every byte. @returns what is wrong. */
export async function fuzzPieces(
  servers: PiecesServers,
  { seed, from, count }: FuzzRange,
): Promise<string[]> {
  const findings: string[] = [];
  for (let index = from; index < from + count; index++) {
    const text = makeInput(seed, index).slice(0, LONGEST);
    const response = makeResponse(seed, index);
    response.text = response.text.slice(0, LONGEST);
    const found = [
      await splitRequests(text),
      await splitResponse(response),
      ...await cutRequests(servers.pingress, text),
      ...await cutResponse(servers.responses, response),
    ];
    for (const finding of found) {
      if (finding !== undefined) findings.push(`--seed ${seed} --from ${index} --count 1: ${finding}`);
    }
  }
  return findings;
}

/** Every way to have a text in two pieces, and the one in which each byte is a piece. */
function splits(text: string): string[][] {
  const inTwo = [...text].slice(1).map((_, index) => [text.slice(0, index + 1), text.slice(index + 1)]);
  return [...inTwo, text.split("")];
}

async function splitRequests(text: string): Promise<string | undefined> {
  const methods = readRequests(text).map(({ method }) => method);
  const whole = await served([text], methods, 0);
  for (const pieces of splits(text)) {
    for (const steps of [0, STEPS]) {
      const outcome = await served(pieces, methods, steps);
      if (outcome !== whole) {
        return `${outcome}\n  instead of ${whole}\n  for ${JSON.stringify(pieces)}, ${steps}`;
      }
    }
  }
}

/** So many steps of other things are done before a piece that comes later. */
const STEPS = 30;

/** Serves a connection whose pieces are there at once, or come later. @returns all that can be seen of it. */
async function served(pieces: readonly string[], methods: readonly string[], steps: number): Promise<string> {
  const transport = new FakeTransport();
  const ended = serve(transport);
  for (const piece of pieces) {
    for (let step = 0; step < steps; step++) await Promise.resolve();
    transport.send(piece);
  }
  transport.end();
  const requests = await within(ended, `the end of ${JSON.stringify(pieces)}`);
  const { answers, rest } = readAnswers(transport.written, methods);
  const { isClosed } = transport;
  return JSON.stringify({ requests, statuses: answers.map(({ status }) => status), rest, isClosed });
}

async function splitResponse(
  { text, method }: { text: string; method: string },
): Promise<string | undefined> {
  const read = async (pieces: string[]) => {
    const transport = new FakeTransport(...pieces).end();
    const { longestPiece: _, ...response } = await within(
      readResponse(transport, method),
      `the end of ${JSON.stringify(pieces)}`,
    );
    return JSON.stringify(response);
  };
  const whole = await read([text]);
  for (const pieces of splits(text)) {
    const outcome = await read(pieces);
    if (outcome !== whole) return `${outcome}\n  instead of ${whole}\n  for ${JSON.stringify(pieces)}`;
  }
}

async function cutRequests(pingress: FuzzedServer, text: string): Promise<string[]> {
  const findings = await Promise.all([...text].map(async (_, length) => {
    const cut = text.slice(0, length);
    const expected = readRequests(cut);
    try {
      const violations = violationsOf(expected, await pingress.observe(cut, length, expected));
      return violations.map((violation) => `${violation}\n  for ${JSON.stringify(cut)}`);
    } catch (error) {
      return [`${errorMessage(error)} for ${JSON.stringify(cut)}`];
    }
  }));
  return findings.flat();
}

async function cutResponse(
  proxy: ResponseProxy,
  { text, method }: { text: string; method: string },
): Promise<(string | undefined)[]> {
  const lengths = [...text].map((_, length) => length);
  return await Promise.all(lengths.map((length) => proxy.check({ method, text: text.slice(0, length) })));
}
