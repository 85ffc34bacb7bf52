import { assertEquals, assertThrows } from "@std/assert";
import { latin1 } from "../../tests/testing.ts";
import type { ErrorReason } from "../errors.ts";
import type { HeaderList } from "../exchange.ts";
import type { Framing } from "./head.ts";
import { MessageError } from "./message_error.ts";
import { Output } from "./output.ts";
import {
  type OutgoingRequest,
  parseRequestHead,
  requestFraming,
  type RequestHead,
  wantsKeepAlive,
  writeFraming,
  writeRequestHead,
} from "./request.ts";

function parse(text: string): RequestHead {
  return parseRequestHead(text, { maxTargetBytes: 100 });
}

function head(headers: HeaderList, minorVersion: 0 | 1 = 1): RequestHead {
  return { method: "GET", target: "/", minorVersion, headers };
}

Deno.test("parseRequestHead() reads method, target, version and fields", () => {
  const cases: [string, RequestHead][] = [
    ["GET / HTTP/1.1\r\n", head([])],
    ["GET / HTTP/1.0\r\n", head([], 0)],
    // what is higher is read as the highest that is known
    ["GET / HTTP/1.2\r\n", head([])],
    ["GET / HTTP/1.9\r\n", head([])],
    ["get / HTTP/1.1\r\n", { ...head([]), method: "get" }],
    ["M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1\r\n", { ...head([]), method: "M-SEARCH!#$%&'*+.^_`|~" }],
    ["GET * HTTP/1.1\r\n", { ...head([]), target: "*" }],
    ["GET http://a.test/b?c HTTP/1.1\r\n", { ...head([]), target: "http://a.test/b?c" }],
    ['GET /a?b=%20"<>\\^`{|}#[] HTTP/1.1\r\n', { ...head([]), target: '/a?b=%20"<>\\^`{|}#[]' }],
    ["GET / HTTP/1.1\r\nHost: a\r\nX:  b \r\n", head([["host", "a"], ["x", "b"]])],
  ];
  for (const [text, expected] of cases) assertEquals(parse(text), expected, JSON.stringify(text));
});

Deno.test("parseRequestHead() refuses what two parsers could read differently", () => {
  const lines = [
    "",
    "GET",
    "GET /",
    "GET / ",
    "GET / HTTP",
    "GET / HTTP/1",
    "GET / HTTP/1.",
    "GET / HTTP/1.11",
    "GET / HTTP/11.1",
    "GET / HTTP/1.1 ",
    "GET / http/1.1",
    "GET / HTTPS/1.1",
    "GET  / HTTP/1.1",
    "GET /  HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET /\tHTTP/1.1",
    " GET / HTTP/1.1",
    "GET /a b HTTP/1.1",
    "GET HTTP/1.1",
    " / HTTP/1.1",
    "G(T / HTTP/1.1",
    "G\xc9T / HTTP/1.1",
    "GET /\xe9 HTTP/1.1",
    "GET /\x7f HTTP/1.1",
    "GET /\0 HTTP/1.1",
    "GET /a\rb HTTP/1.1",
    "GET / HTTP/1.1\r",
    "GET / HTTP/1.1\nA: b",
  ];
  for (const line of lines) {
    const error = assertThrows(() => parse(`${line}\r\n`), MessageError, "", JSON.stringify(line));
    assertEquals(
      [error.message, error.reason],
      ["Invalid request line", "bad_request"],
      JSON.stringify(line),
    );
  }
  assertThrows(() => parse("GET / HTTP/1.1\r\nA : b\r\n"), MessageError, "Invalid header line");
});

Deno.test("parseRequestHead() refuses other versions and long targets by their reasons", () => {
  const cases: [string, ErrorReason][] = [
    ["GET / HTTP/2.0\r\n", "version_not_supported"],
    ["PRI * HTTP/2.0\r\n", "version_not_supported"],
    ["GET / HTTP/0.9\r\n", "version_not_supported"],
    ["GET / HTTP/3.1\r\n", "version_not_supported"],
    [`GET /${"a".repeat(100)} HTTP/1.1\r\n`, "target_too_long"],
  ];
  for (const [text, reason] of cases) {
    assertEquals(assertThrows(() => parse(text), MessageError).reason, reason);
  }
  assertEquals(parse(`GET /${"a".repeat(99)} HTTP/1.1\r\n`).target.length, 100);
});

Deno.test("requestFraming() finds how the content ends", () => {
  const cases: [RequestHead, Framing][] = [
    [head([]), { kind: "none" }],
    [head([], 0), { kind: "none" }],
    [head([["content-length", "3"]]), { kind: "length", length: 3 }],
    [head([["content-length", "3"]], 0), { kind: "length", length: 3 }],
    [head([["content-length", "0"]]), { kind: "length", length: 0 }],
    [head([["transfer-encoding", "chunked"]]), { kind: "chunked" }],
    [head([["transfer-encoding", "Chunked"]]), { kind: "chunked" }],
  ];
  for (const [request, framing] of cases) assertEquals(requestFraming(request), framing);
});

