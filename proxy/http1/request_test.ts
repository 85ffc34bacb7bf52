import { assertEquals, assertThrows } from "@std/assert";
import { bytesOf, eachForm, fieldsOf, latin1 } from "../../tests/testing.ts";
import type { ErrorReason } from "../errors.ts";
import type { HeaderList } from "../exchange.ts";
import { Fields } from "./fields.ts";
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

/** A head as it lies among other bytes. */
function parse(text: string): RequestHead {
  const before = "before it ";
  const end = before.length + text.length;
  const lines = { bytes: bytesOf(`${before}${text}\r\nA: b\r\n\r\n`), start: before.length, end };
  return parseRequestHead(lines, { maxTargetBytes: 100 });
}

function head(fields: Fields, minorVersion: 0 | 1 = 1): RequestHead {
  return { method: "GET", target: "/", minorVersion, fields };
}

Deno.test("parseRequestHead() reads method, target, version and fields", () => {
  const usual = { method: "GET", target: "/", minorVersion: 1, headers: [] as HeaderList };
  const cases: [string, typeof usual][] = [
    ["GET / HTTP/1.1\r\n", usual],
    ["GET / HTTP/1.0\r\n", { ...usual, minorVersion: 0 }],
    // what is higher is read as the highest that is known
    ["GET / HTTP/1.2\r\n", usual],
    ["GET / HTTP/1.9\r\n", usual],
    ["get / HTTP/1.1\r\n", { ...usual, method: "get" }],
    ["GETS / HTTP/1.1\r\n", { ...usual, method: "GETS" }],
    ["PUT / HTTP/1.1\r\n", { ...usual, method: "PUT" }],
    ["GEX / HTTP/1.1\r\n", { ...usual, method: "GEX" }],
    ["M-SEARCH!#$%&'*+.^_`|~ / HTTP/1.1\r\n", { ...usual, method: "M-SEARCH!#$%&'*+.^_`|~" }],
    ["GET * HTTP/1.1\r\n", { ...usual, target: "*" }],
    ["GET http://a.test/b?c HTTP/1.1\r\n", { ...usual, target: "http://a.test/b?c" }],
    ['GET /a?b=%20"<>\\^`{|}#[] HTTP/1.1\r\n', { ...usual, target: '/a?b=%20"<>\\^`{|}#[]' }],
    ["GET / HTTP/1.1\r\nHost: a\r\nX:  b \r\n", { ...usual, headers: [["host", "a"], ["x", "b"]] }],
  ];
  for (const [text, expected] of cases) {
    const { fields, ...rest } = parse(text);
    assertEquals({ ...rest, headers: fields.list() }, expected, JSON.stringify(text));
  }
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
    "GET  HTTP/1.1",
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
  const cases: [HeaderList, minorVersion: 0 | 1, Framing][] = [
    [[], 1, { kind: "none" }],
    [[], 0, { kind: "none" }],
    [[["content-length", "3"]], 1, { kind: "length", length: 3 }],
    [[["content-length", "3"]], 0, { kind: "length", length: 3 }],
    [[["content-length", "0"]], 1, { kind: "length", length: 0 }],
    [[["transfer-encoding", "chunked"]], 1, { kind: "chunked" }],
    [[["transfer-encoding", "Chunked"]], 1, { kind: "chunked" }],
  ];
  for (const [headers, minorVersion, framing] of cases) {
    for (const fields of eachForm(headers)) {
      assertEquals(requestFraming(head(fields, minorVersion)), framing, JSON.stringify(headers));
    }
  }
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
    for (const fields of eachForm(headers)) {
      const error = assertThrows(() => requestFraming(head(fields)), MessageError, message);
      assertEquals(error.reason, reason, JSON.stringify(headers));
    }
  }
  for (const fields of eachForm([chunked])) {
    assertThrows(() => requestFraming(head(fields, 0)), MessageError, "in an HTTP/1.0 request");
  }
  // these cannot be received
  for (const coding of ["chunked\t", "\x0bchunked"]) {
    const error = assertThrows(
      () => requestFraming(head(Fields.of([["transfer-encoding", coding]]))),
      MessageError,
      "Invalid Transfer-Encoding",
    );
    assertEquals(error.reason, "bad_request", JSON.stringify(coding));
  }
});

Deno.test("requestFraming() takes no time over a coding that never ends", () => {
  const fields = fieldsOf(`Transfer-Encoding: ${"a,".repeat(15_000)} chunke\r\n`);
  assertThrows(() => requestFraming(head(fields)), MessageError, "Invalid Transfer-Encoding");
});

Deno.test("wantsKeepAlive() knows what the client wants", () => {
  const cases: [HeaderList, minorVersion: 0 | 1, boolean][] = [
    [[], 1, true],
    [[["connection", ""]], 1, true],
    [[["connection", "keep-alive"]], 1, true],
    [[["connection", "upgrade"]], 1, true],
    [[["connection", "x-close"]], 1, true],
    [[["connection", "close"]], 1, false],
    [[["connection", "CLOSE"]], 1, false],
    [[["connection", "keep-alive, close"]], 1, false],
    [[["connection", "keep-alive"], ["connection", "close"]], 1, false],
    [[], 0, false],
    [[["connection", "te"]], 0, false],
    [[["connection", "Keep-Alive"]], 0, true],
    [[["connection", "te, keep-alive"]], 0, true],
    [[["connection", "keep-alive, close"]], 0, false],
  ];
  for (const [headers, minorVersion, expected] of cases) {
    for (const fields of eachForm(headers)) {
      assertEquals(wantsKeepAlive(head(fields, minorVersion)), expected, JSON.stringify(headers));
    }
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
  const request = { method: "PUT", target: "/a?b=\xe9", authority: "a.test" };
  const headers: HeaderList = [["x", "\xff"], ["tab", "a\tb"], ["empty", ""]];
  const cases: [Framing, string][] = [
    [{ kind: "none" }, ""],
    [{ kind: "length", length: 12 }, "content-length: 12\r\n"],
    [{ kind: "length", length: 0 }, "content-length: 0\r\n"],
    [{ kind: "chunked" }, "transfer-encoding: chunked\r\n"],
  ];
  for (const [framing, line] of cases) {
    for (const fields of eachForm(headers)) {
      assertEquals(
        written({ ...request, fields, framing }),
        `PUT /a?b=\xe9 HTTP/1.1\r\nhost: a.test\r\nx: \xff\r\ntab: a\tb\r\nempty: \r\n${line}\r\n`,
      );
    }
  }
});

Deno.test("writeRequestHead() asks to change the protocol", () => {
  assertEquals(
    written({
      ...{ method: "GET", target: "/", authority: "a", fields: Fields.of([]), framing: { kind: "none" } },
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
    { fields: Fields.of([["a b", "c"]]) },
    { fields: Fields.of([["a\r\nb", "c"]]) },
    { fields: Fields.of([["", "c"]]) },
    { fields: Fields.of([["a", "b\r\nc: d"]]) },
    { fields: Fields.of([["a", "b\nc"]]) },
    { fields: Fields.of([["a", "b\0"]]) },
    { fields: Fields.of([["a", "\u0100"]]) },
    { authority: "a\r\nb: c" },
    { authority: "a\0" },
    { authority: "\u0100" },
    { upgrade: "a\r\nb: c" },
  ];
  const good: OutgoingRequest = {
    ...{ method: "GET", target: "/", authority: "a", fields: Fields.of([]), framing: { kind: "none" } },
  };
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
