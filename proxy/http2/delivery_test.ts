import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeContent } from "../../tests/fakes.ts";
import { latin1, until } from "../../tests/testing.ts";
import { Deadlines } from "../deadlines.ts";
import type { Outcome } from "../exchange.ts";
import { Delivery } from "./delivery.ts";

/** Content on its way to one who reads a stream. */
class Setup implements Disposable {
  readonly content = new FakeContent();
  readonly outcome: Outcome = { received: 0, sent: 0, isComplete: false };
  readonly deadlines = new Deadlines();
  readonly delivery: Delivery;
  readonly stream: ReadableStream<Uint8Array>;
  stalled = 0;
  closed = 0;

  constructor() {
    const { close } = this.content;
    this.content.close = () => {
      this.closed++;
      close.call(this.content);
    };
    this.delivery = new Delivery(this.content, {
      outcome: this.outcome,
      deadlines: this.deadlines,
      timeout: 1000,
      onStall: () => this.stalled++,
    });
    this.stream = new ReadableStream(this.delivery, { highWaterMark: 0 });
  }

  [Symbol.dispose](): void {
    this.delivery.end();
  }
}

Deno.test("Delivery hands content on piece by piece, counts it, and closes it once", async () => {
  using setup = new Setup();
  const reader = setup.stream.getReader();
  setup.content.send("he");
  assertEquals(latin1((await reader.read()).value!), "he");
  assertEquals([setup.outcome.sent, setup.closed], [2, 0]);
  setup.content.send("llo").end();
  assertEquals(latin1((await reader.read()).value!), "llo");
  assertEquals([(await reader.read()).done, setup.outcome.sent, setup.closed], [true, 5, 1]);
  setup.delivery.end();
  assertEquals(setup.closed, 1);
});

Deno.test("Delivery has a deadline but while content is waited for", async () => {
  using setup = new Setup();
  const { delivery } = setup;
  assert(delivery.deadline < Infinity, "nobody has asked yet");
  const reader = setup.stream.getReader();
  setup.content.send("hello");
  await reader.read();
  assert(delivery.deadline < Infinity, "it may be left lying");
  const next = reader.read();
  await until(() => delivery.deadline === Infinity, "content to be waited for");
  setup.content.end();
  await next;
  assert(delivery.deadline < Infinity, "so may the end");
});

Deno.test("Delivery.expire() breaks the stream off, and tells", async () => {
  using setup = new Setup();
  const reader = setup.stream.getReader();
  setup.content.send("hello");
  await reader.read();
  setup.delivery.expire();
  await assertRejects(() => reader.read(), Error, "The client takes nothing");
  assertEquals([setup.closed, setup.stalled], [1, 1]);
});
