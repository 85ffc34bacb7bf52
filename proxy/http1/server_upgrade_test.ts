import { assertEquals } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { bytesOf, lookedAt, within } from "../../tests/testing.ts";
import type { Piece } from "../exchange.ts";
import { Fields } from "./fields.ts";
import type { Http1Options } from "./server.ts";
import { converse, echo, Served, SHORT, text, written } from "./testing.ts";

Deno.test("serveHttp1() passes informational responses on, before the final one only", async () => {
  const transport = new FakeTransport("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  const { ended, requests } = new Served(transport, async ({ inform }) => {
    await inform!(103, Fields.of([["link", "</a.css>"]]));
    // nobody waits for the second one
    inform!(103, Fields.of([["link", "</b.css>"]]));
    return text("x");
  });
  await transport.writeClosed();
  await requests[0]!.inform!(103, Fields.of([["link", "</late.css>"]]));
  transport.end();
  await ended;
  assertEquals(
    transport.written,
    "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </b.css>\r\n\r\n" +
      written("x", "connection: close"),
  );
});

Deno.test("serveHttp1() passes no informational response on to HTTP/1.0", async () => {
  const { served } = await converse(["GET / HTTP/1.0\r\nhost: a\r\n\r\n"]);
  assertEquals(served.requests.map(({ inform }) => inform), [undefined]);
});

Deno.test("serveHttp1() knows a request to change the protocol", async () => {
  const fields = "connection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n";
  const cases: [line: string, fields: string, upgrade: "websocket" | undefined][] = [
    ["GET / HTTP/1.1", fields, "websocket"],
    ["GET / HTTP/1.0", fields, undefined],
    ["POST / HTTP/1.1", fields, undefined],
    ["GET / HTTP/1.1", "upgrade: websocket\r\n", undefined],
    ["GET / HTTP/1.1", "connection: upgrade\r\n", undefined],
    ["GET / HTTP/1.1", "connection: upgrade\r\nupgrade: h2c\r\n", undefined],
  ];
  for (const [line, fields, upgrade] of cases) {
    const transport = new FakeTransport(`${line}\r\nhost: a\r\n${fields}\r\n`);
    const { ended, requests } = new Served(transport, echo);
    await transport.has("[]");
    transport.end();
    await ended;
    assertEquals(requests[0]?.upgrade, upgrade, `${line} ${fields}`);
  }
});

/** A request to change the protocol, which is granted. @returns both ends. */
function tunnelled(sent: string, first: string, options: Partial<Http1Options> = {}) {
  const client = new FakeTransport(
    `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${sent}`,
  );
  const backend = new FakeTransport();
  const tunnel = {
    first: bytesOf(first),
    read: (into: Piece) => backend.read(into),
    write: (bytes: Piece) => backend.write(bytes),
    closeWrite: () => backend.closeWrite(),
    close: () => backend.close(),
  };
  const served = new Served(
    client,
    () => ({ status: 101, fields: Fields.of([]), body: null, tunnel }),
    options,
  );
  return { client, backend, served };
}

const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

Deno.test("serveHttp1() becomes a tunnel", async () => {
  const { client, backend, served } = tunnelled("early", "first");
  await client.has(`${SWITCHED}first`);
  await backend.has("early");
  client.send("ping");
  await backend.has("ping");
  backend.send("pong");
  await client.has("pong");
  // the client ends its direction, the other one goes on
  client.end();
  await backend.writeClosed();
  backend.send("bye").end();
  await client.writeClosed();
  await served.ended;
  assertEquals([client.written, backend.written], [`${SWITCHED}firstpongbye`, "earlyping"]);
  assertEquals([client.isClosed, backend.isClosed], [true, true]);
  assertEquals(served.outcomes, [{ received: 9, sent: 12, isComplete: true }]);
});

Deno.test("serveHttp1() lets a tunnel live on whose client sends no more", async () => {
  const { client, backend, served } = tunnelled("", "", { clientTimeout: SHORT });
  await client.has(SWITCHED);
  client.end();
  await backend.writeClosed();
  await lookedAt(served.deadlines);
  backend.send("bye").end();
  await within(served.ended, "the end");
  assertEquals(client.written, `${SWITCHED}bye`);
});

Deno.test("serveHttp1() ends a tunnel when one side fails or both are silent", async () => {
  const ends: [string, Partial<Http1Options>, (client: FakeTransport, backend: FakeTransport) => void][] = [
    ["the client fails", {}, (client) => client.fail(new Deno.errors.ConnectionReset("reset"))],
    ["the backend fails", {}, (_, backend) => backend.fail(new Deno.errors.ConnectionReset("reset"))],
    ["silence", { streamTimeout: SHORT }, () => {}],
  ];
  for (const [name, options, end] of ends) {
    const { client, backend, served } = tunnelled("", "", options);
    await client.has(SWITCHED);
    end(client, backend);
    await served.ended;
    assertEquals([client.isClosed, backend.isClosed, served.outcomes.length], [true, true, 1], name);
  }
});

Deno.test("serveHttp1() closes the backend's side of a tunnel that the client does not take", async () => {
  const { client, backend, served } = tunnelled("", "", { clientTimeout: SHORT });
  client.stall();
  await served.ended;
  assertEquals([client.isClosed, backend.isClosed], [true, true]);
  assertEquals(served.outcomes.map(({ isComplete }) => isComplete), [false]);
});
