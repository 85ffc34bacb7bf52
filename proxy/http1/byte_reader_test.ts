import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTransport } from "../../tests/fakes.ts";
import { latin1 } from "../../tests/testing.ts";
import { ByteReader } from "./byte_reader.ts";

Deno.test("ByteReader keeps what was read too far", async () => {
  const reader = new ByteReader(new FakeTransport("abcdef", "ghi").end());
  assert(await reader.fill());
  assertEquals(latin1(reader.take(2)), "ab");
  assertEquals([reader.buffered, latin1(reader.peek())], [4, "cdef"]);
  assert(await reader.fill());
  assertEquals(latin1(reader.take(100)), "cdefghi");
  assertEquals(reader.take(100).length, 0);
  assertEquals([reader.hasEnded, await reader.fill(), reader.hasEnded], [false, false, true]);
});

Deno.test("ByteReader hands out every byte once, in order", async () => {
  const pieces = ["a", "b", "c", "d"].map((letter) => letter.repeat(20_000));
  for (const most of [1, 1000, 15_000, Infinity]) {
    const reader = new ByteReader(new FakeTransport(...pieces).end());
    let taken = "";
    while (await reader.fill()) taken += latin1(reader.take(most));
    taken += latin1(reader.take(Infinity));
    assert(taken === pieces.join(""), `${most} at a time`);
    reader.close();
  }
});

Deno.test("ByteReader leaves bytes that it handed out alone until it is filled again", async () => {
  const reader = new ByteReader(new FakeTransport("abcdef", "xyz"));
  await reader.fill();
  const first = reader.take(2);
  const second = reader.take(2);
  reader.skip(1);
  assertEquals([latin1(first), latin1(second), latin1(reader.peek())], ["ab", "cd", "f"]);
});

Deno.test("ByteReader holds as much as is waited for", async () => {
  const text = "abcdefghij".repeat(20_000);
  const reader = new ByteReader(new FakeTransport(text).end());
  while (await reader.fill());
  assert(latin1(reader.peek()) === text);
});

Deno.test("ByteReader takes text byte by byte", async () => {
  const reader = new ByteReader(new FakeTransport("a\x00\x80\xff\xe2\x82\xac"));
  await reader.fill();
  assertEquals(reader.takeText(4), "a\x00\x80\xff");
  assertEquals(reader.takeText(0), "");
  assertEquals([reader.takeText(3), reader.buffered], ["\xe2\x82\xac", 0]);
});

Deno.test("ByteReader.takeLines() says where the lines of a head are, without the empty one", async () => {
  const reader = new ByteReader(new FakeTransport("before\r\nA: b\r\n\r\nrest"));
  await reader.fill();
  reader.skip(8);
  assertEquals(reader.findHead(0), 8);
  const { bytes, start, end } = reader.takeLines(8);
  assertEquals([latin1(bytes.subarray(start, end)), latin1(reader.peek())], ["A: b\r\n", "rest"]);
});

/** Notes what bytes are when their borrower is told that they will be overwritten. */
function borrower(bytes: Uint8Array): { kept: string[]; keep: () => void } {
  const kept: string[] = [];
  return { kept, keep: () => kept.push(latin1(bytes)) };
}

Deno.test("ByteReader.lend() has bytes kept once, before they are overwritten", async () => {
  const transport = new FakeTransport("one");
  const reader = new ByteReader(transport);
  await reader.fill();
  const first = borrower(reader.take(3));
  reader.lend(first);
  assertEquals(first.kept, []);
  const waits = reader.fill();
  transport.send("two");
  await waits;
  assertEquals(first.kept, ["one"]);
  reader.take(3);
  transport.send("three");
  await reader.fill();
  assertEquals(first.kept, ["one"]);
  // whoever is told, and for whatever it is read
  const second = borrower(reader.take(5));
  reader.lend(second);
  const watched = new Promise((resolve) => reader.watch(resolve));
  transport.send("four");
  await watched;
  assertEquals([first.kept, second.kept], [["one"], ["three"]]);
});

Deno.test("ByteReader.lend() has bytes kept before what is left behind them moves", async () => {
  const lent = "x".repeat(3000);
  const left = "y".repeat(1096);
  const transport = new FakeTransport(lent + left);
  const reader = new ByteReader(transport);
  while (reader.buffered < 4096) await reader.fill();
  const first = borrower(reader.take(3000));
  reader.lend(first);
  for (let round = 0; round < 5; round++) {
    transport.send("z".repeat(4000));
    await reader.fill();
  }
  assert(first.kept.length === 1 && first.kept[0] === lent);
  assert(latin1(reader.peek()).startsWith(`${left}z`));
});

