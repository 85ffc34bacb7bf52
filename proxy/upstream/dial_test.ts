import { assert, assertEquals, assertRejects } from "@std/assert";
import { createServer } from "node:tls";
import { selfSigned } from "../../tests/certificates.ts";
import { RawServer } from "../../tests/peers.ts";
import { bytesOf, latin1, within } from "../../tests/testing.ts";
import { type ClientHello, parseClientHello } from "../tls/client_hello.ts";
import { dial } from "./dial.ts";
import type { EndpointProtocol } from "./endpoint.ts";

const PAIR = await selfSigned(["backend.test"]);

/** A signal that is never given. */
function never(): AbortSignal {
  return new AbortController().signal;
}

/** A server over TLS that sends back what it gets, in upper case. */
async function echoing<T>(
  run: (address: Deno.NetAddr) => Promise<T>,
  alpnProtocols: string[] = ["http/1.1"],
): Promise<T> {
  using listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...PAIR, alpnProtocols });
  const serving = (async () => {
    for await (const connection of listener) {
      const bytes = new Uint8Array(100);
      try {
        for (let count; (count = await connection.read(bytes)) !== null;) {
          await connection.write(bytesOf(latin1(bytes.subarray(0, count)).toUpperCase()));
        }
      } catch {
        // a client that does not trust it
      } finally {
        connection.close();
      }
    }
  })().catch(() => {});
  try {
    return await run(listener.addr as Deno.NetAddr);
  } finally {
    listener.close();
    await serving;
  }
}

Deno.test("dial() opens a TCP connection", async () => {
  using server = new RawServer(async (peer) => await peer.write((await peer.read(5)).toUpperCase()));
  const transport = await dial(server.address, { protocol: { name: "HTTP" }, signal: never() });
  const into = new Uint8Array(10);
  assertEquals(await transport.write(bytesOf("hello")), 5);
  assertEquals([await transport.read(into), latin1(into.subarray(0, 5))], [5, "HELLO"]);
  assertEquals(await transport.read(into), null);
  transport.close();
  transport.close();
});

Deno.test("dial() opens a TLS connection, whoever has signed the certificate", async () => {
  await echoing(async (address) => {
    for (const serverName of [undefined, "backend.test", "another.test", "10.0.0.1"]) {
      const protocol: EndpointProtocol = { name: "HTTPS", ...serverName !== undefined && { serverName } };
      const transport = await dial(address, { protocol, signal: never() });
      const into = new Uint8Array(10);
      assertEquals(await transport.write(bytesOf("hello")), 5);
      assertEquals([await transport.read(into), latin1(into.subarray(0, 5))], [5, "HELLO"], serverName);
      transport.close();
    }
  });
});

Deno.test("dial() opens no TLS connection to a backend that does not speak what is to be spoken inside", async () => {
  const cases: [name: EndpointProtocol["name"], spoken: string[], refusal: RegExp | undefined][] = [
    ["GRPCS", ["h2"], undefined],
    ["GRPCS", ["http/1.1", "h2"], undefined],
    ["GRPCS", ["http/1.1"], /does not agree on h2 by ALPN.* the protocol is HTTPS/],
    ["GRPCS", [], /does not agree on h2 by ALPN.* the protocol is HTTPS/],
    ["HTTPS", ["h2"], /does not agree on http\/1.1 by ALPN/],
    ["HTTPS", [], undefined],
  ];
  for (const [name, spoken, refusal] of cases) {
    await echoing(async (address) => {
      const dialling = dial(address, { protocol: { name }, signal: never() });
      if (refusal === undefined) return (await dialling).close();
      const { message } = await assertRejects(() => dialling, Error);
      assert(refusal.test(message), `${name} to ${spoken}: ${message}`);
    }, spoken);
  }
});

Deno.test("dial() opens no TLS connection to a backend that nobody vouches for, where it is to be checked", async () => {
  await echoing(async (address) => {
    for (const serverName of [undefined, "backend.test"]) {
      const protocol: EndpointProtocol = {
        name: "HTTPS",
        verifies: true,
        ...serverName !== undefined && { serverName },
      };
      const error = await assertRejects(() => dial(address, { protocol, signal: never() }), Error);
      assert(/certificate|self.signed|UnknownIssuer/i.test(error.message), error.message);
    }
  });
});

