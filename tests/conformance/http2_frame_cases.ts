import { type ExpectedRequest, filled } from "./case.ts";
import { bytesOfNumber, FLAG, FRAME, type Frame, frame, headerBlock } from "./http2_frames.ts";

/** Frames of a client that may do anything. */
export interface FrameCase {
  /** What it is about. */
  name: string;
  /** The section that it comes from. */
  rfc: string;
  /** What it sends behind the preface and its SETTINGS. */
  frames: string;
  /**
   * What becomes of stream 1: an answer with one of these statuses, or it is refused: reset, or the connection
   * is ended, or the status is 400.
   */
  expect: "refused" | readonly number[];
  /** What the backend gets. */
  gets?: readonly ExpectedRequest[];
  /** Why one of those that speak HTTP/2 cannot do as it should: it is told when it can. */
  limitation?: Partial<Record<"deno" | "node", string>>;
}

/** A header field. */
export type Field = readonly [name: string, value: string];

const METHOD: Field = [":method", "GET"];
const SCHEME: Field = [":scheme", "https"];
const AUTHORITY: Field = [":authority", "a.test"];
const PATH: Field = [":path", "/evil"];
const BASE = [METHOD, SCHEME, AUTHORITY, PATH];
const POST_BASE = [[":method", "POST"] as const, SCHEME, AUTHORITY, PATH];
/** The fields of a request that is served. */
export const RIGHT = [METHOD, SCHEME, AUTHORITY, [":path", "/x"] as const];

/** A request's HEADERS; without content, on stream 1, unless told. */
export function headersFrame(
  fields: readonly Field[],
  { stream = 1, flags = FLAG.END_STREAM | FLAG.END_HEADERS } = {},
) {
  return frame({ type: FRAME.HEADERS, flags, stream, payload: headerBlock(fields) });
}

function dataFrame(payload: string, flags: number = FLAG.END_STREAM): string {
  return frame({ type: FRAME.DATA, flags, stream: 1, payload });
}

const DROPPED = { node: "the field is dropped, and the rest is served" };
const LOST = { deno: "Deno.serve makes a URL of it, in which it cannot be seen any more" };

