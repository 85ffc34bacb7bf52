import { type Answer, type Case, type ExpectedResponse, GET, POST, refused, type Theme } from "./case.ts";

const INVALID = refused("upstream_invalid");
const POISON = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nPOISONED";
const OK_HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";

/** Answers that are none: name, section, bytes. The client gets a 502, the backend's connection is closed. */
const NO_ANSWERS: [name: string, rfc: string, answer: string][] = [
  ["TE+CL", "9112 6.3", `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`],
  ["CL conflicting", "9112 6.3", `${OK_HEAD}Content-Length: 3\r\n\r\nhi!`],
  ["CL twice the same", "9112 6.3", `${OK_HEAD}Content-Length: 2\r\n\r\nhi`],
  ["CL 2, 2", "9112 6.3", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi"],
  ["CL abc", "9112 6.3", "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nhi"],
  ["CL -2", "9112 6.3", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nhi"],
  ["CL +2", "9112 6.3", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi"],
  ["CL without a value", "9112 6.3", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi"],
  ["CL of more than 2^64", "9110 8.6", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nhi"],
  ["TE foo", "9112 6.1", "HTTP/1.1 200 OK\r\nTransfer-Encoding: foo\r\n\r\nhi"],
  [
    "TE gzip, chunked",
    "9112 6.1",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  ],
  [
    "TE chunked, identity",
    "9112 6.1",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  ],
  [
    "TE twice",
    "9112 6.1",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
  ],
  ["TE in HTTP/1.0", "9112 6.1", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
  ["204 with TE+CL", "9112 6.3", "HTTP/1.1 204 X\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["status 099", "9110 15", "HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nhi"],
  ["status 1000", "9110 15", "HTTP/1.1 1000 X\r\nContent-Length: 2\r\n\r\nhi"],
  ["status 600", "9110 15", "HTTP/1.1 600 X\r\nContent-Length: 2\r\n\r\nhi"],
  ["status 000", "9110 15", "HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nhi"],
  ["status 20", "9112 4", "HTTP/1.1 20 X\r\nContent-Length: 2\r\n\r\nhi"],
  ["status 2xx", "9112 4", "HTTP/1.1 2xx X\r\nContent-Length: 2\r\n\r\nhi"],
  ["HTTP/2 200", "9112 4", "HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
  ["HTTP/2.0 200", "9112 4", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
  ["HTTP/0.9 text", "9112 A.1", "<html>hi</html>\r\n\r\n"],
  ["a version in lower case", "9112 2.3", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
  ["ICY", "9112 4", "ICY 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
  ["two spaces before the status", "9112 4", "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nhi"],
  ["an empty line before it", "9112 2.2", `\r\n${OK_HEAD}\r\nhi`],
  ["a request instead", "9112 4", "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"],
  ["obs-fold", "9112 5.2", `${OK_HEAD}X: a\r\n b\r\n\r\nhi`],
  ["a space before the first header", "9112 2.2", "HTTP/1.1 200 OK\r\n X: y\r\nContent-Length: 2\r\n\r\nhi"],
  ["a bare CR", "9112 2.2", `${OK_HEAD}X: a\rb\r\n\r\nhi`],
  ["a bare CR in the reason phrase", "9112 2.2", "HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nhi"],
  ["bare LF", "9112 2.2", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi"],
  ["a bare LF behind a header", "9112 2.2", `${OK_HEAD}X: a\nY: b\r\n\r\nhi`],
  ["NUL", "9110 5.5", `${OK_HEAD}X: a\0b\r\n\r\nhi`],
  ["a control character", "9110 5.5", `${OK_HEAD}X: a\x01b\r\n\r\nhi`],
  ["X-A : a", "9112 5.1", `${OK_HEAD}X-A : a\r\n\r\nhi`],
  ["Content-Length : 2", "9112 5.1", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi"],
  ["no colon", "9112 5", `${OK_HEAD}X-A\r\n\r\nhi`],
  ["no name", "9112 5", `${OK_HEAD}: a\r\n\r\nhi`],
  ["a header of 200 KB", "9110 5.4", `${OK_HEAD}X: ${"x".repeat(200_000)}\r\n\r\nhi`],
  ["3000 headers", "9110 5.4", `${OK_HEAD}${"A: b\r\n".repeat(3000)}\r\nhi`],
  ["300 headers", "9110 5.4", `${OK_HEAD}${"A: b\r\n".repeat(300)}\r\nhi`],
  ["50x100", "9110 15.2", `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(50)}${OK_HEAD}\r\nhi`],
  [
    "unsolicited 101",
    "9110 15.2.2",
    `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n${POISON}`,
  ],
];

function noAnswerCases(): Case[] {
  return NO_ANSWERS.map(([name, rfc, answer]) => ({
    name,
    rfc,
    client: `${GET}\r\n`,
    backend: answer,
    expect: [INVALID],
    gets: ["GET /x"],
    upstream: "closed",
  }));
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Contents that break off: name, section, the start, and how it goes wrong when the client has got that. */
const BROKEN: [name: string, rfc: string, head: string, start: string, rest: string][] = [
  ["body shorter than CL", "9112 8", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "half", ""],
  ["cut before a chunk's size", "9112 8", CHUNKED, "4\r\nhalf\r\n", ""],
  ["cut within a chunk's size", "9112 8", CHUNKED, "4\r\nhalf\r\n", "5"],
  ["cut behind a chunk's size", "9112 8", CHUNKED, "4\r\nhalf\r\n", "5\r\n"],
  ["cut mid-chunk", "9112 8", CHUNKED, "9\r\nhalf", ""],
  ["cut behind a chunk's data", "9112 8", CHUNKED, "4\r\nhalf", ""],
  ["cut within the line end of a chunk", "9112 8", CHUNKED, "4\r\nhalf", "\r"],
  ["cut within the last chunk", "9112 8", CHUNKED, "4\r\nhalf\r\n", "0"],
  ["cut behind the last chunk", "9112 8", CHUNKED, "4\r\nhalf\r\n", "0\r\n"],
  ["cut within the trailers", "9112 8", CHUNKED, "4\r\nhalf\r\n", "0\r\nX: y\r\n"],
  ["cut before the last byte", "9112 8", CHUNKED, "4\r\nhalf\r\n", "0\r\n\r"],
  ["a chunk of -1 bytes", "9112 7.1", CHUNKED, "4\r\nhalf\r\n", "-1\r\n"],
  ["a chunk of 0x4 bytes", "9112 7.1", CHUNKED, "4\r\nhalf\r\n", "0x4\r\nhalf\r\n0\r\n\r\n"],
  [
    "a chunk of more than 2^64 bytes",
    "9112 7.1",
    CHUNKED,
    "4\r\nhalf\r\n",
    "10000000000000004\r\nhalf\r\n0\r\n\r\n",
  ],
  ["a chunk size that is no number", "9112 7.1", CHUNKED, "4\r\nhalf\r\n", "zz\r\nhalf\r\n0\r\n\r\n"],
  ["a bare LF behind a chunk's size", "9112 7.1", CHUNKED, "4\r\nhalf\r\n", "4\nhalf\r\n0\r\n\r\n"],
  ["a bare LF in a chunk extension", "9112 7.1.1", CHUNKED, "4\r\nhalf\r\n", "4;a\nb\r\nhalf\r\n0\r\n\r\n"],
  ["data that is longer than its chunk", "9112 7.1", CHUNKED, "4\r\nhalf", "more\r\n0\r\n\r\n"],
  [
    "a chunk extension of 64 KB",
    "9112 7.1.1",
    CHUNKED,
    "4\r\nhalf\r\n",
    `4;${"a".repeat(65536)}\r\nhalf\r\n0\r\n\r\n`,
  ],
  ["trailers of 64 KB", "9112 7.1.2", CHUNKED, "4\r\nhalf\r\n", `0\r\n${"A: b\r\n".repeat(11000)}\r\n`],
];

function brokenCases(): Case[] {
  return BROKEN.flatMap(([name, rfc, head, start, rest]): Case[] => {
    const cut: ExpectedResponse = { status: 200, body: "half", isCut: true };
    const common = {
      rfc,
      client: `${GET}\r\n`,
      then: "closed",
      gets: ["GET /x"],
      upstream: "closed",
    } as const;
    const later: Answer = [{ awaitsRequest: true }, `${head}${start}`, { clientHas: "half" }, rest, {
      closes: true,
    }];
    return [
      { ...common, name: `${name}, when the client has the start`, backend: later, expect: [cut] },
      {
        ...common,
        name: `${name}, at once`,
        backend: [{ awaitsRequest: true }, `${head}${start}${rest}`, { closes: true }],
        expect: [{ status: 200, body: /^(?:half)?(?:more)?$/, isCut: true, mayBeMissing: true }],
        then: "either",
      },
    ];
  });
}

/** Answers with something behind them: name, section, request's start, answer, what the client gets. */
const POISONED: [name: string, rfc: string, client: string, answer: string, expected: ExpectedResponse][] = [
  ["bytes after the body", "9112 6.3", `${GET}\r\n`, `${OK_HEAD}\r\nhi!`, { status: 200, body: "hi" }],
  ["an answer after the body", "9112 6.3", `${GET}\r\n`, `${OK_HEAD}\r\nhi${POISON}`, {
    status: 200,
    body: "hi",
  }],
  [
    "an answer after no body",
    "9112 6.3",
    `${GET}\r\n`,
    `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${POISON}`,
    {
      status: 200,
      body: "",
    },
  ],
  ["an answer after the last chunk", "9112 7.1", `${GET}\r\n`, `${CHUNKED}2\r\nhi\r\n0\r\n\r\n${POISON}`, {
    status: 200,
    body: "hi",
  }],
  ["204 with body", "9110 15.3.5", `${GET}\r\n`, `HTTP/1.1 204 X\r\nContent-Length: 2\r\n\r\nhi`, {
    status: 204,
  }],
  ["204 with an answer behind it", "9110 15.3.5", `${GET}\r\n`, `HTTP/1.1 204 X\r\n\r\n${POISON}`, {
    status: 204,
  }],
  [
    "204 with TE",
    "9112 6.1",
    `${GET}\r\n`,
    `HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    {
      status: 204,
    },
  ],
  ["205 with body", "9110 15.3.6", `${GET}\r\n`, `HTTP/1.1 205 X\r\nContent-Length: 2\r\n\r\nhi`, {
    status: 205,
    body: "",
    headers: { "content-length": "0" },
  }],
  ["304 with body", "9110 15.4.5", `${GET}\r\n`, `HTTP/1.1 304 X\r\nContent-Length: 2\r\n\r\nhi`, {
    status: 304,
  }],
  ["304 with an answer behind it", "9110 15.4.5", `${GET}\r\n`, `HTTP/1.1 304 X\r\n\r\n${POISON}`, {
    status: 304,
  }],
  [
    "304 with TE and chunks",
    "9112 6.1",
    `${GET}\r\n`,
    `HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    {
      status: 304,
    },
  ],
];

const OTHERS: Case[] = [
  ...[
    ["HEAD with body", `${OK_HEAD}\r\nhi`],
    ["HEAD with TE and chunks", `${CHUNKED}2\r\nhi\r\n0\r\n\r\n`],
    ["HEAD with an answer behind it", `HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n${POISON}`],
  ].map(([name = "", answer = ""]): Case => ({
    name,
    rfc: "9110 9.3.2",
    client: "HEAD /x HTTP/1.1\r\nHost: a.test\r\n\r\n",
    backend: answer,
    expect: [{ status: 200, toHead: true }],
    gets: ["HEAD /x"],
    upstream: "closed",
  })),
  {
    name: "nothing then close",
    rfc: "9110 15.6.3",
    client: `${POST}Content-Length: 2\r\n\r\nhi`,
    backend: [{ awaitsRequest: true }, { closes: true }],
    expect: [refused("upstream_unreachable")],
    gets: ["POST /x hi"],
  },
  {
    name: "close before the content has come",
    rfc: "9110 15.6.3",
    client: [`${POST}Content-Length: 4\r\n\r\nhi`],
    backend: [{ closes: true }],
    expect: [refused("upstream_unreachable")],
    then: "closed",
    gets: [{ is: "POST /x", isCut: true }],
  },
  {
    name: "partial head then close",
    rfc: "9110 15.6.3",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HTTP/1.1 200 OK\r\nContent-Le", { closes: true }],
    expect: [INVALID],
    gets: ["GET /x"],
  },
  {
    name: "partial status line then close",
    rfc: "9110 15.6.3",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HT", { closes: true }],
    expect: [INVALID],
    gets: ["GET /x"],
  },
  {
    name: "103 then close",
    rfc: "9110 15.6.3",
    client: `${GET}\r\n`,
    backend: [{ awaitsRequest: true }, "HTTP/1.1 103 X\r\n\r\n", { closes: true }],
    expect: [{ status: 103 }, INVALID],
    gets: ["GET /x"],
  },
  {
    name: "11 informational responses",
    rfc: "9110 15.2",
    client: `${GET}\r\n`,
    backend: `${"HTTP/1.1 103 X\r\n\r\n".repeat(11)}${OK_HEAD}\r\nhi`,
    expect: [...Array(11).fill({ status: 103 }), INVALID],
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "an answer that nobody asked for, on a connection that waits",
    rfc: "9112 9.2",
    client: [`${GET}\r\n`, { awaits: "\r\n\r\nok" }],
    backend: [{ awaitsRequest: true }, `${OK_HEAD}\r\nok`, { clientHas: "ok" }, POISON],
    expect: [{ status: 200, body: "ok" }],
    then: "either",
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "a byte that nobody asked for, on a connection that waits",
    rfc: "9112 9.2",
    client: [`${GET}\r\n`, { awaits: "\r\n\r\nok" }],
    backend: [{ awaitsRequest: true }, `${OK_HEAD}\r\nok`, { clientHas: "ok" }, "\r"],
    expect: [{ status: 200, body: "ok" }],
    then: "either",
    gets: ["GET /x"],
    upstream: "closed",
  },
  {
    name: "a connection that ends when it is to be used again: GET is sent again",
    rfc: "9110 9.2.2",
    client: [`${GET}\r\n`, { awaits: "ok" }, `${GET}\r\n`],
    backend: { answers: [`${OK_HEAD}\r\nok`, [{ awaitsRequest: true }, { closes: true }]] },
    expect: [{ status: 200, body: "ok" }, { status: 200, body: "ok" }],
    gets: ["GET /x", "GET /x", "GET /x"],
  },
  {
    name: "a connection that ends when it is to be used again: POST is not sent again",
    rfc: "9110 9.2.2",
    client: [`${GET}\r\n`, { awaits: "ok" }, `${POST}Content-Length: 2\r\n\r\nhi`],
    backend: { answers: [`${OK_HEAD}\r\nok`, [{ awaitsRequest: true }, { closes: true }]] },
    expect: [{ status: 200, body: "ok" }, refused("upstream_unreachable")],
    gets: ["GET /x", "POST /x hi"],
  },
  {
    name: "a connection that ends when it is to be used again: POST without content is not sent again",
    rfc: "9110 9.2.2",
    client: [`${GET}\r\n`, { awaits: "ok" }, `${POST}\r\n`],
    backend: { answers: [`${OK_HEAD}\r\nok`, [{ awaitsRequest: true }, { closes: true }]] },
    expect: [{ status: 200, body: "ok" }, refused("upstream_unreachable")],
    gets: ["GET /x", "POST /x"],
  },
  {
    name: "an answer that has begun is never asked for again",
    rfc: "9110 9.2.2",
    client: [`${GET}\r\n`, { awaits: "ok" }, `${GET}\r\n`],
    backend: { answers: [`${OK_HEAD}\r\nok`, [{ awaitsRequest: true }, "H", { closes: true }]] },
    expect: [{ status: 200, body: "ok" }, INVALID],
    gets: ["GET /x", "GET /x"],
  },
];

/** What backends must not do to clients. */
export const backend: Theme = {
  name: "evil backends",
  cases: [
    ...noAnswerCases(),
    ...brokenCases(),
    ...POISONED.map(([name, rfc, client, answer, expected]): Case => ({
      name,
      rfc,
      client,
      backend: answer,
      expect: [expected],
      gets: ["GET /x"],
      upstream: "closed",
    })),
    ...OTHERS,
  ],
  over: ["http", "https"],
};
