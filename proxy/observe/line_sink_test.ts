import { assertEquals } from "@std/assert";
import { within } from "../../tests/testing.ts";
import { LineSink, type Writer } from "./line_sink.ts";

/** A writer that writes when a test says so. */
class FakeWriter implements Writer {
  text = "";
  /** How many bytes it takes at once. */
  most = Infinity;
  /** What happens to each write before it is done. */
  before: () => Promise<void> = () => Promise.resolve();

  async write(bytes: Uint8Array): Promise<number> {
    await this.before();
    const part = bytes.subarray(0, this.most);
    this.text += new TextDecoder().decode(part);
    return part.length;
  }
}

Deno.test("LineSink writes lines in order, however little is taken at once", async () => {
  const writer = new FakeWriter();
  writer.most = 3;
  const sink = new LineSink(writer);
  sink.write("one\n");
  sink.write("two\nthree\n");
  await sink.flush();
  sink.write("four\n");
  await sink.flush();
  assertEquals([writer.text, sink.dropped], ["one\ntwo\nthree\nfour\n", 0]);
});

Deno.test("LineSink.write() does not wait", () => {
  const writer = new FakeWriter();
  writer.before = () => new Promise(() => {});
  const sink = new LineSink(writer);
  sink.write("one\n");
  sink.write("two\n");
  assertEquals([writer.text, sink.dropped], ["", 0]);
});

Deno.test("LineSink.flush() has nothing to wait for when nothing was written", async () => {
  await within(new LineSink(new FakeWriter()).flush(), "nothing");
});

Deno.test("LineSink drops and counts lines while too much waits", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const writer = new FakeWriter();
  writer.before = () => promise;
  const sink = new LineSink(writer, 10);
  sink.write("1234\n");
  sink.write("567\n");
  sink.write("a\nb\n");
  sink.write("é\n"); // of three bytes
  assertEquals(sink.dropped, 3);
  sink.write("\n");
  resolve();
  await sink.flush();
  sink.write("again\n");
  await sink.flush();
  assertEquals([writer.text, sink.dropped], ["1234\n567\n\nagain\n", 3]);
});

Deno.test("LineSink counts what was lost when nobody reads, and goes on when somebody does again", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const writer = new FakeWriter();
  writer.before = () => promise;
  const sink = new LineSink(writer, 10);
  sink.write("1\n2\n");
  sink.write("3\n");
  reject(new Deno.errors.BrokenPipe());
  await sink.flush();
  assertEquals(sink.dropped, 3);
  writer.before = () => Promise.resolve();
  sink.write("4567890\n");
  await sink.flush();
  assertEquals([writer.text, sink.dropped], ["4567890\n", 3]);
});
