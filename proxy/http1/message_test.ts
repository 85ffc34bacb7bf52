import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FakeTransport, latin1 } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { ByteReader } from "./byte_reader.ts";
import {
  type Framing,
  keepsAlive,
  MAX_HEAD_BYTES,
  MAX_HEADER_FIELDS,
  MessageError,
  readResponseHead,
  type RequestHead,
  responseFraming,
  type ResponseHead,
  serializeRequestHead,
} from "./message.ts";

async function read(text: string): Promise<ResponseHead | undefined> {
  return await readResponseHead(new ByteReader(new FakeTransport(text).end()));
}

function head(headers: HeaderList, changes: Partial<ResponseHead> = {}): ResponseHead {
  return { minorVersion: 1, status: 200, headers, ...changes };
}

Deno.test("readResponseHead() reads status and fields", async () => {
  const cases: [string, ResponseHead][] = [
    ["HTTP/1.1 200 OK\r\n\r\n", head([])],
    ["HTTP/1.1 200 \r\n\r\n", head([])],
    ["HTTP/1.1 200\r\n\r\n", head([])],
    ["HTTP/1.0 404 Not Found\r\n\r\n", head([], { minorVersion: 0, status: 404 })],
    ["HTTP/1.1 599 \x80\xff\r\n\r\n", head([], { status: 599 })],
    ["HTTP/1.1 200 OK\r\nServer: a\r\nX-A:b\r\n\r\n", head([["server", "a"], ["x-a", "b"]])],
    ["HTTP/1.1 200 OK\r\nA: \t b c \t\r\nA:\r\n\r\n", head([["a", "b c"], ["a", ""]])],
    ["HTTP/1.1 200 OK\r\na: b:c\xe9\r\n\r\n", head([["a", "b:c\xe9"]])],
    ["HTTP/1.1 200 OK\r\n!#$%&'*+-.^_`|~09Az: 1\r\n\r\n", head([["!#$%&'*+-.^_`|~09az", "1"]])],
  ];
  for (const [text, expected] of cases) assertEquals(await read(text), expected, JSON.stringify(text));
});

Deno.test("readResponseHead() reads a head that is split anywhere, and leaves what follows", async () => {
  const text = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest\r\n\r\n";
  for (let at = 1; at < text.length; at++) {
    const reader = new ByteReader(new FakeTransport(text.slice(0, at), text.slice(at)).end());
    assertEquals(await readResponseHead(reader), head([["a", "b"]]));
    while (await reader.fill());
    assertEquals(latin1(reader.peek()), "rest\r\n\r\n");
  }
});

Deno.test("readResponseHead() tells a connection that ended before it from one that broke off", async () => {
  assertEquals(await read(""), undefined);
  for (const text of ["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n\r"]) {
    await assertRejects(() => read(text), MessageError, "ended within the head");
  }
});

