/**
 * What connections begin with: a ClientHello, a PROXY protocol header. Their parsers are given all kinds of
 * bytes, whole and in part.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { clientHello, type HelloOptions } from "../conformance/client_hello.ts";
import { bytesOfNumber } from "../conformance/http2_frames.ts";
import type { FuzzRange } from "./differential.ts";
import { ClientHelloError, parseClientHello, parseProxyHeader, ProxyHeaderError } from "./glue.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";

/** The longest PROXY protocol header: one of version 2 with 4 KiB of addresses and extensions. */
const MAX_PROXY_HEADER_BYTES = 16 + 4096;

/** What a parser said of some bytes: their meaning as text, "more" where it needs more, or "error". */
type Verdict = string;

/** Gives the parsers inputs with numbers from `from` on. @returns what is wrong. */
export function fuzzParsers({ seed, from, count }: FuzzRange): string[] {
  const findings: string[] = [];
  for (let index = from; index < from + count; index++) {
    const random = new Random(seed, index);
    for (const check of [checkClientHello, checkProxyHeader]) {
      try {
        check(random);
      } catch (error) {
        findings.push(`--seed ${seed} --from ${index} --count 1: ${(error as Error).stack}`);
      }
    }
  }
  return findings;
}

function checkClientHello(random: Random): void {
  const options = helloOptions(random);
  const text = clientHello(options);
  const { serverName, protocols = [] } = options;
  expect(text, helloVerdict(text), JSON.stringify({ serverName, protocols }));
  const mutated = mutate(text, random, () => clientHello(helloOptions(random)));
  checkPrefixes(mutated, helloVerdict, random);
  checkPrefixes(random.bytes(random.below(200)), helloVerdict, random);
}

function helloOptions(random: Random): HelloOptions {
  return {
    ...random.chance(0.8) &&
      { serverName: random.pick(["a.test", "", "x".repeat(255), "b\xe4.test", "a.test."]) },
    ...random.chance(0.5) && { protocols: random.pick([[], ["h2", "http/1.1"], ["x".repeat(255)], [""]]) },
    ...random.chance(0.3) && { padding: random.below(random.pick([20, 20, 20, 3000])) },
    ...random.chance(0.3) && { recordBytes: 1 + random.below(random.pick([3, 300])) },
    offersTls13: random.chance(0.5),
  };
}

function helloVerdict(text: string): Verdict {
  try {
    return JSON.stringify(parseClientHello(Buffer.from(text, "latin1"))) ?? "more";
  } catch (error) {
    if (error instanceof ClientHelloError) return "error";
    throw error;
  }
}

function checkProxyHeader(random: Random): void {
  const [text, source] = proxyHeader(random);
  expect(text, proxyVerdict(text), JSON.stringify({ length: text.length, source }));
  const mutated = mutate(text, random, () => proxyHeader(random)[0]);
  checkPrefixes(mutated, proxyVerdict, random);
  checkPrefixes(random.bytes(random.below(200)), proxyVerdict, random);
  // whoever sends so much has sent all of it
  const filled = mutated.padEnd(MAX_PROXY_HEADER_BYTES, random.pick(["\0", "x", " ", mutated || "x"]));
  if (proxyVerdict(filled) === "more") throw new Error(`It waits for ever behind ${JSON.stringify(mutated)}`);
}

const V2_SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

function proxyHeader(random: Random): [text: string, source: string | undefined] {
  const port = () => random.below(65536);
  const ipv4 = random.times(4, () => random.below(256));
  const groups = random.times(8, () => random.below(random.pick([1, 1, 16, 65536])));
  // a URL has an address in its one short form, but for one of IPv4 in it
  const ipv6 = new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]`).hostname.slice(
    1,
    -1,
  );
  const extensions = random.chance(0.3) ? random.bytes(random.below(300)) : "";
  const v2 = (command: number, family: number, addresses: string) =>
    V2_SIGNATURE + String.fromCharCode(command, family) +
    bytesOfNumber(addresses.length + extensions.length, 2) + addresses + extensions;
  const ports = bytesOfNumber(port(), 2) + bytesOfNumber(port(), 2);
  switch (random.below(7)) {
    case 0:
      return [`PROXY TCP4 ${ipv4.join(".")} 10.0.0.1 ${port()} ${port()}\r\n`, ipv4.join(".")];
    case 1:
      return [`PROXY TCP6 ${ipv6} ::1 ${port()} ${port()}\r\n`, ipv6];
    case 2:
      return [random.pick(["PROXY UNKNOWN\r\n", "PROXY UNKNOWN x y\r\n"]), undefined];
    case 3:
      return [v2(0x21, 0x11, String.fromCharCode(...ipv4, 10, 0, 0, 1) + ports), ipv4.join(".")];
    case 4: {
      const address = groups.map((group) => bytesOfNumber(group, 2)).join("");
      const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
      const mapped = [...address.slice(12)].map((byte) => byte.charCodeAt(0)).join(".");
      return [v2(0x21, 0x21, address + "\0".repeat(16) + ports), isMapped ? mapped : ipv6];
    }
    case 5:
      return [v2(0x20, random.pick([0, 0x11, 0x21]), random.bytes(random.below(40))), undefined];
    default:
      return [v2(0x21, random.pick([0, 0x12, 0x22, 0x31, 0x32]), random.bytes(random.below(40))), undefined];
  }
}

function proxyVerdict(text: string): Verdict {
  let header;
  try {
    header = parseProxyHeader(Buffer.from(text, "latin1"));
  } catch (error) {
    if (error instanceof ProxyHeaderError) return "error";
    throw error;
  }
  if (header === undefined) return "more";
  const { length, source } = header;
  if (length > Math.min(text.length, MAX_PROXY_HEADER_BYTES)) throw new Error(`It takes ${length} bytes`);
  if (source !== undefined && !isAddress(source)) throw new Error(`It says ${JSON.stringify(source)}`);
  return JSON.stringify({ length, source });
}

function isAddress(text: string): boolean {
  if (!text.includes(":")) {
    return /^(?:(?:^|\.)(?:0|[1-9][0-9]{0,2})){4}$/.test(text) && URL.canParse(`http://${text}`);
  }
  return /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`);
}

/** What has been said of the start of some bytes must not change when more come. */
function checkPrefixes(text: string, verdictOf: (text: string) => Verdict, random: Random): void {
  let before: Verdict = "more";
  let length = 0;
  for (
    const end of [...random.times(6, () => random.below(text.length + 1)), text.length].sort((a, b) => a - b)
  ) {
    const verdict = verdictOf(text.slice(0, end));
    if (before !== "more" && verdict !== before) {
      const both = `${before} after ${length} bytes, and ${verdict} after ${end}`;
      throw new Error(`It says ${both} of ${JSON.stringify(text)}`);
    }
    before = verdict;
    length = end;
  }
}

function expect(text: string, verdict: Verdict, expected: Verdict): void {
  if (verdict !== expected) throw new Error(`${verdict} instead of ${expected} for ${JSON.stringify(text)}`);
}
