/**
 * Makes what clients send: mostly requests as they should be, with the variety that RFC 9112 allows, and now and
 * then one that is wrong in a way that is known to matter.
 *
 * @module
 */
import type { Random } from "./random.ts";

/** Makes all that a client sends on one connection. */
export function generateRequests(random: Random): string {
  const count = random.pick([1, 1, 1, 2, 2, 3, 4]);
  const requests = random.times(count, () => request(random, false));
  requests.push(random.chance(0.7) ? request(random, true) : "");
  return emptyLines(random) + requests.join(random.chance(0.05) ? emptyLines(random) : "");
}

function emptyLines(random: Random): string {
  return random.chance(0.03) ? "\r\n".repeat(1 + random.below(6)) : "";
}

function request(random: Random, isLast: boolean): string {
  const method = random.pick(random.chance(0.02) ? ["CONNECT", "TRACE"] : METHODS);
  const version = random.chance(0.93) ? "HTTP/1.1" : random.pick(VERSIONS);
  const fields = [
    ...hosts(random),
    ...random.times(random.below(5), () => field(random)),
    ...random.chance(0.12) ? random.pick(CONNECTION_FIELDS) : [],
    ...isLast ? ["Connection: close"] : [],
  ];
  if (random.chance(0.01)) fields.push(...padding(random));
  const [framing, content] = framed(random, method);
  const lines = shuffled([...fields, ...framing], random).map((line) => `${line}\r\n`).join("");
  return `${method} ${target(random, method)} ${version}\r\n${lines}\r\n${content}`;
}

