import { assert, assertEquals, assertGreater } from "@std/assert";
import { freeAddress } from "../programs.ts";
import { rule } from "../test_proxy.ts";
import { pause } from "../testing.ts";
import { BackendProgram, ProxyProgram, report, wrk } from "./programs.ts";

const HOST = "localhost";

Deno.test("three backends are replaced one by one under load: no request fails", async () => {
  const backends = await Promise.all([1, 2, 3].map(() => BackendProgram.start(freeAddress())));
  const endpoints = () => ({ "default/one:80": backends.map(({ address }) => address) });
  try {
    await using proxy = await ProxyProgram.start({
      rules: [rule(undefined, "/", "one")],
      endpoints: endpoints(),
    });
    const load = wrk(`http://${proxy.addresses.http}/`, { seconds: 15, connections: 32, host: HOST });
    await pause(1000);
    for (const index of [0, 1, 2]) {
      const old = backends[index]!;
      backends[index] = await BackendProgram.start(freeAddress());
      await proxy.redirect(endpoints());
      // Kubernetes gives a Pod time after it has taken it from the endpoints
      await pause(1000);
      await old.stop();
      await pause(1000);
    }
    const { succeeded, failed } = await load;
    report(`${succeeded} requests, ${failed} failed`);
    assertEquals(failed, 0);
    assertGreater(succeeded, 1000);
  } finally {
    await Promise.all(backends.map((backend) => backend.stop()));
  }
});

Deno.test("a backend is killed under load: requests that may be sent again do not fail", async () => {
  const backends = await Promise.all([1, 2, 3].map(() => BackendProgram.start(freeAddress(), { delay: 20 })));
  try {
    await using proxy = await ProxyProgram.start({
      rules: [rule(undefined, "/", "one")],
      endpoints: { "default/one:80": backends.map(({ address }) => address) },
    });
    const { http } = proxy.addresses;
    const kill = async () => {
      await pause(2000);
      await backends[0]!.kill();
    };
    const [gets, posts] = await Promise.all([
      wrk(`http://${http}/`, { seconds: 6, connections: 32, host: HOST }),
      postMany(http, { seconds: 6, clients: 8 }),
      kill(),
    ]);
    const retries = await proxy.metric("pingress_upstream_retries_total");
    report(`GET: ${gets.succeeded} succeeded, ${gets.failed} failed, ${retries} sent again`);
    report(`POST: ${posts.succeeded} succeeded, ${posts.failed} failed`);
    assertEquals(gets.failed, 0);
    assertGreater(retries, 0);
    // those that were on their way to it, at most one for each client
    assert(posts.failed <= 8);
    assertGreater(posts.succeeded, 100);
  } finally {
    await Promise.all(backends.map((backend) => backend.kill()));
  }
});

/** Sends POST requests one after the other, from several clients. */
async function postMany(
  address: string,
  { seconds, clients }: { seconds: number; clients: number },
): Promise<{ succeeded: number; failed: number }> {
  const counts = { succeeded: 0, failed: 0 };
  const end = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: clients }, async () => {
    while (performance.now() < end) {
      const response = await fetch(`http://${address}/`, {
        method: "POST",
        body: "x",
      });
      await response.body?.cancel();
      if (response.ok) counts.succeeded++;
      else counts.failed++;
    }
  }));
  return counts;
}
