import { connect } from "node:net";
import { assertEquals, assertLess } from "@std/assert";
import { RawServer } from "../peers.ts";
import { addressOf } from "../programs.ts";
import { rule } from "../test_proxy.ts";
import { pause } from "../testing.ts";
import { ProxyProgram, report } from "./programs.ts";

const EVENTS = 100;

Deno.test("server-sent events reach the client within 50 ms of being written", async () => {
  const written: number[] = [];
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
    for (let event = 0; event < EVENTS; event++) {
      written.push(performance.now());
      await peer.write(`data: ${event}\n\n`);
      await pause(20);
    }
  });
  await using proxy = await startProxy(backend);
  const delays: number[] = [];
  const response = await fetch(`http://${proxy.addresses.http}/`);
  let text = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end; (end = text.indexOf("\n\n")) !== -1; text = text.slice(end + 2)) {
      delays.push(performance.now() - written[Number(text.slice("data: ".length, end))]!);
    }
  }
  delays.sort((one, other) => one - other);
  report(`events after ${delays[EVENTS / 2]?.toFixed(1)} ms, at most ${delays.at(-1)?.toFixed(1)} ms`);
  assertEquals(delays.length, EVENTS);
  assertLess(delays.at(-1)!, 50);
});

Deno.test("a client that has sent no more for ten seconds gets its answer", async () => {
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await pause(10_000);
    await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
  });
  await using proxy = await startProxy(backend);
  const { hostname, port } = addressOf(proxy.addresses.http);
  const socket = connect({ host: hostname, port, allowHalfOpen: true });
  socket.end("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  let answer = "";
  for await (const chunk of socket) answer += new TextDecoder().decode(chunk as Uint8Array);
  const [head = "", content] = answer.split("\r\n\r\n");
  assertEquals([head.split("\r\n")[0], content], ["HTTP/1.1 200 OK", "late"]);
});

function startProxy(backend: RawServer): Promise<ProxyProgram> {
  return ProxyProgram.start({
    rules: [rule(undefined, "/", "one")],
    endpoints: { "default/one:80": [backend.endpoint] },
    flags: ["--workers=1"],
  });
}
