import { assertEquals } from "@std/assert";
import { Backend, ok, valuesOf } from "../peers.ts";
import { HOST, inBothSpellings, ingress, secret, service, statusOf } from "./harness.ts";

// the password is sha-pw
const SHA = "{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=";
const USERS = [..."abcdefgh"];
const HTPASSWD = `sha:${SHA}`;

inBothSpellings("an error page for who may not come in still asks for a password", async (start) => {
  using errors = new Backend(ok("page"));
  await using site = await start({
    annotations: {
      ...{ "auth-type": "basic", "auth-secret": "users", "auth-realm": "The back office" },
      ...{ "custom-http-errors": "401", "default-backend": "errors" },
    },
    objects: [secret("users", { auth: HTPASSWD }), ...service("errors", errors)],
  });
  const answer = await site.ask();
  assertEquals([answer.body, valuesOf(answer, "www-authenticate")], ["page", [
    'Basic realm="The back office"',
  ]]);
  assertEquals([statusOf(answer), site.backend.requests.length], [200, 0]);
});

inBothSpellings("a default backend gets nothing of who may not come in", async (start) => {
  using errors = new Backend(ok("page"));
  await using site = await start({
    annotations: { "allowlist-source-range": "192.0.2.0/24", "default-backend": "errors" },
    objects: service("errors", errors),
  });
  assertEquals([await site.status(), errors.requests.length], [403, 0]);
});

inBothSpellings("a canary has its part at an alias, and of a path that is rewritten", async (start) => {
  using next = new Backend(ok("next"));
  await using site = await start({
    annotations: { "server-alias": "other.test", "rewrite-target": "/$1", "use-regex": "true" },
    paths: [{ path: "/api/(.*)", type: "ImplementationSpecific" }],
  });
  const canary = ingress("next", {
    annotations: site.prefixed({ canary: "true", "canary-weight": "100", "use-regex": "true" }),
    paths: [{ path: "/api/(.*)", type: "ImplementationSpecific", service: "next" }],
  });
  await site.change({ objects: [...service("next", next), canary] });
  for (const host of [HOST, "other.test"]) {
    assertEquals((await site.ask({ host, target: "/api/users" })).body, "next", host);
  }
  assertEquals(next.requests.map((request) => request.start), Array(2).fill("GET /users HTTP/1.1"));
  assertEquals(site.backend.requests, []);
});

inBothSpellings("app-root asks for no password, what it leads to does", async (start) => {
  await using site = await start({
    annotations: { "app-root": "/app", "auth-type": "basic", "auth-secret": "users" },
    objects: [secret("users", { auth: HTPASSWD })],
  });
  const root = await site.ask();
  assertEquals([statusOf(root), valuesOf(root, "location")], [302, ["/app"]]);
  assertEquals([await site.status({ target: "/app" }), site.backend.requests.length], [401, 0]);
});

inBothSpellings("a name that is checked is what requests are hashed by", async (start) => {
  using one = new Backend(ok("one"));
  using other = new Backend(ok("other"));
  await using site = await start({
    annotations: { "auth-type": "basic", "auth-secret": "users", "upstream-hash-by": "$remote_user" },
    paths: [{ path: "/", service: "both" }],
    objects: [
      secret("users", { auth: USERS.map((name) => `${name}:${SHA}`).join("\n") }),
      ...service("both", one, other),
    ],
  });
  const answers = new Map<string, Set<string>>();
  for (const user of USERS) {
    const fields = { Authorization: `Basic ${btoa(`${user}:sha-pw`)}` };
    answers.set(user, new Set([(await site.ask({ fields })).body, (await site.ask({ fields })).body]));
  }
  assertEquals([...answers.values()].map(({ size }) => size), Array(USERS.length).fill(1));
  assertEquals(new Set([...answers.values()].flatMap((bodies) => [...bodies])), new Set(["one", "other"]));
});

inBothSpellings("what a limit and a password answer has the headers of the rule", async (start) => {
  await using site = await start({
    annotations: {
      ...{ "auth-type": "basic", "auth-secret": "users", "limit-rps": "1", "limit-burst-multiplier": "1" },
      ...{ "custom-headers": "X-Own: yes", "enable-cors": "true" },
    },
    objects: [secret("users", { auth: HTPASSWD })],
  });
  const answers = [await site.ask(), await site.ask(), await site.ask()];
  // one by the rate and one by the burst
  assertEquals(answers.map(statusOf), [401, 401, 503]);
  for (const answer of answers) {
    assertEquals([valuesOf(answer, "x-own"), valuesOf(answer, "access-control-allow-origin")], [["yes"], [
      "*",
    ]]);
  }
  assertEquals(statusOf(await site.ask({ method: "OPTIONS", fields: { Origin: "https://a.test" } })), 204);
});
