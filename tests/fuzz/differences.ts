/**
 * Where other servers do something else than Pingress, and why Pingress does as it does. A difference that is
 * not here fails the fuzzing.
 *
 * @module
 */
import type { Difference } from "./compare.ts";
import { endToEnd, type Fault, nominatedBy } from "./reference.ts";

/** A server that Pingress is compared with. */
export type OtherServer = "Deno.serve" | "nginx";

/** A way in which another server is known to differ. */
export interface Explanation {
  /** The other server. */
  server: OtherServer;
  /** What it does otherwise. */
  kind: Difference["kind"];
  /** The reason to refuse a request that it passes over, where it accepts. */
  fault: Fault | undefined;
  /** Where it does so, for people. */
  where: string;
  /** Why Pingress does not. */
  why: string;
  /** Is it about this difference? */
  matches: (difference: Difference) => boolean;
}

type Matches = Explanation["matches"];

/** Which servers pass over which reason to refuse a request. */
const ACCEPTED: [OtherServer[], Fault, where: string, why: string, matches?: Matches][] = [
  [
    ["Deno.serve", "nginx"],
    "bare LF",
    "lines that end with LF alone",
    "RFC 9112, 2.2 leaves it open; where two parsers differ on the end of a head, a request can be smuggled",
  ],
  [
    ["Deno.serve", "nginx"],
    "request line",
    "more than 4 empty lines before a request",
    "RFC 9112, 2.2: at least one; without a limit it would be work for nothing",
    ({ request }) => request.head === "",
  ],
  [
    ["nginx"],
    "request line",
    "HTTP/0.9: a request line without a version",
    "RFC 9112, 2.3: a request has a version",
    isWithoutVersion,
  ],
  [
    ["nginx"],
    "head cut off",
    "HTTP/0.9 with something behind it that has no end",
    "RFC 9112, 2.3: a request has a version",
    isWithoutVersion,
  ],
  [
    ["nginx"],
    "request line",
    "more than one space within or behind the request line",
    "RFC 9112, 3: single spaces; to be lenient is allowed, and risky",
    ({ request }) => /^[^\r]*(?: {2}| \r)/.test(request.head),
  ],
  [
    ["nginx"],
    "request line",
    "a minor version of several digits",
    "RFC 9112, 2.3: it has one digit",
    ({ request }) => /^[^\r]* HTTP\/1\.[0-9]{2,}\r/.test(request.head),
  ],
  [
    ["nginx"],
    "request line",
    "CR in front of a request",
    "RFC 9112, 2.2: only an empty line may be there",
    ({ request }) => request.head.startsWith("\r"),
  ],
  [
    ["nginx"],
    "target's characters",
    "bytes above 127 in the target",
    "RFC 9112, 3.2: a target is ASCII",
    ({ request }) => /[\x80-\xff]/.test(request.sentTarget),
  ],
  [
    ["Deno.serve", "nginx"],
    "target's form",
    "URLs with schemes other than http and https",
    "RFC 9110, 7.4: it is not the origin of these",
    ({ request }) => /^[a-z][a-z0-9+.-]*:\/\//i.test(request.sentTarget),
  ],
  [
    ["Deno.serve", "nginx"],
    "path",
    "paths with a fragment, a backslash, %00 or an invalid percent-encoding",
    "RFC 3986, 3.3: no such paths; what backends read in different ways could get by a rule",
  ],
  [
    ["Deno.serve"],
    "method",
    "CONNECT and TRACE",
    "RFC 9110, 9.3.6 and 9.3.8: a gateway has no use for the one, and the other one shows secrets",
  ],
  [
    ["Deno.serve"],
    "no Host",
    "requests without a Host",
    "RFC 9112, 3.2: MUST be refused; without one there is no rule for them",
  ],
  [
    ["nginx"],
    "no Host",
    "HTTP/1.0 without a Host",
    "without one there is no rule for it",
    ({ request }) => request.isOld,
  ],
  [
    ["Deno.serve"],
    "several Hosts",
    "HTTP/1.0 with several Hosts",
    "RFC 9112, 3.2: MUST be refused",
    ({ request }) => request.isOld,
  ],
  [
    ["Deno.serve", "nginx"],
    "host",
    "user information, other characters or a port above 65535 in a Host",
    "RFC 9112, 3.2: an invalid Host MUST be refused",
  ],
  [
    ["Deno.serve", "nginx"],
    "Host beside a URL",
    "an invalid Host beside a target in absolute-form",
    "RFC 9112, 3.2: an invalid Host MUST be refused",
  ],
  [
    ["Deno.serve", "nginx"],
    "expectation",
    "expectations other than 100-continue",
    "RFC 9110, 10.1.1: what cannot be met MAY be refused with 417",
  ],
  [["Deno.serve", "nginx"], "head too large", "heads of more than 4 KiB", "a limit of this test"],
  [["Deno.serve", "nginx"], "target too long", "targets of more than 1 KiB", "a limit of this test"],
  [["nginx"], "too many fields", "more than 200 fields", "a limit"],
  [
    ["nginx"],
    "no colon",
    "header lines without a colon, which it drops",
    "RFC 9112, 5: no field is like that",
  ],
  [
    ["nginx"],
    "field name",
    "names that are no tokens, with their fields dropped",
    "RFC 9110, 5.1: a name is a token",
  ],
  [
    ["nginx"],
    "field value",
    "control characters in values, which it passes on",
    "RFC 9110, 5.5: they are invalid, and dangerous",
  ],
  [
    ["nginx"],
    "length",
    "CR behind a Content-Length",
    "RFC 9112, 2.2: CR is no whitespace",
    hasCrBehind("content-length"),
  ],
  [
    ["nginx"],
    "coding",
    "CR behind a Transfer-Encoding",
    "RFC 9112, 2.2: CR is no whitespace",
    hasCrBehind("transfer-encoding"),
  ],
  [
    ["Deno.serve"],
    "length",
    "a Content-Length of more than 15 digits",
    "a limit: not all numbers above 2^53 are exact",
    ({ request }) => /^content-length:[ \t]*[0-9]{16,}[ \t]*\r$/im.test(request.head),
  ],
  [
    ["Deno.serve"],
    "several lengths",
    "several Content-Length fields that agree",
    "RFC 9112, 6.3 allows to refuse them",
  ],
  [
    ["Deno.serve"],
    "several codings",
    "several Transfer-Encoding fields, the last one chunked",
    "RFC 9112, 6.1: a coding that is not understood SHOULD be refused",
    endsChunked,
  ],
  [
    ["Deno.serve"],
    "coding",
    "other codings in front of chunked that are no tokens",
    "RFC 9112, 6.1: a coding that is not understood SHOULD be refused",
    endsChunked,
  ],
  [
    ["Deno.serve"],
    "other coding",
    "other codings in front of chunked",
    "RFC 9112, 6.1: a coding that is not understood SHOULD be refused",
  ],
  [
    ["nginx"],
    "upgrade with content",
    "a request to change the protocol that has content",
    "RFC 9110, 7.8: whose bytes are they? nginx does not change it",
  ],
  ...([
    "content cut off",
    "chunk size",
    "chunk line end",
    "chunk end",
    "chunk line too long",
    "trailer",
  ] as const).map((
    fault,
  ): (typeof ACCEPTED)[number] => [
    ["Deno.serve"],
    fault,
    "GET, HEAD and CONNECT with faulty content, which it does not read",
    "RFC 9112, 6.3 and 7.1: the end of it is the start of the next request",
    isUnread,
  ]),
  [
    ["Deno.serve"],
    "chunk size",
    "whitespace around a chunk's size",
    "RFC 9112, 7.1: there is none",
    ({ request }) => /^[ \t]*[0-9a-f]+[ \t]*[\r;]/i.test(request.rest),
  ],
  [
    ["nginx"],
    "chunk line too long",
    "more than 4 KiB between two chunks",
    "a limit: extensions are of no use",
  ],
  [
    ["nginx"],
    "chunk size",
    "a chunk's size of more than 12 digits",
    "a limit: leading zeros without end would be work for nothing",
    ({ request }) => /^[0-9a-f]{13,}/i.test(request.rest),
  ],
  [
    ["nginx"],
    "chunk size",
    "whitespace behind a chunk's size",
    "RFC 9112, 7.1: there is none",
    ({ request }) => /^[0-9a-f]+[ \t]/i.test(request.rest),
  ],
  [
    ["nginx"],
    "chunk size",
    "control characters in chunk extensions",
    "RFC 9112, 7.1.1: extensions are tokens and quoted strings",
    ({ request }) => /^[0-9a-f]+ *;/i.test(request.rest),
  ],
  [
    ["nginx"],
    "chunk line end",
    "lines of the chunked coding that end with LF alone, and CR within them",
    "RFC 9112, 7.1: they end with CRLF; chunks can be hidden in what is read in two ways",
  ],
  [
    ["nginx"],
    "chunk end",
    "LF alone behind a chunk",
    "RFC 9112, 7.1: it ends with CRLF",
    ({ request }) => request.rest.startsWith("\n"),
  ],
  [["nginx"], "trailer", "faulty trailers", "RFC 9112, 7.1.2: they are fields"],
];

