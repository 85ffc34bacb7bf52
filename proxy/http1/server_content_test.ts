import { assert, assertEquals } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { bytesOf, latin1, settled } from "../../tests/testing.ts";
import type { Content } from "../exchange.ts";
import { Fields } from "./fields.ts";
import { type Answer, converse, echo, ScriptedContent, Served, text, written } from "./testing.ts";

Deno.test("serveHttp1() reads a request's content by its framing", async () => {
  const large = "x".repeat(150_000);
  const cases: [fields: string, sent: string, length: number | undefined, content: string][] = [
    ["content-length: 3\r\n", "abc", 3, "abc"],
    [`content-length: ${large.length}\r\n`, large, large.length, large],
    ["transfer-encoding: chunked\r\n", "0\r\n\r\n", undefined, ""],
    ["transfer-encoding: Chunked\r\n", "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n", undefined, "abcd"],
    [
      "transfer-encoding: chunked\r\n",
      `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
      undefined,
      large,
    ],
  ];
  for (const [fields, sent, length, content] of cases) {
    const { transport, served } = await converse([
      `POST / HTTP/1.1\r\nhost: a\r\n${fields}\r\n${sent}`,
      "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    ]);
    assertEquals(served.requests[0]?.body?.length, length);
    const answers = written(`POST a / [${content}]`) + written("GET a /next []", "connection: close");
    assert(transport.written === answers, fields);
    assertEquals(served.outcomes.map(({ received }) => received), [content.length, 0]);
  }
});

Deno.test("serveHttp1() gives no content where there is none", async () => {
  for (const fields of ["", "content-length: 0\r\n", "content-length: 00\r\nexpect: 100-continue\r\n"]) {
    const { transport, served } = await converse([
      `POST / HTTP/1.1\r\nhost: a\r\n${fields}connection: close\r\n\r\n`,
    ]);
    assertEquals(served.requests[0]?.body, null, fields);
    assertEquals(transport.written, written("POST a / []", "connection: close"), fields);
  }
});

Deno.test("serveHttp1() leaves the last piece of content alone while the next request arrives", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  const next = "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const { ended } = new Served(transport, async ({ body }) => {
    if (body === null) return text("next");
    const piece = await body.next();
    // a backend that takes its time
    transport.send(next);
    await settled();
    body.close();
    return text(latin1(piece!));
  });
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(transport.written, written("abc") + written("next", "connection: close"));
});

Deno.test("serveHttp1() reads no next request while the last piece of content is in use", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
  let held: { body: Content; piece: Uint8Array } | undefined;
  const { ended, requests } = new Served(transport, async ({ body }) => {
    if (body === null) return text("next");
    held = { body, piece: (await body.next())! };
    return text("early");
  });
  await transport.has("early");
  transport.send("GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  await settled();
  assertEquals([requests.length, latin1(held!.piece)], [1, "abc"]);
  held!.body.close();
  await transport.has("next");
  transport.end();
  await ended;
});

Deno.test("serveHttp1() asks for the content of a client that waits to be asked", async () => {
  const head = (rest: string) => `POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-Continue\r\n${rest}\r\n`;
  const close = "connection: close";
  for (
    const [fields, content] of [
      ["content-length: 3\r\n", "abc"],
      ["transfer-encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"],
    ] as const
  ) {
    const transport = new FakeTransport(head(`${fields}${close}\r\n`));
    const { ended } = new Served(transport, echo);
    await transport.has("HTTP/1.1 100 Continue\r\n\r\n");
    transport.send(content);
    await transport.writeClosed();
    transport.end();
    await ended;
    assertEquals(transport.written, `HTTP/1.1 100 Continue\r\n\r\n${written("POST a / [abc]", close)}`);
  }
});

Deno.test("serveHttp1() asks once, and not for what is there or is not wanted", async () => {
  const cases: [name: string, version: string, pieces: string[], answer: Answer, expected: string][] = [
    ["there already", "1.1", ["abc"], echo, written("POST a / [abc]", "connection: close")],
    ["not wanted", "1.1", [], () => text("no"), written("no", "connection: close")],
    ["HTTP/1.0", "1.0", ["abc"], echo, written("POST a / [abc]", "connection: close")],
  ];
  for (const [name, version, pieces, answer, expected] of cases) {
    const head = `POST / HTTP/${version}\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n` +
      "connection: close\r\n\r\n";
    const { transport } = await converse([head + pieces.join("")], { answer });
    assertEquals(transport.written, expected, name);
  }
  const transport = new FakeTransport(
    "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n",
  );
  const { ended } = new Served(transport, echo);
  await transport.has("100 Continue");
  for (const piece of "abc") {
    transport.send(piece);
    await settled();
  }
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(
    transport.written,
    `HTTP/1.1 100 Continue\r\n\r\n${written("POST a / [abc]", "connection: close")}`,
  );
});

Deno.test("serveHttp1() closes a connection on which content may still come that nobody wanted", async () => {
  const head = "POST / HTTP/1.1\r\nhost: a\r\n";
  const next = "GET /next HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const cases: [name: string, sent: string, goesOn: boolean][] = [
    ["all is here", `${head}content-length: 3\r\n\r\nabc`, true],
    ["all chunks are here", `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`, true],
    ["a part is here", `${head}content-length: 300\r\n\r\nabc`, false],
    ["the client was not asked", `${head}content-length: 3\r\nexpect: 100-continue\r\n\r\n`, false],
    ["the last chunk is missing", `${head}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`, false],
  ];
  for (const [name, sent, goesOn] of cases) {
    const { transport, served } = await converse(goesOn ? [sent + next] : [sent], {
      answer: () => text("no"),
    });
    assertEquals(
      transport.written,
      goesOn ? written("no") + written("no", "connection: close") : written("no", "connection: close"),
      name,
    );
    assertEquals(served.outcomes.length, goesOn ? 2 : 1, name);
  }
});

Deno.test("serveHttp1() sends an answer also when content that nobody wanted is malformed", async () => {
  const body = new ScriptedContent(2, () => Promise.resolve(bytesOf("no")));
  const { transport, served } = await converse(
    ["POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc"],
    { answer: () => ({ status: 200, fields: Fields.of([]), body }) },
  );
  assertEquals(transport.written, written("no", "connection: close"));
  assertEquals([body.closed, served.outcomes.length], [1, 1]);
});

Deno.test("serveHttp1() answers before it has read all", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc");
  const { ended, outcomes } = new Served(transport, async ({ body }) => {
    const first = latin1((await body!.next())!);
    body!.close();
    return text(`early ${first}`);
  });
  await transport.writeClosed();
  assertEquals(transport.written, written("early abc", "connection: close"));
  // the client goes on sending until it has read the answer
  transport.send("def").send("ghi").end();
  await ended;
  assertEquals(outcomes, [{ received: 3, sent: 9, isComplete: true }]);
});

Deno.test("serveHttp1() streams an answer while content still comes", async () => {
  const transport = new FakeTransport("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  const { ended, outcomes } = new Served(transport, ({ body }) => {
    const copied = async () => (await body!.next())?.slice();
    return {
      status: 200,
      fields: Fields.of([]),
      body: new ScriptedContent(undefined, copied, copied, copied),
    };
  });
  await transport.has("\r\n\r\n");
  for (const letter of "ab") {
    transport.send(`1\r\n${letter}\r\n`);
    await transport.has(`1\r\n${letter}\r\n`);
  }
  transport.send("0\r\n\r\n");
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(
    transport.written,
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
  );
  assertEquals(outcomes, [{ received: 2, sent: 2, isComplete: true }]);
});

Deno.test("serveHttp1() frames an answer for the client that gets it", async () => {
  const stream = (length?: number) =>
    new ScriptedContent(length, ...["ab", "c"].map((piece) => () => Promise.resolve(bytesOf(piece))));
  const chunks = "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
  const cases: [line: string, Content, head: string, body: string][] = [
    ["GET / HTTP/1.1", stream(), "transfer-encoding: chunked", chunks],
    ["GET / HTTP/1.1", stream(3), "content-length: 3", "abc"],
    ["GET / HTTP/1.0", stream(), "connection: close", "abc"],
    ["GET / HTTP/1.0", stream(3), "content-length: 3\r\nconnection: close", "abc"],
  ];
  for (const [line, body, head, content] of cases) {
    const transport = new FakeTransport(`${line}\r\nhost: a\r\n\r\n`);
    const { ended } = new Served(transport, () => ({ status: 200, fields: Fields.of([]), body }));
    await transport.has(content);
    transport.end();
    await ended;
    assertEquals(transport.written, `HTTP/1.1 200 OK\r\n${head}\r\n\r\n${content}`);
  }
});

Deno.test("serveHttp1() cuts the connection when an answer breaks off", async () => {
  const broken = () => Promise.reject(new Error("the backend is gone"));
  const body = new ScriptedContent(undefined, () => Promise.resolve(bytesOf("abc")), broken);
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const { ended, outcomes } = new Served(transport, () => ({ status: 200, fields: Fields.of([]), body }));
  await ended;
  assertEquals(transport.written, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
  assertEquals([transport.isClosed, transport.isWriteClosed, body.closed], [true, false, 1]);
  assertEquals(outcomes, [{ received: 0, sent: 3, isComplete: false }]);
});
