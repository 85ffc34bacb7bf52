import { type Answer, type ExpectedRequest, type ExpectedResponse, filled, OK, refused } from "./case.ts";

/** A request of a client that speaks HTTP/2 as it should. */
export interface Http2Case {
  /** What it is about. */
  name: string;
  /** The section that it comes from. */
  rfc: string;
  /** Fields beyond `:method` GET, `:authority` a.test and `:path` /x. */
  headers?: Record<string, string | string[]>;
  /** The content. */
  body?: string;
  /** Fields behind the content. */
  trailers?: Record<string, string>;
  /** What the backend answers. */
  backend?: Answer;
  /** What the client gets. */
  expect: ExpectedResponse;
  /** What the backend gets. */
  gets?: readonly ExpectedRequest[];
  /** Why one of those that speak HTTP/2 cannot do as it should: it is told when it can. */
  limitation?: Partial<Record<"deno" | "node", string>>;
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Requests of one line: name, fields, what the client gets, what the backend gets. */
const ROWS: [name: string, headers: Record<string, string>, expect: ExpectedResponse, gets?: string][] = [
  ["29: get is not GET", { ":method": "get" }, OK, "get /x"],
  ["a method that is not known", { ":method": "BREW" }, OK, "BREW /x"],
  ["25: another authority that the certificate covers", { ":authority": "b.test" }, OK, "GET /x"],
  [
    "48: an authority that the certificate does not cover",
    { ":authority": "other.test" },
    refused("misdirected"),
  ],
  ["an authority without a rule", { ":authority": "nowhere.test" }, refused("no_route")],
  ["an authority in other letters, with a port", { ":authority": "A.TEST:8443" }, OK, "GET /x"],
  ["45: Host is what the authority is", { host: "a.test" }, OK, "GET /x"],
  ["45: Host is not what the authority is", { host: "b.test" }, refused("bad_request")],
  ["32: dot segments", { ":path": "/a/../x?y=/../z" }, OK, "GET /x?y=/../z"],
  ["32: percent-encoded dot segments", { ":path": "/a/%2e%2e/x" }, OK, "GET /x"],
  ["32: out of the root", { ":path": "/../evil" }, refused("bad_request")],
  ["32: out of the root, percent-encoded", { ":path": "/%2e%2e/evil" }, refused("bad_request")],
  ["32: a backslash", { ":path": "/evil\\x" }, refused("bad_request")],
  ["32: %2f and empty segments", { ":path": "//a//b%2fc" }, OK, "GET //a//b%2fc"],
  ["33: %00", { ":path": "/evil%00" }, refused("bad_request")],
  ["33: %zz", { ":path": "/evil%zz" }, refused("bad_request")],
  [
    "every character that a query may have",
    { ":path": "/x?a=/?:@!$&'()*+,;=-._~%7B" },
    OK,
    "GET /x?a=/?:@!$&'()*+,;=-._~%7B",
  ],
  ["a long path", { ":path": `/${filled(8000)}` }, OK, `GET /${filled(8000)}`],
  ["27: OPTIONS *", { ":method": "OPTIONS", ":path": "*" }, OK, "OPTIONS *"],
];

const DELIVERED = { node: "it is passed on with its content, which Deno.serve would drop" };

/** Requests that are right as HTTP/2; what they ask for may not be. */
export const HTTP2_CASES: readonly Http2Case[] = [
  {
    name: "a GET",
    rfc: "9113 8.3.1",
    headers: { "x-a": "b" },
    expect: { ...OK, headers: { "content-length": "2", server: "pingress", connection: null } },
    gets: [{
      is: "GET /x",
      headers: {
        host: "a.test",
        "x-a": "b",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "a.test",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
        "content-length": null,
        "transfer-encoding": null,
      },
    }],
  },
  {
    name: "39: what a client says of itself is dropped",
    rfc: "9110 7.6",
    headers: {
      "x-forwarded-for": "6.6.6.6",
      "x-real-ip": "6.6.6.6",
      "x-forwarded-proto": "ftp",
      "x-forwarded-host": "evil.test",
      forwarded: "for=6.6.6.6",
      "x_y": "z",
    },
    expect: OK,
    gets: [{
      is: "GET /x",
      headers: {
        "x-forwarded-for": "127.0.0.1",
        "x-real-ip": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "a.test",
        forwarded: null,
        "x_y": null,
      },
    }],
  },
  {
    name: "content of a known length",
    rfc: "9113 8.1.1",
    headers: { ":method": "POST", "content-length": "2" },
    body: "hi",
    expect: OK,
    gets: [{ is: "POST /x hi", headers: { "content-length": "2", "transfer-encoding": null } }],
  },
  {
    name: "content of unknown length",
    rfc: "9113 8.1",
    headers: { ":method": "POST" },
    body: "hi",
    expect: OK,
    gets: [{ is: "POST /x hi", headers: { "content-length": null, "transfer-encoding": "chunked" } }],
  },
  {
    name: "POST without content",
    rfc: "9110 8.6",
    headers: { ":method": "POST" },
    expect: OK,
    gets: [{ is: "POST /x", headers: { "content-length": "0" } }],
  },
  {
    name: "12: trailers are dropped",
    rfc: "9110 6.5.1",
    headers: { ":method": "POST" },
    body: "hi",
    trailers: { "x-t": "t" },
    expect: OK,
    gets: [{ is: "POST /x hi", headers: { "x-t": null } }],
  },
  {
    name: "38: a GET that says that it has content",
    rfc: "9110 9.3.1",
    headers: { "content-length": "2" },
    body: "hi",
    expect: refused("body_not_supported"),
    limitation: DELIVERED,
  },
  {
    name: "38: a HEAD that says that it has content",
    rfc: "9110 9.3.2",
    headers: { ":method": "HEAD", "content-length": "2" },
    body: "hi",
    expect: { ...refused("body_not_supported"), toHead: true },
    limitation: DELIVERED,
  },
  {
    name: "a GET of no bytes",
    rfc: "9110 9.3.1",
    headers: { "content-length": "0" },
    expect: OK,
    gets: ["GET /x"],
  },
  {
    name: "38: DELETE with content",
    rfc: "9110 9.3.5",
    headers: { ":method": "DELETE", "content-length": "2" },
    body: "hi",
    expect: OK,
    gets: ["DELETE /x hi"],
  },
  {
    name: "HEAD",
    rfc: "9110 9.3.2",
    headers: { ":method": "HEAD" },
    backend: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    expect: { status: 200, body: "", headers: { "content-length": "1000" } },
    gets: ["HEAD /x"],
  },
  {
    name: "HEAD without a length says nothing of it",
    rfc: "9110 8.6",
    headers: { ":method": "HEAD" },
    backend: `${CHUNKED}`,
    expect: { status: 200, body: "", headers: { "content-length": null } },
    gets: ["HEAD /x"],
  },
  {
    name: "204",
    rfc: "9110 15.3.5",
    backend: "HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n",
    expect: { status: 204, body: "", headers: { "content-length": null } },
    gets: ["GET /x"],
  },
  {
    name: "205",
    rfc: "9110 15.3.6",
    backend: "HTTP/1.1 205 X\r\nContent-Length: 0\r\n\r\n",
    expect: { status: 205, body: "" },
    gets: ["GET /x"],
  },
  {
    name: "304 keeps the length that a 200 would have",
    rfc: "9110 8.6",
    backend: "HTTP/1.1 304 X\r\nContent-Length: 1000\r\n\r\n",
    expect: { status: 304, body: "", headers: { "content-length": "1000" } },
    gets: ["GET /x"],
  },
  {
    name: "chunks and trailers of a backend",
    rfc: "9113 8.1",
    backend: `${CHUNKED}2\r\nhi\r\n0\r\nX: y\r\n\r\n`,
    expect: { status: 200, body: "hi", headers: { "transfer-encoding": null, x: null } },
    gets: ["GET /x"],
  },
  {
    name: "fields of a backend's connection are dropped",
    rfc: "9113 8.2.2",
    backend:
      "HTTP/1.1 200 OK\r\nConnection: X-Int\r\nX-Int: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n" +
      "Upgrade: h2c\r\nContent-Length: 2\r\nX-Kept: 1\r\n\r\nok",
    expect: { ...OK, headers: { "x-int": null, "x-kept": "1", connection: null } },
    gets: ["GET /x"],
  },
  {
    name: "several Set-Cookie",
    rfc: "9110 5.3",
    backend: "HTTP/1.1 200 OK\r\nSet-Cookie: a=1, 2\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n",
    expect: { status: 200, headers: { "set-cookie": ["a=1, 2", "b=2"] } },
    gets: ["GET /x"],
  },
  {
    name: "body shorter than CL",
    rfc: "9113 8.1.1",
    backend: [{ awaitsRequest: true }, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", { closes: true }],
    expect: { status: 200, body: /^(?:half)?$/, isCut: true, mayBeMissing: true },
    gets: ["GET /x"],
  },
  {
    name: "cut mid-chunk",
    rfc: "9113 8.1",
    backend: [{ awaitsRequest: true }, `${CHUNKED}9\r\nhalf`, { closes: true }],
    expect: { status: 200, body: /^(?:half)?$/, isCut: true, mayBeMissing: true },
    gets: ["GET /x"],
  },
  {
    name: "cut behind the last chunk",
    rfc: "9113 8.1",
    backend: [{ awaitsRequest: true }, `${CHUNKED}4\r\nhalf\r\n`, { clientHas: "half" }, "0\r\n", {
      closes: true,
    }],
    expect: { status: 200, body: "half", isCut: true },
    gets: ["GET /x"],
  },
  {
    name: "bytes after the body",
    rfc: "9112 6.3",
    backend: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokPOISONED",
    expect: OK,
    gets: ["GET /x"],
  },
  {
    name: "TE+CL of a backend",
    rfc: "9112 6.3",
    backend: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    expect: refused("upstream_invalid"),
    gets: ["GET /x"],
  },
  {
    name: "unsolicited 101",
    rfc: "9113 8.6",
    backend: "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    expect: refused("upstream_invalid"),
    gets: ["GET /x"],
  },
  {
    name: "103 before the answer",
    rfc: "9110 15.2",
    backend: "HTTP/1.1 103 X\r\nLink: l\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    expect: OK,
    gets: ["GET /x"],
  },
  {
    name: "37: Expect: 100-continue",
    rfc: "9110 10.1.1",
    headers: { ":method": "POST", expect: "100-continue", "content-length": "2" },
    body: "hi",
    expect: OK,
    gets: ["POST /x hi"],
  },
  {
    name: "37: another expectation",
    rfc: "9110 10.1.1",
    headers: { ":method": "POST", expect: "foo" },
    body: "hi",
    expect: refused("expectation_failed"),
  },
  {
    name: "28: TRACE",
    rfc: "9110 9.3.8",
    headers: { ":method": "TRACE", cookie: "secret" },
    expect: { ...refused("method_not_allowed"), headers: { allow: /GET/ }, body: /^(?!.*secret)/s },
  },
  ...ROWS.map(([name, headers, expect, gets]): Http2Case => ({
    name,
    rfc: "9113 8.3.1",
    headers,
    expect,
    gets: gets === undefined ? [] : [gets],
  })),
];
