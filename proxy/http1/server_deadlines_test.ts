import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { FakeTransport, textOf } from "../../tests/fakes.ts";
import { bytesOf, lookedAt, settled, within } from "../../tests/testing.ts";
import { type Closable, Connection } from "../accept/connection.ts";
import { Deadlines } from "../deadlines.ts";
import { errorResponse } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { Fields } from "./fields.ts";
import { MessageError } from "./message_error.ts";
import { type Http1Options, serveHttp1 } from "./server.ts";
import { CLIENT, echo, OPTIONS, ScriptedContent, Served, SHORT, text, written } from "./testing.ts";

Deno.test("serveHttp1() closes a connection that waits too long, without a word", async () => {
  const cases: [string, Partial<Http1Options>, sent: string][] = [
    ["no request", { headTimeout: SHORT }, ""],
    ["no next request", { idleTimeout: SHORT }, "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
  ];
  for (const [name, options, sent] of cases) {
    const transport = new FakeTransport(...sent === "" ? [] : [sent]);
    await new Served(transport, echo, options).ended;
    assertEquals([transport.isClosed, transport.written], [true, sent && written("GET a / []")], name);
  }
});

Deno.test("serveHttp1() tells a client whose head or content does not come in time", async () => {
  const post = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
  const get = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
  const cases: [name: string, Partial<Http1Options>, pieces: string[], detail: string][] = [
    ["head", { headTimeout: SHORT }, ["GET / HT"], "The head took too long"],
    ["next head", { headTimeout: SHORT }, [get, "GET / HT"], "The head took too long"],
    [
      "head that came with the last one",
      { headTimeout: SHORT },
      [`${get}GET / HT`],
      "The head took too long",
    ],
    ["content", { clientTimeout: SHORT }, [`${post}abc`], "The content took too long"],
    ["all content", { clientTimeout: SHORT }, [post], "The content took too long"],
  ];
  for (const [name, options, pieces, detail] of cases) {
    const transport = new FakeTransport(...pieces);
    const { ended } = new Served(transport, async ({ body }) => {
      try {
        return text(await textOf(body));
      } catch (error) {
        assert(error instanceof MessageError);
        return errorResponse(error.reason, error.message);
      }
    }, options);
    await ended;
    assertStringIncludes(transport.written, "HTTP/1.1 408 Request Timeout\r\n", name);
    assertStringIncludes(transport.written, detail, name);
    assert(transport.isClosed, name);
  }
});

Deno.test("serveHttp1() tells also a client whose head began before it was asked", async () => {
  const transport = new FakeTransport("GET / HT");
  const keeper = { deadlines: new Deadlines(), connections: new Set<Closable>() };
  const connection = new Connection(transport, CLIENT, keeper);
  // somebody looked how the connection begins
  await connection.reader.fill();
  const handler: Handler = {
    handle: () => Promise.resolve(text("")),
    refuse: ({ reason }) => errorResponse(reason),
  };
  const ended = serveHttp1(connection, { ...OPTIONS, handler, headTimeout: SHORT });
  assertEquals(connection.isWaiting, false, "a request has begun");
  await within(ended, "the end");
  assertStringIncludes(transport.written, "HTTP/1.1 408 ");
});

Deno.test("serveHttp1() does not hurry the handler, nor a client that waits for it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const transport = new FakeTransport(
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
  );
  const { ended, deadlines } = new Served(transport, async (request) => {
    const response = await echo(request);
    await promise;
    return response;
  }, { headTimeout: SHORT, clientTimeout: SHORT, idleTimeout: SHORT });
  await lookedAt(deadlines);
  resolve();
  await transport.writeClosed();
  transport.end();
  await ended;
  assertEquals(transport.written, written("POST a / [x]", "connection: close"));
});

