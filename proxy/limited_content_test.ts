import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bytesOf, latin1 } from "../tests/testing.ts";
import { ProxyError } from "./errors.ts";
import type { Content, Piece } from "./exchange.ts";
import { LimitedContent } from "./limited_content.ts";

class Pieces implements Content {
  readonly length: number | undefined;
  closed = 0;
  readonly #pieces: string[];

  constructor(length: number | undefined, ...pieces: string[]) {
    this.length = length;
    this.#pieces = pieces;
  }

  get hasEnded(): boolean {
    return this.#pieces.length === 0;
  }

  arrived(): Piece | undefined {
    const piece = this.#pieces.shift();
    return piece === undefined ? undefined : bytesOf(piece);
  }

  next(): Promise<Piece | undefined> {
    return Promise.resolve(this.arrived());
  }

  close(): void {
    this.closed++;
  }
}

Deno.test("LimitedContent hands out what is small enough, as it comes", async () => {
  for (const length of [undefined, 5]) {
    const source = new Pieces(length, "ab", "cd", "e");
    const content = LimitedContent.of(source, 5);
    assertEquals([content.length, content.hasEnded], [length, false]);
    assertEquals(latin1(content.arrived()!), "ab");
    assertEquals(latin1((await content.next())!), "cd");
    assertEquals(latin1(content.arrived()!), "e");
    assertEquals([content.hasEnded, content.arrived(), await content.next()], [true, undefined, undefined]);
    content.close();
    assertEquals(source.closed, 1);
  }
});

Deno.test("LimitedContent has no limit unless told", () => {
  const source = new Pieces(undefined, "ab");
  assertEquals(LimitedContent.of(source, 0) === source, true);
});

Deno.test("LimitedContent refuses what says itself that it is larger, before it is read", () => {
  const error = assertThrows(() => LimitedContent.of(new Pieces(6, "abcdef"), 5), ProxyError, "5 bytes");
  assertEquals(error.reason, "body_too_large");
  assertEquals(LimitedContent.of(new Pieces(5), 5).length, 5);
});

Deno.test("LimitedContent hands out nothing of the piece by which it turns out to be larger", async () => {
  const read = async (content: Content) => await content.next();
  const arrived = (content: Content) => Promise.resolve().then(() => content.arrived());
  for (const act of [read, arrived]) {
    const content = LimitedContent.of(new Pieces(undefined, "abc", "def", "g"), 5);
    assertEquals(latin1((await act(content))!), "abc");
    for (let attempt = 0; attempt < 3; attempt++) {
      const error = await assertRejects(() => act(content), ProxyError, "larger than 5 bytes");
      assertEquals(error.reason, "body_too_large");
    }
  }
});
