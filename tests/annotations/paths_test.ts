import { assertEquals } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { Backend, connectTls, ok, valuesOf } from "../peers.ts";
import { HOST, inBothSpellings, ingress, secret, service, Site, statusOf } from "./harness.ts";

/** Which Service answers, or the status of an answer of the proxy itself. */
async function taker(site: Site, target: string, host = HOST): Promise<string> {
  const answer = await site.ask({ target, host });
  return valuesOf(answer, "pingress-error").length > 0 ? String(statusOf(answer)) : answer.body;
}

/** The status of an answer, and where it sends the client. */
async function redirectOf(site: Site, question: Parameters<Site["ask"]>[0]): Promise<(number | string)[]> {
  const answer = await site.ask(question);
  return [statusOf(answer), ...valuesOf(answer, "location")];
}

/** The request target that the backend gets. */
async function targetOf(site: Site, target: string): Promise<string | undefined> {
  await site.ask({ target });
  return site.backend.requests.at(-1)?.start.split(" ")[1];
}

inBothSpellings("use-regex compares the paths of its own Ingress, and no other's", async (start) => {
  using other = new Backend(ok("other"));
  await using site = await start({
    annotations: { "use-regex": "true" },
    paths: [
      { path: "/[A-Z]{3}/[0-9]+", type: "ImplementationSpecific" },
      { path: "/exact", type: "Exact" },
      { path: "/(", type: "ImplementationSpecific" },
    ],
    objects: [
      ...service("other", other),
      ingress("other", {
        paths: [
          { path: "/Header", type: "Exact", service: "other" },
          { path: "/abc", service: "other" },
          { path: "/abc/123/exactly/this", service: "other" },
        ],
      }),
    ],
  });
  const cases: [target: string, taker: string][] = [
    ["/abc/12", "web"],
    ["/ABC/12/more?x=y", "web"],
    ["/abc/x", "other"],
    ["/ABC/x", "404"],
    ["/abc/123/exactly/this", "other"],
    ["/x/abc/12", "404"],
    ["/exact", "web"],
    ["/EXACTLY", "web"],
    ["/Header", "other"],
    ["/headers", "404"],
    ["/x/../abc/12", "web"],
  ];
  for (const [target, expected] of cases) assertEquals(await taker(site, target), expected, target);
  assertEquals(site.problems.map(({ reason, field }) => [reason, field]), [
    ["InvalidPath", "spec.rules[0].http.paths[2].path"],
  ]);
});

inBothSpellings("rewrite-target replaces the path", async (start) => {
  await using site = await start({
    annotations: { "rewrite-target": "/new/$2" },
    paths: [{ path: "/api(/|$)(.*)", type: "ImplementationSpecific" }],
  });
  const cases: [target: string, expected: string][] = [
    ["/api", "/new/"],
    ["/api/a%2Fb%20c/?x=/api/1&y=$2", "/new/a%2Fb%20c/?x=/api/1&y=$2"],
    ["/API/Users", "/new/Users"],
    ["/x/../api/./users", "/new/users"],
  ];
  for (const [target, expected] of cases) assertEquals(await targetOf(site, target), expected, target);
  assertEquals(await taker(site, "/apis"), "404");

  await site.change({ annotations: { "rewrite-target": "/$1" }, paths: [{ path: "/files/?(.*)" }] });
  assertEquals(await targetOf(site, "/files/a"), "/a");
  assertEquals(await site.status({ target: "/files../secret" }), 400);

  await site.change({
    annotations: { "rewrite-target": "https://new.test/$1" },
    paths: [{ path: "/old/(.*)" }],
  });
  assertEquals(await redirectOf(site, { target: "/old/a?b=c" }), [302, "https://new.test/a?b=c"]);
  // as with all redirects, whoever asks: before they are sent to HTTPS and told that they may not come in
  await site.change({
    annotations: {
      "rewrite-target": "https://new.test/$1",
      "force-ssl-redirect": "true",
      "denylist-source-range": "0.0.0.0/0",
    },
  });
  assertEquals(await redirectOf(site, { target: "/old/a" }), [302, "https://new.test/a"]);
});

inBothSpellings("rewrite-target that is the path changes nothing", async (start) => {
  await using site = await start({ annotations: { "rewrite-target": "/app" }, paths: [{ path: "/app" }] });
  assertEquals(await targetOf(site, "/app/x?y"), "/app/x?y");
  assertEquals(await taker(site, "/apple"), "404");
  assertEquals(await taker(site, "/APP"), "404");
});

inBothSpellings("rewrite-target keeps a path that is very long from every other path", async (start) => {
  await using site = await start({
    annotations: { "rewrite-target": "/$1" },
    paths: [{ path: "/a/(.*)" }],
    objects: [ingress("all")],
  });
  assertEquals(await taker(site, `/a/${"x".repeat(9000)}`), "414");
  assertEquals(await taker(site, `/a/b?${"x".repeat(9000)}`), "web");
});

