import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Peer } from "../../tests/peers.ts";
import { recordingLog, within } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import { IpRanges } from "../ip_ranges.ts";
import type { Connection } from "./connection.ts";
import { Gate, type GateOptions } from "./gate.ts";
import { HttpListener, type HttpListenerOptions, type Serve } from "./http_listener.ts";

/** Answers with the protocol and the client's address, then with what the client sends. */
function echo(protocol: string): Serve {
  return async (connection) => {
    const { address, scheme } = connection.client;
    await connection.tell(new TextEncoder().encode(`${protocol} ${scheme} ${address} `));
    const { reader } = connection;
    do {
      await connection.tell(reader.take(Infinity).slice());
    } while (await reader.fill());
    connection.close();
  };
}

/** A listener on a free port. */
class Listening implements AsyncDisposable {
  readonly gate: Gate;
  readonly record = recordingLog();
  readonly listener: HttpListener;

  constructor(options: Partial<HttpListenerOptions> = {}, gate: Partial<GateOptions> = {}) {
    this.gate = new Gate({
      deadlines: new Deadlines(),
      maxConnections: 100,
      maxConnectionsPerClient: 0,
      ...gate,
    });
    this.listener = new HttpListener({
      address: { hostname: "127.0.0.1", port: 0 },
      reusePort: false,
      gate: this.gate,
      proxyProtocolFrom: new IpRanges([]),
      headTimeout: 60_000,
      serveHttp1: echo("1"),
      log: this.record.log,
      ...options,
    });
  }

