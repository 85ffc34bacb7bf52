/**
 * A proxy whose backend sends bytes as they are given, and a client that checks what it gets of them.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Address, errorMessage, formatAddress } from "@pingress/config";
import { takeBody, takeHead, type WireField, wireFraming, wireValues } from "../conformance/wire.ts";
import { rule, TestProxy } from "../test_proxy.ts";
import { bytesOf, settled, within } from "../testing.ts";
import { endToEnd } from "./reference.ts";
import { generateResponse } from "./response_grammar.ts";
import type { FuzzRange } from "./differential.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { readBackend, type ReferenceResponse } from "./reference_response.ts";

/** How long the proxy may take for a response, in milliseconds: more is a hang. */
const PATIENCE = 10_000;

/** What a backend does for one request. */
export interface BackendScript {
  /** The method that it is asked with. */
  method: string;
  /** What it sends. */
  text: string;
  /** Where it pauses. */
  pauses?: number[];
}

/** Makes the response with a number: most of them are changed in a few places. */
export function makeResponse(
  seed: number,
  index: number,
): { method: string; text: string; pauses: number[] } {
  const random = new Random(seed, index);
  let text = generateResponse(random);
  if (random.chance(0.7)) text = mutate(text, random, () => generateResponse(random));
  const method = random.chance(0.1) ? "HEAD" : "GET";
  return { method, text, pauses: random.chance(0.5) ? [random.below(text.length + 1)] : [] };
}

/** What was found. */
export interface ResponsesReport {
  /** How many responses there were. */
  inputs: number;
  /** How many of them are valid, as far as they can be read. */
  valid: number;
  /** What is wrong. */
  findings: string[];
}

/** How many requests there are at a time. */
const CONCURRENCY = 16;

/** More would only be more of the same. */
const MOST_FINDINGS = 20;