inBothSpellings("x-forwarded-prefix tells what the path began with", async (start) => {
  await using site = await start({
    annotations: { "rewrite-target": "/$2", "x-forwarded-prefix": "/$1" },
    paths: [{ path: "/(red|blue)/(.*)" }],
  });
  const prefix = async (target: string) => {
    await site.ask({ target, fields: { "X-Forwarded-Prefix": "/forged" } });
    return valuesOf(site.backend.requests.at(-1)!, "x-forwarded-prefix");
  };
  assertEquals(await prefix("/red/a"), ["/red"]);
  await site.change({
    annotations: { "rewrite-target": "/", "x-forwarded-prefix": "/app" },
    paths: [{ path: "/x" }],
  });
  assertEquals(await prefix("/x"), ["/app"]);
});

inBothSpellings("app-root sends who asks for / there", async (start) => {
  await using site = await start({
    annotations: { "app-root": "/app" },
    paths: [{ path: "/app" }],
    objects: [ingress("zoo", { paths: [{ path: "/" }, { path: "/", type: "Exact" }] })],
  });
  assertEquals(await redirectOf(site, { target: "/?a=b" }), [302, "/app"]);
  assertEquals(await redirectOf(site, { target: "/", method: "POST", body: "x" }), [302, "/app"]);
  assertEquals(await taker(site, "/app"), "web");
  assertEquals(await taker(site, "/x"), "web");
  assertEquals(await taker(site, "//"), "web");
  assertEquals(await taker(site, "/", "other.test"), "404");
  assertEquals(site.problems.map(({ ingress, reason }) => [ingress, reason]), [[
    "default/zoo",
    "PathConflict",
  ]]);
});

inBothSpellings("server-alias serves the rules of a host at others", async (start) => {
  await using site = await start({
    annotations: { "server-alias": "Alias.test, *.alias.test, ~^x\\d$, taken.test" },
    objects: [
      ingress("more", { paths: [{ path: "/more" }] }),
      ingress("taken", { host: "taken.test", paths: [] }),
    ],
  });
  for (const host of [HOST, "alias.test", "ALIAS.test:80", "x.alias.test"]) {
    assertEquals(await taker(site, "/", host), "web", host);
    assertEquals(await taker(site, "/more/x", host), "web", host);
  }
  for (const host of ["y.x.alias.test", "x1", "taken.test"]) {
    assertEquals(await taker(site, "/", host), "404", host);
  }
  assertEquals(site.problems.map(({ reason }) => reason).sort(), ["HostConflict", "InvalidHost", "NoPaths"]);
});

inBothSpellings("from-to-www-redirect sends the other name of a host to it", async (start) => {
  await using site = await start({
    annotations: { "from-to-www-redirect": "true" },
    objects: [ingress("taken", { host: "other.test" })],
  });
  const host = `www.${HOST}`;
  assertEquals(await redirectOf(site, { host, target: "/a/?b=c" }), [308, `http://${HOST}/a/?b=c`]);
  assertEquals(await redirectOf(site, { host: `${host}:8080` }), [308, `http://${HOST}:8080/`]);
  assertEquals(await taker(site, "/a"), "web");
  assertEquals(await taker(site, "/a", "www.other.test"), "404");
});

Deno.test("from-to-www-redirect sends from www. where that is the host, over HTTPS with its certificate", async () => {
  const { cert, key } = await selfSigned(["www.site.test", "site.test"]);
  await using site = await Site.start("pingress.dev/", {
    host: "www.site.test",
    annotations: { "from-to-www-redirect": "true" },
    tls: [{ hosts: ["www.site.test"], secretName: "tls" }],
    objects: [secret("tls", { "tls.crt": cert, "tls.key": key }, { type: "kubernetes.io/tls" })],
  });
  const socket = await connectTls(site.addresses.https, { servername: "site.test", ca: cert });
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once("data", (data: Uint8Array) => resolve(new TextDecoder().decode(data)));
  socket.write("GET /a HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n");
  const head = await promise;
  socket.destroy();
  assertEquals(/location: (\S+)/i.exec(head)?.[1], "https://www.site.test/a");
});

inBothSpellings("upstream-vhost calls the backend by another host", async (start) => {
  await using site = await start({ annotations: { "upstream-vhost": "web.internal:8080" } });
  await site.ask();
  const [request] = site.backend.requests;
  assertEquals(valuesOf(request!, "host"), ["web.internal:8080"]);
  assertEquals(valuesOf(request!, "x-forwarded-host"), [HOST]);
});
