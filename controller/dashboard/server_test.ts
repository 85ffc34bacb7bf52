import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { type RequestHandler, serveAdmin, SILENT_LOG } from "@pingress/config";
import { selfSigned } from "../../tests/certificates.ts";
import { Peer } from "../../tests/peers.ts";
import { recordingLog, within } from "../../tests/testing.ts";
import { Dashboard } from "./dashboard.ts";
import { dashboardHandler } from "./server.ts";
import { outcomeOf, webYaml } from "./testing.ts";

const ASSETS = new Map([
  ["/", { type: "text/html; charset=utf-8", body: "<p>hello</p>" }],
  ["/app.js", { type: "text/javascript; charset=utf-8", body: "export {};" }],
]);

/** A dashboard that shows some YAML, or nothing yet. */
class Setup implements AsyncDisposable {
  readonly dashboard = new Dashboard({ isLeader: () => true, chooseShards: () => 1, log: SILENT_LOG });
  readonly handle: RequestHandler;

  constructor(yaml: string | undefined = webYaml(), log = SILENT_LOG) {
    if (yaml !== "") this.dashboard.see(outcomeOf(yaml));
    this.handle = dashboardHandler({ dashboard: this.dashboard, assets: ASSETS, log });
  }

  async ask(path: string, init: RequestInit & { from?: string } = {}): Promise<Response> {
    const { from = "127.0.0.1", ...others } = init;
    const headers = new Headers({ host: "127.0.0.1:9000" });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const request = new Request(`http://127.0.0.1:9000${path}`, { ...others, headers });
    return await this.handle(request, { remoteAddr: { hostname: from } });
  }

  // deno-lint-ignore no-explicit-any -- whatever the answer is
  async json(path: string): Promise<any> {
    return await (await this.ask(path)).json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dashboard.close();
  }
}

Deno.test("dashboardHandler() has strict headers on every answer", async () => {
  await using setup = new Setup();
  const answers = await Promise.all([
    setup.ask("/"),
    setup.ask("/nothing"),
    setup.ask("/api/overview"),
    setup.ask("/api/nothing"),
    setup.ask("/", { method: "POST" }),
    setup.ask("/", { from: "10.0.0.1" }),
    setup.ask("/", { headers: { host: "evil.test" } }),
    setup.ask("/api/live", { method: "HEAD" }),
  ]);
  assertEquals(answers.map(({ status }) => status), [200, 404, 200, 404, 405, 403, 403, 200]);
  for (const { headers } of answers) {
    assertMatch(
      headers.get("content-security-policy") ?? "",
      /^default-src 'none'; script-src 'self'; style-src 'self'; .*frame-ancestors 'none'$/,
    );
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cross-origin-resource-policy"), "same-origin");
  }
  await Promise.all(answers.map(({ body }) => body?.cancel()));
});

Deno.test("dashboardHandler() serves files, and tells who has them already", async () => {
  await using setup = new Setup();
  const first = await setup.ask("/app.js?v=1");
  assertEquals(await first.text(), "export {};");
  const { headers } = first;
  assertEquals(headers.get("content-type"), "text/javascript; charset=utf-8");
  assertEquals(headers.get("cache-control"), "no-cache");
  const etag = headers.get("etag") ?? "";
  assertMatch(etag, /^"[-_A-Za-z0-9]{22}"$/);
  assertNotEquals((await setup.ask("/")).headers.get("etag"), etag);
  for (const known of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
    const again = await setup.ask("/app.js", { headers: { "if-none-match": known } });
    assertEquals([again.status, again.body, again.headers.get("etag")], [304, null, etag], known);
  }
  assertEquals((await setup.ask("/app.js", { headers: { "if-none-match": '"x"' } })).status, 200);
});

Deno.test("dashboardHandler() changes nothing: GET and HEAD alone", async () => {
  await using setup = new Setup();
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    for (const path of ["/", "/api/routes"]) {
      const { status, headers } = await setup.ask(path, { method });
      assertEquals([status, headers.get("allow")], [405, "GET, HEAD"]);
    }
  }
  const head = await setup.ask("/api/live", { method: "HEAD" });
  assertEquals([head.status, head.body, setup.dashboard.live.count], [200, null, 0]);
});