Deno.test("ByteReader.lend() has nothing kept while there is room behind", async () => {
  const transport = new FakeTransport("lent, left");
  const reader = new ByteReader(transport);
  await reader.fill();
  const bytes = reader.take(4);
  const lent = borrower(bytes);
  reader.lend(lent);
  for (const text of [", more", ", and more"]) {
    transport.send(text);
    await reader.fill();
  }
  assertEquals([lent.kept, latin1(bytes), latin1(reader.peek())], [[], "lent", ", left, more, and more"]);
  reader.take(Infinity);
  transport.send("again");
  await reader.fill();
  assertEquals([lent.kept, latin1(reader.peek())], [["lent"], "again"]);
});

Deno.test("ByteReader.lend() has bytes kept before they change, however they are read", async () => {
  for (let run = 0; run < 100; run++) {
    const transport = new FakeTransport();
    const reader = new ByteReader(transport);
    let sent = 0;
    for (let lends = 0; lends < 5; lends++) {
      while (reader.buffered < 2) {
        transport.send(letters(sent, run % 2 ? 100 : 3000));
        sent += run % 2 ? 100 : 3000;
        await reader.fill();
      }
      const bytes = reader.take(1 + Math.floor(Math.random() * (reader.buffered - 1)));
      const text = latin1(bytes);
      const lent = borrower(bytes);
      reader.lend(lent);
      for (let fills = 0; fills < 5; fills++) {
        const count = 1 + Math.floor(Math.random() * 3000);
        transport.send(letters(sent, count));
        sent += count;
        await reader.fill();
        assertEquals(lent.kept[0] ?? latin1(bytes), text);
        reader.take(Math.floor(Math.random() * 2 * reader.buffered));
      }
    }
    reader.close();
  }
});

/** Text of which no two parts nearby are the same. */
function letters(from: number, count: number): string {
  return Array.from({ length: count }, (_, index) => String.fromCharCode((from + index) * 7919 % 251)).join(
    "",
  );
}

Deno.test("ByteReader.lend() has nothing kept for one that has given bytes back, or passed them on", async () => {
  const transport = new FakeTransport("one");
  const reader = new ByteReader(transport);
  await reader.fill();
  const bytes = reader.take(3);
  const [gone, back] = [borrower(bytes), borrower(bytes)];
  reader.lend(gone);
  reader.lend(back);
  reader.lend(undefined);
  transport.send("two");
  await reader.fill();
  assertEquals([gone.kept, back.kept], [[], []]);
  reader.lend(gone);
  const last = borrower(reader.take(3));
  reader.lend(last);
  transport.send("three");
  await reader.fill();
  assertEquals([gone.kept, last.kept], [[], ["two"]]);
});

Deno.test("ByteReader lets two callers wait for the same bytes", async () => {
  const transport = new FakeTransport();
  const reader = new ByteReader(transport);
  const both = Promise.all([reader.fill(), reader.fill()]);
  transport.send("abc").send("def");
  assertEquals(await both, [true, true]);
  assertEquals(latin1(reader.peek()), "abc");
});

Deno.test("ByteReader counts what arrives for each message", async () => {
  const reader = new ByteReader(new FakeTransport("abc", "de"));
  await reader.fill();
  assertEquals(reader.received, 3);
  reader.take(2);
  reader.resetReceived();
  assertEquals(reader.received, 1);
  await reader.fill();
  assertEquals(reader.received, 3);
});

Deno.test("ByteReader passes on that reading failed", async () => {
  const reader = new ByteReader(new FakeTransport().fail(new Deno.errors.ConnectionReset("reset")));
  await assertRejects(() => reader.fill(), Deno.errors.ConnectionReset, "reset");
});

Deno.test("ByteReader.watch() tells of bytes, the end and a failure, once, and takes nothing", async () => {
  const transport = new FakeTransport();
  const reader = new ByteReader(transport);
  const told: boolean[] = [];
  const watch = () =>
    new Promise<void>((resolve) =>
      reader.watch((hasMore) => {
        told.push(hasMore);
        resolve();
      })
    );
  let watched = watch();
  const waits = reader.fill(); // for the same bytes
  transport.send("abc");
  assertEquals([await waits, latin1(reader.take(100))], [true, "abc"]);
  await watched;
  watched = watch();
  transport.send("def");
  await watched;
  assertEquals([latin1(reader.peek()), told], ["def", [true, true]]);
  watched = watch();
  transport.end();
  await watched;
  assertEquals([told.at(-1), reader.hasEnded, await reader.fill()], [false, true, false]);
  const failing = new ByteReader(new FakeTransport().fail(new Error("reset")));
  assertEquals(await new Promise((resolve) => failing.watch(resolve)), false);
  assert(!failing.hasEnded);
});

