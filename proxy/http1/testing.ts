/**
 * What the tests of the HTTP/1 server share: a connection that is served, and what its handler answers.
 *
 * @module
 */
import { assert } from "@std/assert";
import { FakeTransport, textOf } from "../../tests/fakes.ts";
import { bytesOf, within } from "../../tests/testing.ts";
import { type Closable, Connection } from "../accept/connection.ts";
import { Deadlines } from "../deadlines.ts";
import { errorResponse } from "../errors.ts";
import type { Content, DownstreamRequest, DownstreamResponse, Handler, Outcome, Piece } from "../exchange.ts";
import { Fields } from "./fields.ts";
import { type Http1Options, serveHttp1 } from "./server.ts";
import { Turns } from "./turns.ts";

/** Who asks. */
export const CLIENT = { address: "192.0.2.1", scheme: "http", covers: () => true } as const;

/** Nothing takes too long unless told. */
export const OPTIONS: Omit<Http1Options, "handler"> = {
  turns: new Turns(() => 1),
  maxHeadBytes: 8192,
  maxTargetBytes: 4096,
  headTimeout: 60_000,
  idleTimeout: 60_000,
  clientTimeout: 60_000,
  streamTimeout: 60_000,
  isDraining: () => false,
};

/** So short that the next look at the deadlines finds it over. */
export const SHORT = 1;

/** What a test answers to a request. */
export type Answer = (request: DownstreamRequest) => DownstreamResponse | Promise<DownstreamResponse>;

/** A connection that is served, with what its handler saw and what became of its answers. */
export class Served {
  /** What its handler saw. */
  readonly requests: DownstreamRequest[] = [];
  /** What became of its answers. */
  readonly outcomes: Outcome[] = [];
  /** Its time limits. */
  readonly deadlines = new Deadlines();
  /** Itself, while it is open. */
  readonly connections = new Set<Closable>();
  /** When it has ended. */
  readonly ended: Promise<void>;

  /** Begins to serve. */
  constructor(transport: FakeTransport, answer: Answer, options: Partial<Http1Options> = {}) {
    const done = (outcome: Outcome) => void this.outcomes.push(outcome);
    const handler: Handler = {
      handle: async (request) => {
        this.requests.push(request);
        return { done, ...await answer(request) };
      },
      refuse: ({ reason, detail }) => ({ ...errorResponse(reason, detail), done }),
    };
    const ended = serveHttp1(new Connection(transport, CLIENT, this), { ...OPTIONS, handler, ...options });
    this.ended = within(ended, "a connection to end");
  }
}

/** An answer with a text as its content. */
export function text(content: string, changes: Partial<DownstreamResponse> = {}): DownstreamResponse {
  return { status: 200, fields: Fields.of([]), body: bytesOf(content), ...changes };
}

/** What is written for {@linkcode text}. */
export function written(content: string, ...lines: string[]): string {
  const fields = [`content-length: ${content.length}`, ...lines].join("\r\n");
  return `HTTP/1.1 200 OK\r\n${fields}\r\n\r\n${content}`;
}

/** Answers with what was asked. */
export async function echo(
  { method, authority, target, body }: DownstreamRequest,
): Promise<DownstreamResponse> {
  return text(`${method} ${authority} ${target} [${await textOf(body)}]`);
}

/** Content that comes as a test wants it to. */
export class ScriptedContent implements Content {
  /** See {@linkcode Content}. */
  readonly length: number | undefined;
  /** See {@linkcode Content}. */
  hasEnded = false;
  /** How often it was closed. */
  closed = 0;
  readonly #pieces: (() => Promise<Piece | undefined>)[];

  /** The pieces are made when they are asked for; behind the last one it has ended. */
  constructor(length: number | undefined, ...pieces: (() => Promise<Piece | undefined>)[]) {
    this.length = length;
    this.#pieces = pieces;
  }

  /** See {@linkcode Content}. */
  arrived(): undefined {
    return undefined;
  }

  /** See {@linkcode Content}. */
  async next(): Promise<Piece | undefined> {
    const piece = await this.#pieces.shift()?.();
    this.hasEnded = piece === undefined;
    return piece;
  }

  /** See {@linkcode Content}. */
  close(): void {
    this.closed++;
  }
}

/** Serves a whole conversation: the client sends the pieces, reads all answers, and closes. */
export async function converse(
  pieces: string[],
  { answer = echo, ...options }: Partial<Http1Options> & { answer?: Answer } = {},
): Promise<{ transport: FakeTransport; served: Served }> {
  const transport = new FakeTransport(...pieces);
  const served = new Served(transport, answer, options);
  await transport.writeClosed();
  transport.end();
  await served.ended;
  assert(transport.isClosed);
  return { transport, served };
}
