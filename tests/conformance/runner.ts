import { assert, assertEquals } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { rule, TestProxy, tlsFiles } from "../test_proxy.ts";
import { pause, within } from "../testing.ts";
import type {
  Answer,
  Case,
  ClientStep,
  ExpectedHeaders,
  ExpectedRequest,
  ExpectedResponse,
  Theme,
  Way,
} from "./case.ts";
import { RawClient } from "./raw_client.ts";
import { type RecordedRequest, RecordingBackend } from "./recording_backend.ts";
import { PATIENCE } from "./signal.ts";
import { quoted, takeBody, takeHead, type WireField, wireFraming, wireValues } from "./wire.ts";

const WAYS: readonly Way[] = ["http", "https", "bytewise"];

/** More bytes than these are not sent one by one. */
const MOST_BYTEWISE = 2000;

const DRIP_MILLISECONDS = 50;

/** The hosts of the certificate that the proxy shows for a.test; those after the slash have no rule. */
const NAMES = ["a.test", "b.test", "api.test", "*.w.test", "nowhere.test"];

const CERTIFICATE = await selfSigned(NAMES);

/** Starts the proxy that most themes are for, in front of a backend. */
export async function startProxy(
  backend: { endpoint: string },
  theme: Pick<Theme, "proxy">,
  { rules = [] }: { rules?: readonly unknown[] } = {},
): Promise<TestProxy> {
  return await TestProxy.start({
    rules: [
      rule("a.test", "/", "one", tlsFiles("a")),
      rule("b.test", "/", "one"),
      rule("*.w.test", "/", "one"),
      rule("api.test", "/api", "one"),
      ...rules,
    ],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: { "a.cert": CERTIFICATE.cert, "a.key": CERTIFICATE.key },
    ...theme.proxy,
    // a backend's connection that must be closed at once is not closed because it was not used
    server: { upstreamIdleTimeout: 10 * PATIENCE, ...theme.proxy?.server },
  });
}

/** Makes one test of a theme, with a step for each case and way. */
export function testTheme(theme: Theme): void {
  Deno.test(`Conformance: ${theme.name}`, async (t) => {
    using backend = new RecordingBackend();
    await using proxy = await startProxy(backend, theme);
    for (const way of WAYS) {
      for (const one of theme.cases) {
        if (!goes(one, { way, theme })) continue;
        const fn = () => runCase(one, { way, proxy, backend, theme });
        // connections are kept from one case to the next
        const sanitize = { sanitizeOps: false, sanitizeResources: false };
        await t.step({ name: `${way}: ${one.name} (${one.rfc})`, fn, ...sanitize });
      }
    }
  });
}

/** Is a case one for a way? */
function goes(one: Case, { way, theme }: { way: Way; theme: Theme }): boolean {
  if (!(one.over ?? theme.over ?? WAYS).includes(way)) return false;
  const length = stepsOf(one.client).reduce(
    (sum, step) => sum + (typeof step === "string" ? step.length : 0),
    0,
  );
  return way !== "bytewise" || length <= MOST_BYTEWISE;
}

function stepsOf(client: Case["client"]): readonly ClientStep[] {
  return typeof client === "string" ? [client] : client;
}

interface Setting {
  way: Way;
  proxy: TestProxy;
  backend: RecordingBackend;
  theme: Theme;
}

async function runCase(one: Case, { way, proxy, backend, theme }: Setting): Promise<void> {
  const logged = proxy.record.lines.length;
  const { signal } = backend;
  using client = way === "https"
    ? await RawClient.https(proxy.addresses.https, { servername: "a.test", signal })
    : await RawClient.http(proxy.addresses.http, signal);
  backend.begin(answersOf(one), () => client.received);
  for (const step of stepsOf(one.client)) await act(step, { client, backend, way });
  const gets = [...one.gets ?? []];
  const connection = new ResponseReader(client);
  if (one.then !== "gone") {
    for (const [index, expected] of one.expect.entries()) {
      const response = await connection.next(expected);
      checkResponse(response, expected, { way });
      const isLast = expected.error !== undefined && one.then === "closed" && index === one.expect.length - 1;
      if (isLast) assertEquals(wireValues(response?.fields ?? [], "connection"), ["close"], "It is told");
    }
    gets.push(...await checkThen(one, connection));
  }
  await checkBackend(gets, {
    way,
    proxy,
    backend,
    theme,
    upstream: one.upstream,
    own: one.gets?.length ?? 0,
  });
  checkLog(proxy, logged);
}

/** The proxy may not have failed where it did not expect to. */
export function checkLog(proxy: TestProxy, from = 0): void {
  const failures = proxy.record.lines.slice(from).filter((line) =>
    /^ERROR|failed in the proxy itself/.test(line)
  );
  assertEquals(failures, [], "The proxy failed");
}

/** The answers of a case's backend. */
export function answersOf({ backend }: Pick<Case, "backend">): readonly Answer[] {
  if (backend === undefined) return [];
  return typeof backend === "object" && "answers" in backend ? backend.answers : [backend];
}

