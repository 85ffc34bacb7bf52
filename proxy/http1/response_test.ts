import { assertEquals, assertThrows } from "@std/assert";
import { bytesOf, eachForm, latin1 } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import type { Fields } from "./fields.ts";
import type { Framing } from "./head.ts";
import { MessageError } from "./message_error.ts";
import { Output } from "./output.ts";
import {
  isWithoutContent,
  keepsAlive,
  parseResponseHead,
  RESPONSE_START,
  responseFraming,
  type ResponseHead,
  writeStatusLine,
} from "./response.ts";

/** A head as it lies among other bytes. */
function parse(text: string): ResponseHead {
  const before = "before it ";
  const end = before.length + text.length;
  return parseResponseHead({
    bytes: bytesOf(`${before}${text}\r\nA: b\r\n\r\n`),
    start: before.length,
    end,
  });
}

function head(fields: Fields, changes: Partial<ResponseHead> = {}): ResponseHead {
  return { minorVersion: 1, status: 200, fields, ...changes };
}

Deno.test("parseResponseHead() reads status and fields", () => {
  const usual = { minorVersion: 1, status: 200, headers: [] as HeaderList };
  const cases: [string, typeof usual][] = [
    ["HTTP/1.1 200 OK\r\n", usual],
    ["HTTP/1.1 200 \r\n", usual],
    ["HTTP/1.1 200\r\n", usual],
    ["HTTP/1.0 404 Not Found\r\n", { ...usual, minorVersion: 0, status: 404 }],
    // what is higher is read as the highest that is known (RFC 9110, section 2.5)
    ["HTTP/1.2 200 OK\r\n", usual],
    ["HTTP/1.9 200 OK\r\n", usual],
    ["HTTP/1.1 599 \x80\xff\r\n", { ...usual, status: 599 }],
    ["HTTP/1.1 100 Continue\r\n", { ...usual, status: 100 }],
    ["HTTP/1.1 200 a\tb\r\n", usual],
    ["HTTP/1.1 200 OK\r\nServer: a\r\nX-A:b\r\n", { ...usual, headers: [["server", "a"], ["x-a", "b"]] }],
    ["HTTP/1.1 200 OK\r\nA: \t b c \t\r\nA:\r\n", { ...usual, headers: [["a", "b c"], ["a", ""]] }],
    ["HTTP/1.1 200 OK\r\na: b:c\xe9\r\n", { ...usual, headers: [["a", "b:c\xe9"]] }],
    ["HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09Az: 1\r\n", { ...usual, headers: [["!#$%&'*+-.^_`|~09az", "1"]] }],
  ];
  for (const [text, expected] of cases) {
    const { fields, ...rest } = parse(text);
    assertEquals({ ...rest, headers: fields.list() }, expected, JSON.stringify(text));
  }
});

Deno.test("parseResponseHead() refuses what two parsers could read differently", () => {
  const statusLines = [
    "",
    "hello",
    "HTTP/1.1 099 Low",
    "HTTP/1.1 600 High",
    "HTTP/1.1 1000 Long",
    "HTTP/1.1 20 Short",
    "HTTP/1.1 2x0 OK",
    "HTTP/1.1 -20 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1\t200 OK",
    "HTTP/1.1 200\tOK",
    "HTTP/1. 200 OK",
    "HTTP/1.10 200 OK",
    "HTTP/1.x 200 OK",
    "HTTP/0.9 200 OK",
    "HTTP/2 200",
    "HTTP/2.0 200 OK",
    "http/1.1 200 OK",
    " HTTP/1.1 200 OK",
    "\r\nHTTP/1.1 200 OK",
    "HTTP/1.1 200 O\0K",
    "HTTP/1.1 200 O\rK",
    "HTTP/1.1 200 O\nK",
    "ICY 200 OK",
  ];
  for (const line of statusLines) {
    for (const fields of ["", "A: b\r\n"]) {
      assertThrows(
        () => parse(`${line}\r\n${fields}`),
        MessageError,
        "Invalid status line",
        JSON.stringify(line),
      );
    }
  }
  for (const field of ["no colon", "A : b", " folded", "A: b\rc", "A: b\0c"]) {
    assertThrows(
      () => parse(`HTTP/1.1 200 OK\r\n${field}\r\n`),
      MessageError,
      "Invalid header line",
    );
  }
});

Deno.test("parseResponseHead() repeats the line that it refuses, but not much of it", () => {
  const cases: [line: string, message: string][] = [
    ["hello", "hello"],
    ["HTTP/1.1 200 O\rK", "HTTP/1.1 200 O\\rK"],
    ["x".repeat(79), "x".repeat(79)],
    ["x".repeat(80), "x".repeat(80)],
    ["x".repeat(1000), "x".repeat(80)],
  ];
  for (const [line, message] of cases) {
    const error = assertThrows(() => parse(`${line}\r\nA: b\r\n`), MessageError);
    assertEquals(error.message, `Invalid status line "${message}"`);
  }
});

