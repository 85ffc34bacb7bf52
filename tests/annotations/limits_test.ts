import { assert, assertEquals } from "@std/assert";
import { ok, valuesOf } from "../peers.ts";
import { inBothSpellings, requestOf, type Site, statusOf } from "./harness.ts";

const server = { trustedProxies: ["127.0.0.1"] };

const from = (address: string) => ({ fields: { "X-Forwarded-For": address } });

/** How many of some requests, one after the other, are answered by the backend. */
async function passing(site: Site, { count = 10, address = "10.0.0.1" } = {}): Promise<number> {
  using client = await site.client();
  let passed = 0;
  for (let request = 0; request < count; request++) {
    const answer = await client.exchange(requestOf(from(address)));
    if (statusOf(answer) === 200) passed++;
    else assertEquals([statusOf(answer), valuesOf(answer, "pingress-error")], [503, ["limited"]]);
  }
  return passed;
}

inBothSpellings("limit-rpm, with limit-burst-multiplier and limit-whitelist", async (start) => {
  const annotations = { "limit-rpm": "1", "limit-whitelist": "10.0.0.9, 10.1.0.0/16" };
  await using site = await start({ annotations, server });
  assertEquals(await passing(site), 6);
  assertEquals(await passing(site, { address: "10.0.0.2" }), 6);
  assertEquals(await passing(site, { address: "10.1.2.3" }), 10);
  // what was counted stays when the configuration changes
  await site.change({ annotations: { "limit-rpm": "1", "limit-allowlist": "10.0.0.9" } });
  assertEquals(await passing(site), 0);
  assertEquals(await passing(site, { address: "10.0.0.9" }), 10);
  await site.change({ annotations: { "limit-rpm": "2", "limit-burst-multiplier": "1" } });
  assertEquals(await passing(site, { address: "10.0.0.3" }), 3);
});

inBothSpellings("limit-rps", async (start) => {
  await using site = await start({
    annotations: { "limit-rps": "1", "limit-burst-multiplier": "2" },
    server,
  });
  // a slow machine lets more of them pass, one each second
  const passed = await passing(site, { count: 50 });
  assert(passed >= 3 && passed < 10, `${passed} passed`);
});

inBothSpellings("limit-rpm, in all threads together", async (start) => {
  await using site = await start({ annotations: { "limit-rpm": "1" }, server, workers: 2 });
  let passed = 0;
  // each connection comes to one of the threads
  for (let connection = 0; connection < 20; connection++) {
    if (await site.status(from("10.0.0.1")) === 200) passed++;
  }
  assertEquals(passed, 6);
});

inBothSpellings("limit-connections", async (start) => {
  await using site = await start({ annotations: { "limit-connections": "1" }, answer: ok("whole") });
  using one = await site.client();
  // it is not over before all of it was sent
  await one.write(requestOf({ method: "POST", body: "text" }).slice(0, -1));
  await site.backend.connected();
  const answer = await site.ask();
  assertEquals([statusOf(answer), valuesOf(answer, "pingress-error")], [503, ["limited"]]);
  await one.write("t");
  assertEquals((await one.readMessage()).body, "whole");
  assertEquals(await site.status(), 200);
});

inBothSpellings("limits that are no numbers", async (start) => {
  for (const name of ["limit-rps", "limit-rpm", "limit-connections", "limit-whitelist", "limit-allowlist"]) {
    await using site = await start({ annotations: { [name]: "many" } });
    assertEquals([await site.status(), site.problems[0]?.reason], [503, "InvalidAnnotation"], name);
  }
  await using site = await start({
    annotations: { "limit-rpm": "1", "limit-burst-multiplier": "0" },
    server,
  });
  assertEquals([await passing(site), site.problems[0]?.reason], [6, "InvalidAnnotation"]);
});

inBothSpellings("limit-rate and limit-rate-after do nothing, and that is told", async (start) => {
  await using site = await start({ annotations: { "limit-rate": "1", "limit-rate-after": "1" } });
  assertEquals(await site.status(), 200);
  assertEquals(site.problems.map(({ reason }) => reason), ["UnsupportedAnnotation", "UnsupportedAnnotation"]);
});
