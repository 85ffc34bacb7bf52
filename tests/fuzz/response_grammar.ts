/**
 * Makes what backends send: one response, with informational ones in front of it now and then.
 *
 * @module
 */
import type { Random } from "./random.ts";
import { anyCase, chunked, contentOf } from "./request_grammar.ts";

/** Makes all that a backend sends for one request. */
export function generateResponse(random: Random): string {
  const informational = random.chance(0.1)
    ? random.times(1 + random.below(random.chance(0.1) ? 12 : 2), () => random.pick(INFORMATIONAL))
    : [];
  const version = random.chance(0.9) ? "HTTP/1.1" : random.pick(["HTTP/1.0", "HTTP/1.2", "HTTP/2.0"]);
  const [framing, content] = framed(random);
  const fields = [...random.times(random.below(4), () => random.pick(FIELDS)), ...framing];
  const lines = fields.map((line) => `${line}\r\n`).join("");
  const rest = random.chance(0.05) ? random.pick(RESTS) : "";
  return `${informational.join("")}${version} ${random.pick(STATUSES)}\r\n${lines}\r\n${content}${rest}`;
}

const INFORMATIONAL = [
  "HTTP/1.1 100 Continue\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
  "HTTP/1.1 102 \r\nX: y\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
];
const STATUSES = [
  ...["200 OK", "200 OK", "200 OK", "200", "200 ", "201 Created", "204 No Content", "205 Reset Content"],
  ...[
    "206 caf\xe9",
    "302 Found",
    "304 Not Modified",
    "404 Not Found",
    "500 \t",
    "599 x",
    "099 x",
    "600 x",
    "20 x",
  ],
];
const FIELDS = [
  ...[
    "Server: x",
    "Date: Sun, 06 Nov 1994 08:49:37 GMT",
    "X-A: b",
    "x-a:c",
    "X: \t y \t",
    "Empty:",
    "O: caf\xe9",
  ],
  ...["Connection: close", "Connection: keep-alive, X-A", "Keep-Alive: timeout=5", "Upgrade: h2c", "X_A: b"],
  ...["pingress-error: internal", "Trailer: X", "Set-Cookie: a=b", "Set-Cookie: c=d", "Location: /"],
];
const RESTS = ["HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON", "\r\n", "x"];

function framed(random: Random): [fields: string[], content: string] {
  if (random.chance(0.05)) return random.pick(STRANGE_FRAMINGS);
  const content = contentOf(random);
  switch (random.below(5)) {
    case 0:
      return [[], content];
    case 1:
    case 2:
      return [[`${anyCase("Content-Length", random)}: ${content.length}`], content];
    default:
      return [[`${anyCase("Transfer-Encoding", random)}: chunked`], chunked(content, random)];
  }
}

const STRANGE_FRAMINGS: [string[], string][] = [
  [["Content-Length: 3", "Content-Length: 3"], "abc"],
  [["Content-Length: 3, 3"], "abc"],
  [["Content-Length: -3"], "abc"],
  [["Content-Length: 3", "Transfer-Encoding: chunked"], "3\r\nabc\r\n0\r\n\r\n"],
  [["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"],
  [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n"],
  [["Transfer-Encoding: identity"], ""],
];