Deno.test("readResponseHead() refuses what two parsers could read differently", async () => {
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
    "HTTP/1.2 200 OK",
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
    await assertRejects(() => read(`${line}\r\nA: b\r\n\r\n`), MessageError, "", JSON.stringify(line));
  }
  const fields = [
    "no colon",
    ": no name",
    "A : b",
    "A\t: b",
    " A: b",
    "A: b\r\n folded",
    "A: b\r\n\tfolded",
    "A: b\nB: c",
    "A: b\rc",
    "A: b\0c",
    "A: b\x7fc",
    "A: b\x1bc",
    "A\0: b",
    "A(: b",
    "\xe9: b",
    '"A": b',
  ];
  for (const field of fields) {
    await assertRejects(
      () => read(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`),
      MessageError,
      "Invalid header line",
    );
  }
});

Deno.test("readResponseHead() refuses line feeds without carriage returns", async () => {
  await assertRejects(() => read("HTTP/1.1 200 OK\nA: b\n\n"), MessageError);
  await assertRejects(() => read("HTTP/1.1 200 OK\r\nA: b\n\r\n\r\n"), MessageError);
});

Deno.test("readResponseHead() limits size and number of fields", async () => {
  const start = "HTTP/1.1 200 OK\r\nA: ";
  const largest = start + "x".repeat(MAX_HEAD_BYTES - start.length);
  assertEquals((await read(`${largest}\r\n\r\n`))?.headers.length, 1);
  await assertRejects(() => read(`${largest}x\r\n\r\n`), MessageError, "larger than 65536 bytes");
  // no end in sight: it gives up without waiting for one
  await assertRejects(
    () => readResponseHead(new ByteReader(new FakeTransport(`${largest}${largest}`))),
    MessageError,
    "larger than",
  );
  const most = `HTTP/1.1 200 OK\r\n${"A: b\r\n".repeat(MAX_HEADER_FIELDS)}`;
  assertEquals((await read(`${most}\r\n`))?.headers.length, MAX_HEADER_FIELDS);
  await assertRejects(() => read(`${most}A: b\r\n\r\n`), MessageError, "More than 200 header fields");
});

Deno.test("responseFraming() finds how the content ends", () => {
  const chunked: HeaderList = [["transfer-encoding", "chunked"]];
  const length: HeaderList = [["content-length", "3"]];
  const cases: [ResponseHead, method: string, Framing][] = [
    [head(length), "GET", { kind: "length", length: 3 }],
    [head([["content-length", "0"]]), "GET", { kind: "length", length: 0 }],
    [head([["content-length", "003"]]), "GET", { kind: "length", length: 3 }],
    [head(chunked), "GET", { kind: "chunked" }],
    [head([["transfer-encoding", "Chunked"]]), "POST", { kind: "chunked" }],
    [head([]), "GET", { kind: "until-close" }],
    [head([], { minorVersion: 0 }), "GET", { kind: "until-close" }],
    [head(length), "HEAD", { kind: "none" }],
    [head(chunked), "HEAD", { kind: "none" }],
    [head(length, { status: 204 }), "GET", { kind: "none" }],
    [head(chunked, { status: 204 }), "GET", { kind: "none" }],
    [head(length, { status: 304 }), "GET", { kind: "none" }],
    [head([], { status: 100 }), "GET", { kind: "none" }],
  ];
  for (const [response, method, expected] of cases) assertEquals(responseFraming(response, method), expected);
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
      assertThrows(() => responseFraming(head(headers), method), MessageError, message);
    }
  }
  assertThrows(() => responseFraming(head(chunked, { minorVersion: 0 }), "GET"), MessageError, "HTTP/1.0");
});

Deno.test("keepsAlive() knows when a connection can be used again", () => {
  const framing: Framing = { kind: "length", length: 0 };
  const cases: [ResponseHead, Framing, boolean][] = [
    [head([]), framing, true],
    [head([]), { kind: "none" }, true],
    [head([]), { kind: "chunked" }, true],
    [head([["connection", "keep-alive"]]), framing, true],
    [head([["connection", "x-close"]]), framing, true],
    [head([["connection", "close"]]), framing, false],
    [head([["connection", "Close"]]), framing, false],
    [head([["connection", "x, close , y"]]), framing, false],
    [head([["connection", "x"], ["connection", "close"]]), framing, false],
    [head([]), { kind: "until-close" }, false],
    [head([], { minorVersion: 0 }), framing, false],
    [head([["connection", "keep-alive"]], { minorVersion: 0 }), framing, false],
  ];
  for (const [response, how, expected] of cases) assertEquals(keepsAlive(response, how), expected);
});

Deno.test("serializeRequestHead() writes the framing that was decided", () => {
  const request = {
    method: "PUT",
    target: "/a?b=\xe9",
    headers: [["host", "a.test"], ["x", "\xff"]] as HeaderList,
  };
  const cases: [RequestHead["framing"], string][] = [
    [{ kind: "none" }, ""],
    [{ kind: "length", length: 12 }, "content-length: 12\r\n"],
    [{ kind: "chunked" }, "transfer-encoding: chunked\r\n"],
  ];
  for (const [framing, line] of cases) {
    assertEquals(
      latin1(serializeRequestHead({ ...request, framing })),
      `PUT /a?b=\xe9 HTTP/1.1\r\nhost: a.test\r\nx: \xff\r\n${line}\r\n`,
    );
  }
});

Deno.test("serializeRequestHead() writes nothing that breaks out of its line", () => {
  const cases: Partial<RequestHead>[] = [
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
  ];
  const good: RequestHead = { method: "GET", target: "/", headers: [], framing: { kind: "none" } };
  for (const change of cases) {
    assertThrows(
      () => serializeRequestHead({ ...good, ...change }),
      MessageError,
      "Invalid",
      JSON.stringify(change),
    );
  }
});