Deno.test("serveHttp1() closes a connection whose client takes nothing", async () => {
  const body = new ScriptedContent(undefined, () => Promise.resolve(bytesOf("abc")));
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").stall();
  const { ended, outcomes, requests } = new Served(
    transport,
    () => ({ status: 200, fields: Fields.of([]), body }),
    {
      clientTimeout: SHORT,
    },
  );
  await ended;
  assertEquals([transport.isClosed, body.closed], [true, 1]);
  assertEquals(outcomes.map(({ isComplete }) => isComplete), [false]);
  assert(requests[0]?.cancellation.isCancelled);
});

Deno.test("serveHttp1() notices a client that is gone while its request is answered", async () => {
  const cases: [string, (transport: FakeTransport) => void][] = [
    ["it reset the connection", (transport) => transport.fail(new Deno.errors.ConnectionReset("reset"))],
    [
      "it closed the connection, and its system says so when something is sent",
      (transport) => transport.end().fail(new Deno.errors.BrokenPipe("gone")),
    ],
  ];
  const requests: [string, string][] = [
    ["GET", "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
    ["POST", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx"],
    ["chunked POST", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
  ];
  for (const [name, leave] of cases) {
    for (const [kind, request] of requests) {
      const transport = new FakeTransport(request);
      const cancelled = Promise.withResolvers<void>();
      const { ended, outcomes } = new Served(transport, async ({ body, cancellation }) => {
        await textOf(body);
        cancellation.listen(cancelled.resolve);
        leave(transport);
        await within(cancelled.promise, `the cancellation of a ${kind} when ${name}`);
        return text("nobody reads this");
      });
      await ended;
      assertEquals(outcomes.map(({ isComplete }) => isComplete), [false], `${kind}: ${name}`);
    }
  }
});

Deno.test("serveHttp1() answers a client that only sends no more, whenever the answer comes", async () => {
  const cases: [string, (transport: FakeTransport) => Promise<void>][] = [
    ["before it is known", () => Promise.resolve()],
    ["after the first probe", (transport) => transport.has("H")],
    ["after the second probe", (transport) => transport.has("HT")],
    ["at the same time as a probe", () => settled()],
    ["while a probe is written", async (transport) => (await settled(), transport.has("H"))],
  ];
  // so many steps pass until the end of the stream is seen, before its first probe is due
  for (let steps = 1; steps < 40; steps++) {
    cases.push([`after ${steps} steps`, async () => {
      for (let step = 0; step < steps; step++) await Promise.resolve();
    }]);
  }
  for (const [name, wait] of cases) {
    const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").end();
    const body = new ScriptedContent(3, async () => {
      await settled();
      return bytesOf("abc");
    });
    const { ended, outcomes } = new Served(transport, async ({ cancellation }) => {
      await wait(transport);
      assert(!cancellation.isCancelled);
      return { status: 200, fields: Fields.of([]), body };
    });
    await ended;
    await settled();
    // whether the end was seen before the head was written decides about the connection field
    const whole = transport.written.replace("connection: close\r\n", "");
    assertEquals(whole, written("abc"), name);
    assertEquals(outcomes, [{ received: 0, sent: 3, isComplete: true }], name);
  }
});

Deno.test("serveHttp1() probes in front of an informational response too", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").end();
  const { ended } = new Served(transport, async ({ inform }) => {
    await transport.has("HT");
    await inform!(103, Fields.of([]));
    return text("x");
  });
  await ended;
  assertEquals(
    transport.written,
    `HTTP/1.1 103 Early Hints\r\n\r\n${written("x", "connection: close")}`,
  );
});

Deno.test("serveHttp1() waits no longer than a deadline for a client that has ended and reads", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\n\r\n").end();
  const never = Promise.withResolvers<undefined>();
  const body = new ScriptedContent(undefined, () => Promise.resolve(bytesOf("abc")), () => never.promise);
  const { requests, ended } = new Served(transport, () => ({ status: 200, fields: Fields.of([]), body }), {
    clientTimeout: SHORT,
  });
  await transport.closed();
  assert(requests[0]?.cancellation.isCancelled);
  // a backend's connection is closed when it is cancelled
  never.reject(new Error("closed"));
  await ended;
});
