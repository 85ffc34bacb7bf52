import { assertEquals } from "@std/assert";
import { Backend, ok } from "../peers.ts";
import { WEB } from "../policies.ts";
import { rule, TestProxy, type TestProxyOptions } from "../test_proxy.ts";
import { inBothSpellings } from "./harness.ts";

inBothSpellings("enable-access-log keeps requests out of the access log", async (start) => {
  await using site = await start({ annotations: { "enable-access-log": "false" } });
  assertEquals(site.rules.map(({ options }) => options), [{ accessLog: false }]);
});

Deno.test("Proxy leaves the requests of a rule out of the access log", async () => {
  const rules = [
    rule("a.test", "/", "one"),
    rule("a.test", "/unseen", "one", { options: { accessLog: false } }),
  ];
  const lines = await accessLogOf({ rules, paths: ["/unseen", "/seen"] });
  assertEquals(lines.map(({ path }) => path), ["/seen"]);
});

Deno.test("Proxy tells in the access log why a policy refused a request", async () => {
  using backend = new Backend(ok("page"));
  const errors = (code: number) => ({
    errors: { codes: [code], backend: { ...WEB, name: "pages" }, ingress: "web" },
  });
  const limit = { key: "default/web", perMinute: 1, burst: 0 };
  const basicAuth = { realm: "", users: "./users" };
  const cases: [options: Record<string, unknown>, status: number, error: string | undefined][] = [
    [{ deny: ["127.0.0.1"] }, 403, "forbidden"],
    [{ basicAuth }, 401, "unauthorized"],
    [{ limit }, 503, "limited"],
    [{ closed: "a bad value" }, 503, "closed"],
    // whatever the page is, the request was refused
    [{ deny: ["127.0.0.1"], ...errors(403) }, 200, "forbidden"],
    [errors(503), 200, "no_endpoint"],
    [{ redirect: { to: "https://b.test/", code: 301 } }, 301, undefined],
  ];
  const lines = await accessLogOf({
    rules: cases.map(([options], index) => rule("a.test", `/${index}`, "one", { options })),
    endpoints: { "default/pages:80": [backend.endpoint] },
    files: { users: "a:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=\n" },
    // the first one fills the bucket
    paths: ["/2", ...cases.map((_, index) => `/${index}`)],
  });
  assertEquals(
    lines.slice(1).map(({ status, error }) => [status, error]),
    cases.map(([, status, error]) => [status, error]),
  );
});

/** The lines of the access log for requests of some paths, which a proxy for a.test serves. */
async function accessLogOf(
  { paths, endpoints, ...options }: TestProxyOptions & { paths: string[] },
): Promise<Record<string, unknown>[]> {
  let log = "";
  await using proxy = await TestProxy.start({
    ...options,
    endpoints: { "default/one:80": [], ...endpoints },
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
  for (const path of paths) await client.exchange(`GET ${path} HTTP/1.1\r\nHost: a.test\r\n\r\n`);
  await proxy.stop();
  return log.trimEnd().split("\n").map((line) => JSON.parse(line));
}
