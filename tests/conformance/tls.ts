import { clientHello } from "./client_hello.ts";
import { filled } from "./case.ts";

/** The names of the certificates that the proxy has, by the name of their files. */
export const CERTIFICATES: Readonly<Record<string, string[]>> = {
  a: ["a.test"],
  b: ["b.test"],
  both: ["one.test", "two.test"],
  wild: ["*.w.test"],
  default: ["default.test"],
};

/** A handshake of a client that does what it should. */
export interface Handshake {
  /** What it is about. */
  name: string;
  /** The section that it comes from. */
  rfc: string;
  /** The name that is asked for. */
  servername?: string;
  /** The protocols that are offered. */
  protocols?: string[];
  /** The first name of the certificate that is shown; the first one of the default certificate where there is one. */
  shows: string;
  /** The protocol that is chosen. */
  chooses: string | false;
}

const H1 = ["http/1.1"];

/** Handshakes that succeed. */
export const HANDSHAKES: readonly Handshake[] = [
  {
    name: "a name",
    rfc: "6066 3",
    servername: "a.test",
    protocols: H1,
    shows: "a.test",
    chooses: "http/1.1",
  },
  {
    name: "another name",
    rfc: "6066 3",
    servername: "b.test",
    protocols: H1,
    shows: "b.test",
    chooses: "http/1.1",
  },
  {
    name: "in other letters",
    rfc: "6066 3",
    servername: "B.TEST",
    protocols: H1,
    shows: "b.test",
    chooses: "http/1.1",
  },
  {
    name: "a wildcard's",
    rfc: "6125 6.4.3",
    servername: "x.w.test",
    protocols: H1,
    shows: "*.w.test",
    chooses: "http/1.1",
  },
  {
    name: "the first of two",
    rfc: "6125 6.4",
    servername: "one.test",
    protocols: H1,
    shows: "one.test",
    chooses: "http/1.1",
  },
  {
    name: "h2 first",
    rfc: "7301 3.2",
    servername: "a.test",
    protocols: ["h2", "http/1.1"],
    shows: "a.test",
    chooses: "h2",
  },
  {
    name: "h2 alone",
    rfc: "7301 3.2",
    servername: "a.test",
    protocols: ["h2"],
    shows: "a.test",
    chooses: "h2",
  },
  {
    name: "a protocol that is not known beside others",
    rfc: "7301 3.2",
    servername: "a.test",
    protocols: ["foo", "http/1.1"],
    shows: "a.test",
    chooses: "http/1.1",
  },
  { name: "no ALPN", rfc: "7301 3.1", servername: "a.test", protocols: [], shows: "a.test", chooses: false },
];

/** The same where there is a default certificate. */
export const DEFAULT_HANDSHAKES: readonly Handshake[] = [
  {
    name: "47: a name that is not known",
    rfc: "6066 3",
    servername: "x.test",
    protocols: H1,
    shows: "default.test",
    chooses: "http/1.1",
  },
  { name: "47: no name", rfc: "6066 3", protocols: H1, shows: "default.test", chooses: "http/1.1" },
  {
    name: "a name that is known",
    rfc: "6066 3",
    servername: "a.test",
    protocols: H1,
    shows: "a.test",
    chooses: "http/1.1",
  },
];

/** Bytes of a client that may do anything. */
export interface RawHandshake {
  /** What it is about. */
  name: string;
  /** The section that it comes from. */
  rfc: string;
  /** What is sent. */
  bytes: string;
  /** Sent one by one? */
  isBytewise?: boolean;
  /** Does the client say that it sends no more? */
  halfCloses?: boolean;
  /** What the server's first record is: a ServerHello, one of these alerts, or nothing. */
  expect: "hello" | "closed" | readonly number[];
}

const UNRECOGNIZED_NAME = [112];
const NO_APPLICATION_PROTOCOL = [120];
/** protocol_version, or what servers said before there was one */
const VERSION = [70, 40];

const HELLO = clientHello({ serverName: "a.test", offersTls13: true });

