import { assertEquals, assertLess } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { addressOf, freeAddress } from "../programs.ts";
import { rule, tlsFiles } from "../test_proxy.ts";
import { pause } from "../testing.ts";
import { BackendProgram, openDescriptors, ProxyProgram, report, rssMebibytes, wrk } from "./programs.ts";

const HOST = "localhost";
const HEAD = new TextEncoder().encode(`GET /large HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);

Deno.test("floods of clients that do nothing, or little, starve nobody and leave nothing behind", async () => {
  await using stack = new AsyncDisposableStack();
  // the one that is asked for much has other things to do than to answer real clients
  const [backend, large] = await Promise.all([1, 2].map(() => BackendProgram.start(freeAddress())));
  stack.defer(() => Promise.all([backend!.kill(), large!.kill()]).then(() => {}));
  const pair = await selfSigned([HOST]);
  await using proxy = await ProxyProgram.start({
    rules: [rule(HOST, "/large", "two"), rule(HOST, "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [backend!.address], "default/two:80": [large!.address] },
    files: { "a.cert": pair.cert, "a.key": pair.key },
    flags: ["--workers=2"],
  });
  await wrk(`http://${proxy.addresses.http}/`, { seconds: 2, connections: 8, host: HOST });
  const figures = [await figuresOf(proxy)];
  // when memory comes back is for V8 to say, which is in no hurry: what is not lost serves the next flood
  for (let floods = 0; floods < 3; floods++) figures.push(...await flood(proxy));
  report(`RSS ${figures.map(({ rss }) => rss.toFixed(0)).join(" → ")} MiB`);
  report(`descriptors ${figures.map(({ descriptors }) => descriptors).join(" → ")}`);
  const [before, , , second, , third, after] = figures;
  assertLess(after!.descriptors, before!.descriptors + 10);
  assertLess(third!.rss, second!.rss * 1.25);
});

/** Lets in all that is meant to starve others while real clients are served. @returns the figures during it and after. */
async function flood(proxy: ProxyProgram): Promise<Figures[]> {
  const http = addressOf(proxy.addresses.http);
  const https = addressOf(proxy.addresses.https);
  const url = `http://${proxy.addresses.http}/`;
  const before = await figuresOf(proxy);
  const silent = await open(http, 5000);
  const dripping = await open(http, 5000);
  const unread = await open(http, 500);
  const stalled = await open(https, 500);
  for (const connection of unread) await connection.write(HEAD);
  for (const connection of stalled) await connection.write(new Uint8Array([22, 3, 1, 2, 0, 1]));
  let isOver = false;
  const drip = async () => {
    for (let at = 0; !isOver; at++) {
      const byte = HEAD.subarray(at % HEAD.length, (at % HEAD.length) + 1);
      await Promise.allSettled(dripping.map((connection) => connection.write(byte)));
      await pause(1000);
    }
  };
  const dripped = drip();
  const [kept, fresh] = await Promise.all([
    wrk(url, { seconds: 10, connections: 4, host: HOST }),
    wrk(url, { seconds: 10, connections: 4, host: HOST, keepsAlive: false }),
  ]);
  const during = await figuresOf(proxy);
  isOver = true;
  await dripped;
  for (const connection of [...silent, ...dripping, ...unread, ...stalled]) connection.close();
  for (let seconds = 0; seconds < 30; seconds++) {
    await pause(1000);
    if (await openDescriptors(proxy.pid) <= before.descriptors + 10) break;
  }
  for (const { succeeded, failed, p99 = Infinity } of [kept, fresh]) {
    report(`real clients: ${succeeded} requests, p99 ${p99} ms, ${failed} failed`);
    assertEquals(failed, 0);
    // how fast is for the report: here nobody must be starved
    assertLess(p99, 1000);
  }
  return [during, await figuresOf(proxy)];
}

interface Figures {
  rss: number;
  descriptors: number;
}

async function figuresOf({ pid }: ProxyProgram): Promise<Figures> {
  return { rss: await rssMebibytes(pid), descriptors: await openDescriptors(pid) };
}

async function open(address: { hostname: string; port: number }, count: number): Promise<Deno.TcpConn[]> {
  const connections: Deno.TcpConn[] = [];
  for (let left = count; left > 0; left -= 50) {
    const some = Array.from({ length: Math.min(50, left) }, () => Deno.connect(address));
    connections.push(...await Promise.all(some));
  }
  return connections;
}