  async client(): Promise<Peer> {
    return await Peer.connect(this.listener.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    this.gate.closeWaiting();
    await within(this.listener.ended(), "all connections to end");
    assertEquals([this.gate.count, this.gate.connections.size], [0, 0]);
  }
}

const PROXIED = new IpRanges(["127.0.0.0/8"]);

/** Sends all, says that this is all, and reads to the end. */
async function send(peer: Peer, ...pieces: string[]): Promise<string> {
  for (const piece of pieces) await peer.write(piece);
  await peer.closeWrite();
  return await peer.readToEnd();
}

Deno.test("HttpListener serves connections, and knows who and how many there were", async () => {
  await using listening = new Listening();
  for (let count = 1; count <= 3; count++) {
    using client = await listening.client();
    assertEquals(await send(client, "hello"), "1 http 127.0.0.1 hello");
    assertEquals(listening.listener.accepted, count);
  }
});

Deno.test("HttpListener knows HTTP/2 by its first bytes, where it is served", async () => {
  const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const cases: [pieces: string[], protocol: string][] = [
    [[preface], "2"],
    [[`${preface}more`], "2"],
    [[preface.slice(0, 1), preface.slice(1, 20), preface.slice(20)], "2"],
    [["GET / HTTP/1.1"], "1"],
    [["P", "OST / HTTP/1.1"], "1"],
    [["PRI * HTTP/1.1"], "1"],
    [[preface.slice(0, -1)], "1"],
    [[`${preface.slice(0, -1)}x`], "1"],
    [[], "1"],
  ];
  await using both = new Listening({ serveHttp2: echo("2") });
  await using one = new Listening();
  for (const [pieces, protocol] of cases) {
    for (const [listening, expected] of [[both, protocol], [one, "1"]] as const) {
      using client = await listening.client();
      assertEquals(await send(client, ...pieces), `${expected} http 127.0.0.1 ${pieces.join("")}`);
    }
  }
});

Deno.test("HttpListener takes the client's address from a PROXY protocol header", async () => {
  const v2 = (source: string) =>
    `\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c${source}\x0a\x00\x00\x01\x30\x39\x01\xbb`;
  const cases: [header: string, address: string][] = [
    ["PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n", "192.0.2.1"],
    ["PROXY TCP6 2001:db8::1 fd00::1 1 2\r\n", "2001:db8::1"],
    ["PROXY TCP6 ::ffff:192.0.2.1 fd00::1 1 2\r\n", "192.0.2.1"],
    ["PROXY UNKNOWN\r\n", "127.0.0.1"],
    [v2("\xc0\x00\x02\x02"), "192.0.2.2"],
  ];
  await using listening = new Listening({ proxyProtocolFrom: PROXIED });
  for (const [header, address] of cases) {
    using client = await listening.client();
    assertEquals(await send(client, header, "hello"), `1 http ${address} hello`);
    using other = await listening.client();
    assertEquals(await send(other, `${header}hello`), `1 http ${address} hello`);
  }
});

Deno.test("HttpListener knows HTTP/2 behind a PROXY protocol header too", async () => {
  await using listening = new Listening({ proxyProtocolFrom: PROXIED, serveHttp2: echo("2") });
  using client = await listening.client();
  const answer = await send(client, "PROXY UNKNOWN\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  assert(answer.startsWith("2 http 127.0.0.1 PRI"));
});

Deno.test("HttpListener believes no header from others, and needs one from load balancers", async () => {
  await using listening = new Listening({ proxyProtocolFrom: new IpRanges(["192.0.2.0/24"]) });
  const header = "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n";
  using client = await listening.client();
  assertEquals(await send(client, header), `1 http 127.0.0.1 ${header}`);
  await using proxied = new Listening({ proxyProtocolFrom: PROXIED });
  for (const text of ["GET / HTTP/1.1\r\n\r\n", "PROXY nonsense\r\n", "PROXY TCP4 192", ""]) {
    using client = await proxied.client();
    assertEquals(await send(client, text), "", JSON.stringify(text));
  }
  await proxied.record.has("does not begin with a PROXY protocol header");
  await proxied.record.has("Invalid PROXY protocol header");
  await proxied.record.has("ended within the PROXY protocol header");
});

Deno.test("HttpListener closes a connection on which nothing comes in time", async () => {
  const cases: [string, Partial<HttpListenerOptions>, sent: string][] = [
    ["no PROXY header", { proxyProtocolFrom: PROXIED }, ""],
    ["half a PROXY header", { proxyProtocolFrom: PROXIED }, "PROXY TCP4"],
    ["half a preface", { serveHttp2: echo("2") }, "PRI * HT"],
  ];
  for (const [name, options, sent] of cases) {
    await using listening = new Listening({ headTimeout: 1, ...options });
    using client = await listening.client();
    await client.write(sent);
    assertEquals(await client.readToEnd(), "", name);
  }
});

Deno.test("HttpListener limits the connections of one client, by the address that counts", async () => {
  await using listening = new Listening({ proxyProtocolFrom: PROXIED }, { maxConnectionsPerClient: 1 });
  using first = await listening.client();
  await first.write("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n");
  await first.readUntil("192.0.2.1 ");
  using second = await listening.client();
  assertEquals(await send(second, "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\nhello"), "");
  assertEquals(listening.gate.refused, 1);
  using other = await listening.client();
  assertEquals(await send(other, "PROXY TCP4 192.0.2.2 10.0.0.1 1 2\r\nhello"), "1 http 192.0.2.2 hello");
  await send(first);
  using third = await listening.client();
  assertEquals(await send(third, "PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\nhello"), "1 http 192.0.2.1 hello");
});

Deno.test("HttpListener makes place by closing what waits, and refuses when nothing does", async () => {
  const serveHttp1: Serve = async (connection: Connection) => {
    connection.isWaiting = true;
    while (await connection.reader.fill()) {
      connection.isWaiting = false;
      await connection.tell(connection.reader.take(Infinity).slice());
    }
    connection.close();
  };
  await using listening = new Listening({ serveHttp1 }, { maxConnections: 1 });
  using idle = await listening.client();
  using busy = await listening.client();
  await busy.write("a");
  await busy.read(1);
  assertEquals([await idle.readToEnd(), listening.gate.evicted], ["", 1]);
  using refused = await listening.client();
  assertEquals([await refused.readToEnd(), listening.gate.refused], ["", 1]);
  await send(busy);
});

Deno.test("HttpListener survives what a connection does", async () => {
  let count = 0;
  const serveHttp1: Serve = (connection) => {
    if (count++ === 0) return Promise.reject(new Error("failed"));
    return echo("1")(connection);
  };
  await using listening = new Listening({ serveHttp1 });
  using first = await listening.client();
  assertEquals(await first.readToEnd(), "");
  using second = await listening.client();
  assertEquals(await send(second, "hello"), "1 http 127.0.0.1 hello");
});

Deno.test("HttpListener.close() accepts no more, and ended() waits for what is left", async () => {
  const listening = new Listening();
  using client = await listening.client();
  await client.write("a");
  await client.readUntil("a");
  const { address } = listening.listener;
  listening.listener.close();
  let hasEnded = false;
  const ended = listening.listener.ended().then(() => hasEnded = true);
  await assertRejects(() => Peer.connect(address), Error);
  assertEquals(listening.listener.accepted, 1);
  await client.write("b");
  assertEquals([await client.read(1), hasEnded], ["b", false]);
  await client.closeWrite();
  await within(ended, "the end");
  assertEquals(listening.record.lines, []);
});

Deno.test("HttpListener shares an address with others that do", async () => {
  await using first = new Listening({ reusePort: true });
  await using second = new Listening({ reusePort: true, address: first.listener.address });
  assertEquals(second.listener.address.port, first.listener.address.port);
  for (let count = 0; count < 20; count++) {
    using client = await first.client();
    await send(client);
  }
  assertEquals(first.listener.accepted + second.listener.accepted, 20);
});

Deno.test("HttpListener says when its address is in use", async () => {
  await using first = new Listening();
  assertThrows(() => new Listening({ address: first.listener.address }), Deno.errors.AddrInUse);
});
