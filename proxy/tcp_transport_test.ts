import { assertEquals } from "@std/assert";
import { bytesOf, latin1 } from "../tests/testing.ts";
import { type TcpConnection, TcpTransport } from "./tcp_transport.ts";

/** A connection that remembers what is done with it. */
class FakeConnection implements TcpConnection {
  readonly calls: string[] = [];
  readonly #isReset: boolean;

  constructor({ isReset = false } = {}) {
    this.#isReset = isReset;
  }

  setNoDelay(noDelay = true): void {
    this.calls.push(`setNoDelay ${noDelay}`);
    if (this.#isReset) throw new Error("Invalid argument (os error 22)");
  }

  read(into: Uint8Array): Promise<number | null> {
    this.calls.push(`read ${into.length}`);
    return Promise.resolve(null);
  }

  write(bytes: Uint8Array): Promise<number> {
    this.calls.push(`write ${latin1(bytes)}`);
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    this.calls.push("closeWrite");
    return Promise.resolve();
  }

  close(): void {
    this.calls.push("close");
  }
}

Deno.test("TcpTransport is its connection, which sends at once", async () => {
  const connection = new FakeConnection();
  const transport = new TcpTransport(connection);
  assertEquals([await transport.write(bytesOf("ab")), await transport.read(new Uint8Array(3))], [2, null]);
  await transport.closeWrite();
  transport.close();
  assertEquals(connection.calls, ["setNoDelay true", "write ab", "read 3", "closeWrite", "close"]);
});

Deno.test("TcpTransport closes its connection once", () => {
  const connection = new FakeConnection();
  const transport = new TcpTransport(connection);
  transport.close();
  transport.close();
  assertEquals(connection.calls.filter((call) => call === "close"), ["close"]);
});

Deno.test("TcpTransport takes over a connection that can no more be set, so that it is read and closed", async () => {
  const connection = new FakeConnection({ isReset: true });
  const transport = new TcpTransport(connection);
  assertEquals(await transport.read(new Uint8Array(1)), null);
  transport.close();
  assertEquals(connection.calls, ["setNoDelay true", "read 1", "close"]);
});
