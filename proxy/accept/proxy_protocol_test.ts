import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { bytesOf, latin1 } from "../../tests/testing.ts";
import { ByteReader } from "../http1/byte_reader.ts";
import { parseProxyHeader, ProxyHeaderError, readProxyHeader } from "./proxy_protocol.ts";

const SIGNATURE = "\r\n\r\n\x00\r\nQUIT\n";
const IPV4 = "\xc0\x00\x02\x01" + "\x0a\x00\x00\x01" + "\x30\x39\x01\xbb";
const IPV6 = "\x20\x01\x0d\xb8".padEnd(15, "\0") + "\x01" + "\xfd".padEnd(15, "\0") + "\x01" +
  "\x30\x39\x01\xbb";

/** A header of version 2. */
function v2(command: number, family: number, content: string, length = content.length): string {
  return SIGNATURE + String.fromCharCode(command, family, length >> 8, length & 255) + content;
}

/** Addresses of IPv6 as version 2 has them. */
function ipv6(source: string): string {
  return source + IPV6.slice(16);
}

const HEADERS: [header: string, source: string | undefined][] = [
  ["PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n", "192.0.2.1"],
  ["PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255"],
  ["PROXY TCP6 2001:db8::1 fd00::1 12345 443\r\n", "2001:db8::1"],
  [
    `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    `${"ffff:".repeat(7)}ffff`,
  ],
  ["PROXY UNKNOWN\r\n", undefined],
  ["PROXY UNKNOWN 192.0.2.1 10.0.0.1 1 2\r\n", undefined],
  [`PROXY UNKNOWN ${"x".repeat(91)}\r\n`, undefined],
  [v2(0x21, 0x11, IPV4), "192.0.2.1"],
  [v2(0x21, 0x21, IPV6), "2001:db8::1"],
  [v2(0x21, 0x21, ipv6("\0".repeat(15) + "\x01")), "::1"],
  [v2(0x21, 0x21, ipv6("\0".repeat(10) + "\xff\xff\xc0\x00\x02\x01")), "192.0.2.1"],
  [v2(0x21, 0x21, ipv6("\x20\x01\x0d\xb8\0\0\0\x01\0\0\0\x01\0\0\0\x01")), "2001:db8:0:1:0:1:0:1"],
  // the proxy speaks for itself
  [v2(0x20, 0x00, ""), undefined],
  [v2(0x20, 0x11, IPV4), undefined],
  // unspecified, UDP, Unix socket
  [v2(0x21, 0x00, ""), undefined],
  [v2(0x21, 0x12, IPV4), undefined],
  [v2(0x21, 0x31, "a".repeat(216)), undefined],
  // extensions
  [v2(0x21, 0x11, `${IPV4}\x04\x00\x02ab`), "192.0.2.1"],
  [v2(0x21, 0x11, IPV4 + "\0".repeat(4096 - IPV4.length)), "192.0.2.1"],
];

Deno.test("parseProxyHeader() reads both versions, and nothing behind the header", () => {
  for (const [header, source] of HEADERS) {
    for (const rest of ["", "GET / HTTP/1.1\r\n", "PROXY UNKNOWN\r\n"]) {
      const expected = { length: header.length, source };
      assertEquals(parseProxyHeader(bytesOf(header + rest)), expected, JSON.stringify(header));
    }
  }
});

Deno.test("parseProxyHeader() waits for the whole header, wherever it is split", () => {
  for (const [header] of HEADERS) {
    for (let length = 0; length < header.length; length++) {
      assertEquals(parseProxyHeader(bytesOf(header.slice(0, length))), undefined, JSON.stringify(header));
    }
  }
});

Deno.test("parseProxyHeader() refuses a connection that begins in another way, as soon as it is known", () => {
  const cases = [
    "G",
    "GET / HTTP/1.1\r\n\r\n",
    "proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
    "PROXYTCP4",
    "PRI * HTTP/2.0\r\n\r\n",
    "\r\n\r\nGET",
    "\r\n\r\n\x00\r\nQUIX",
    "\x16\x03\x01",
    " PROXY",
  ];
  for (const text of cases) {
    assertThrows(
      () => parseProxyHeader(bytesOf(text)),
      ProxyHeaderError,
      "does not begin with a PROXY protocol header",
      JSON.stringify(text),
    );
  }
});

Deno.test("parseProxyHeader() refuses what is no header of version 1", () => {
  const cases = [
    "PROXY \r\n",
    "PROXY  TCP4 192.0.2.1 10.0.0.1 1 2\r\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 99999 1\r\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 -1 1\r\n",
    "PROXY TCP4 192.0.2.1 10.0.0.1 a 1\r\n",
    "PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n",
    "PROXY TCP4 192.0.2.1 10.0.0 1 2\r\n",
    "PROXY TCP4 ::1 ::1 1 2\r\n",
    "PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n",
    "PROXY TCP6 ::g ::1 1 2\r\n",
    "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
    "PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n",
    "PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
    "PROXY tcp4 192.0.2.1 10.0.0.1 1 2\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY UNKNOWN \0\r\n",
    "PROXY UNKNOWN\n",
  ];
  for (const text of cases) {
    assertThrows(
      () => parseProxyHeader(bytesOf(text)),
      ProxyHeaderError,
      "Invalid PROXY protocol header",
      JSON.stringify(text),
    );
  }
});

Deno.test("parseProxyHeader() waits for no more than a header can have", () => {
  assertEquals(parseProxyHeader(bytesOf(`PROXY UNKNOWN ${"x".repeat(92)}`)), undefined);
  for (const text of [`PROXY UNKNOWN ${"x".repeat(93)}`, `PROXY UNKNOWN ${"x".repeat(93)}\r\n`]) {
    assertThrows(() => parseProxyHeader(bytesOf(text)), ProxyHeaderError, "has no end");
  }
  assertThrows(() => parseProxyHeader(bytesOf(v2(0x21, 0x11, "", 4097))), ProxyHeaderError, "too long");
});

Deno.test("parseProxyHeader() refuses what is no header of version 2", () => {
  const cases: [string, string][] = [
    [v2(0x22, 0x11, IPV4), "Unknown PROXY protocol command"],
    [v2(0x11, 0x11, IPV4), "Unknown PROXY protocol command"],
    [v2(0x01, 0x11, IPV4), "Unknown PROXY protocol command"],
    [v2(0x21, 0x11, IPV4.slice(1)), "too short"],
    [v2(0x21, 0x11, ""), "too short"],
    [v2(0x21, 0x21, IPV6.slice(1)), "too short"],
  ];
  for (const [text, message] of cases) {
    assertThrows(() => parseProxyHeader(bytesOf(text)), ProxyHeaderError, message);
  }
});

Deno.test("readProxyHeader() takes the header and nothing behind it, however it comes", async () => {
  for (const [header, source] of HEADERS) {
    const text = `${header}rest`;
    for (const size of [1, 7, text.length]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      const reader = new ByteReader(new FakeTransport(...pieces));
      assertEquals(await readProxyHeader(reader), source, JSON.stringify(header));
      while (reader.buffered < 4) await reader.fill();
      assertEquals(latin1(reader.peek()), "rest", JSON.stringify(header));
    }
  }
});

Deno.test("readProxyHeader() takes no other start, and waits for no more than it needs to see that", async () => {
  const cases: [pieces: string[], message: string][] = [
    [["GET / HTTP/1.1\r\n"], "does not begin with a PROXY protocol header"],
    [["\x16"], "does not begin with a PROXY protocol header"],
    [["PROXY TCP4 192.0.2.1"], "ended within the PROXY protocol header"],
    [[], "ended within the PROXY protocol header"],
  ];
  for (const [pieces, message] of cases) {
    const transport = new FakeTransport(...pieces);
    if (message.startsWith("ended")) transport.end();
    await assertRejects(() => readProxyHeader(new ByteReader(transport)), ProxyHeaderError, message);
  }
});
