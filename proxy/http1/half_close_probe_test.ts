import { assertEquals } from "@std/assert";
import { bytesOf, latin1, settled, within } from "../../tests/testing.ts";
import type { Piece } from "../exchange.ts";
import { HalfCloseProbe } from "./half_close_probe.ts";

/** A client whose system answers what is sent to it as a test says. */
class Client {
  sent = "";
  readonly #answers: (() => Promise<void>)[];
  #changed = Promise.withResolvers<void>();

  constructor(...answers: (() => Promise<void>)[]) {
    this.#answers = answers;
  }

  readonly tell = async (bytes: Piece): Promise<void> => {
    this.sent += latin1(bytes);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    await this.#answers.shift()?.();
  };

  async has(text: string): Promise<void> {
    while (this.sent !== text) await within(this.#changed.promise, text);
  }
}

const ANSWER = bytesOf("HTTP/1.1 200 OK\r\n\r\n");

function fail(): never {
  throw new Error("nobody has gone");
}

Deno.test("HalfCloseProbe sends the start of the answer, byte by byte, and the rest with the answer", async () => {
  for (const probed of ["H", "HT"]) {
    const client = new Client();
    const probe = new HalfCloseProbe(client.tell);
    assertEquals(probe.isUsed, false);
    probe.start(fail);
    await client.has(probed);
    assertEquals(probe.isUsed, true);
    assertEquals(probed + latin1(await probe.withoutProbed(ANSWER)), latin1(ANSWER));
    // the client has all of it: what follows is no start
    assertEquals([probe.isUsed, latin1(await probe.withoutProbed(bytesOf("more")))], [false, "more"]);
    await settled();
    assertEquals(client.sent, probed);
  }
});

Deno.test("HalfCloseProbe says when the client has gone, and sends no more", async () => {
  const gone = Promise.withResolvers<void>();
  const client = new Client(
    () => Promise.resolve(),
    () => Promise.reject(new Deno.errors.BrokenPipe("gone")),
  );
  const probe = new HalfCloseProbe(client.tell);
  probe.start(gone.resolve);
  await within(gone.promise, "the client's leave");
  await settled();
  assertEquals(client.sent, "HT");
  probe.stop();
});

Deno.test("HalfCloseProbe sends nothing once it was stopped, or the answer begins", async () => {
  const client = new Client();
  const stopped = new HalfCloseProbe(client.tell);
  stopped.start(fail);
  stopped.stop();
  const answered = new HalfCloseProbe(client.tell);
  answered.start(fail);
  assertEquals(latin1(await answered.withoutProbed(ANSWER)), latin1(ANSWER));
  await settled();
  assertEquals(client.sent, "");
});

Deno.test("HalfCloseProbe waits for a byte that is on its way before the answer goes out", async () => {
  const taken = Promise.withResolvers<void>();
  const client = new Client(() => taken.promise);
  const probe = new HalfCloseProbe(client.tell);
  probe.start(fail);
  await client.has("H");
  let rest: string | undefined;
  const answer = probe.withoutProbed(ANSWER).then((bytes) => rest = latin1(bytes));
  await settled();
  assertEquals(rest, undefined);
  taken.resolve();
  assertEquals(await answer, "TTP/1.1 200 OK\r\n\r\n");
  await settled();
  assertEquals(client.sent, "H");
});