async function act(
  step: ClientStep,
  { client, backend, way }: { client: RawClient; backend: RecordingBackend; way: Way },
): Promise<void> {
  if (typeof step === "string") {
    const sending = way === "bytewise" ? client.writeBytewise(step) : client.write(step);
    return await within(sending, `the client to send ${quoted(step)}`, 2 * PATIENCE);
  }
  if ("awaits" in step) return await client.has(step.awaits);
  if ("backendHas" in step) {
    return await backend.signal.until(
      () => backend.received.includes(step.backendHas),
      `the backend to get ${quoted(step.backendHas)}, it has ${quoted(backend.received)}`,
    );
  }
  if ("halfCloses" in step) return await client.closeWrite();
  if ("stopsReading" in step) return client.stopReading();
  if ("drips" in step) return await drip(step.drips, client);
  client[Symbol.dispose]();
}

async function drip(text: string, client: RawClient): Promise<void> {
  for (const character of text) {
    if (client.hasEnded) return;
    await client.write(character);
    await pause(DRIP_MILLISECONDS);
  }
}

/** A response as it came. */
export interface Response {
  /** The status. */
  status: number;
  /** The fields, as they were written. */
  fields: WireField[];
  /** The content. */
  body: string;
  /** Did all of it come? */
  isWhole: boolean;
}

class ResponseReader {
  readonly client: RawClient;
  #at = 0;

  constructor(client: RawClient) {
    this.client = client;
  }

