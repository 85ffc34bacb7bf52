import type { Random } from "./random.ts";

/** What parsers have been found to differ on. */
const SPICES = [
  ...[
    "\r",
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\n\n",
    "\r\r\n",
    "\0",
    "\r\n ",
    "\r\n\t",
    " ",
    "\t",
    "\x0b",
    "\x0c",
    "\xa0",
  ],
  ...[
    "\x7f",
    "\x80",
    "\xff",
    ":",
    ",",
    ";",
    '"',
    "+",
    "-",
    "0x",
    "0",
    "1",
    "9",
    "f",
    "/",
    "?",
    "#",
    "%",
    "\\",
    ".",
  ],
  ...[
    "chunked",
    "identity",
    "HTTP/1.1",
    "HTTP/1.0",
    "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "0\r\n\r\n",
    "5\r\n",
  ],
  ...["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Host: b.test\r\n", "Connection: close\r\n"],
  ...["Expect: 100-continue\r\n", "X-A: b\r\n", "X-A : b\r\n", " folded\r\n", "Content-Length: 0\r\n"],
];

const NUMBERS = [
  "0",
  "1",
  "00",
  "-1",
  "+1",
  "4294967296",
  "9007199254740993",
  "18446744073709551617",
  "fffffffffffff",
];

type Mutation = (text: string, random: Random, other: () => string) => string;

/** One way each in which bytes become others. */
const MUTATIONS: readonly Mutation[] = [
  function flipBit(text, random) {
    const at = random.below(text.length);
    return replaced(text, at, 1, String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.below(8))));
  },
  function setByte(text, random) {
    return replaced(text, random.below(text.length), 1, random.bytes(1));
  },
  function remove(text, random) {
    return replaced(text, random.below(text.length), 1 + random.below(random.pick([1, 4, 40])), "");
  },
  function repeat(text, random) {
    const at = random.below(text.length);
    const piece = text.slice(at, at + 1 + random.below(random.pick([1, 8, 60])));
    return replaced(text, at, 0, piece.repeat(random.chance(0.02) ? 200 : 1));
  },
  function insert(text, random) {
    return replaced(text, random.below(text.length + 1), 0, random.pick(SPICES));
  },
  function insertAtLineEnd(text, random) {
    return atMatch(text, /\r\n/g, random, () => random.pick(SPICES), 0);
  },
  function changeLineEnd(text, random) {
    return atMatch(
      text,
      /\r\n/g,
      random,
      () => random.pick(["\n", "\r", "\r\n ", "\r\n\t", "\r\r\n", "\n\r", ""]),
    );
  },
  function insertAtColon(text, random) {
    return atMatch(
      text,
      /:/g,
      random,
      () => random.pick([" :", "\t:", "::", "", ":\0", ":\x0b", ":\xa0", ";"]),
    );
  },
  function changeNumber(text, random) {
    return atMatch(
      text,
      /[0-9]+/g,
      random,
      (digits) =>
        random.chance(0.5) ? String(Number(digits) + random.pick([-1, 1, 2, 16])) : random.pick(NUMBERS),
    );
  },
  function changeSpace(text, random) {
    return atMatch(text, / /g, random, () => random.pick(["", "  ", "\t", "\0", "\x0b", "\xa0", "\r"]));
  },
  function changeFraming(text, random) {
    const piece = () => random.pick(["", random.pick(SPICES), random.pick(NUMBERS), random.bytes(1)]);
    return atMatch(
      text,
      /content-length|transfer-encoding|chunked|^[0-9a-f]+(?=[;\r])/gim,
      random,
      (match) => {
        const at = random.below(match.length + 1);
        return random.chance(0.3) ? piece() : match.slice(0, at) + piece() + match.slice(at);
      },
    );
  },
  function repeatLine(text, random) {
    return atMatch(text, /[^\r\n]+\r\n/g, random, (line) => line + line);
  },
  function moveLine(text, random) {
    const lines = text.split("\r\n");
    const [line = ""] = lines.splice(random.below(lines.length), 1);
    lines.splice(random.below(lines.length + 1), 0, line);
    return lines.join("\r\n");
  },
  function changeCase(text, random) {
    return atMatch(
      text,
      /[a-z]+/gi,
      random,
      (word) => word === word.toUpperCase() ? word.toLowerCase() : word.toUpperCase(),
    );
  },
  function cut(text, random) {
    return text.slice(0, random.below(text.length + 1));
  },
  function splice(text, random, other) {
    const tail = other();
    return text.slice(0, random.below(text.length + 1)) + tail.slice(random.below(tail.length + 1));
  },
];

/** Changes a text of characters up to U+00FF in a few places; `other` makes one that a part may come from. */
export function mutate(text: string, random: Random, other: () => string): string {
  const count = random.pick([1, 1, 1, 2, 3, 5]);
  for (let done = 0; done < count; done++) text = random.pick(MUTATIONS)(text, random, other);
  return text;
}

function replaced(text: string, at: number, count: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + count);
}

/** Changes one of the places where an expression matches, if there are any. */
function atMatch(
  text: string,
  expression: RegExp,
  random: Random,
  change: (match: string) => string,
  length?: number,
): string {
  const matches = [...text.matchAll(expression)];
  if (matches.length === 0) return text;
  const { index, 0: match } = random.pick(matches);
  return replaced(text, index, length ?? match.length, change(match));
}
