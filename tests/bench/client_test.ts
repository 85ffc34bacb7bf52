import { assertEquals, assertRejects } from "@std/assert";
import { Client } from "./client.ts";

/** A server that answers each request on its one connection with the next of some lists of pieces. */
async function serve(listener: Deno.TcpListener, answers: string[][]): Promise<string> {
  using connection = await listener.accept();
  let requests = "";
  for (const pieces of answers) {
    const buffer = new Uint8Array(1000);
    const length = await connection.read(buffer) ?? 0;
    requests += new TextDecoder().decode(buffer.subarray(0, length));
    for (const piece of pieces) await connection.write(new TextEncoder().encode(piece));
  }
  return requests;
}

Deno.test("Client asks over one connection, however an answer is cut into pieces", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = serve(listener, [
    ["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 4\r\n\r", "\n1", "234"],
    ["HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"],
  ]);
  using client = await Client.connect(listener.addr.port);
  assertEquals([await client.get("/a"), await client.get("/b", "b.test")], [200, 404]);
  assertEquals(
    await served,
    "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: b.test\r\n\r\n",
  );
});

Deno.test("Client.get() rejects what is no whole answer with a length", async () => {
  for (
    const [answer, message] of [
      ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n123", "was closed"],
      ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "does not tell its length"],
    ] as const
  ) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = serve(listener, [[answer]]);
    using client = await Client.connect(listener.addr.port);
    await assertRejects(() => client.get("/"), Error, message);
    await served;
  }
});
