/**
 * What RFC 9112 and Pingress's own rules make of the bytes of a connection, read slowly and as a whole: with
 * this model every server is compared. It shares nothing with the proxy's parser.
 *
 * @module
 */
import type { WireField } from "../conformance/wire.ts";

/** The limits that the model and the proxy are set to: small, so that they are met. */
export const LIMITS = {
  head: 4096,
  target: 1024,
  fields: 200,
  chunkLine: 4096,
  trailers: 16 * 1024,
  emptyLines: 4,
};

/** Each reason to refuse a request: the statuses that Pingress gives for it, and where the rule comes from. */
export const FAULTS = {
  "bare LF": [[400], "RFC 9112, 2.2: a recipient MAY take it for a line end"],
  "head cut off": [[400], "RFC 9112, 8"],
  "head too large": [[431], "RFC 6585, 5"],
  "target too long": [[414], "RFC 9110, 15.5.15"],
  "request line": [[400], "RFC 9112, 3"],
  "target's characters": [[400], "RFC 9112, 3.2"],
  "version": [[505], "RFC 9112, 2.3"],
  "folded line": [[400], "RFC 9112, 5.2"],
  "space before colon": [[400], "RFC 9112, 5.1"],
  "no colon": [[400], "RFC 9112, 5"],
  "field name": [[400], "RFC 9110, 5.1"],
  "field value": [[400], "RFC 9110, 5.5"],
  "too many fields": [[431], "RFC 6585, 5"],
  "several lengths": [[400], "RFC 9112, 6.3: MAY be taken for one if they agree"],
  "length": [[400], "RFC 9112, 6.3"],
  "length and coding": [[400], "RFC 9112, 6.1"],
  "coding in HTTP/1.0": [[400], "RFC 9112, 6.1"],
  "several codings": [[400], "RFC 9112, 6.1"],
  "other coding": [[501], "RFC 9112, 6.1"],
  "coding": [[400], "RFC 9112, 6.3"],
  "expectation": [[417], "RFC 9110, 10.1.1"],
  "no Host": [[400], "RFC 9112, 3.2"],
  "several Hosts": [[400], "RFC 9112, 3.2"],
  "target's form": [[400], "RFC 9112, 3.2"],
  "Host beside a URL": [[400], "RFC 9112, 3.2.2"],
  "upgrade with content": [[400], "RFC 9110, 7.8"],
  "method": [[405], "RFC 9110, 9.3.6 and 9.3.8"],
  "host": [[400], "RFC 9110, 7.2"],
  "path": [[400], "RFC 3986, 3.3"],
  "content cut off": [[400], "RFC 9112, 8"],
  "chunk size": [[400], "RFC 9112, 7.1"],
  "chunk line end": [[400], "RFC 9112, 7.1 and 2.2"],
  "chunk line too long": [[400], "RFC 9112, 7.1.1"],
  "chunk end": [[400], "RFC 9112, 7.1"],
  "trailer": [[400], "RFC 9112, 7.1.2"],
} as const satisfies Record<string, [statuses: number[], rule: string]>;

/** The name of a reason to refuse a request. */
export type Fault = keyof typeof FAULTS;

/** Those behind which the connection can go on: the request was understood. */
const REFUSED_BY_HANDLER: ReadonlySet<Fault> = new Set(["method", "host", "path"]);

/** A request as a backend must see it. */
export interface SeenRequest {
  /** Its method. */
  method: string;
  /** Its target, with dot segments resolved. */
  target: string;
  /** Its Host. */
  host: string;
  /** Its fields, in the form that {@linkcode endToEnd} gives them. */
  fields: string[];
  /** Its content. */
  body: string;
}

/** A message of a connection. */
export interface ReferenceRequest extends SeenRequest {
  /** Its head as sent, as far as it is one. */
  head: string;
  /** How many empty lines there were in front of it. */
  emptyLines: number;
  /** Its target as sent. */
  sentTarget: string;
  /** Its fields as sent. */
  sentFields: WireField[];
  /** Is it HTTP/1.0? */
  isOld: boolean;
  /** Its content as sent, with its framing, as far as it can be read. */
  sentContent: string;
  /** How its content is framed, if it is. */
  framing: "length" | "chunked" | undefined;
  /** Why it is refused; it is accepted without any. */
  faults: Fault[];
  /** May the connection go on behind it? After a refusal it need not. */
  goesOn: boolean;
  /** Where it ends among the connection's bytes, or where it cannot be read any further. */
  end: number;
  /** What comes there. */
  rest: string;
}

