import { type Case, EVIL, GET, OK, refused, type Theme } from "./case.ts";

const V1 = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";
const IPV4 = "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb";
const IPV6 = "\x20\x01\x0d\xb8".padEnd(15, "\0") + "\x01" + "\x20\x01\x0d\xb8".padEnd(15, "\0") +
  "\x02\xdc\x04\x01\xbb";
const UNIX = "/client".padEnd(108, "\0") + "/server".padEnd(108, "\0");

/** A header of version 2. */
function v2(command: string, family: string, rest: string): string {
  return `${SIGNATURE}${command}${family}${String.fromCharCode(rest.length >> 8, rest.length & 255)}${rest}`;
}

/** Headers that are right: name, header, the client's address. */
const GOOD: [name: string, header: string, address: string][] = [
  ["v1, TCP4", V1, "192.0.2.1"],
  ["v1, TCP6", "PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n", "2001:db8::1"],
  ["v1, UNKNOWN", "PROXY UNKNOWN\r\n", "127.0.0.1"],
  ["v1, UNKNOWN with addresses", "PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "127.0.0.1"],
  [
    "v1, the longest one",
    `PROXY TCP6 ${Array(2).fill(Array(8).fill("ffff").join(":")).join(" ")} 65535 65535\r\n`,
    Array(8).fill("ffff").join(":"),
  ],
  ["v2, TCP over IPv4", v2("\x21", "\x11", IPV4), "192.0.2.1"],
  ["v2, TCP over IPv6", v2("\x21", "\x21", IPV6), "2001:db8::1"],
  ["v2, LOCAL", v2("\x20", "\0", ""), "127.0.0.1"],
  ["v2, LOCAL with addresses", v2("\x20", "\x11", IPV4), "127.0.0.1"],
  ["v2, UNSPEC", v2("\x21", "\0", ""), "127.0.0.1"],
  ["v2, UNIX", v2("\x21", "\x31", UNIX), "127.0.0.1"],
  ["v2, extensions", v2("\x21", "\x11", `${IPV4}\x02\x00\x06a.test\x04\x00\x03\0\0\0`), "192.0.2.1"],
  [
    "v2, extensions of 4000 bytes",
    v2("\x21", "\x11", `${IPV4}\x04\x0f\xa0${"\0".repeat(4000)}`),
    "192.0.2.1",
  ],
];

/** What is no header: the connection is closed without an answer. */
const BAD: [name: string, header: string][] = [
  ["none", ""],
  ["empty lines instead", "\r\n\r\n"],
  ["v1, lower case", "proxy TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"],
  ["v1, an address that is none", "PROXY TCP4 192.0.2.256 198.51.100.1 56324 443\r\n"],
  ["v1, a name", "PROXY TCP4 evil.test 198.51.100.1 56324 443\r\n"],
  ["v1, an address of the other family", "PROXY TCP4 2001:db8::1 198.51.100.1 56324 443\r\n"],
  ["v1, the other family", "PROXY TCP6 192.0.2.1 198.51.100.1 56324 443\r\n"],
  ["v1, a port that is too large", "PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n"],
  ["v1, a port that is none", "PROXY TCP4 192.0.2.1 198.51.100.1 -1 443\r\n"],
  ["v1, no ports", "PROXY TCP4 192.0.2.1 198.51.100.1\r\n"],
  ["v1, two spaces", "PROXY TCP4  192.0.2.1 198.51.100.1 56324 443\r\n"],
  ["v1, something behind it", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443 x\r\n"],
  ["v1, another protocol", "PROXY UDP4 192.0.2.1 198.51.100.1 56324 443\r\n"],
  ["v1, a line feed alone", "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\n"],
  ["v1, too long", `PROXY UNKNOWN ${"x".repeat(200)}\r\n`],
  ["v2, another version", v2("\x11", "\x11", IPV4)],
  ["v2, a command that is not known", v2("\x22", "\x11", IPV4)],
  ["v2, too short for IPv4", v2("\x21", "\x11", "\xc0\x00\x02\x01")],
  ["v2, too short for IPv6", v2("\x21", "\x21", IPV4)],
  ["v2, too long", v2("\x21", "\x11", `${IPV4}${"\0".repeat(60_000)}`)],
  ["v2, a signature that is wrong in its last byte", `\r\n\r\n\0\r\nQUIT\r\x21\x11\0\x0c${IPV4}`],
];

/** A header before a ClientHello. */
export interface ProxyHeaderCase {
  /** What it is about. */
  name: string;
  /** The header. */
  header: string;
  /** The client's address; nothing when the connection must be closed. */
  address?: string;
}

/** Headers before a ClientHello, right and wrong. */
export const PROXY_HEADERS: readonly ProxyHeaderCase[] = [
  ...GOOD.map(([name, header, address]) => ({ name, header, address })),
  ...BAD.map(([name, header]) => ({ name, header })),
];

const RFC = "PROXY protocol 2";

/** A listener whose peers must send a header first, in clear; over TLS see tls_test.ts. */
export const proxyProtocol: Theme = {
  name: "PROXY protocol",
  proxy: { server: { proxyProtocolFrom: ["127.0.0.0/8"] } },
  sentinelPrefix: V1,
  cases: [
    ...GOOD.map(([name, header, address]): Case => ({
      name,
      rfc: RFC,
      client: `${header}${GET}X-Forwarded-For: 6.6.6.6\r\n\r\n`,
      expect: [OK],
      gets: [{ is: "GET /x", headers: { "x-forwarded-for": address, "x-real-ip": address } }],
    })),
    ...BAD.map(([name, header]): Case => ({
      name,
      rfc: RFC,
      client: `${header}${EVIL}`,
      expect: [],
      then: "closed",
    })),
    {
      name: "the end within a header",
      rfc: RFC,
      client: ["PROXY TCP4 192.0.2.1", { halfCloses: true }],
      expect: [],
      then: "closed",
    },
    {
      name: "a second header is a wrong request line",
      rfc: RFC,
      client: `${V1}${V1}${EVIL}`,
      expect: [refused("bad_request")],
      then: "closed",
    },
    {
      name: "a header and nothing else",
      rfc: RFC,
      client: [V1, { halfCloses: true }],
      expect: [],
      then: "closed",
    },
  ],
  over: ["http", "bytewise"],
};

/** A listener whose peers may not send a header. */
export const noProxyProtocol: Theme = {
  name: "PROXY protocol from somebody who is not listed",
  proxy: { server: { proxyProtocolFrom: ["192.0.2.0/24"] } },
  cases: [
    ...GOOD.map(([name, header]): Case => ({
      name: `${name} is a wrong request line`,
      rfc: RFC,
      client: `${header}${EVIL}`,
      expect: [refused("bad_request")],
      then: "closed",
      over: ["http", "https"],
    })),
  ],
};