const trusted: [protocol: Omit<EndpointProtocol, "name">, isGood: boolean][] = [
  [{ serverName: "backend.test", trust: PAIR.cert }, true],
  [{ serverName: "backend.test", trust: PAIR.cert, hidesName: true }, true],
  [{ serverName: "another.test", trust: PAIR.cert }, false],
  [{ serverName: "another.test", trust: PAIR.cert, hidesName: true }, false],
  [{ trust: PAIR.cert }, false],
  [{ serverName: "backend.test", trust: (await selfSigned(["backend.test"])).cert }, false],
];

Deno.test("dial() trusts whom it is told to, for the name that it is told", async () => {
  await echoing(async (address) => {
    for (const [protocol, isGood] of trusted) {
      const dialling = dial(address, {
        protocol: { name: "HTTPS", verifies: true, ...protocol },
        signal: never(),
      });
      if (isGood) (await dialling).close();
      else await assertRejects(() => dialling, Error);
    }
  });
});

Deno.test("dial() shows what it is told to", async () => {
  const { promise, resolve } = Promise.withResolvers<string | string[] | undefined>();
  const identity = await selfSigned(["client.test"]);
  const server = createServer({ ...PAIR, requestCert: true, rejectUnauthorized: false }, (socket) => {
    resolve(socket.getPeerCertificate()?.subject?.CN);
    socket.on("error", () => {}).destroy();
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  try {
    const { port } = server.address() as { port: number };
    const address = { hostname: "127.0.0.1", port };
    const transport = await dial(address, { protocol: { name: "HTTPS", identity }, signal: never() });
    assertEquals(await within(promise, "a handshake"), "client.test");
    transport.close();
  } finally {
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    await closed.promise;
  }
});

Deno.test("dial() asks for a name, but for no IP address, and offers HTTP/1.1 alone", async () => {
  const cases: [serverName: string | undefined, expected: string | undefined, hidesName?: boolean][] = [
    ["backend.test", "backend.test"],
    ["backend.test", undefined, true],
    [undefined, undefined],
    ["10.0.0.1", undefined],
    ["::1", undefined],
  ];
  for (const [serverName, expected, hidesName = false] of cases) {
    const asked = Promise.withResolvers<ClientHello | undefined>();
    using server = new RawServer(async (peer) => {
      const head = await peer.read(5);
      asked.resolve(parseClientHello(bytesOf(
        head + await peer.read(head.charCodeAt(3) * 256 + head.charCodeAt(4)),
      )));
    });
    const protocol: EndpointProtocol = {
      name: "HTTPS",
      hidesName,
      ...serverName !== undefined && { serverName },
    };
    const dialling = assertRejects(() => dial(server.address, { protocol, signal: never() }));
    assertEquals(await asked.promise, { serverName: expected, protocols: ["http/1.1"] });
    await dialling;
  }
});

Deno.test("dial() says that nobody listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = listener.addr as Deno.NetAddr;
  listener.close();
  for (const name of ["HTTP", "HTTPS"] as const) {
    const error = await assertRejects(
      () => dial(address, { protocol: { name }, signal: never() }),
      Error,
    );
    assert(/refused/i.test(error.message), error.message);
  }
});

Deno.test("dial() gives up a TLS handshake when it is told to", async () => {
  const accepted = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  using server = new RawServer(async (peer) => {
    await peer.read(1);
    accepted.resolve();
    await peer.readToEnd();
    ended.resolve();
  });
  const abort = new AbortController();
  const dialling = assertRejects(() =>
    dial(server.address, { protocol: { name: "HTTPS" }, signal: abort.signal })
  );
  await accepted.promise;
  abort.abort();
  await within(dialling, "the end of the handshake");
  await within(ended.promise, "the end of the connection");
});

Deno.test("dial() opens nothing once it has been told to give up", async () => {
  using server = new RawServer(async (peer) => void await peer.readToEnd());
  for (const name of ["HTTP", "HTTPS"] as const) {
    await within(
      assertRejects(() => dial(server.address, { protocol: { name }, signal: AbortSignal.abort() })),
      `an answer over ${name}`,
    );
  }
});