Deno.test("isWithoutContent() knows by status and method", () => {
  const cases: [status: number, method: string, boolean][] = [
    [100, "GET", true],
    [101, "GET", true],
    [103, "POST", true],
    [199, "GET", true],
    [200, "GET", false],
    [200, "POST", false],
    [200, "HEAD", true],
    [404, "HEAD", true],
    [204, "GET", true],
    [205, "GET", false],
    [304, "GET", true],
    [200, "head", false],
  ];
  for (const [status, method, expected] of cases) {
    assertEquals(isWithoutContent(status, method), expected, `${status} to ${method}`);
  }
});

Deno.test("responseFraming() finds how the content ends", () => {
  const chunked: HeaderList = [["transfer-encoding", "chunked"]];
  const length: HeaderList = [["content-length", "3"]];
  const cases: [HeaderList, Partial<ResponseHead>, method: string, Framing][] = [
    [length, {}, "GET", { kind: "length", length: 3 }],
    [[["content-length", "0"]], {}, "GET", { kind: "length", length: 0 }],
    [[["content-length", "003"]], {}, "GET", { kind: "length", length: 3 }],
    [chunked, {}, "GET", { kind: "chunked" }],
    [[["transfer-encoding", "Chunked"]], {}, "POST", { kind: "chunked" }],
    [[], {}, "GET", { kind: "until-close" }],
    [[], { minorVersion: 0 }, "GET", { kind: "until-close" }],
    [length, { minorVersion: 0 }, "GET", { kind: "length", length: 3 }],
    [length, {}, "HEAD", { kind: "none" }],
    [chunked, {}, "HEAD", { kind: "none" }],
    [length, { status: 204 }, "GET", { kind: "none" }],
    [chunked, { status: 204 }, "GET", { kind: "none" }],
    [length, { status: 304 }, "GET", { kind: "none" }],
    [[], { status: 100 }, "GET", { kind: "none" }],
  ];
  for (const [headers, changes, method, expected] of cases) {
    for (const fields of eachForm(headers)) {
      assertEquals(responseFraming(head(fields, changes), method), expected, JSON.stringify(headers));
    }
  }
});

Deno.test("responseFraming() refuses fields that contradict each other", () => {
  const chunked: HeaderList = [["transfer-encoding", "chunked"]];
  const cases: [HeaderList, string][] = [
    [[["content-length", "2"], ["content-length", "3"]], "Several Content-Length fields"],
    [[["content-length", "2"], ["content-length", "2"]], "Several Content-Length fields"],
    ...["2, 2", "abc", "-2", "+2", "0x2", "2.0", "", "1e3", "9".repeat(16)].map((
      length,
    ): [HeaderList, string] => [
      [["content-length", length]],
      "Invalid Content-Length",
    ]),
    ...["foo", "gzip, chunked", "chunked, identity", "chunked, chunked", "xchunked", "", "chunked;a=b"].map(
      (coding): [HeaderList, string] => [[["transfer-encoding", coding]], "Unsupported Transfer-Encoding"],
    ),
    [[...chunked, ...chunked], "Unsupported Transfer-Encoding"],
    [[...chunked, ["content-length", "3"]], "Both Transfer-Encoding and Content-Length"],
    [[["content-length", "3"], ...chunked], "Both Transfer-Encoding and Content-Length"],
  ];
  for (const [headers, message] of cases) {
    for (const method of ["GET", "HEAD"]) {
      for (const fields of eachForm(headers)) {
        assertThrows(() => responseFraming(head(fields), method), MessageError, message);
      }
    }
  }
  for (const fields of eachForm(chunked)) {
    assertThrows(() => responseFraming(head(fields, { minorVersion: 0 }), "GET"), MessageError, "HTTP/1.0");
  }
});

Deno.test("keepsAlive() knows when a connection can be used again", () => {
  const framing: Framing = { kind: "length", length: 0 };
  const cases: [HeaderList, minorVersion: 0 | 1, Framing, boolean][] = [
    [[], 1, framing, true],
    [[], 1, { kind: "none" }, true],
    [[], 1, { kind: "chunked" }, true],
    [[["connection", "keep-alive"]], 1, framing, true],
    [[["connection", "x-close"]], 1, framing, true],
    [[["connection", "close"]], 1, framing, false],
    [[["connection", "Close"]], 1, framing, false],
    [[["connection", "x, close , y"]], 1, framing, false],
    [[["connection", "x"], ["connection", "close"]], 1, framing, false],
    [[], 1, { kind: "until-close" }, false],
    [[], 0, framing, false],
    [[["connection", "keep-alive"]], 0, framing, false],
  ];
  for (const [headers, minorVersion, how, expected] of cases) {
    for (const fields of eachForm(headers)) {
      assertEquals(keepsAlive(head(fields, { minorVersion }), how), expected, JSON.stringify(headers));
    }
  }
});

Deno.test("writeStatusLine() writes a line that a client can read, whatever the status", () => {
  const cases: [number, string][] = [
    [200, "HTTP/1.1 200 OK\r\n"],
    [431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"],
    [299, "HTTP/1.1 299 \r\n"],
    [499, "HTTP/1.1 499 \r\n"],
  ];
  for (const [status, expected] of cases) {
    const output = Output.take();
    writeStatusLine(output, status);
    assertEquals(latin1(output.bytes), expected);
    assertEquals(expected.slice(0, RESPONSE_START.length), RESPONSE_START);
    assertEquals(parse(expected).status, status);
    output.free();
  }
});