/** What else servers do in other ways. */
const OTHERS: [OtherServer[], Difference["kind"], where: string, why: string, matches: Matches][] = [
  [
    ["Deno.serve"],
    "refuses",
    "HTTP/1.2 and higher",
    "RFC 9110, 2.5: it is to be read as the highest version that is known",
    ({ request }) => /^[^\r]* HTTP\/1\.[2-9]\r/.test(request.head),
  ],
  [
    ["Deno.serve"],
    "refuses",
    "a request to change the protocol that has content",
    "RFC 9110, 7.8: Upgrade MAY be ignored; only for WebSocket, which is asked for with GET, Pingress refuses content",
    ({ request }) => request.framing !== undefined && /^upgrade:/im.test(request.head),
  ],
  [
    ["Deno.serve"],
    "refuses",
    "more than 126 fields",
    "a limit",
    ({ request }) => request.sentFields.length > 126,
  ],
  [
    ["Deno.serve"],
    "refuses",
    "two empty lines or more before a request, when more than 512 bytes are there",
    "RFC 9112, 2.2: empty lines before a request SHOULD be ignored; what it does depends on its buffer",
    ({ request }) => request.emptyLines > 1,
  ],
  [
    ["Deno.serve"],
    "refuses",
    "a tab in a chunk extension",
    "RFC 9112, 7.1.1: whitespace there may be tabs; extensions are read over",
    hasTabInExtension,
  ],
  [
    ["Deno.serve"],
    "closes",
    "at a tab in a chunk extension",
    "RFC 9112, 7.1.1: whitespace there may be tabs; extensions are read over",
    hasTabInExtension,
  ],
  [
    ["Deno.serve"],
    "closes",
    "behind content of GET, HEAD and CONNECT, which it has not read",
    "RFC 9112, 9.3: content that can be read is no reason to close",
    ({ before }) => before?.framing !== undefined && isBodyless(before.method),
  ],
  [
    ["Deno.serve"],
    "content",
    "content of GET, HEAD and CONNECT, which is lost",
    "RFC 9110, 9.3.1: the backend knows what it means, and its length is in the head",
    ({ request, seen }) => isBodyless(request.method) && seen === "",
  ],
  [
    ["Deno.serve", "nginx"],
    "fields",
    "fields that Connection names",
    "RFC 9110, 7.6.1: they MUST NOT be passed on",
    (difference) => `${seenUnnamed(difference)}` === `${difference.request.fields}`,
  ],
  [
    ["Deno.serve"],
    "fields",
    "several fields of one name, of which `Headers` drops empty ones and joins cookies with semicolons",
    "RFC 9110, 5.3: the list is the same; Pingress passes fields on one by one",
    (difference) => joined(seenUnnamed(difference)) === joined(difference.request.fields),
  ],
  [
    ["Deno.serve"],
    "target",
    "OPTIONS for the whole server, which is / in a URL",
    "RFC 9112, 3.2.4: it is *",
    ({ request }) => request.target === "*",
  ],
  [
    ["Deno.serve", "nginx"],
    "target",
    "dot segments",
    "RFC 3986, 6.2.2.3: what is matched with the rules must be what the backend sees",
    hasDotSegments,
  ],
  [
    ["Deno.serve", "nginx"],
    "Host",
    "a target in absolute-form",
    "RFC 9112, 3.2.2: its authority is the Host, and the one that was sent MUST be ignored",
    ({ request }) => isUrl(request.sentTarget),
  ],
  [
    ["nginx"],
    "target",
    "OPTIONS for the whole server as a URL without a path",
    "RFC 9112, 3.2.4: it is *",
    ({ request }) => request.target === "*",
  ],
  [
    ["nginx"],
    "target",
    "a URL with neither path nor query but its question mark",
    "RFC 3986, 6.2.3: an empty query is not the same as none",
    ({ request, seen }) => isUrl(request.sentTarget) && request.target === `${seen}?`,
  ],
  [
    ["nginx"],
    "refuses",
    "OPTIONS *",
    "RFC 9110, 9.3.7: it asks about the whole server",
    ({ request }) => request.sentTarget === "*",
  ],
  [
    ["nginx"],
    "refuses",
    "methods with other characters than A to Z, - and _",
    "RFC 9110, 9.1: a method is a token",
    ({ request }) => /[^A-Z_-]/.test(request.method),
  ],
  [
    ["nginx"],
    "refuses",
    "dot segments that leave the root when %2f is / and // too",
    "RFC 3986, 2.2: %2f is not /, and an empty segment is one",
    ({ request }) => /(?:\.|%2e){2}/i.test(request.sentTarget) && /%2f|\/\//i.test(request.sentTarget),
  ],
  [
    ["nginx"],
    "refuses",
    "a target in absolute-form whose host has an underscore",
    "RFC 3986, 3.2.2: a registered name may have one",
    ({ request }) => /^https?:\/\/[^/?#]*_/i.test(request.sentTarget),
  ],
  [
    ["nginx"],
    "refuses",
    "a tab around the value of Host, Content-Length or Transfer-Encoding",
    "RFC 9110, 5.6.3: a tab is whitespace",
    ({ request }) =>
      /^(?:host|content-length|transfer-encoding):(?:[ \t]*\t|[^\r]*\t[ \t]*\r)/im.test(request.head),
  ],
  [
    ["nginx"],
    "refuses",
    "several Authorization or Expect fields",
    "RFC 9110, 5.3 and 10.1.1: Expect is a list, and the backend knows which authorization counts",
    hasSeveral,
  ],
  [
    ["nginx"],
    "fields",
    "names with other characters than letters, digits and -, with their fields dropped",
    "RFC 9110, 5.1: a name is a token",
    (difference) =>
      `${seenUnnamed(difference)}` ===
        `${difference.request.fields.filter((field) => /^[a-z0-9-]+:/.test(field))}`,
  ],
  [
    ["nginx"],
    "goes on",
    "behind a Connection with close that is followed by one with keep-alive",
    "RFC 9112, 9.3: close counts, wherever it is",
    ({ before }) => /^connection:.*close[^]*^connection:.*keep-alive/im.test(before?.head ?? ""),
  ],
  [
    ["nginx"],
    "closes",
    "behind a Connection that has `close` as a part of a word",
    "RFC 9110, 7.6.1: options are whole words",
    ({ before }) => /^connection:.*close/im.test(before?.head ?? ""),
  ],
];

/** All ways in which other servers are known to differ. */
export const EXPLANATIONS: readonly Explanation[] = [
  ...ACCEPTED.flatMap(([servers, fault, where, why, matches = () => true]) =>
    servers.map((server) => ({ server, kind: "accepts" as const, fault, where, why, matches }))
  ),
  ...OTHERS.flatMap(([servers, kind, where, why, matches]) =>
    servers.map((server) => ({ server, kind, fault: undefined, where, why, matches }))
  ),
];

/** Finds what explains a difference: of several faults each must be. @returns nothing when it is not explained. */
export function explain(server: string, difference: Difference): Explanation[] | undefined {
  const faults = difference.kind === "accepts" ? difference.request.faults : [undefined];
  const found: Explanation[] = [];
  for (const fault of faults) {
    const explanation = EXPLANATIONS.find((one) =>
      one.server === server && one.kind === difference.kind && one.fault === fault && one.matches(difference)
    );
    if (explanation === undefined) return undefined;
    found.push(explanation);
  }
  return found;
}

/** All explanations as a table in Markdown, as `deno fmt` aligns it. */
export function explanationTable(): string {
  const groups = Object.values(
    Object.groupBy(EXPLANATIONS, ({ kind, where, why }) => JSON.stringify([kind, where, why])),
  );
  const rows = [["server", "does", "where", "why Pingress does not"]];
  for (const group of groups as [Explanation, ...Explanation[]][]) {
    const [{ kind, where, why }] = group;
    const servers = new Set(group.map(({ server }) => server));
    rows.push([[...servers].join(", "), WORDS[kind], where, why]);
  }
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: string[], filling: string) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width, filling)).join(" | ")} |`;
  const [head, ...others] = rows.map((row) => line(row, " "));
  return [head, line([], "-"), ...others].join("\n");
}

const WORDS: Record<Difference["kind"], string> = {
  "accepts": "accepts",
  "refuses": "refuses",
  "goes on": "goes on",
  "closes": "closes",
  "method": "another method",
  "target": "another target",
  "Host": "another Host",
  "fields": "other fields",
  "content": "other content",
};

/** Does a handler of Deno's get no content with it? */
function isBodyless(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "CONNECT";
}

function isUnread({ request }: Difference): boolean {
  return isBodyless(request.method);
}

function isUrl(target: string): boolean {
  return /^https?:/i.test(target);
}

function isWithoutVersion({ request }: Difference): boolean {
  return !/^[^\r]* HTTP\/[0-9]/.test(request.head);
}

function hasDotSegments({ request }: Difference): boolean {
  return /\/(?:\.|%2e){1,2}(?:[/?]|$)/i.test(request.sentTarget);
}

function hasTabInExtension({ request }: Difference): boolean {
  return /^[0-9a-f]+[ \t]*(?:\t|;[^\r\n]*\t)[^\r\n]*\r\n/im.test(request.sentContent);
}

function hasCrBehind(name: string): Matches {
  const line = new RegExp(`^${name}:[^\r\n]*\r+\r\n`, "im");
  return ({ request }) => line.test(request.head);
}

function endsChunked({ request }: Difference): boolean {
  const codings = request.sentFields.filter(([name]) => name.toLowerCase() === "transfer-encoding");
  return /(?:^|,[ \t]*)chunked$/i.test(codings.at(-1)?.[1] ?? "");
}

function hasSeveral({ request }: Difference): boolean {
  const names = request.sentFields.map(([name]) => name.toLowerCase());
  return ["authorization", "expect"].some((name) => names.indexOf(name) !== names.lastIndexOf(name));
}

/** The fields that were seen, but for those that Connection names. */
function seenUnnamed({ arrival, request }: Difference): string[] {
  return endToEnd(arrival?.fields ?? [], nominatedBy(request.sentFields));
}

/** Fields as `Headers` joins them: cookies with semicolons, and nothing for what is empty. */
function joined(fields: readonly string[]): string {
  return fields.join("\n").replaceAll("; ", ", ").replace(/: (?:, )+/g, ": ").replace(
    /(?:, )+(?=, |\n|$)/g,
    "",
  );
}
