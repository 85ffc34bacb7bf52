import { assert, assertEquals } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { latin1 } from "../../tests/testing.ts";
import { ByteReader } from "../http1/byte_reader.ts";
import { startsWithPreface } from "./preface.ts";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

Deno.test("startsWithPreface() tells HTTP/2 from all else, and takes nothing", async () => {
  const cases: [pieces: string[], expected: boolean][] = [
    [[PREFACE], true],
    [[`${PREFACE}more`], true],
    [[...PREFACE], true],
    [[PREFACE.slice(0, 5), PREFACE.slice(5)], true],
    [["GET / HTTP/1.1\r\n"], false],
    [["P", "OST / HTTP/1.1\r\n"], false],
    [["PRI * HTTP/2.0\r\n\r\n", "XX"], false],
    [["PRI * HTTP/2.0\r\n\r\n"], false],
    [[], false],
  ];
  for (const [pieces, expected] of cases) {
    const reader = new ByteReader(new FakeTransport(...pieces).end());
    assertEquals(await startsWithPreface(reader), expected, JSON.stringify(pieces));
    // only as much is waited for as it takes to know
    assert(pieces.join("").startsWith(latin1(reader.peek())));
    if (expected) assert(reader.buffered >= PREFACE.length);
  }
});

Deno.test("startsWithPreface() waits no longer than it must", async () => {
  // neither goes on nor ends
  assertEquals(await startsWithPreface(new ByteReader(new FakeTransport("G"))), false);
});