/** Reads all that a client sends on a connection before it ends it. */
export function readRequests(text: string): ReferenceRequest[] {
  const requests: ReferenceRequest[] = [];
  for (let at = 0;;) {
    const before = at;
    while (at - before < 2 * LIMITS.emptyLines && text.startsWith("\r\n", at)) at += 2;
    if (at === text.length) return requests;
    const request = readRequest(text, at);
    request.emptyLines = (at - before) / 2;
    requests.push(request);
    if (!request.goesOn) return requests;
    at = request.end;
  }
}

function readRequest(text: string, start: number): ReferenceRequest {
  const { head, end, faults } = findHead(text, start);
  const [line = "", ...lines] = head.split("\r\n").slice(0, -1);
  const request: ReferenceRequest = {
    ...{
      head,
      end,
      rest: "",
      faults,
      sentFields: [],
      fields: [],
      body: "",
      framing: undefined,
      goesOn: false,
    },
    ...{ method: "", sentTarget: "", isOld: false, host: "", target: "", emptyLines: 0, sentContent: "" },
  };
  if (end === -1) return request;
  Object.assign(request, readLine(line, faults));
  // whoever reads on reads something else than was meant
  if (faults.includes("request line")) return { ...request, rest: text.slice(end, end + 1000) };
  request.sentFields = readFields(lines, faults);
  request.fields = endToEnd(request.sentFields, nominatedBy(request.sentFields));
  const length = readFraming(request);
  readExpectation(request);
  readTarget(request);
  if (request.method === "GET" && isUpgrade(request) && (length !== undefined && length !== 0)) {
    faults.push("upgrade with content");
  }
  readContent(request, length, text);
  request.faults = [...new Set(faults)];
  request.sentContent = text.slice(end, request.end);
  request.rest = text.slice(request.end, request.end + 1000);
  request.goesOn = faults.every((fault) => REFUSED_BY_HANDLER.has(fault)) && keepsAlive(request);
  return request;
}

/** Finds the head that starts somewhere. @returns -1 for its end when it has none that everybody would agree on. */
export function findHead(
  text: string,
  start: number,
  limit: number = LIMITS.head,
): { head: string; end: number; faults: Fault[] } {
  const faults: Fault[] = [];
  const emptyLine = text.startsWith("\r\n", start) ? start : text.indexOf("\r\n\r\n", start) + 2;
  const isWhole = emptyLine !== 1;
  const end = isWhole ? emptyLine + 2 : text.length;
  const head = text.slice(start, isWhole ? emptyLine : end);
  if (/(?:^|[^\r])\n/.test(head)) faults.push("bare LF");
  if (end - start > limit) {
    const isLine = text.slice(start, start + limit).includes("\n");
    faults.push(isLine ? "head too large" : "target too long");
  } else if (!isWhole && faults.length === 0) faults.push("head cut off");
  return { head, end: faults.length === 0 ? end : -1, faults };
}

function readLine(line: string, faults: Fault[]) {
  const [method = ""] = /^[^ ]*(?= )/.exec(line) ?? [];
  const [, sentTarget = "", major = "", minor = ""] = /^[^ ]+ ([^ ]+) HTTP\/([0-9])\.([0-9])$/.exec(line) ??
    [];
  if (major === "" || !isToken(method)) faults.push("request line");
  else {
    if (!/^[\x21-\x7e]+$/.test(sentTarget)) faults.push("target's characters");
    if (major !== "1") faults.push("version");
    if (sentTarget.length > LIMITS.target) faults.push("target too long");
  }
  return { method, sentTarget, isOld: minor === "0" };
}

/** Reads header lines, and notes what is wrong with them. */
export function readFields(lines: string[], faults: Fault[]): WireField[] {
  const fields: WireField[] = [];
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = line.slice(colon + 1).replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
    if (/^[ \t]/.test(line)) faults.push("folded line");
    else if (colon === -1) faults.push("no colon");
    else if (/[ \t]$/.test(name)) faults.push("space before colon");
    else if (!isToken(name)) faults.push("field name");
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) faults.push("field value");
    fields.push([name, value]);
  }
  if (fields.length > LIMITS.fields) faults.push("too many fields");
  return fields;
}

