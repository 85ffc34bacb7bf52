/**
 * How long proxies take to start, and Pingress to take another configuration.
 *
 * @module
 */
import { pause } from "../testing.ts";
import { Client } from "./client.ts";
import { writeRules } from "./pingress.ts";
import { POLL_MILLISECONDS, Server } from "./programs.ts";
import type { Prepare, Run } from "./scenario.ts";
import { hostName } from "./site.ts";

/** How many hosts there are after the reload, and how many before. */
export const RELOADED = { hosts: 10_000, before: 10 };

/** Starts the proxy anew in each turn, after a first time that finds nothing in the caches of the system. */
export const fromStart: Prepare = async (proxy, { signal }) => {
  const turn = async () => {
    await using server = await Server.start(proxy, signal);
    return { start: server.startTime };
  };
  await turn();
  return turn;
};

/** Gives a running Pingress many hosts, and takes them away again. */
export const reloaded: Prepare = async ({ site, ...launch }, { stack, signal }) => {
  const { http, admin } = stack.use(await Server.start(launch, signal)).ports;
  const path = site.paths[0] ?? "/";
  const change = async (hosts: number, expected: number): Promise<Run> => {
    const start = performance.now();
    await writeRules({ ...site, hosts });
    using client = await Client.connect(http);
    for (let longestWait = 0;;) {
      const sent = performance.now();
      const status = await client.get(path, hostName(RELOADED.hosts - 1));
      const now = performance.now();
      longestWait = Math.max(longestWait, now - sent);
      if (status === expected) return { reload: now - start, longestWait };
      signal.throwIfAborted();
      await pause(POLL_MILLISECONDS);
    }
  };
  return async () => {
    const figures = await change(RELOADED.hosts, 200);
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`, { signal })).text();
    const [, seconds = "NaN"] = /^pingress_reload_duration_seconds (\S+)$/m.exec(metrics) ?? [];
    await change(RELOADED.before, 404);
    return { ...figures, reloadInMainThread: Number(seconds) * 1000 };
  };
};
