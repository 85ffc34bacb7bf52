import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { latin1, settled } from "../../tests/testing.ts";
import type { HeaderList } from "../exchange.ts";
import { CLIENT, converse, echo, Served, text, written } from "./testing.ts";

Deno.test("serveHttp1() tells the handler what the client sent", async () => {
  const lists: HeaderList[] = [];
  const { served } = await converse([
    "POST /a?b HTTP/1.1\r\nHost: A.test:8080\r\nX-A: 1\r\ncontent-length: 3\r\nx-a:2\r\n\r\nabc",
    "GET http://b.test/c HTTP/1.0\r\nhost: a.test\r\n\r\n",
  ], {
    answer: (request) => {
      lists.push(request.fields.list());
      return echo(request);
    },
  });
  assertEquals(lists, [
    [["host", "A.test:8080"], ["x-a", "1"], ["content-length", "3"], ["x-a", "2"]],
    [["host", "a.test"]],
  ]);
  assertEquals(
    served.requests.map(({ protocol, method, authority, target, client, upgrade }) => ({
      ...{ protocol, method, authority, target, client, upgrade },
    })),
    [
      {
        protocol: "HTTP/1.1",
        method: "POST",
        authority: "A.test:8080",
        target: "/a?b",
        client: CLIENT,
        upgrade: undefined,
      },
      {
        protocol: "HTTP/1.0",
        method: "GET",
        authority: "b.test",
        target: "/c",
        client: CLIENT,
        upgrade: undefined,
      },
    ],
  );
  assertEquals(served.requests.map(({ body }) => body?.length), [3, undefined]);
  assertEquals(served.requests.map(({ body }) => body === null), [false, true]);
});

Deno.test("serveHttp1() leaves a request's fields alone, whatever comes behind them", async () => {
  const head = "POST / HTTP/1.1\r\nHost: a.test\r\nX-A: 1\r\ncontent-length: 6\r\nx-a:2\r\n\r\n";
  const list: HeaderList = [["host", "a.test"], ["x-a", "1"], ["content-length", "6"], ["x-a", "2"]];
  const transport = new FakeTransport(head);
  const { ended, requests } = new Served(transport, async ({ body, fields }) => {
    for (const piece of ["abc", "def"]) {
      transport.send(piece);
      assertEquals(latin1((await body!.next())!), piece);
      assertEquals(fields.list(), list);
    }
    assertEquals(await body!.next(), undefined);
    body!.close();
    transport.send("GET /next HTTP/1.1\r\nhost: other\r\n\r\n");
    await settled();
    assertEquals(fields.list(), list);
    return text("end", { fields });
  });
  await transport.has("end");
  assertEquals(requests.length, 1);
  transport.end();
  await ended;
  assertStringIncludes(transport.written, "host: a.test\r\nx-a: 1\r\nx-a: 2\r\n");
});

Deno.test("serveHttp1() keeps a connection as long as both sides want it", async () => {
  const cases: [version: string, fields: string, line: string | undefined][] = [
    ["1.1", "", undefined],
    ["1.1", "connection: keep-alive\r\n", undefined],
    ["1.1", "connection: x-close\r\n", undefined],
    ["1.1", "connection: close\r\n", "connection: close"],
    ["1.1", "connection: keep-alive, CLOSE\r\n", "connection: close"],
    ["1.1", "connection: te\r\nconnection: close\r\n", "connection: close"],
    ["1.0", "", "connection: close"],
    ["1.0", "connection: Keep-Alive\r\n", "connection: keep-alive"],
    ["1.0", "connection: keep-alive, close\r\n", "connection: close"],
    ["1.7", "", undefined],
  ];
  for (const [version, fields, line] of cases) {
    const first = `GET /1 HTTP/${version}\r\nhost: a\r\n${fields}\r\n`;
    const second = "GET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    const { transport } = await converse([first, second]);
    const answers = written("GET a /1 []", ...line === undefined ? [] : [line]) +
      (line === "connection: close" ? "" : written("GET a /2 []", "connection: close"));
    assertEquals(transport.written, answers, `${version} ${fields}`);
  }
});

Deno.test("serveHttp1() answers pipelined requests one after the other, in order", async () => {
  const requests = [1, 2, 3].map((number) =>
    `POST /${number} HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n${number}${number}`
  );
  const last = "GET /4 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  let running = 0;
  const { transport } = await converse([requests.join("") + last], {
    answer: async (request) => {
      assertEquals(++running, 1);
      // the first one takes longest
      if (request.target === "/1") await settled();
      running--;
      return await echo(request);
    },
  });
  assertEquals(
    transport.written,
    written("POST a /1 [11]") + written("POST a /2 [22]") + written("POST a /3 [33]") +
      written("GET a /4 []", "connection: close"),
  );
});