Deno.test("ByteReader.interrupt() fails whoever waits, now and later, and leaves what is there", async () => {
  const transport = new FakeTransport("abc");
  const reader = new ByteReader(transport);
  await reader.fill();
  const waits = assertRejects(() => reader.fill(), Error, "too late");
  reader.interrupt(new Error("too late"));
  await waits;
  transport.send("def");
  await assertRejects(() => reader.fill(), Error, "too late");
  assertEquals(latin1(reader.take(100)), "abc");
});

Deno.test("ByteReader.interrupt() counts also when nobody waits, or reading fails afterwards", async () => {
  const idle = new ByteReader(new FakeTransport("abc"));
  idle.interrupt(new Error("too late"));
  await assertRejects(() => idle.fill(), Error, "too late");
  const transport = new FakeTransport();
  const failing = new ByteReader(transport);
  const waits = assertRejects(() => failing.fill(), Error, "too late");
  failing.interrupt(new Error("too late"));
  transport.fail(new Error("reset"));
  await waits;
  await assertRejects(() => failing.fill(), Error, "too late");
});

Deno.test("ByteReader.shrink() gives a grown buffer back, but nothing that is in use", async () => {
  const large = "x".repeat(10_000);
  const transport = new FakeTransport(large);
  const reader = new ByteReader(transport);
  while (reader.buffered < large.length) await reader.fill();
  const grown = reader.peek().buffer.byteLength;
  reader.shrink();
  assert(latin1(reader.peek()) === large);
  reader.take(Infinity);
  const waits = reader.fill();
  reader.shrink(); // somebody reads into it
  transport.send("abc").send("def").end();
  await waits;
  assertEquals(latin1(reader.take(3)), "abc");
  reader.shrink();
  assert(reader.peek().buffer.byteLength < grown);
  await reader.fill();
  assertEquals([latin1(reader.take(100)), await reader.fill()], ["def", false]);
});

/** A reader to which so much has come that it has a buffer for large contents, and what it has taken last. */
async function streaming(letter = "x") {
  const transport = new FakeTransport(letter.repeat(4096), letter.repeat(4096));
  const reader = new ByteReader(transport);
  await reader.fill();
  reader.take(Infinity);
  await reader.fill();
  return { reader, transport, piece: reader.take(Infinity) };
}

const LARGE_BYTES = 256 * 1024;
const MOST_LARGE = 64;

Deno.test("ByteReader has a buffer for large contents that nobody else has, and gives it back for others", async () => {
  const one = await streaming("a");
  const other = await streaming("b");
  assertEquals([one, other].map(({ piece }) => piece.buffer.byteLength), [LARGE_BYTES, LARGE_BYTES]);
  assert(one.piece.buffer !== other.piece.buffer);
  one.reader.shrink();
  one.reader.shrink();
  const next = await streaming("c");
  const last = await streaming("d");
  assert(next.piece.buffer === one.piece.buffer && last.piece.buffer !== next.piece.buffer);
  assertEquals([other, next, last].map(({ piece }) => latin1(piece.subarray(0, 2))), ["bb", "cc", "dd"]);
  for (const { reader } of [one, other, next, last]) reader.close();
});

Deno.test("ByteReader.close() leaves bytes that were handed out alone", async () => {
  const { reader, piece } = await streaming("a");
  reader.close();
  reader.shrink();
  const next = await streaming("b");
  assert(next.piece.buffer !== piece.buffer);
  assertEquals(latin1(piece.subarray(0, 2)), "aa");
  next.reader.close();
});

Deno.test("ByteReader gives only so many a buffer for large contents, and others when one is given back", async () => {
  const all = await Promise.all(Array.from({ length: MOST_LARGE + 1 }, () => streaming()));
  const sizes = all.map(({ piece }) => piece.buffer.byteLength);
  assertEquals(sizes.filter((size) => size === LARGE_BYTES).length, MOST_LARGE);
  assert(sizes.every((size) => size >= 32 * 1024));
  const left = all.splice(0, 2);
  left[0]!.reader.close();
  left[1]!.reader.shrink();
  for (let count = 0; count < 2; count++) all.push(await streaming());
  assertEquals(all.slice(-2).map(({ piece }) => piece.buffer.byteLength), [LARGE_BYTES, LARGE_BYTES]);
  for (const { reader } of all) reader.close();
});

Deno.test("ByteReader takes no buffer for large contents after close(), for nobody would give it back", async () => {
  for (let count = 0; count < MOST_LARGE; count++) {
    const transport = new FakeTransport("x".repeat(4096));
    const reader = new ByteReader(transport);
    await reader.fill();
    reader.take(Infinity);
    reader.close();
    transport.close();
    await assertRejects(() => reader.fill(), Deno.errors.BadResource);
  }
  const { reader, piece } = await streaming();
  assertEquals(piece.buffer.byteLength, LARGE_BYTES);
  reader.close();
});