  /** What has come and is no part of a response yet. */
  get rest(): string {
    return this.client.received.slice(this.#at);
  }

  /** Waits for the next response; nothing when the connection ends before it. */
  async next({ toHead = false }: Pick<ExpectedResponse, "toHead">): Promise<Response | undefined> {
    let taken: { response: Response; length: number } | undefined;
    await this.client.signal.until(() => {
      taken = takeResponse(this.rest, { toHead, hasEnded: this.client.hasEnded });
      return taken !== undefined || this.client.hasEnded;
    }, `a response; so far ${quoted(this.rest)}`);
    this.#at += taken?.length ?? 0;
    return taken?.response;
  }

  /** Waits for the end. */
  async ended(): Promise<void> {
    await this.client.signal.until(
      () => this.client.hasEnded,
      `the connection to be closed; ${quoted(this.rest)}`,
    );
  }
}

function takeResponse(
  text: string,
  { toHead, hasEnded }: { toHead: boolean; hasEnded: boolean },
): { response: Response; length: number } | undefined {
  const head = takeHead(text);
  if (head === undefined) return undefined;
  const match = /^HTTP\/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*$/.exec(head.start);
  assert(match !== null, `The status line ${quoted(head.start)}`);
  const status = Number(match[1]);
  const framing = wireFraming(head.fields);
  const response = { status, fields: head.fields, body: "", isWhole: true };
  if (toHead || status < 200 || status === 204 || status === 304) return { response, length: head.length };
  const rest = text.slice(head.length);
  const body = framing === undefined
    ? { content: rest, length: rest.length, isWhole: hasEnded }
    : takeBody(rest, framing);
  if (!body.isWhole && !hasEnded) return undefined;
  return {
    response: { ...response, body: body.content, isWhole: body.isWhole },
    length: head.length + body.length,
  };
}

/** Checks a response; nothing came when the connection ended before it. */
export function checkResponse(
  response: Response | undefined,
  expected: ExpectedResponse,
  { way }: { way: Way },
): void {
  if (response === undefined) {
    assert(expected.mayBeMissing, `The connection ended instead of a ${expected.status}`);
    return;
  }
  const { status, fields, body } = response;
  const shown = `${status} ${quoted(fields.map((field) => field.join(": ")).join("\n"))} ${quoted(body)}`;
  checkResponseFields(response, shown);
  const isRefusal = expected.mayBeMissing && wireValues(fields, "pingress-error").length > 0;
  if (isRefusal) return assertEquals(status, 502, shown);
  assertEquals(status, expected.status, shown);
  const error = expected.error === undefined ? [] : [expected.error];
  assertEquals(wireValues(fields, "pingress-error"), error, shown);
  assertEquals(response.isWhole, !expected.isCut, `Is it whole? ${shown}`);
  checkHeaders(fields, expected.headers ?? {}, { way });
  if (typeof expected.body === "string") assertEquals(body, expected.body, shown);
  else if (expected.body !== undefined) assert(expected.body.test(body), shown);
}

/** What every response of the proxy must be like. */
function checkResponseFields({ status, fields }: Response, shown: string): void {
  const names = fields.map(([name]) => name);
  assertEquals(names, names.map((name) => name.toLowerCase()), "Names in lower case");
  for (const name of ["keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer"]) {
    assert(!names.includes(name), `${name} in ${shown}`);
  }
  const connection = wireValues(fields, "connection").join();
  assert(/^(?:close|keep-alive|upgrade)?$/.test(connection), `Connection: ${connection}`);
  if (status < 200 || status === 204) {
    assert(!names.includes("content-length") && !names.includes("transfer-encoding"), shown);
  }
  assertEquals(names.includes("upgrade"), status === 101, shown);
  if (status < 200) return;
  for (const name of ["date", "server"]) {
    assertEquals(wireValues(fields, name).length, 1, `${name} in ${shown}`);
  }
}

/** Checks some header fields. */
function checkHeaders(
  fields: readonly WireField[],
  expected: ExpectedHeaders,
  { way }: { way: Way },
): void {
  const fill = (value: string) =>
    value.replaceAll("{scheme}", way === "https" ? "https" : "http")
      .replaceAll("{port}", way === "https" ? "443" : "80");
  for (const [name, value] of Object.entries(expected)) {
    const values = wireValues(fields, name);
    if (value instanceof RegExp) {
      assert(values.length === 1 && value.test(values[0] ?? ""), `${name}: ${quoted(values.join(" | "))}`);
    } else {
      const all = value === null ? [] : typeof value === "string" ? [value] : value;
      assertEquals(values, all.map(fill), name);
    }
  }
}

/** Checks what becomes of the connection. @returns what the backend must have got meanwhile. */
async function checkThen({ then = "open" }: Case, connection: ResponseReader): Promise<ExpectedRequest[]> {
  if (then === "either" || then === "gone") return [];
  if (then === "open") {
    assertEquals([connection.rest, connection.client.hasEnded], ["", false], "It should be open");
    await connection.client.write("GET /open HTTP/1.1\r\nHost: a.test\r\n\r\n");
    checkResponse(await connection.next({}), { status: 200, body: "ok" }, { way: "http" });
    return ["GET /open"];
  }
  if (then === "closed") {
    await connection.ended();
    assertEquals(connection.rest, "", "Nothing behind the last answer");
    return [];
  }
  const { tunnel } = then;
  const has = () => connection.rest.length >= tunnel.length || connection.client.hasEnded;
  await connection.client.signal.until(
    has,
    `${quoted(tunnel)} in the tunnel; so far ${quoted(connection.rest)}`,
  );
  assertEquals(connection.rest, tunnel);
  return [];
}

/** What {@linkcode checkBackend} needs to know. */
export interface BackendCheck {
  /** How the requests came. */
  way: Way;
  /** The proxy. */
  proxy: TestProxy;
  /** What it forwards to. */
  backend: RecordingBackend;
  /** What the proxy was made for. */
  theme?: Pick<Theme, "sentinelPrefix">;
  /** See {@linkcode Case}. */
  upstream?: Case["upstream"];
  /** How many of the requests are the case's own. */
  own?: number;
}

/** Waits until the backend has got what it must get, and checks that it has got nothing else. */
export async function checkBackend(
  gets: readonly ExpectedRequest[],
  { way, proxy, backend, theme, upstream, own = gets.length }: BackendCheck,
): Promise<void> {
  const lines = () => quoted(backend.requests.map((request) => request.line).join(", "));
  await backend.signal.until(
    () => backend.requests.length >= gets.length || backend.violations.length > 0,
    `${gets.length} requests; the backend has got ${lines()}`,
  );
  for (const [index, expected] of gets.entries()) {
    const request = backend.requests[index];
    if (request === undefined || typeof expected === "string" || !expected.isCut) continue;
    await backend.signal.until(() => !backend.isOpen(request.connection), "the backend to see the end");
  }
  const last = backend.requests[own - 1];
  if (upstream === "closed" && last !== undefined) {
    await backend.signal.until(
      () => !backend.isOpen(last.connection),
      "the backend's connection to be closed",
    );
  }
  await checkSentinel(proxy, theme?.sentinelPrefix);
  assertEquals(backend.violations, [], "What the backend got");
  checkRequests([...gets, "GET /sentinel"], { backend, way });
  if (upstream === "kept") {
    const [one, next] = backend.requests.slice(own - 1, own + 1).map(({ connection }) => connection);
    assertEquals(next, one, "The backend's connection was not used again");
  }
}

/** A request of somebody else: whatever was smuggled would come before it. */
async function checkSentinel(proxy: TestProxy, prefix = ""): Promise<void> {
  using client = await RawClient.http(proxy.addresses.http);
  await client.write(prefix + "GET /sentinel HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const response = await new ResponseReader(client).next({});
  assertEquals([response?.status, response?.body], [200, "ok"], "The answer to somebody else's request");
}

function checkRequests(
  gets: readonly ExpectedRequest[],
  { backend, way }: { backend: RecordingBackend; way: Way },
): void {
  assertEquals(backend.requests.map(summary), gets.map(expectedSummary), "What the backend got");
  assertEquals(backend.unfinished, [], "What the backend got behind it");
  for (const [index, expected] of gets.entries()) {
    if (typeof expected === "object") {
      checkHeaders(backend.requests[index]?.fields ?? [], expected.headers ?? {}, { way });
    }
  }
}

function summary({ line, body, isWhole }: RecordedRequest): string {
  const start = line.replace(/ HTTP\/1\.1$/, "");
  return isWhole ? `${start}${body === "" ? "" : ` ${body}`}` : `${start} (cut)`;
}

function expectedSummary(expected: ExpectedRequest): string {
  return typeof expected === "string" ? expected : `${expected.is}${expected.isCut ? " (cut)" : ""}`;
}