/** Has backends send all kinds of bytes, and compares what the client gets with the model. */
export async function fuzzResponses(
  proxy: ResponseProxy,
  { seed, from, count }: FuzzRange,
): Promise<ResponsesReport> {
  const report: ResponsesReport = { inputs: 0, valid: 0, findings: [] };
  let next = from;
  const work = async () => {
    while (next < from + count && report.findings.length < MOST_FINDINGS) {
      const index = next++;
      const response = makeResponse(seed, index);
      report.inputs++;
      if (readBackend(response.text, response.method).status !== undefined) report.valid++;
      const finding = await proxy.check(response);
      if (finding !== undefined) report.findings.push(`--seed ${seed} --from ${index} --count 1: ${finding}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return report;
}

/** A proxy in front of a backend that does as it is told. */
export class ResponseProxy implements AsyncDisposable {
  readonly #proxy: TestProxy;
  readonly #backend: ScriptedBackend;
  #count = 0;

  private constructor(proxy: TestProxy, backend: ScriptedBackend) {
    this.#proxy = proxy;
    this.#backend = backend;
  }

  /** Starts one. */
  static async start(): Promise<ResponseProxy> {
    const backend = new ScriptedBackend();
    const proxy = await TestProxy.start({
      rules: [rule(undefined, "/", "one")],
      endpoints: { "default/one:80": [backend.endpoint] },
    });
    return new ResponseProxy(proxy, backend);
  }

  /** Has a response sent. @returns what is wrong with what the client got; nothing when all is as it must be. */
  async check({ method, text, pauses = [] }: BackendScript): Promise<string | undefined> {
    const expected = readBackend(text, method);
    // what comes later than the end could come when the next request has been sent, and be taken for its answer
    const end = expected.end ?? text.length;
    const pieces = [0, ...pauses.filter((at) => at < end)].map((at, index, all) =>
      text.slice(at, all[index + 1])
    );
    const path = `/${++this.#count}`;
    this.#backend.scripts.set(path, { pieces, ends: expected.end === undefined });
    try {
      const got = await within(exchange(this.#proxy.addresses.http, method, path), "an end", PATIENCE);
      compareWith(expected, got, method);
      return undefined;
    } catch (error) {
      return `${errorMessage(error)}\n  to ${method} ${JSON.stringify(pieces)}`;
    } finally {
      this.#backend.scripts.delete(path);
    }
  }

  /** Stops both. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]();
    this.#backend[Symbol.dispose]();
  }
}

/** What is sent for which path. */
class ScriptedBackend implements Disposable {
  readonly scripts = new Map<string, { pieces: string[]; ends: boolean }>();
  readonly endpoint: string;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();

  constructor() {
    this.endpoint = formatAddress(this.#listener.addr);
    this.#accept();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      connection.setNoDelay(true);
      this.#connections.add(connection);
      this.#serve(connection).catch(() => {}).finally(() => {
        if (this.#connections.delete(connection)) connection.close();
      });
    }
  }

  async #serve(connection: Deno.TcpConn): Promise<void> {
    const bytes = new Uint8Array(16 * 1024);
    let text = "";
    for (let count; (count = await connection.read(bytes)) !== null;) {
      text += Buffer.from(bytes.buffer, 0, count).toString("latin1");
      const head = takeHead(text);
      if (head === undefined) continue;
      text = text.slice(head.length);
      const script = this.scripts.get(head.start.split(" ")[1] ?? "");
      for (const [index, piece] of script?.pieces.entries() ?? []) {
        // the proxy has its turn in between
        if (index > 0) await settled();
        await connection.write(bytesOf(piece));
      }
      if (script?.ends ?? true) return;
    }
  }
}

async function exchange({ hostname, port }: Address, method: string, path: string): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  await connection.write(
    bytesOf(`${method} ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`),
  );
  const bytes = new Uint8Array(16 * 1024);
  let text = "";
  for (let count; (count = await connection.read(bytes)) !== null;) {
    text += Buffer.from(bytes.buffer, 0, count).toString("latin1");
  }
  return text;
}

/** Fields that the proxy adds where they are missing. */
const ADDED = ["date", "server"];

function compareWith(expected: ReferenceResponse, text: string, method: string): void {
  const informational: number[] = [];
  let head = takeHead(text);
  for (; head !== undefined && / 1[0-9][0-9] /.test(head.start); head = takeHead(text)) {
    informational.push(Number(head.start.split(" ")[1]));
    text = text.slice(head.length);
  }
  const status = Number(head?.start.split(" ")[1]);
  const fields = head?.fields ?? [];
  if (informational.join() !== expected.informational.join()) throw new Error(`${informational} came first`);
  const isOwn = wireValues(fields, "pingress-error").length > 0;
  if (isOwn !== (expected.status === undefined) || status !== (expected.status ?? 502)) {
    throw new Error(
      `${status}${isOwn ? " of its own" : ""} instead of ${expected.status ?? "502 of its own"}`,
    );
  }
  if (expected.status === undefined) return;
  assertFields(fields, expected.fields);
  const isWithout = status === 204 || status === 304 || method === "HEAD";
  const rest = text.slice(head?.length);
  const body = takeBody(rest, isWithout ? 0 : wireFraming(fields) ?? 0);
  // a 205 has no content, whatever the backend says
  const wanted = status === 205 ? "" : expected.body;
  const isWhole = status === 205 || expected.isWhole;
  if (body.length < rest.length) {
    throw new Error(`${JSON.stringify(rest.slice(body.length))} behind the content`);
  }
  if (body.isWhole !== isWhole) throw new Error(body.isWhole ? "It looks whole" : "It looks cut off");
  // of what breaks off the last bytes may be missing
  const isRight = isWhole ? body.content === wanted : wanted.startsWith(body.content);
  if (!isRight) throw new Error(`The content ${JSON.stringify(body.content)}`);
}

function assertFields(fields: readonly WireField[], expected: readonly string[]): void {
  const missing = ADDED.filter((name) => !expected.some((field) => field.startsWith(`${name}:`)));
  const seen = endToEnd(fields, new Set(missing), { isResponse: true }).join("\n");
  const wanted = expected.filter((field) => !field.startsWith("pingress-error:")).join("\n");
  if (seen !== wanted) {
    throw new Error(`The fields ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`);
  }
}
