import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { assertEquals } from "@std/assert";
import { WebSocket, WebSocketServer } from "npm:ws@^8.18.3";
import { selfSigned } from "../certificates.ts";
import { rule, tlsFiles } from "../test_proxy.ts";
import { pause, randomBytes, sha256, within } from "../testing.ts";
import { ProxyProgram, report } from "./programs.ts";

const MESSAGES = 1000;
const IDLE = 60_000;

Deno.test("WebSocket echo through HTTP and HTTPS: messages, subprotocol, close code, 60 s of silence", async () => {
  const backend = createServer();
  echo(backend);
  await new Promise<void>((resolve) => backend.listen(0, "127.0.0.1", resolve));
  const pair = await selfSigned(["localhost"]);
  try {
    await using proxy = await ProxyProgram.start({
      rules: [rule("localhost", "/", "one", tlsFiles("a"))],
      endpoints: { "default/one:80": [`127.0.0.1:${(backend.address() as AddressInfo).port}`] },
      files: { "a.cert": pair.cert, "a.key": pair.key },
      flags: ["--client-timeout=5", "--idle-timeout=5", "--response-timeout=5"],
    });
    const [, httpPort] = proxy.addresses.http.split(":");
    const [, httpsPort] = proxy.addresses.https.split(":");
    await Promise.all([converse(`ws://localhost:${httpPort}/`), converse(`wss://localhost:${httpsPort}/`)]);
  } finally {
    backend.close();
  }
});

/** Answers each message with itself, and ends with the code that it is told. */
function echo(server: Server): void {
  new WebSocketServer({
    server,
    maxPayload: 2 ** 21,
    handleProtocols: (offered: Set<string>) => [...offered].at(-1) ?? false,
  })
    .on("connection", (socket: WebSocket) => {
      socket.on("message", (data: Uint8Array, isBinary: boolean) => {
        const text = isBinary ? "" : data.toString();
        if (text.startsWith("close ")) socket.close(Number(text.slice(6)), "as you say");
        else socket.send(data, { binary: isBinary });
      });
    });
}

async function converse(url: string): Promise<void> {
  const socket = new WebSocket(url, ["one.test", "two.test"], {
    rejectUnauthorized: false,
    maxPayload: 2 ** 21,
  });
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<[code: number, reason: string]>();
  let arrived = Promise.withResolvers<Uint8Array>();
  socket.on("open", opened.resolve);
  socket.on("error", opened.reject);
  socket.on("message", (data: Uint8Array) => arrived.resolve(data));
  socket.on("close", (code: number, reason: Uint8Array) => closed.resolve([code, reason.toString()]));
  await within(opened.promise, `${url} to open`);
  assertEquals(socket.protocol, "two.test");
  const ask = async (message: Uint8Array<ArrayBuffer>) => {
    arrived = Promise.withResolvers();
    socket.send(message);
    return await within(arrived.promise, "an echo");
  };
  let bytes = 0;
  for (let count = 0; count < MESSAGES; count++) {
    // sizes from 1 byte to 1 MiB, the large ones seldom
    const size = count % 100 === 99 ? 2 ** 20 : Math.ceil(2 ** ((count % 100) * 0.16));
    const message = randomBytes(size);
    const echoed = new Uint8Array(await ask(message));
    assertEquals(await sha256(echoed), await sha256(message), `message ${count} of ${size} bytes`);
    bytes += size;
  }
  await pause(IDLE);
  assertEquals(new Uint8Array(await ask(new Uint8Array([1, 2, 3]))), new Uint8Array([1, 2, 3]));
  socket.send("close 4321");
  assertEquals(await within(closed.promise, "the end"), [4321, "as you say"]);
  report(`${url.split(":")[0]}: ${MESSAGES} messages, ${(bytes / 2 ** 20).toFixed(0)} MiB each way`);
}