function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text);
}

/** The values of a field. */
export function values(fields: readonly WireField[], name: string): string[] {
  return fields.filter((field) => field[0].toLowerCase() === name).map((field) => field[1]);
}

function elements(fields: readonly WireField[], name: string): string[] {
  return values(fields, name).join(",").split(",").map((element) =>
    element.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase()
  );
}

/** @returns the length, Infinity for chunks. */
function readFraming(request: ReferenceRequest): number | undefined {
  const { sentFields, faults } = request;
  const lengths = values(sentFields, "content-length");
  const codings = values(sentFields, "transfer-encoding");
  const [length] = lengths;
  const [coding] = codings;
  if (lengths.length > 1) faults.push("several lengths");
  if (lengths.some((one) => !/^[0-9]{1,15}$/.test(one))) faults.push("length");
  if (coding !== undefined) {
    if (request.isOld) faults.push("coding in HTTP/1.0");
    if (length !== undefined) faults.push("length and coding");
    if (codings.length > 1) faults.push("several codings");
    const parts = coding.toLowerCase().split(",").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""));
    if (parts.at(-1) !== "chunked" || !parts.every(isToken)) faults.push("coding");
    else if (parts.length > 1) faults.push("other coding");
    request.framing = "chunked";
    return Infinity;
  }
  if (length !== undefined) request.framing = "length";
  return length === undefined ? undefined : Number(length);
}

function readExpectation({ sentFields, isOld, faults }: ReferenceRequest): void {
  if (isOld || values(sentFields, "expect").length === 0) return;
  if (!elements(sentFields, "expect").includes("100-continue")) faults.push("expectation");
}

function isUpgrade({ sentFields, isOld }: ReferenceRequest): boolean {
  return !isOld && elements(sentFields, "upgrade").includes("websocket") &&
    elements(sentFields, "connection").includes("upgrade");
}

function keepsAlive({ sentFields, isOld }: ReferenceRequest): boolean {
  const options = elements(sentFields, "connection");
  return !options.includes("close") && (!isOld || options.includes("keep-alive"));
}