/** Handshakes, right and wrong. */
export const RAW_HANDSHAKES: readonly RawHandshake[] = [
  { name: "TLS 1.3", rfc: "8446 4.1.2", bytes: HELLO, expect: "hello" },
  { name: "TLS 1.2", rfc: "5246 7.4.1.2", bytes: clientHello({ serverName: "a.test" }), expect: "hello" },
  { name: "byte by byte", rfc: "8446 5.1", bytes: HELLO, isBytewise: true, expect: "hello" },
  {
    name: "in records of 7 bytes",
    rfc: "8446 5.1",
    bytes: clientHello({ serverName: "a.test", offersTls13: true, recordBytes: 7 }),
    expect: "hello",
  },
  {
    name: "of 8000 bytes",
    rfc: "7685 3",
    bytes: clientHello({ serverName: "a.test", offersTls13: true, padding: 8000 }),
    expect: "hello",
  },
  {
    name: "47: a name that is not known",
    rfc: "6066 3",
    bytes: clientHello({ serverName: "x.test", offersTls13: true }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "47: no name",
    rfc: "6066 3",
    bytes: clientHello({ offersTls13: true }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "a name below a wildcard's",
    rfc: "6125 6.4.3",
    bytes: clientHello({ serverName: "x.y.w.test" }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "a wildcard's own",
    rfc: "6125 6.4.3",
    bytes: clientHello({ serverName: "w.test" }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "a wildcard as a name",
    rfc: "6066 3",
    bytes: clientHello({ serverName: "*.w.test" }),
    expect: [...UNRECOGNIZED_NAME, 47],
  },
  {
    name: "a name with a slash",
    rfc: "6066 3",
    bytes: clientHello({ serverName: "../a.test" }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "a name with NUL",
    rfc: "6066 3",
    bytes: clientHello({ serverName: "a.test\0.x.test" }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "a name that objects have",
    rfc: "6066 3",
    bytes: clientHello({ serverName: "__proto__" }),
    expect: UNRECOGNIZED_NAME,
  },
  {
    name: "49: ALPN foo",
    rfc: "7301 3.2",
    bytes: clientHello({ serverName: "a.test", protocols: ["foo"] }),
    expect: NO_APPLICATION_PROTOCOL,
  },
  {
    name: "ALPN http/1.0 and h3",
    rfc: "7301 3.2",
    bytes: clientHello({ serverName: "a.test", protocols: ["http/1.0", "h3"] }),
    expect: NO_APPLICATION_PROTOCOL,
  },
  {
    name: "49: TLS 1.1",
    rfc: "8996 5",
    bytes: clientHello({ serverName: "a.test", version: 0x0302 }),
    expect: VERSION,
  },
  {
    name: "TLS 1.0",
    rfc: "8996 4",
    bytes: clientHello({ serverName: "a.test", version: 0x0301 }),
    expect: VERSION,
  },
  {
    name: "SSL 3",
    rfc: "7568 4",
    bytes: clientHello({ serverName: "a.test", version: 0x0300 }),
    expect: VERSION,
  },
  {
    name: "HTTP in clear",
    rfc: "8446 5",
    bytes: "GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n",
    expect: "closed",
  },
  { name: "HTTP/2 in clear", rfc: "8446 5", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", expect: "closed" },
  { name: "SSL 2", rfc: "6176 3", bytes: `\x80\x2e\x01\x03\x01${filled(43)}`, expect: "closed" },
  { name: "an empty record", rfc: "8446 5.1", bytes: `\x16\x03\x01\x00\x00${HELLO}`, expect: "closed" },
  {
    name: "a record of 20 KB",
    rfc: "8446 5.1",
    bytes: `\x16\x03\x01\x50\x00${filled(20480)}`,
    expect: "closed",
  },
  { name: "another message", rfc: "8446 4", bytes: "\x16\x03\x01\x00\x04\x02\x00\x00\x00", expect: "closed" },
  {
    name: "a ClientHello of 1 MB",
    rfc: "8446 4",
    bytes: `\x16\x03\x01\x40\x00\x01\x10\x00\x00${filled(16380)}`,
    expect: "closed",
  },
  {
    name: "extensions that are longer than it",
    rfc: "8446 4.2",
    bytes: "\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03" + filled(32) + "\0\0\x02\x13\x01\x01\0\xff\xff",
    expect: "closed",
  },
  { name: "an alert first", rfc: "8446 6", bytes: "\x15\x03\x01\x00\x02\x02\x28", expect: "closed" },
  {
    name: "the end within it",
    rfc: "8446 6.1",
    bytes: HELLO.slice(0, 50),
    halfCloses: true,
    expect: "closed",
  },
  { name: "the end before it", rfc: "8446 6.1", bytes: "", halfCloses: true, expect: "closed" },
  { name: "40: half of it, and silence", rfc: "8446 4.1.2", bytes: HELLO.slice(0, 50), expect: "closed" },
  { name: "40: silence", rfc: "8446 4.1.2", bytes: "", expect: "closed" },
];

/** Which hosts are served on a connection: section, name that was asked for, Host, status. */
export const COVERED: readonly [rfc: string, servername: string | undefined, host: string, status: number][] =
  [
    ["9110 15.5.20", "a.test", "a.test", 200],
    ["9110 15.5.20", "a.test", "A.Test.:443", 200],
    ["9110 15.5.20", "A.TEST", "a.test", 200],
    ["9110 15.5.20", "a.test", "b.test", 421],
    ["9110 15.5.20", "b.test", "a.test", 421],
    ["9110 15.5.20", "a.test", "x.test", 421],
    ["9110 15.5.20", "a.test", "plain.test", 421],
    ["9110 15.5.20", "a.test", "127.0.0.1", 421],
    ["9110 15.5.20", "one.test", "two.test", 200],
    ["9110 15.5.20", "two.test", "one.test", 200],
    ["9110 15.5.20", "x.w.test", "y.w.test", 200],
    ["6125 6.4.3", "x.w.test", "x.y.w.test", 421],
    ["6125 6.4.3", "x.w.test", "w.test", 421],
    ["9110 15.5.20", "x.w.test", "a.test", 421],
    ["9110 15.5.20", "a.test", "x.w.test", 421],
  ];

/** The same where there is a default certificate. */
export const DEFAULT_COVERED: typeof COVERED = [
  ["9110 15.5.20", "plain.test", "plain.test", 200],
  ["9110 15.5.20", undefined, "plain.test", 200],
  ["9110 15.5.20", "plain.test", "x.test", 404],
  ["9110 15.5.20", "plain.test", "a.test", 421],
  ["9110 15.5.20", undefined, "a.test", 421],
  ["9110 15.5.20", "a.test", "plain.test", 421],
];