Deno.test("dashboardHandler() is for this machine alone, at an address or localhost", async () => {
  await using setup = new Setup();
  const cases: [from: string, host: string, status: number][] = [
    ["127.0.0.1", "127.0.0.1:9000", 200],
    ["127.8.9.10", "localhost:9000", 403],
    ["::1", "[::1]:9000", 200],
    ["::ffff:127.0.0.1", "dash.localhost", 200],
    ["127.0.0.1", "10.0.0.1", 200],
    ["127.0.0.1", "localhost.evil.test", 403],
    ["127.0.0.1", "evil.test:9000", 403],
    ["127.0.0.1", "127.0.0.1.evil.test", 403],
    ["127.0.0.1", "user@localhost", 403],
    ["10.0.0.1", "localhost:9000", 403],
    ["::2", "localhost:9000", 403],
    ["::ffff:10.0.0.1", "localhost:9000", 403],
  ];
  for (const [from, host, status] of cases) {
    assertEquals((await setup.ask("/", { from, headers: { host } })).status, status, `${from} ${host}`);
  }
  const { error } = await (await setup.ask("/api/routes", { from: "10.0.0.1" })).json();
  assertStringIncludes(error, "kubectl port-forward");
});

Deno.test("dashboardHandler() refuses a Host that is no name, and has nothing to log of it", async () => {
  const { log, lines } = recordingLog();
  await using setup = new Setup(webYaml(), log);
  await using server = serveAdmin({ hostname: "127.0.0.1", port: 0 }, {
    isReady: () => true,
    others: setup.handle,
  });
  for (const path of ["/", "/api/routes"]) {
    using client = await Peer.connect(server.addr);
    const { start, body } = await client.exchange(`GET ${path} HTTP/1.1\r\nHost: xn--.localhost\r\n\r\n`);
    assertEquals(start, "HTTP/1.1 400 Bad Request", path);
    assertStringIncludes(body, "There is no host named xn--.localhost");
  }
  assertEquals(lines, []);
});

Deno.test("dashboardHandler() hands out the certificates that end first, if asked for so many", async () => {
  const secrets = await Promise.all([20, 10].map(async (days) => {
    const { cert, key } = await selfSigned([`days-${days}.test`], { days });
    return `
---
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: { name: days-${days}, namespace: default }
data: { tls.crt: ${btoa(cert)}, tls.key: ${btoa(key)} }
`;
  }));
  const tls = [20, 10].map((days) => `{ hosts: [days-${days}.test], secretName: days-${days} }`);
  const yaml = webYaml().replace("spec:", `spec:\n  tls: [${tls.join(", ")}]`);
  await using setup = new Setup(yaml + secrets.join(""));
  const names = async (query: string) =>
    (await setup.json(`/api/certificates${query}`)).map(({ secret }: { secret: string }) => secret);
  assertEquals(await names(""), ["default/days-10", "default/days-20"]);
  assertEquals(await names("?limit=1"), ["default/days-10"]);
});

Deno.test("dashboardHandler() lets other sites link to it, and no more", async () => {
  await using setup = new Setup();
  const cases: [site: string, mode: string, status: number][] = [
    ["same-origin", "cors", 200],
    ["none", "navigate", 200],
    ["cross-site", "navigate", 200],
    ["cross-site", "cors", 403],
    ["cross-site", "no-cors", 403],
    ["same-site", "cors", 403],
  ];
  for (const [site, mode, status] of cases) {
    const headers = { "sec-fetch-site": site, "sec-fetch-mode": mode };
    assertEquals((await setup.ask("/", { headers })).status, status, `${site} ${mode}`);
  }
  const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  assertEquals((await setup.ask("/api/overview", { headers })).status, 403);
});

Deno.test("dashboardHandler() answers the questions of pages", async () => {
  await using setup = new Setup();
  const { counts } = await setup.json("/api/overview");
  assertEquals([counts.ingresses, counts.routes, counts.hosts], [1, 1, 1]);
  assertEquals(await setup.json("/api/filters"), { namespaces: ["default"], hosts: ["a.test"] });
  const routes = await setup.json("/api/routes?search=A.TEST&namespace=&host=a.test&limit=10");
  assertEquals([routes.total, routes.offset, routes.rows[0].backend.name], [1, 0, "web"]);
  assertEquals((await setup.json("/api/routes?offset=1")).rows, []);
  assertEquals((await setup.json("/api/ingresses?namespace=default")).rows[0].name, "web");
  assertEquals((await setup.json("/api/ingresses?problems=1")).total, 0);
  assertEquals((await setup.json("/api/ingresses/default/web")).className, "pingress");
  assertEquals((await setup.json("/api/ingresses/defa%75lt/web")).name, "web");
  assertEquals((await setup.json("/api/routes?passedOver=1")).total, 0);
  const backend = { namespace: "default", name: "web", port: 80 };
  assertEquals(await setup.json("/api/endpoints?backend=default/web:80"), {
    ...backend,
    proxies: 0,
    endpoints: [],
  });
  assertEquals(await setup.json("/api/certificates"), []);
  assertEquals(await setup.json("/api/proxies"), []);
  const explained = await setup.json(`/api/explain?url=${encodeURIComponent("http://a.test/x?y=1&z=2")}`);
  assertEquals([explained.route.path, explained.outcome], ["/", "503: default/web:80 has no endpoint."]);
});

