import { assert, assertEquals } from "@std/assert";
import { fuzzRequests, makeInput } from "./differential.ts";
import { startDeno, startNginx, startPingress } from "./servers.ts";

Deno.test("Pingress does what the model says, and other servers differ in known ways alone", async () => {
  await using stack = new AsyncDisposableStack();
  const nginx = await startNginx();
  const servers = [await startPingress(), startDeno(), ...nginx === undefined ? [] : [nginx]];
  for (const server of servers) stack.use(server);
  const report = await fuzzRequests(servers, { seed: 1, from: 0, count: 2500 });
  assertEquals(report.findings, []);
  // both sides of every rule are met often enough to say something
  assert(report.accepted > report.requests / 2, `${report.accepted} of ${report.requests} are valid`);
  assert(report.faults.size > 25, [...report.faults.keys()].join());
});

Deno.test("makeInput() makes the same bytes of the same numbers", () => {
  assertEquals(makeInput(7, 11), makeInput(7, 11));
  assert(makeInput(7, 11) !== makeInput(7, 12) && makeInput(7, 11) !== makeInput(8, 11));
});