Deno.test("requestFraming() refuses what could be framed in two ways", () => {
  const chunked: [string, string] = ["transfer-encoding", "chunked"];
  const length: [string, string] = ["content-length", "3"];
  const invalid = [
    "",
    "identity",
    "gzip",
    "xchunked",
    "chunked, identity",
    "chunked;a=b",
    "gzip chunked",
    ", chunked",
    "chunked,",
    "gzip,, chunked",
    '"chunked"',
    "chunked\t",
    "\x0bchunked",
    "chunked\xa0",
  ].map((coding): [HeaderList, string, ErrorReason] => [
    [["transfer-encoding", coding]],
    "Invalid Transfer-Encoding",
    "bad_request",
  ]);
  const unsupported = ["gzip, chunked", "GZIP,chunked", "a, b\t,chunked", "chunked, chunked"].map(
    (coding): [HeaderList, string, ErrorReason] => [
      [["transfer-encoding", coding]],
      "A transfer coding other than chunked",
      "coding_not_supported",
    ],
  );
  const cases: [HeaderList, string, ErrorReason][] = [
    [[chunked, length], "Both Transfer-Encoding and Content-Length", "bad_request"],
    [[length, chunked], "Both Transfer-Encoding and Content-Length", "bad_request"],
    [[chunked, chunked], "Several Transfer-Encoding fields", "bad_request"],
    [[["transfer-encoding", "gzip"], chunked], "Several Transfer-Encoding fields", "bad_request"],
    [[length, length], "Several Content-Length fields", "bad_request"],
    [[["content-length", "+3"]], "Invalid Content-Length", "bad_request"],
    ...invalid,
    ...unsupported,
  ];
  for (const [headers, message, reason] of cases) {
    const error = assertThrows(() => requestFraming(head(headers)), MessageError, message);
    assertEquals(error.reason, reason, JSON.stringify(headers));
  }
  assertThrows(() => requestFraming(head([chunked], 0)), MessageError, "in an HTTP/1.0 request");
});

Deno.test("requestFraming() takes no time over a coding that never ends", () => {
  const headers: HeaderList = [["transfer-encoding", `${"a,".repeat(15_000)} chunke`]];
  assertThrows(() => requestFraming(head(headers)), MessageError, "Invalid Transfer-Encoding");
});

Deno.test("wantsKeepAlive() knows what the client wants", () => {
  const cases: [RequestHead, boolean][] = [
    [head([]), true],
    [head([["connection", ""]]), true],
    [head([["connection", "keep-alive"]]), true],
    [head([["connection", "upgrade"]]), true],
    [head([["connection", "x-close"]]), true],
    [head([["connection", "close"]]), false],
    [head([["connection", "CLOSE"]]), false],
    [head([["connection", "keep-alive, close"]]), false],
    [head([["connection", "keep-alive"], ["connection", "close"]]), false],
    [head([], 0), false],
    [head([["connection", "te"]], 0), false],
    [head([["connection", "Keep-Alive"]], 0), true],
    [head([["connection", "te, keep-alive"]], 0), true],
    [head([["connection", "keep-alive, close"]], 0), false],
  ];
  for (const [request, expected] of cases) {
    assertEquals(wantsKeepAlive(request), expected, JSON.stringify(request));
  }
});

/** What is written of a request. */
function written(request: OutgoingRequest): string {
  const output = Output.take();
  try {
    writeRequestHead(output, request);
    return latin1(output.bytes);
  } finally {
    output.free();
  }
}

Deno.test("writeRequestHead() writes the framing that was decided", () => {
  const request = {
    method: "PUT",
    target: "/a?b=\xe9",
    headers: [["host", "a.test"], ["x", "\xff"], ["tab", "a\tb"], ["empty", ""]] as HeaderList,
  };
  const cases: [Framing, string][] = [
    [{ kind: "none" }, ""],
    [{ kind: "length", length: 12 }, "content-length: 12\r\n"],
    [{ kind: "length", length: 0 }, "content-length: 0\r\n"],
    [{ kind: "chunked" }, "transfer-encoding: chunked\r\n"],
  ];
  for (const [framing, line] of cases) {
    assertEquals(
      written({ ...request, framing }),
      `PUT /a?b=\xe9 HTTP/1.1\r\nhost: a.test\r\nx: \xff\r\ntab: a\tb\r\nempty: \r\n${line}\r\n`,
    );
  }
});

Deno.test("writeRequestHead() asks to change the protocol", () => {
  assertEquals(
    written({
      ...{ method: "GET", target: "/", headers: [["host", "a"]], framing: { kind: "none" } },
      upgrade: "websocket",
    }),
    "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
  );
});

Deno.test("writeRequestHead() writes nothing that breaks out of its line", () => {
  const cases: Partial<OutgoingRequest>[] = [
    { method: "GET /" },
    { method: "G\r\nT" },
    { method: "" },
    { target: "/a b" },
    { target: "/\r\nx: y" },
    { target: "/\u0100" },
    { target: "" },
    { headers: [["a b", "c"]] },
    { headers: [["a\r\nb", "c"]] },
    { headers: [["", "c"]] },
    { headers: [["a", "b\r\nc: d"]] },
    { headers: [["a", "b\nc"]] },
    { headers: [["a", "b\0"]] },
    { headers: [["a", "\u0100"]] },
    { upgrade: "a\r\nb: c" },
  ];
  const good: OutgoingRequest = { method: "GET", target: "/", headers: [], framing: { kind: "none" } };
  for (const change of cases) {
    assertThrows(() => written({ ...good, ...change }), MessageError, "", JSON.stringify(change));
  }
});

Deno.test("writeFraming() writes nothing for content that ends with the connection", () => {
  const output = Output.take();
  for (const kind of ["none", "until-close"] as const) writeFraming(output, { kind });
  assertEquals(output.length, 0);
  output.free();
});
