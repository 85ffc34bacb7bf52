import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import { connectTls, type Peer, RawServer, type TlsClientOptions } from "../../tests/peers.ts";
import { bytesOf } from "../../tests/testing.ts";
import { type ClientHello, ClientHelloError, parseClientHello } from "./client_hello.ts";

const RECORD_HEAD_BYTES = 5;

/** Lets a real client say hello. @returns its first record. */
async function capture(options: TlsClientOptions): Promise<Uint8Array<ArrayBuffer>> {
  const captured = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  using server = new RawServer(async (peer: Peer) => {
    const head = await peer.read(RECORD_HEAD_BYTES);
    captured.resolve(bytesOf(head + await peer.read(head.charCodeAt(3) * 256 + head.charCodeAt(4))));
  });
  const handshake = connectTls(server.address, options).catch(() => {});
  const bytes = await captured.promise;
  await handshake;
  return bytes;
}

/** Cuts one record into records of `size` bytes each. */
function cut(record: Uint8Array, size: number): Uint8Array {
  const message = record.subarray(RECORD_HEAD_BYTES);
  const records: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(22, 3, 1, part.length >> 8, part.length & 255, ...part);
  }
  return Uint8Array.from(records);
}

const protocols = ["h2", "http/1.1"];
const HELLO = await capture({ servername: "www.example.com", protocols });
const EXPECTED: ClientHello = { serverName: "www.example.com", protocols };

Deno.test("parseClientHello() reads name and protocols of a real client", async () => {
  assertEquals(parseClientHello(HELLO), EXPECTED);
  assertEquals(parseClientHello(await capture({ protocols: ["http/1.1"] })), {
    serverName: undefined,
    protocols: ["http/1.1"],
  });
  assertEquals(parseClientHello(await capture({ servername: "A.test", protocols: [] })), {
    serverName: "A.test",
    protocols: [],
  });
});

Deno.test("parseClientHello() waits until the hello is whole, and reads no further", () => {
  for (let length = 0; length < HELLO.length; length++) {
    assertEquals(parseClientHello(HELLO.subarray(0, length)), undefined, `${length} bytes`);
  }
  assertEquals(parseClientHello(Uint8Array.from([...HELLO, 20, 3, 3, 0, 1, 1, 23])), EXPECTED);
});

Deno.test("parseClientHello() joins records", () => {
  for (const size of [1, 2, 3, 4, 5, 50, HELLO.length - RECORD_HEAD_BYTES - 1]) {
    const records = cut(HELLO, size);
    assertEquals(parseClientHello(records), EXPECTED, `records of ${size} bytes`);
    assertEquals(parseClientHello(records.subarray(0, -1)), undefined);
  }
});

Deno.test("parseClientHello() refuses what is no ClientHello", () => {
  const cases: [number[] | string, string][] = [
    ["GET / HTTP/1.1\r\n", "does not speak TLS"],
    ["\0", "does not speak TLS"],
    [[0x80, 0x2e, 1, 3, 1], "does not speak TLS"],
    [[21, 3, 1, 0, 2, 2, 0], "does not speak TLS"],
    [[22, 2, 0, 0, 4, 1, 0, 0, 0], "Invalid TLS record"],
    [[22, 3, 1, 0, 0], "Invalid TLS record"],
    [[22, 3, 1, 0x40, 1], "Invalid TLS record"],
    [[22, 3, 1, 0, 1, 1, 23, 3, 1, 0, 1], "Invalid TLS record"],
    [[22, 3, 1, 0, 4, 2, 0, 0, 0], "The first message is no ClientHello"],
    [[22, 3, 1, 0, 4, 1, 1, 0, 1], "The ClientHello is too long"],
    [[22, 3, 1, 0, 4, 1, 0, 0, 0], "goes past its end"],
  ];
  for (const [bytes, message] of cases) {
    const garbage = typeof bytes === "string" ? bytesOf(bytes) : Uint8Array.from(bytes);
    assertThrows(() => parseClientHello(garbage), ClientHelloError, message);
  }
});

Deno.test("parseClientHello() survives any changed byte", () => {
  const results = new Set<string>();
  for (let at = 0; at < HELLO.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const changed = HELLO.slice();
      changed[at] = value;
      try {
        results.add(parseClientHello(changed) === undefined ? "waits" : "reads");
      } catch (error) {
        assert(error instanceof ClientHelloError, `byte ${at} is ${value}: ${error}`);
        results.add("refuses");
      }
    }
  }
  assertEquals([...results].toSorted(), ["reads", "refuses", "waits"]);
});

Deno.test("parseClientHello() takes little time for a hello in very many records", () => {
  const endless = new Uint8Array(RECORD_HEAD_BYTES + 10_000);
  endless.set([22, 3, 1, 0, 0, 1, 0, 0x3f, 0xff]);
  const records = cut(endless, 1);
  const start = performance.now();
  assertEquals(parseClientHello(records), undefined);
  assertLess(performance.now() - start, 300);
});