function readTarget(request: ReferenceRequest): void {
  const { method, sentTarget, sentFields, faults } = request;
  const hosts = values(sentFields, "host");
  if (hosts.length === 0) faults.push("no Host");
  if (hosts.length > 1) faults.push("several Hosts");
  request.host = hosts[0] ?? "";
  request.target = sentTarget;
  if (method === "CONNECT" || method === "TRACE") faults.push("method");
  const url = /^https?:\/\/([^/?#]*)(.*)$/i.exec(sentTarget);
  if (sentTarget === "*") {
    if (method !== "OPTIONS") faults.push("target's form");
  } else if (!sentTarget.startsWith("/") && method !== "CONNECT") {
    if (url === null) return void faults.push("target's form");
    if (hosts.length > 0 && !isAuthority(request.host)) faults.push("Host beside a URL");
    const [, authority = "", rest = ""] = url ?? [];
    request.host = authority;
    request.target = rest === "" && method === "OPTIONS" ? "*" : rest.startsWith("/") ? rest : `/${rest}`;
  } else if (method === "CONNECT" && !sentTarget.startsWith("/")) request.target = "/";
  if (request.host !== "" || hosts.length > 0) {
    if (!isAuthority(request.host)) faults.push("host");
  }
  if (request.target === "*") return;
  const [path = ""] = request.target.split("?");
  const query = request.target.slice(path.length);
  const resolved = withoutDotSegments(path);
  const isPath = !/%(?![0-9a-fA-F][0-9a-fA-F])|%00|\\/.test(path) && !request.target.includes("#");
  if (!isPath || resolved === undefined) faults.push("path");
  request.target = `${resolved ?? path}${query}`;
}

function isAuthority(text: string): boolean {
  const [, name = "", port = ""] =
    /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)(?::([0-9]{0,5}))?$/.exec(text) ?? [];
  return name !== "" && Number(port) <= 65535 && !/\.\.|^\.$|\.\.$/.test(name);
}

/** RFC 3986, section 5.2.4, with percent-encoded dots for dots; nothing for what goes above the root. */
function withoutDotSegments(path: string): string | undefined {
  const output: string[] = [];
  let rest = path;
  while (rest !== "") {
    const [segment = ""] = /^\/[^/]*/.exec(rest) ?? [];
    rest = rest.slice(segment.length);
    const plain = segment.replace(/%2e/gi, ".");
    if (plain === "/..") {
      if (output.pop() === undefined) return undefined;
    } else if (plain !== "/.") {
      output.push(segment);
      continue;
    }
    if (rest === "") output.push("/");
  }
  return output.join("");
}

function readContent(request: ReferenceRequest, length: number | undefined, text: string): void {
  const { faults, end } = request;
  // what its head leaves open nobody can know
  if (faults.some((fault) => !REFUSED_BY_HANDLER.has(fault)) || length === undefined) return;
  if (length === Infinity) return readChunks(request, text);
  request.body = text.slice(end, end + length);
  request.end += length;
  if (request.body.length < length) faults.push("content cut off");
}

/** Content that is read. */
interface ContentReading {
  faults: Fault[];
  body: string;
  end: number;
}

/** Reads content in the chunked coding from `reading.end` on. */
export function readChunks(reading: ContentReading, text: string): void {
  const { faults } = reading;
  for (;;) {
    const { end } = reading;
    const line = takeLine(reading, text, LIMITS.chunkLine);
    if (line === undefined) return;
    const [, digits = ""] = /^([0-9a-fA-F]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line) ?? [];
    if (digits === "") {
      reading.end = end;
      return void faults.push("chunk size");
    }
    const size = parseInt(digits, 16);
    if (size === 0) break;
    const data = text.slice(reading.end, reading.end + size);
    reading.body += data;
    reading.end += size;
    if (data.length < size) return void faults.push("content cut off");
    const behind = text.slice(reading.end, reading.end + 2);
    if (behind !== "\r\n") {
      return void faults.push("\r\n".startsWith(behind) ? "content cut off" : "chunk end");
    }
    reading.end += 2;
  }
  for (let left = LIMITS.trailers;;) {
    const line = takeLine(reading, text, left);
    if (line === undefined || line === "") return;
    left -= line.length + 2;
    const trailerFaults: Fault[] = [];
    readFields([line], trailerFaults);
    if (trailerFaults.length > 0) return void faults.push("trailer");
  }
}

/** A line between chunks; nothing where there is none. */
function takeLine(reading: ContentReading, text: string, most: number): string | undefined {
  const { faults, end } = reading;
  const lineEnd = text.indexOf("\n", end);
  if ((lineEnd === -1 ? text.length : lineEnd) - end >= most) return void faults.push("chunk line too long");
  if (lineEnd === -1) return void faults.push("content cut off");
  const line = text.slice(end, lineEnd + 1);
  if (!/^[^\r]*\r\n$/.test(line)) return void faults.push("chunk line end");
  reading.end = lineEnd + 1;
  return line.slice(0, -2);
}

/** Fields that are between two neighbours, or that every proxy writes anew. */
const NOT_COMPARED = new Set([
  ...[
    "close",
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
  ],
  ...[
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "proxy",
  ],
  ...[
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-real-ip",
    "x-request-id",
    "x-scheme",
  ],
]);

/** The fields that a Connection field names (RFC 9110, section 7.6.1). */
export function nominatedBy(fields: readonly WireField[]): ReadonlySet<string> {
  return new Set(elements(fields, "connection"));
}

/**
 * The fields that go from end to end, with those of one name put together and in the order of their names, so
 * that two lists can be compared. Without names that have an underscore: those are not sent to backends.
 */
export function endToEnd(
  fields: readonly WireField[],
  nominated: ReadonlySet<string>,
  { isResponse = false } = {},
): string[] {
  const together = new Map<string, string>();
  for (const [sent, value] of fields) {
    const name = sent.toLowerCase();
    if (NOT_COMPARED.has(name) || nominated.has(name)) continue;
    if (name.includes("_") && !isResponse) continue;
    const before = together.get(name);
    together.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return [...together].map(([name, value]) => `${name}: ${value}`).sort();
}