Deno.test("serveHttp1() answers all that was sent by a client that sends no more", async () => {
  const requests = ["/1", "/2"].map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
  const all = [...requests, "POST /3 HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"];
  const expected = written("GET a /1 []") + written("GET a /2 []") + written("POST a /3 [x]");
  for (const pieces of [all, [all.join("")], all.join("").split("")]) {
    const transport = new FakeTransport(...pieces).end();
    await new Served(transport, echo).ended;
    // the end may be known when the last answer is written
    assertEquals(transport.written.replace("connection: close\r\n", ""), expected, `${pieces.length} pieces`);
  }
});

Deno.test("serveHttp1() does the same however the client's bytes are split", async () => {
  const sent = [
    "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /2 HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PUT /3 HTTP/1.1\r\nhost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\n\r\n\r\n0\r\nT: u\r\n\r\n",
    "GET /4 HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n",
    "GET http://b/5 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
  ].join("");
  const expected = [
    written("GET a /1 []"),
    written("POST a /2 [hello]"),
    written("PUT a /3 [abc\r\n]"),
    written("GET a /4 []", "connection: keep-alive"),
    written("GET b /5 []", "connection: close"),
  ].join("");
  for (let at = 0; at <= sent.length; at++) {
    const pieces = [sent.slice(0, at), sent.slice(at)].filter((piece) => piece !== "");
    // at once, and after all has been done that the first piece allows
    assertEquals((await converse(pieces)).transport.written, expected, `split at ${at}`);
    const transport = new FakeTransport(...pieces.slice(0, 1));
    const served = new Served(transport, echo);
    await settled();
    for (const piece of pieces.slice(1)) transport.send(piece);
    await transport.writeClosed();
    transport.end();
    await served.ended;
    assertEquals(transport.written, expected, `a pause at ${at}`);
  }
  assertEquals((await converse(sent.split(""))).transport.written, expected, "byte by byte");
});

Deno.test("serveHttp1() refuses in the same way however the bytes are split", async () => {
  const sent = "GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost : a\r\n\r\n";
  const expected = (await converse([sent])).transport.written;
  assertStringIncludes(expected, "HTTP/1.1 400 Bad Request\r\n");
  for (let at = 1; at < sent.length; at++) {
    const { transport } = await converse([sent.slice(0, at), sent.slice(at)]);
    assertEquals(transport.written, expected, `split at ${at}`);
  }
});

Deno.test("serveHttp1() passes over a few empty lines before a request, and no more", async () => {
  const request = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
  const cases: [before: string, status: number][] = [
    ["", 200],
    ["\r\n", 200],
    ["\r\n".repeat(4), 200],
    ["\r\n".repeat(5), 400],
    ["\n", 400],
    ["\r", 400],
    [" \r\n", 400],
  ];
  for (const [before, status] of cases) {
    const { transport } = await converse([before + request]);
    assertStringIncludes(transport.written, `HTTP/1.1 ${status} `, JSON.stringify(before));
  }
});

Deno.test("serveHttp1() ends when the client does, without a word", async () => {
  for (const sent of ["", "\r\n"]) {
    const transport = new FakeTransport(...sent === "" ? [] : [sent]).end();
    await new Served(transport, echo).ended;
    assertEquals([transport.written, transport.isClosed], ["", true]);
  }
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const { ended } = new Served(transport, echo);
  await transport.has("[]");
  transport.end();
  await ended;
  assertEquals([transport.written, transport.isClosed], [written("GET a / []"), true]);
});

Deno.test("serveHttp1() refuses what is no request, says why, and closes", async () => {
  const host = "host: a\r\n";
  const cases: [sent: string, status: number, detail: string][] = [
    ["hello\r\n\r\n", 400, "Invalid request line"],
    ["GET / HTTP/1.1\nhost: a\n\n", 400, "A line that does not end with CRLF"],
    ["GET / HTTP/1.1\r\n\r\n", 400, "No Host field"],
    [`GET / HTTP/1.1\r\n${host}${host}\r\n`, 400, "Several Host fields"],
    [`GET a HTTP/1.1\r\n${host}\r\n`, 400, "the request target is neither a path nor a URL"],
    [`GET * HTTP/1.1\r\n${host}\r\n`, 400, "the request target * is for OPTIONS alone"],
    [`GET http://a/ HTTP/1.1\r\nhost: a b\r\n\r\n`, 400, "the Host header is invalid"],
    [`GET / HTTP/1.1\r\n${host}x : y\r\n\r\n`, 400, "Invalid header line"],
    [
      `GET / HTTP/1.1\r\n${host}content-length: 1\r\ncontent-length: 1\r\n\r\n`,
      400,
      "Several Content-Length",
    ],
    [`GET / HTTP/1.1\r\n${host}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`, 400, "Both"],
    [`GET / HTTP/1.0\r\n${host}transfer-encoding: chunked\r\n\r\n`, 400, "HTTP/1.0"],
    [`GET / HTTP/1.1\r\n${host}transfer-encoding: gzip, chunked\r\n\r\n`, 501, ""],
    [`GET / HTTP/1.1\r\n${host}transfer-encoding: gzip\r\n\r\n`, 400, "Invalid Transfer-Encoding"],
    [`GET / HTTP/1.1\r\n${host}expect: tea\r\n\r\n`, 417, ""],
    [`GET / HTTP/2.0\r\n${host}\r\n`, 505, ""],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ""],
    [`GET /${"a".repeat(4096)} HTTP/1.1\r\n${host}\r\n`, 414, ""],
    [`GET /${"a".repeat(9000)}`, 414, ""],
    [`GET / HTTP/1.1\r\n${host}x: ${"a".repeat(9000)}`, 431, ""],
    [`GET / HTTP/1.1\r\n${host}${"x: y\r\n".repeat(200)}\r\n`, 431, ""],
    [
      `GET / HTTP/1.1\r\n${host}connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 1\r\n\r\nx`,
      400,
      "Content in a request to change the protocol",
    ],
  ];
  for (const [sent, status, detail] of cases) {
    const { transport, served } = await converse([sent]);
    const what = JSON.stringify(sent.slice(0, 80));
    assertMatch(transport.written, new RegExp(`^HTTP/1.1 ${status} [A-Z].*\r\n`), what);
    assertStringIncludes(transport.written, "\r\nconnection: close\r\n", what);
    assertStringIncludes(transport.written.split("\r\n\r\n")[1]!, detail, what);
    assertEquals(served.requests, [], what);
    assertEquals(served.outcomes.map(({ isComplete }) => isComplete), [true], what);
  }
});

