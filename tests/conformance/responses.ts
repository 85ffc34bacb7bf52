import { type Case, GET, type Theme } from "./case.ts";

const HEAD = "HEAD /x HTTP/1.1\r\nHost: a.test\r\n\r\n";
const OLD = "GET /x HTTP/1.0\r\nHost: a.test\r\n\r\n";
const HINT =
  "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Int\r\nX-Int: 1\r\n\r\n";
const HINTED = { status: 103, headers: { link: "</a.css>; rel=preload", "x-int": null, connection: null } };
const EMPTY = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/** Answers of a well-behaved backend to a GET, unless another request is told. */
type Row = Pick<Case, "name" | "rfc" | "backend" | "expect"> & Partial<Case>;

const ROWS: Row[] = [
  {
    name: "content of a known length",
    rfc: "9112 6.2",
    backend: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    expect: [{ status: 200, body: "hi", headers: { "content-length": "2", "transfer-encoding": null } }],
    upstream: "kept",
  },
  {
    name: "chunks, extensions, trailers",
    rfc: "9112 7.1",
    backend: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n" +
      "1;a=b\r\nh\r\n01 ;c\r\ni\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n",
    expect: [{
      status: 200,
      body: "hi",
      headers: { "transfer-encoding": "chunked", "content-length": null, trailer: null, x: null },
    }],
    upstream: "kept",
  },
  {
    name: "chunks in pieces that end at odd places",
    rfc: "9112 7.1",
    backend: [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0",
      { clientHas: "h\r\n" },
      "1\r",
      "\ni\r",
      "\n0\r\n\r",
      "\n",
    ],
    expect: [{ status: 200, body: "hi" }],
    upstream: "kept",
  },
  {
    name: "content until the end gets an end of its own",
    rfc: "9112 6.3",
    backend: ["HTTP/1.1 200 OK\r\n\r\nhi", { closes: true }],
    expect: [{ status: 200, body: "hi", headers: { "transfer-encoding": "chunked" } }],
    upstream: "closed",
  },
  {
    name: "no content until the end",
    rfc: "9112 6.3",
    backend: ["HTTP/1.1 200 OK\r\n\r\n", { closes: true }],
    expect: [{ status: 200, body: "" }],
    upstream: "closed",
  },
  {
    name: "HTTP/1.0",
    rfc: "9112 6.3",
    backend: ["HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", { hangs: true }],
    expect: [{ status: 200, body: "hi" }],
    upstream: "closed",
  },
  {
    name: "the backend's Connection: close ends its own connection alone",
    rfc: "9112 9.6",
    backend: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
    expect: [{ status: 200, body: "hi", headers: { connection: null } }],
    upstream: "closed",
  },
  {
    name: "until the end, to HTTP/1.0",
    rfc: "9112 6.3",
    client: OLD,
    backend: ["HTTP/1.1 200 OK\r\n\r\nhi", { closes: true }],
    expect: [{ status: 200, body: "hi", headers: { "transfer-encoding": null, "content-length": null } }],
    then: "closed",
  },
  {
    name: "a known length, to HTTP/1.0",
    rfc: "9112 6.2",
    client: OLD,
    backend: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    expect: [{ status: 200, body: "hi", headers: { "content-length": "2" } }],
    then: "closed",
  },
  {
    name: "204",
    rfc: "9110 15.3.5",
    backend: "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    expect: [{ status: 204, headers: { x: "y" } }],
    upstream: "kept",
  },
  {
    name: "204 with Content-Length: 0",
    rfc: "9110 8.6",
    backend: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 204, headers: { "content-length": null } }],
    upstream: "kept",
  },
  {
    name: "204 with Content-Length: 2 and nothing behind it",
    rfc: "9110 8.6",
    backend: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
    expect: [{ status: 204, headers: { "content-length": null } }],
  },
  {
    name: "205",
    rfc: "9110 15.3.6",
    backend: "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 205, body: "", headers: { "content-length": "0" } }],
    upstream: "kept",
  },
  {
    name: "304 keeps the length that a 200 would have",
    rfc: "9110 8.6",
    backend: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: "a"\r\n\r\n',
    expect: [{ status: 304, headers: { "content-length": "1000", etag: '"a"' } }],
    upstream: "kept",
  },
  {
    name: "304 without a length",
    rfc: "9110 15.4.5",
    backend: "HTTP/1.1 304 Not Modified\r\n\r\n",
    expect: [{ status: 304, headers: { "content-length": null, "transfer-encoding": null } }],
    upstream: "kept",
  },
  {
    name: "304 with Transfer-Encoding",
    rfc: "9112 6.1",
    backend: "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    expect: [{ status: 304 }],
    upstream: "kept",
  },
  {
    name: "HEAD keeps the length that a GET would have",
    rfc: "9110 9.3.2",
    client: HEAD,
    backend: "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
    expect: [{ status: 200, toHead: true, headers: { "content-length": "1000" } }],
    gets: ["HEAD /x"],
    upstream: "kept",
  },
  {
    name: "HEAD with Transfer-Encoding",
    rfc: "9112 6.1",
    client: HEAD,
    backend: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    expect: [{ status: 200, toHead: true, headers: { "content-length": null } }],
    gets: ["HEAD /x"],
    upstream: "kept",
  },
  {
    name: "HEAD without a length says nothing of it",
    rfc: "9110 8.6",
    client: HEAD,
    backend: "HTTP/1.1 200 OK\r\n\r\n",
    expect: [{ status: 200, toHead: true, headers: { "content-length": null } }],
    gets: ["HEAD /x"],
    upstream: "kept",
  },
  {
    name: "HEAD whose Connection names Content-Length",
    rfc: "9110 7.6.1",
    client: HEAD,
    backend: "HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 1000\r\n\r\n",
    expect: [{ status: 200, toHead: true, headers: { "content-length": "1000" } }],
    gets: ["HEAD /x"],
    upstream: "kept",
  },
  {
    name: "103 before the answer",
    rfc: "9110 15.2",
    backend: `${HINT}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi`,
    expect: [HINTED, { status: 200, body: "hi" }],
    upstream: "kept",
  },
  {
    name: "103 at once, the answer later",
    rfc: "9110 15.2",
    backend: [
      { awaitsRequest: true },
      HINT,
      { clientHas: "103" },
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
    expect: [HINTED, { status: 200, body: "hi" }],
    upstream: "kept",
  },
  {
    name: "102 and a status that nobody knows",
    rfc: "9110 15.2",
    backend: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 x\r\n\r\n${EMPTY}`,
    expect: [{ status: 102 }, { status: 199 }, { status: 200, body: "" }],
  },
  {
    name: "10 informational responses",
    rfc: "9110 15.2",
    backend: `${HINT.repeat(10)}${EMPTY}`,
    expect: [...Array(10).fill(HINTED), { status: 200, body: "" }],
    upstream: "kept",
  },
  {
    name: "103 is nothing for HTTP/1.0",
    rfc: "9110 15.2",
    client: OLD,
    backend: `${HINT}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi`,
    expect: [{ status: 200, body: "hi" }],
    then: "closed",
  },
  {
    name: "100 that nobody waits for",
    rfc: "9110 15.2.1",
    backend: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi`,
    expect: [{ status: 200, body: "hi" }],
    upstream: "kept",
  },
  {
    name: "no reason phrase",
    rfc: "9112 4",
    backend: "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 200, body: "" }],
  },
  {
    name: "no reason phrase and no space before it",
    rfc: "9112 4",
    backend: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 200, body: "" }],
  },
  {
    name: "a reason phrase of other letters than ASCII",
    rfc: "9112 4",
    backend: "HTTP/1.1 404 Introuv\xe9\t!\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 404, body: "" }],
  },
  ...[201, 206, 299, 300, 399, 401, 407, 418, 499, 500, 502, 503, 599].map((status): Row => ({
    name: `status ${status}`,
    rfc: "9110 15",
    backend: `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nhi`,
    expect: [{ status, body: "hi" }],
  })),
  {
    name: "a minor version that is not known yet",
    rfc: "9110 2.5",
    backend: "HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    expect: [{ status: 200, body: "hi" }],
  },
  {
    name: "values reach the client as they are, in their order",
    rfc: "9110 5.3",
    backend:
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\n" +
      "X:\t caf\xe9  \t b \r\nset-cookie: b=2\r\nEmpty:\r\nSET-COOKIE: c=3\r\nX_Y: kept\r\n\r\n",
    expect: [{
      status: 200,
      headers: {
        "set-cookie": ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2", "c=3"],
        x: "caf\xe9  \t b",
        empty: "",
        "x_y": "kept",
      },
    }],
  },
  {
    name: "Date and Server are the backend's",
    rfc: "9110 6.6.1",
    backend:
      "HTTP/1.1 200 OK\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\nServer: x/1\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 200, headers: { date: "Tue, 15 Nov 1994 08:12:31 GMT", server: "x/1" } }],
  },
  {
    name: "Date and Server are added, Via is not",
    rfc: "9110 6.6.1",
    backend: EMPTY,
    expect: [{
      status: 200,
      headers: {
        date: /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
        server: "pingress",
        via: null,
      },
    }],
  },
  {
    name: "hop-by-hop fields are dropped",
    rfc: "9110 7.6.1",
    backend: "HTTP/1.1 200 OK\r\nConnection: X-Int, keep-alive\r\nX-Int: 1\r\nKeep-Alive: timeout=5\r\n" +
      "Proxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTE: x\r\nTrailer: X\r\n" +
      "Content-Length: 0\r\nX-Kept: 2\r\n\r\n",
    expect: [{ status: 200, headers: { "x-int": null, "x-kept": "2" } }],
    upstream: "kept",
  },
  {
    name: "Connection cannot name Content-Length",
    rfc: "9110 7.6.1",
    backend: "HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nhi",
    expect: [{ status: 200, body: "hi" }],
    upstream: "kept",
  },
  {
    name: "only Pingress says that an answer is its own",
    rfc: "9110 7.7",
    backend: "HTTP/1.1 404 Not Found\r\nPingress-Error: no_route\r\nContent-Length: 0\r\n\r\n",
    expect: [{ status: 404, body: "" }],
  },
  {
    name: "a head of 60 KB",
    rfc: "9110 5.4",
    backend: `HTTP/1.1 200 OK\r\nX: ${"x".repeat(60_000)}\r\nContent-Length: 0\r\n\r\n`,
    expect: [{ status: 200, headers: { x: "x".repeat(60_000) } }],
    upstream: "kept",
  },
  {
    name: "1 MB in chunks of every size",
    rfc: "9112 7.1",
    backend: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${
      [1, 15, 16, 4095, 4096, 65535, 65536, 70000, 300_000, 520_000].map((size) =>
        `${size.toString(16)}\r\n${"y".repeat(size)}\r\n`
      ).join("")
    }0\r\n\r\n`,
    expect: [{ status: 200, body: /^y{1029294}$/ }],
    upstream: "kept",
  },
];

/** What well-behaved backends answer. */
export const responses: Theme = {
  name: "responses",
  cases: ROWS.map((row) => ({ client: `${GET}\r\n`, gets: ["GET /x"], ...row })),
  over: ["http", "https"],
};
