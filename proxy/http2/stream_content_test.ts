import { assertEquals, assertRejects } from "@std/assert";
import { textOf } from "../../tests/fakes.ts";
import { bytesOf, latin1, settled } from "../../tests/testing.ts";
import { ProxyError } from "../errors.ts";
import type { Piece } from "../exchange.ts";
import { StreamContent } from "./stream_content.ts";

/** A stream whose pieces come when a test says so, and content on it. */
class Setup {
  readonly cancelled = Promise.withResolvers<void>();
  readonly content: StreamContent;
  controller!: ReadableStreamDefaultController<Piece>;

  constructor({ length, timeout = 5000 }: { length?: number; timeout?: number } = {}) {
    const stream = new ReadableStream<Piece>({
      start: (controller) => {
        this.controller = controller;
      },
      cancel: () => this.cancelled.resolve(),
    });
    this.content = new StreamContent(stream, { length, timeout });
  }

  send(...pieces: string[]): this {
    for (const piece of pieces) this.controller.enqueue(bytesOf(piece));
    return this;
  }

  end(): this {
    this.controller.close();
    return this;
  }
}

Deno.test("StreamContent.next() reads piece by piece to the end", async () => {
  const { content } = new Setup({ length: 5 }).send("he", "", "llo").end();
  assertEquals([content.length, content.hasEnded, content.received], [5, false, 0]);
  assertEquals(latin1((await content.next())!), "he");
  assertEquals([content.hasEnded, content.received], [false, 2]);
  assertEquals(latin1((await content.next())!), "llo");
  assertEquals([await content.next(), content.hasEnded, content.received], [undefined, true, 5]);
  assertEquals(await content.next(), undefined);
});

Deno.test("StreamContent.next() waits for what has not come", async () => {
  const setup = new Setup();
  const next = setup.content.next();
  assertEquals(setup.content.arrived(), undefined);
  setup.send("late");
  assertEquals(latin1((await next)!), "late");
});

Deno.test("StreamContent.hasAny() loses nothing", async () => {
  const { content } = new Setup().send("he", "llo").end();
  assertEquals([await content.hasAny(), content.received], [true, 2]);
  assertEquals([latin1(content.arrived()!), content.arrived()], ["he", undefined]);
  assertEquals(await textOf(content), "llo");

  const { content: again } = new Setup().send("he", "llo").end();
  await again.hasAny();
  assertEquals(await textOf(again), "hello");
});

Deno.test("StreamContent.hasAny() sees that there is nothing", async () => {
  const { content } = new Setup().send("").end();
  assertEquals([await content.hasAny(), content.hasEnded, content.received], [false, true, 0]);
});

Deno.test("StreamContent.next() says that the client has broken off", async () => {
  const setup = new Setup().send("he");
  await setup.content.next();
  setup.controller.error(new Error("reset"));
  const error = await assertRejects(() => setup.content.next(), ProxyError);
  assertEquals(error.reason, "client_gone");
});

Deno.test("StreamContent.next() says that the client takes too long", async () => {
  const setup = new Setup({ timeout: 10 }).send("he");
  await setup.content.next();
  const error = await assertRejects(() => setup.content.next(), ProxyError);
  assertEquals(error.reason, "client_timeout");
});

Deno.test("StreamContent.close() cancels what was not read, and nothing else", async () => {
  const setup = new Setup().send("he");
  await setup.content.next();
  setup.content.close();
  await setup.cancelled.promise;

  const read = new Setup().send("he").end();
  assertEquals(await textOf(read.content), "he");
  let isCancelled = false;
  read.cancelled.promise.then(() => isCancelled = true);
  await settled();
  assertEquals(isCancelled, false);
});

Deno.test("StreamContent.next() does not take the end that closing makes for the content's end", async () => {
  const content = new StreamContent(new ReadableStream(), { length: 3, timeout: 5000 });
  const reading = content.next();
  content.close();
  await assertRejects(() => reading, ProxyError);
  await assertRejects(() => content.next(), ProxyError);
  assertEquals(content.hasEnded, false);
});