Deno.test("dashboardHandler() says what is wrong with a question", async () => {
  await using setup = new Setup();
  const cases: [path: string, status: number, error: string][] = [
    ["/api", 404, "There is no /api"],
    ["/api/", 404, "There is no /api/"],
    ["/api/routes/x", 404, "There is no /api/routes/x"],
    ["/api/secrets", 404, "There is no /api/secrets"],
    ["/api/ingresses/default/other", 404, "Pingress serves no Ingress default/other"],
    ["/api/ingresses/default/%zz", 404, "There is no /api/ingresses/default/%zz"],
    ["/api/endpoints?backend=default/web:81", 404, "No route leads to default/web:81"],
    ["/api/certificates?limit=0", 400, "limit takes a whole number from 1 to 9007199254740991"],
    ["/api/ingresses/a/b/c", 404, "There is no /api/ingresses/a/b/c"],
    ["/api/routes?limit=0", 400, "limit takes a whole number from 1 to 1000"],
    ["/api/routes?limit=1001", 400, "limit takes a whole number from 1 to 1000"],
    ["/api/routes?offset=-1", 400, "offset takes a whole number from 0 to 9007199254740991"],
    ["/api/routes?offset=1e3", 400, "offset takes a whole number from 0 to 9007199254740991"],
    [`/api/routes?search=${"x".repeat(254)}`, 400, "search takes at most 253 characters"],
    ["/api/explain", 400, "Give a url of 1 to 16384 characters"],
    ["/api/explain?url=ftp://x/", 400, "A URL begins with http:// or https://, not with ftp://"],
  ];
  for (const [path, status, error] of cases) {
    const response = await setup.ask(path);
    assertEquals([response.status, await response.json()], [status, { error }], path);
  }
});

Deno.test("dashboardHandler() asks for patience before the controller has read everything", async () => {
  await using setup = new Setup("");
  for (
    const path of ["overview", "routes", "endpoints", "ingresses", "ingresses/a/b", "explain?url=a.test"]
  ) {
    const response = await setup.ask(`/api/${path}`);
    assertEquals(response.status, 503, path);
    assertStringIncludes((await response.json()).error, "try again");
  }
  assertEquals((await setup.ask("/")).status, 200);
});

Deno.test("dashboardHandler() hides what failed from who asks, and tells it to the log", async () => {
  const { log, lines } = recordingLog();
  await using setup = new Setup(webYaml(), log);
  setup.dashboard.overview = () => {
    throw new Error("a secret thing");
  };
  const response = await setup.ask("/api/overview");
  assertEquals([response.status, await response.json()], [500, {
    error: "The dashboard failed: the controller's log says why",
  }]);
  assert(lines.some((line) => line.includes("a secret thing")));
});

Deno.test("dashboardHandler() streams overviews over the admin port, to so many and no more", async () => {
  await using setup = new Setup();
  const server = serveAdmin({ hostname: "127.0.0.1", port: 0 }, {
    isReady: () => true,
    others: setup.handle,
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const open = await Promise.all(Array.from({ length: 32 }, () => fetch(`${url}/api/live`)));
  try {
    assertEquals(open[0]?.headers.get("content-type"), "text/event-stream");
    const refused = await fetch(`${url}/api/live`);
    assertEquals([refused.status, (await refused.json()).error], [
      503,
      "Too many pages of the dashboard are open: close some",
    ]);
    const reader = open[0]!.body!.getReader();
    const first = new TextDecoder().decode((await within(reader.read(), "an overview")).value);
    assertMatch(first, /^event: overview\ndata: \{"version":.*"routes":1,.*\}\n\n$/);
    assertEquals(await (await fetch(`${url}/healthz`)).text(), "ok\n");
    // the streams are open, and end all the same
    await setup.dashboard.close();
    assertEquals((await within(reader.read(), "the end")).done, true);
    await Promise.all(open.slice(1).map((response) => response.body?.cancel()));
  } finally {
    await within(server.shutdown(), "the end of the server");
  }
});