/** Header lists that are malformed: name, section, fields, and why they are served nevertheless. */
const MALFORMED: [
  name: string,
  rfc: string,
  fields: readonly Field[],
  limitation?: FrameCase["limitation"],
][] = [
  ["44: connection", "9113 8.2.2", [...BASE, ["connection", "close"]]],
  ["44: keep-alive", "9113 8.2.2", [...BASE, ["keep-alive", "timeout=5"]]],
  ["44: proxy-connection", "9113 8.2.2", [...BASE, ["proxy-connection", "close"]]],
  ["44: transfer-encoding", "9113 8.2.2", [...BASE, ["transfer-encoding", "chunked"]]],
  ["44: upgrade", "9113 8.2.2", [...BASE, ["upgrade", "websocket"]]],
  ["44: te: gzip", "9113 8.2.2", [...BASE, ["te", "gzip"]]],
  ["44: CRLF in a name", "9113 8.2.1", [...BASE, ["x\r\nhost", "b.test"]], DROPPED],
  ["44: CRLF in a value", "9113 8.2.1", [...BASE, ["x", "y\r\nhost: b.test"]], DROPPED],
  ["44: LF in a value", "9113 8.2.1", [...BASE, ["x", "y\nz"]], DROPPED],
  ["44: CR in a value", "9113 8.2.1", [...BASE, ["x", "y\rz"]], DROPPED],
  ["44: NUL in a value", "9113 8.2.1", [...BASE, ["x", "y\0z"]], DROPPED],
  ["44: NUL in a name", "9113 8.2.1", [...BASE, ["x\0", "y"]], DROPPED],
  ["44: upper case", "9113 8.2.1", [...BASE, ["X-A", "y"]]],
  ["a space in a name", "9113 8.2.1", [...BASE, ["x y", "z"]], DROPPED],
  ["a colon in a name", "9113 8.2.1", [...BASE, ["x:y", "z"]], DROPPED],
  ["no name", "9113 8.2.1", [...BASE, ["", "z"]], DROPPED],
  ["other letters than ASCII in a name", "9113 8.2.1", [...BASE, ["x\xe4", "z"]], DROPPED],
  ["44: a length without content", "9113 8.1.1", [...POST_BASE, ["content-length", "5"]]],
  ["44: a length that is no number", "9113 8.1.1", [...POST_BASE, ["content-length", "x"]]],
  ["a negative length", "9113 8.1.1", [...POST_BASE, ["content-length", "-1"]]],
  ["two lengths", "9113 8.1.1", [...POST_BASE, ["content-length", "0"], ["content-length", "5"]]],
  ["a pseudo-header behind a header", "9113 8.3", [METHOD, SCHEME, AUTHORITY, ["x", "y"], PATH]],
  ["two methods", "9113 8.3.1", [METHOD, ...BASE]],
  ["two paths", "9113 8.3.1", [...BASE, PATH]],
  ["two authorities", "9113 8.3.1", [...BASE, [":authority", "b.test"]]],
  ["no method", "9113 8.3.1", [SCHEME, AUTHORITY, PATH]],
  ["no scheme", "9113 8.3.1", [METHOD, AUTHORITY, PATH]],
  ["no path", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY]],
  ["an empty path", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", ""]]],
  ["a path without a slash", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", "evil"]], LOST],
  ["a path with a space", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", "/evil x"]]],
  ["a path with a line end", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", "/evil HTTP/1.1\r\nX: y"]]],
  ["a path with a fragment", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", "/evil#f"]], LOST],
  ["a path of other letters than ASCII", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", "/evil\xe4"]]],
  ["GET *", "9113 8.3.1", [METHOD, SCHEME, AUTHORITY, [":path", "*"]]],
  ["a pseudo-header that is not known", "9113 8.3", [[":foo", "bar"], ...BASE]],
  ["a pseudo-header of responses", "9113 8.3", [[":status", "200"], ...BASE]],
  [":protocol, which was not allowed", "8441 4", [
    [":protocol", "websocket"],
    [":method", "CONNECT"],
    SCHEME,
    AUTHORITY,
    PATH,
  ]],
  ["a method with a space", "9113 8.3.1", [[":method", "GET /evil"], SCHEME, AUTHORITY, PATH]],
  ["a method with a line end", "9113 8.3.1", [
    [":method", "GET / HTTP/1.1\r\nX: y\r\n"],
    SCHEME,
    AUTHORITY,
    PATH,
  ]],
  ["45: neither authority nor Host", "9113 8.3.1", [METHOD, SCHEME, PATH]],
  ["45: an empty authority", "9113 8.3.1", [METHOD, SCHEME, [":authority", ""], PATH]],
  ["45: user information", "9113 8.3.1", [METHOD, SCHEME, [":authority", "u@a.test"], PATH]],
  ["45: an authority with a path", "9113 8.3.1", [METHOD, SCHEME, [":authority", "a.test/x?"], PATH]],
  ["an authority with a space", "9113 8.3.1", [METHOD, SCHEME, [":authority", "a.test b.test"], PATH]],
  ["an authority with a port that is too large", "9113 8.3.1", [METHOD, SCHEME, [
    ":authority",
    "a.test:99999",
  ], PATH]],
  ["45: two Hosts", "9113 8.3.1", [...BASE, ["host", "a.test"], ["host", "b.test"]]],
  ["45: an authority and another Host", "9113 8.3.1", [...BASE, ["host", "b.test"]]],
  ["45: a Host with user information alone", "9113 8.3.1", [METHOD, SCHEME, PATH, ["host", "u@a.test"]]],
];

const START = headersFrame(POST_BASE, { flags: FLAG.END_HEADERS });

/** Frames that are wrong: name, section, frames. */
const WRONG: [name: string, rfc: string, frames: string, seesBackend?: true][] = [
  [
    "44: more content than its length says",
    "9113 8.1.1",
    headersFrame([...POST_BASE, ["content-length", "2"]], { flags: FLAG.END_HEADERS }) + dataFrame("hello"),
    true,
  ],
  [
    "44: less content than its length says",
    "9113 8.1.1",
    headersFrame([...POST_BASE, ["content-length", "9"]], { flags: FLAG.END_HEADERS }) + dataFrame("hello"),
    true,
  ],
  [
    "a header block that is no HPACK",
    "7541 6.1",
    frame({ type: FRAME.HEADERS, flags: 5, stream: 1, payload: "\x80" }),
  ],
  [
    "a header block that refers to nothing",
    "7541 6.1",
    frame({ type: FRAME.HEADERS, flags: 5, stream: 1, payload: "\xff\xff\x03" }),
  ],
  [
    "a literal that is longer than its block",
    "7541 5.2",
    frame({ type: FRAME.HEADERS, flags: 5, stream: 1, payload: "\0\x7fx" }),
  ],
  ["HEADERS on stream 0", "9113 6.2", headersFrame(BASE, { stream: 0 })],
  ["HEADERS on a stream of the server", "9113 5.1.1", headersFrame(BASE, { stream: 2 })],
  ["DATA on stream 0", "9113 6.1", frame({ type: FRAME.DATA, payload: "x" })],
  ["DATA on a stream that does not exist", "9113 5.1", dataFrame("x")],
  [
    "CONTINUATION that continues nothing",
    "9113 6.10",
    frame({ type: FRAME.CONTINUATION, flags: 4, stream: 1, payload: headerBlock(BASE) }),
  ],
  [
    "a frame between HEADERS and CONTINUATION",
    "9113 6.10",
    headersFrame(BASE, { flags: FLAG.END_STREAM }) + frame({ type: FRAME.PING, payload: "12345678" }),
  ],
  ["a frame of more than 16 KB", "9113 4.2", START + dataFrame(filled(16385)), true],
  [
    "padding that is longer than the frame",
    "9113 6.1",
    START + dataFrame("\xffx", FLAG.PADDED | FLAG.END_STREAM),
    true,
  ],
  ["SETTINGS of 5 bytes", "9113 6.5", frame({ type: FRAME.SETTINGS, payload: "12345" })],
  [
    "SETTINGS ACK with content",
    "9113 6.5",
    frame({ type: FRAME.SETTINGS, flags: FLAG.ACK, payload: "123456" }),
  ],
  [
    "a window that is too large",
    "9113 6.5.2",
    frame({ type: FRAME.SETTINGS, payload: `\0\x04${bytesOfNumber(2 ** 31, 4)}` }),
  ],
  [
    "WINDOW_UPDATE of nothing",
    "9113 6.9",
    frame({ type: FRAME.WINDOW_UPDATE, payload: bytesOfNumber(0, 4) }),
  ],
  [
    "windows that are too large together",
    "9113 6.9.1",
    frame({ type: FRAME.WINDOW_UPDATE, payload: bytesOfNumber(2 ** 31 - 1, 4) }),
  ],
  [
    "PUSH_PROMISE of a client",
    "9113 8.4",
    frame({
      type: FRAME.PUSH_PROMISE,
      flags: 4,
      stream: 1,
      payload: bytesOfNumber(2, 4) + headerBlock(BASE),
    }),
  ],
  ["PING of 7 bytes", "9113 6.7", frame({ type: FRAME.PING, payload: "1234567" })],
  [
    "RST_STREAM of a stream that does not exist",
    "9113 6.4",
    frame({ type: FRAME.RST_STREAM, stream: 1, payload: bytesOfNumber(8, 4) }),
  ],
  ["garbage", "9113 3.4", "GET /evil HTTP/1.1\r\nHost: a.test\r\n\r\n"],
];

const GOOD: FrameCase[] = [
  { name: "a request", rfc: "9113 8.3.1", frames: headersFrame(RIGHT), expect: [200], gets: ["GET /x"] },
  {
    name: "HEADERS and CONTINUATION, cut within a field",
    rfc: "9113 6.10",
    frames: frame({
      type: FRAME.HEADERS,
      flags: FLAG.END_STREAM,
      stream: 1,
      payload: headerBlock(RIGHT).slice(0, 20),
    }) +
      frame({ type: FRAME.CONTINUATION, stream: 1, payload: headerBlock(RIGHT).slice(20, 30) }) +
      frame({
        type: FRAME.CONTINUATION,
        flags: FLAG.END_HEADERS,
        stream: 1,
        payload: headerBlock(RIGHT).slice(30),
      }),
    expect: [200],
    gets: ["GET /x"],
  },
  {
    name: "frames that are not known are passed over",
    rfc: "9113 4.1",
    frames: frame({ type: 0x2a, flags: 255, payload: "what?" }) + headersFrame(RIGHT),
    expect: [200],
    gets: ["GET /x"],
  },
  {
    name: "padding",
    rfc: "9113 6.2",
    frames: frame({
      type: FRAME.HEADERS,
      flags: 13,
      stream: 1,
      payload: `\x05${headerBlock(RIGHT)}\0\0\0\0\0`,
    }),
    expect: [200],
    gets: ["GET /x"],
  },
  {
    name: "te: trailers",
    rfc: "9113 8.2.2",
    frames: headersFrame([...RIGHT, ["te", "trailers"]]),
    expect: [200],
    gets: [{ is: "GET /x", headers: { te: null } }],
  },
  {
    name: "Host without an authority",
    rfc: "9113 8.3.1",
    frames: headersFrame([METHOD, SCHEME, [":path", "/x"], ["host", "a.test"]]),
    expect: [200],
    gets: [{ is: "GET /x", headers: { host: "a.test" } }],
  },
  {
    name: "cookies in pieces are joined",
    rfc: "9113 8.2.3",
    frames: headersFrame([...RIGHT, ["cookie", "a=1"], ["cookie", "b=2"]]),
    expect: [200],
    gets: [{ is: "GET /x", headers: { cookie: "a=1; b=2" } }],
  },
  {
    name: "several fields of one name",
    rfc: "9110 5.3",
    frames: headersFrame([...RIGHT, ["x-a", "1"], ["x-a", "2"]]),
    expect: [200],
    gets: [{ is: "GET /x", headers: { "x-a": "1, 2" } }],
    limitation: { node: "they stay two, which means the same" },
  },
  {
    name: "a value of other letters than ASCII",
    rfc: "9110 5.5",
    frames: headersFrame([...RIGHT, ["x-a", "caf\xe9"]]),
    expect: [200],
    gets: [{ is: "GET /x", headers: { "x-a": "caf\xe9" } }],
  },
  {
    name: "45: the scheme means nothing",
    rfc: "9113 8.3.1",
    frames: headersFrame([METHOD, [":scheme", "http"], AUTHORITY, [":path", "/x"]]),
    expect: [200],
    gets: [{ is: "GET /x", headers: { "x-forwarded-proto": "https" } }],
  },
  {
    name: "28: CONNECT",
    rfc: "9113 8.5",
    frames: headersFrame([[":method", "CONNECT"], [":authority", "a.test:80"]], { flags: FLAG.END_HEADERS }),
    expect: [400, 405, 501],
  },
  {
    name: "20: a head of 200 KB",
    rfc: "9113 10.5.1",
    frames: frame({ type: FRAME.HEADERS, flags: FLAG.END_STREAM, stream: 1, payload: headerBlock(BASE) }) +
      Array.from({ length: 20 }, (_, index) =>
        frame({
          type: FRAME.CONTINUATION,
          flags: index === 19 ? FLAG.END_HEADERS : 0,
          stream: 1,
          payload: headerBlock([[`x-${index}`, filled(10_000)]]),
        })).join(""),
    expect: "refused",
  },
];

/** A client takes no content until it says how much (RFC 9113, section 6.5.2). */
export const NO_WINDOW = frame({ type: FRAME.SETTINGS, payload: `\0\x04${bytesOfNumber(0, 4)}` });

const SERVED = START.replace("/evil", "/slow");

/** What takes too long: name, frames, and what becomes of stream 1; nothing for a connection that is closed. */
export const SLOW_FRAMES: readonly [name: string, frames: string, statuses: readonly number[]][] = [
  ["40: silence", "", []],
  ["40: half a frame", START.slice(0, 20), []],
  ["40: half of the fields", headersFrame(BASE, { flags: FLAG.END_STREAM }), []],
  ["40: none of the content", SERVED, [408]],
  ["40: half of the content", SERVED + dataFrame("half", 0), [408]],
];

/** Frames, right and wrong. */
export const FRAME_CASES: readonly FrameCase[] = [
  ...GOOD,
  ...MALFORMED.map(([name, rfc, fields, limitation]): FrameCase => ({
    name,
    rfc,
    frames: headersFrame(fields),
    expect: "refused",
    ...limitation !== undefined && { limitation },
  })),
  ...WRONG.map(([name, rfc, frames, seesBackend]): FrameCase => ({
    name,
    rfc,
    frames: seesBackend ? frames.replaceAll("/evil", "/ruin") : frames,
    expect: "refused",
    gets: seesBackend ? [{ is: "POST /ruin", isCut: true }] : [],
  })),
];

/** Frames without end. */
export interface Flood {
  /** What it is about. */
  name: string;
  /** The section that it comes from. */
  rfc: string;
  /** What comes first. */
  start: string;
  /** What comes then, again and again. */
  frames: (count: number) => string;
  /** Need the connection not be ended for it? */
  isBearable?: true;
}

/** Floods: the connection must be ended, and others must be served. */
export const FLOODS: readonly Flood[] = [
  {
    name: "46: PING",
    rfc: "9113 10.5",
    start: "",
    frames: () => frame({ type: FRAME.PING, payload: "12345678" }),
    isBearable: true,
  },
  {
    name: "46: SETTINGS",
    rfc: "9113 10.5",
    start: "",
    frames: () => frame({ type: FRAME.SETTINGS, payload: `\0\x04${bytesOfNumber(65535, 4)}` }),
    isBearable: true,
  },
  {
    name: "46: content of no bytes",
    rfc: "9113 10.5",
    start: headersFrame(RIGHT, { flags: FLAG.END_HEADERS }),
    frames: () => dataFrame("", 0),
    isBearable: true,
  },
  {
    name: "46: rapid reset",
    rfc: "9113 10.5",
    start: "",
    frames: (count) => {
      const stream = 2 * count + 1;
      return headersFrame(RIGHT, { stream }) +
        frame({ type: FRAME.RST_STREAM, stream, payload: bytesOfNumber(8, 4) });
    },
  },
  {
    name: "46: CONTINUATION without end",
    rfc: "9113 10.5.1",
    start: frame({ type: FRAME.HEADERS, flags: FLAG.END_STREAM, stream: 1, payload: headerBlock(BASE) }),
    frames: (count) =>
      frame({ type: FRAME.CONTINUATION, stream: 1, payload: headerBlock([[`x-${count}`, filled(1000)]]) }),
  },
  {
    name: "46: the server is made to reset",
    rfc: "9113 10.5",
    start: "",
    frames: (count) => {
      const stream = 2 * count + 1;
      const update: Frame = { type: FRAME.WINDOW_UPDATE, stream, payload: bytesOfNumber(0, 4) };
      return headersFrame(RIGHT, { stream }) + frame(update);
    },
  },
];
