import { assertEquals, assertLess } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { Backend, ok } from "../peers.ts";
import { rule, tlsFiles } from "../test_proxy.ts";
import { pause } from "../testing.ts";
import { h2load, ProxyProgram, report, rssMebibytes, wrk } from "./programs.ts";

/** The load generators know no other name of this machine, and take it for SNI. */
function rulesWith(host: string): unknown[] {
  return [rule("localhost", "/", "one", tlsFiles("a")), rule(`${host}.test`, "/", "one")];
}

const RELOADS = 1000;
const INTERVAL = 100;

Deno.test("1,000 reloads under load fail no request and close no connection", async () => {
  using backend = new Backend(ok("hello"));
  const pair = await selfSigned(["localhost"]);
  await using proxy = await ProxyProgram.start({
    rules: rulesWith("first"),
    endpoints: { "default/one:80": [backend.endpoint] },
    files: { "a.cert": pair.cert, "a.key": pair.key },
    flags: ["--workers=2"],
  });
  const pairs = await Promise.all(Array.from({ length: 10 }, () => selfSigned(["localhost"])));
  const seconds = Math.ceil(RELOADS * INTERVAL / 1000) + 5;
  const { http, https } = proxy.addresses;
  const port = https.split(":")[1];
  const loads = Promise.all([
    wrk(`http://${http}/`, { seconds, connections: 16, host: "localhost" }),
    h2load(`https://localhost:${port}/`, { seconds, connections: 4 }),
    h2load(`https://localhost:${port}/`, { seconds, connections: 4, http1: true }),
  ]);
  await pause(3000);
  const before = await rssMebibytes(proxy.pid);
  let halfway = 0;
  for (let reload = 0; reload < RELOADS; reload++) {
    const start = performance.now();
    await proxy.reconfigure(rulesWith(`reload-${reload}`));
    const next = pairs[reload % pairs.length]!;
    if (reload % 10 === 0) {
      await proxy.dir.write("a.cert", next.cert);
      await proxy.dir.write("a.key", next.key);
    }
    if (reload === RELOADS / 2) halfway = await rssMebibytes(proxy.pid);
    await pause(Math.max(0, INTERVAL - (performance.now() - start)));
  }
  const after = await rssMebibytes(proxy.pid);
  const results = await loads;
  const reloads = await proxy.metric("pingress_reloads_total");
  const accepted = await proxy.metric("pingress_connections_accepted_total");
  report(`${reloads} reloads, ${results.map(({ succeeded }) => succeeded).join(" + ")} requests`);
  report(`RSS ${before.toFixed(0)} MiB before, ${halfway.toFixed(0)} halfway, ${after.toFixed(0)} after`);
  assertEquals(results.map(({ failed }) => failed), [0, 0, 0]);
  assertLess(RELOADS * 0.5, reloads);
  // those of the load generators and no others; wrk looks first whether anybody is there
  assertEquals(accepted, 1 + 16 + 4 + 4);
  assertLess(after - halfway, 32);
});