const METHODS = [
  ...["GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  ...["PROPFIND", "M-SEARCH", "get", "BREW"],
];

const VERSIONS = ["HTTP/1.0", "HTTP/1.0", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1"];

function target(random: Random, method: string): string {
  if (method === "CONNECT") return random.pick(["a.test:443", "a.test", "/", "[::1]:80"]);
  if (method === "OPTIONS" && random.chance(0.4)) {
    return random.pick(["*", "http://a.test", "https://b.test:1"]);
  }
  const path = random.times(random.below(4), () => `/${segment(random)}`).join("") || "/";
  if (random.chance(0.005)) return `/${"t".repeat(1015 + random.below(20))}`;
  const query = random.chance(0.3) ? `?${random.pick(QUERIES)}` : "";
  if (random.chance(0.1)) return `${random.pick(ORIGINS)}${random.chance(0.8) ? path : ""}${query}`;
  return random.chance(0.01) ? random.pick(STRANGE_TARGETS) : `${path}${query}`;
}

function segment(random: Random): string {
  return random.pick(
    ["a", "b", "index.html", "", "~x", "a%20b", "%2f", "%C3%A4", "a;b=c", "a:b", "a.b", "...", "{x}"]
      .concat(random.chance(0.2) ? [".", "..", "%2e", "%2E%2e", ".%2e", "..;"] : []),
  );
}

const QUERIES = ["", "a=b", "a=b&c=d", "?", "/../x", "a%zz", "a[]=1", "http://b.test/", "\\", "'<>\"`{}|^"];
const ORIGINS = [
  "http://a.test",
  "http://b.test:8080",
  "https://c.test",
  "HTTP://A.TEST",
  "http://[::1]",
  "http://u@a.test",
];
const STRANGE_TARGETS = [
  "*",
  "a",
  "//",
  "//a.test/x",
  "/%",
  "/%zz",
  "/%00",
  "/#x",
  "/a\\b",
  "/..",
  "?x",
  "http:/a",
  "ftp://a.test/",
  "/\xe4",
];

function hosts(random: Random): string[] {
  if (random.chance(0.96)) return [`Host: ${random.chance(0.7) ? "a.test" : random.pick(HOSTS)}`];
  return random.pick(HOST_FIELDS);
}

const HOSTS = [
  "b.test",
  "A.Test",
  "a.test:8080",
  "a.test.",
  "a.test:",
  "127.0.0.1",
  "[::1]",
  "[::1]:80",
  "x_y.test",
  "xn--a.test",
  "a-b.test:65535",
];
const HOST_FIELDS = [
  ["host:a.test"],
  ["HOST: \t a.test \t"],
  ["Host: "],
  ["Host: u@a.test"],
  ["Host: a.test/x"],
  ["Host: a.test, b.test"],
  ["Host: a.test:65536"],
  ["Host: a..test"],
  ["Host: a.test", "Host: a.test"],
  ["Host: a.test", "hOst: b.test"],
  [],
];

function field(random: Random): string {
  const name = random.chance(0.7) ? random.pick(NAMES) : random.pick(["X", "x-"]) + random.below(30);
  const colon = random.pick([": ", ": ", ": ", ":", ":  ", ":\t"]);
  const value = random.pick(VALUES) + (random.chance(0.03) ? "v".repeat(random.below(1200)) : "");
  return `${anyCase(name, random)}${colon}${value}${
    random.chance(0.05) ? random.pick([" ", "\t", "  \t"]) : ""
  }`;
}

const NAMES = [
  ...[
    "Accept",
    "User-Agent",
    "Cookie",
    "Content-Type",
    "Authorization",
    "Cache-Control",
    "X-A",
    "Range",
    "Via",
  ],
  ...[
    "X_A",
    "Content_Length",
    "Transfer_Encoding",
    "X-Forwarded-For",
    "X-Real-IP",
    "Forwarded",
    "!#$%&'*+.^`|~",
  ],
  ...[
    "TE",
    "Trailer",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "Upgrade",
    "Content-Encoding",
  ],
];
const VALUES = [
  ...["", "*/*", "a, b", 'a=b; c="d"', "trailers", "timeout=5", "websocket", "h2c", "chunked", "5", "close"],
  ...[
    "caf\xe9",
    "\xff\x80",
    "a\tb",
    "a  b",
    ":",
    ";",
    '"',
    "GET / HTTP/1.1",
    "Content-Length: 5",
    "keep-alive",
  ],
];

/** So much that a head meets the limits. */
function padding(random: Random): string[] {
  return random.chance(0.5)
    ? [`X-Padding: ${"p".repeat(3600 + random.below(500))}`]
    : random.times(180 + random.below(30), () => "X:y");
}

const CONNECTION_FIELDS = [
  ["Connection: keep-alive"],
  ["Connection: close"],
  ["Connection: Keep-Alive, X-A"],
  ["Connection: x-a, content-length, host"],
  ["connection: TE", "TE: trailers"],
  ["Connection: ,, ,close ,"],
  ["Connection: closed"],
  ["Connection: x-a", "Connection: close"],
  ["Connection: Upgrade", "Upgrade: websocket"],
  ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
  ["Expect: 100-continue"],
  ["Expect: 100-Continue, x"],
  ["Expect: x"],
];

/** Content with the fields that frame it. */
function framed(random: Random, method: string): [fields: string[], content: string] {
  const isUsual = ["POST", "PUT", "PATCH"].includes(method);
  if (random.chance(isUsual ? 0.15 : 0.8)) return [[], ""];
  if (random.chance(0.06)) return random.pick(STRANGE_FRAMINGS);
  const content = contentOf(random);
  if (random.chance(0.5)) return [[`${anyCase("Content-Length", random)}: ${content.length}`], content];
  return [
    [`${anyCase("Transfer-Encoding", random)}: ${anyCase("chunked", random)}`],
    chunked(content, random),
  ];
}

const STRANGE_FRAMINGS: [string[], string][] = [
  [["Content-Length: 0"], ""],
  [["Content-Length: 0003"], "abc"],
  [["Content-Length: 3", "Content-Length: 3"], "abc"],
  [["Content-Length: 3, 3"], "abc"],
  [["Content-Length: +3"], "abc"],
  [["Content-Length: 3", "Content-Length: 0"], "abc"],
  [["Content-Length: 99999999999999999999"], "abc"],
  [["Content-Length: 3", "Transfer-Encoding: chunked"], "3\r\nabc\r\n0\r\n\r\n"],
  [["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
  [["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"],
  [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
  [["Transfer-Encoding: chunked, identity"], "0\r\n\r\n"],
  [["Transfer-Encoding: identity"], ""],
  [["Transfer-Encoding: xchunked"], "0\r\n\r\n"],
  [["Transfer-Encoding:\x0bchunked"], "0\r\n\r\n"],
  [["Transfer-Encoding : chunked"], "0\r\n\r\n"],
];

/** Content of all kinds. */
export function contentOf(random: Random): string {
  return random.pick([
    "",
    "abc",
    "GET /within HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "0\r\n\r\nGET /within HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "\r\n\r\n",
    "x".repeat(random.below(700)),
    random.bytes(random.below(60)),
  ]);
}

/** Content in the chunked coding. */
export function chunked(content: string, random: Random): string {
  let coded = "";
  for (let at = 0; at < content.length;) {
    const size = 1 + random.below(random.pick([3, 20, 400]));
    const chunk = content.slice(at, at + size);
    const digits = random.chance(0.01) ? strangeSize(chunk.length, random) : chunk.length.toString(16);
    coded += `${random.chance(0.1) ? "00" : ""}${random.chance(0.3) ? digits.toUpperCase() : digits}`;
    coded += `${extension(random)}\r\n${chunk}\r\n`;
    at += size;
  }
  const trailers = random.chance(0.15) ? random.pick(TRAILERS) : "";
  return `${coded}${random.pick(["0", "0", "0", "000"])}${extension(random)}\r\n${trailers}\r\n`;
}

function strangeSize(size: number, random: Random): string {
  const digits = size.toString(16);
  return random.pick([
    ` ${digits}`,
    `${digits} `,
    `${digits}\t`,
    `+${digits}`,
    `0x${digits}`,
    `-${digits}`,
    `${digits},`,
  ]);
}

function extension(random: Random): string {
  return random.chance(0.1) ? random.pick(EXTENSIONS) : "";
}

const EXTENSIONS = [";a", ";a=b", ';a="b;c"', " ;a", "; a = b", ";", ";a=\xe4", `;${"e".repeat(600)}`];
const TRAILERS = [
  "X-T: 1\r\n",
  "Content-Length: 9\r\n",
  "X-T:\r\nHost: b.test\r\n",
  "x-checksum: caf\xe9\r\n",
];

/** A name in one of the ways in which it can be spelled. */
export function anyCase(name: string, random: Random): string {
  const kind = random.below(10);
  return kind === 0 ? name.toUpperCase() : kind === 1 ? name.toLowerCase() : name;
}

function shuffled<T>(list: T[], random: Random): T[] {
  if (random.chance(0.5)) return list;
  for (let index = list.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [list[index], list[other]] = [list[other] as T, list[index] as T];
  }
  return list;
}
