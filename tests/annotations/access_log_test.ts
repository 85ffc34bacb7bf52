import { assertEquals, assertStringIncludes } from "@std/assert";
import { rule, TestProxy } from "../test_proxy.ts";
import { inBothSpellings } from "./harness.ts";

inBothSpellings("enable-access-log keeps requests out of the access log", async (start) => {
  await using site = await start({ annotations: { "enable-access-log": "false" } });
  assertEquals(site.rules.map(({ options }) => options), [{ accessLog: false }]);
});

Deno.test("Proxy leaves the requests of a rule out of the access log", async () => {
  let log = "";
  await using proxy = await TestProxy.start({
    rules: [
      rule("a.test", "/", "one"),
      rule("a.test", "/unseen", "one", { options: { accessLog: false } }),
    ],
    endpoints: { "default/one:80": [] },
    server: { accessLogRate: 1 },
    options: {
      accessLog: {
        write: (bytes) => {
          log += new TextDecoder().decode(bytes);
          return Promise.resolve(bytes.length);
        },
      },
    },
  });
  using client = await proxy.client();
  for (const path of ["/unseen", "/seen"]) {
    await client.exchange(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  }
  await proxy.stop();
  assertStringIncludes(log, '"/seen"');
  assertEquals(log.split("\n").length, 2);
});