Deno.test("serveHttp1() refuses a HEAD without content", async () => {
  for (const fields of ["", "host: a\r\nx : y\r\n", "host: a\r\ncontent-length: x\r\n"]) {
    const { transport } = await converse([`HEAD / HTTP/1.1\r\n${fields}\r\n`]);
    assertMatch(transport.written, /^HTTP\/1.1 400 Bad Request\r\n(?:[^\r]+\r\n)+\r\n$/, fields);
  }
});

Deno.test("serveHttp1() answers nothing that follows what it refused", async () => {
  const { transport, served } = await converse([
    "GET / HTTP/1.1\r\n bad\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
  ]);
  assertEquals(served.requests, []);
  assertEquals(transport.written.split("HTTP/1.1 ").length, 2);
});

Deno.test("serveHttp1() refuses a head that breaks off", async () => {
  for (const sent of ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhost: a\r\n\r"]) {
    const transport = new FakeTransport(sent).end();
    const { ended } = new Served(transport, echo);
    await ended;
    assertStringIncludes(
      transport.written,
      "400: the request is malformed: The connection ended within",
      sent,
    );
  }
});

Deno.test("serveHttp1() makes each answer the last one while it drains", async () => {
  let isDraining = false;
  const transport = new FakeTransport("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
  const { ended, requests } = new Served(transport, async (request) => {
    // it begins while the second request is answered
    isDraining = request.target === "/2";
    return await echo(request);
  }, { isDraining: () => isDraining });
  await transport.has("/1 []");
  transport.send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\nGET /3 HTTP/1.1\r\nhost: a\r\n\r\n");
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(transport.written, written("GET a /1 []") + written("GET a /2 []", "connection: close"));
  assertEquals(requests.length, 2);
});

Deno.test("serveHttp1() says when its connection may be closed without loss", async () => {
  const transport = new FakeTransport();
  const seen: boolean[] = [];
  const { ended, connections } = new Served(transport, async (request) => {
    seen.push(connection!.isWaiting);
    const response = await echo(request);
    seen.push(connection!.isWaiting);
    return response;
  });
  const [connection] = connections;
  await settled();
  assertEquals(connection!.isWaiting, true, "no request yet");
  transport.send("POST / HTTP/1.1\r\n");
  await settled();
  assertEquals(connection!.isWaiting, false, "half a head");
  transport.send("host: a\r\ncontent-length: 1\r\n\r\n").send("x");
  await transport.has("[x]");
  await settled();
  assertEquals([...seen, connection!.isWaiting], [false, false, true], "the next request");
  connection!.close();
  await ended;
  assertEquals([connections.size, transport.isClosed], [0, true]);
});

Deno.test("serveHttp1() lets a client read its last answer before it closes", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const { ended } = new Served(transport, echo);
  await transport.writeClosed();
  transport.send("x".repeat(100_000));
  await settled();
  assert(!transport.isClosed, "bytes of the client that are not read would reset the connection");
  transport.end();
  await ended;
});

Deno.test("serveHttp1() does not wait for ever for a client to close after its last answer", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  await new Served(transport, echo).ended;
  assertEquals([transport.isWriteClosed, transport.isClosed], [true, true]);
});

Deno.test("serveHttp1() closes after its last answer on a client that sends without end", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const { ended } = new Served(transport, echo);
  for (let sent = 0; sent < 20; sent++) transport.send("x".repeat(64 * 1024));
  await ended;
  assert(transport.isClosed);
});
