/**
 * The memory of proxies with idle connections.
 *
 * @module
 */
import { errorMessage } from "@pingress/config";
import { pause } from "../testing.ts";
import { Client } from "./client.ts";
import { processes, Server } from "./programs.ts";
import type { Prepare } from "./scenario.ts";

/** How many connections are held. */
export const CONNECTIONS = 10_000;
/** How many are opened at a time. */
const AT_ONCE = 100;
/** Until then connections to the backend that nobody needs are closed, and the garbage of the start is collected. */
const SETTLE_MILLISECONDS = 6000;

/** Measures the memory of a proxy that was just started, then with idle connections over which one request came. */
export const withIdleConnections: Prepare = (proxy, { signal }) =>
  Promise.resolve(async () => {
    await using server = await Server.start(proxy, signal);
    const rss = async () => (await server.usage(await processes(signal))).rss;
    const atStart = await rss();
    using stack = new DisposableStack();
    const clients: Client[] = [];
    try {
      await inBatches(CONNECTIONS, async () => {
        const client = stack.use(await Client.connect(server.ports.http));
        await client.get("/");
        clients.push(client);
      });
    } catch (error) {
      const message = "Each connection needs an open file, here and in the proxy: see ulimit -n";
      throw new Error(`${errorMessage(error)}. ${message}`, { cause: error });
    }
    await pause(SETTLE_MILLISECONDS);
    const held = await rss();
    let failed = 0;
    // whoever has closed one does not answer on it
    await inBatches(CONNECTIONS, async (index) => {
      if (await clients[index]?.get("/").catch(() => 0) !== 200) failed++;
    });
    return {
      memoryAtStart: atStart / 1e6,
      memory: held / 1e6,
      memoryPerConnection: (held - atStart) / 1e3 / CONNECTIONS,
      failed,
    };
  });

async function inBatches(count: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += AT_ONCE) {
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, index) => act(from + index)),
    );
  }
}
