import { assertEquals, assertMatch } from "@std/assert";
import { Backend, ok, valuesOf, type WireMessage } from "../peers.ts";
import { PREFIXES } from "../../controller/annotations/known.ts";
import { HOST, inBothSpellings, secret, Site, statusOf } from "./harness.ts";

// made by crypt(3) and openssl; the password is the user's name and "-pw"
const HTPASSWD = [
  "bcrypt:$2y$05$abcdefghijklmnopqrstuufhXdHJtkiUiNQ6n8/s9Kw6bfnPI6Ytq",
  "apr1:$apr1$abcdefgh$fAEDk.kDz9WOUjOq5ksce1",
  "sha:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=",
  "plain:plain-pw",
].join("\n");

const basic = (user: string, password = `${user}-pw`) => ({
  fields: { Authorization: `Basic ${btoa(`${user}:${password}`)}` },
});

const BASIC = { "auth-type": "basic", "auth-secret": "users" };

inBothSpellings("auth-type: basic", async (start) => {
  await using site = await start({
    annotations: { ...BASIC, "auth-realm": "The back office" },
    objects: [secret("users", { auth: HTPASSWD })],
  });
  const refused = await site.ask();
  assertEquals([statusOf(refused), valuesOf(refused, "www-authenticate")], [
    401,
    ['Basic realm="The back office"'],
  ]);
  for (const user of ["bcrypt", "apr1", "sha"]) {
    assertEquals(await site.status(basic(user)), 200, user);
    assertEquals(await site.status(basic(user, "wrong")), 401, user);
  }
  for (const [user, password] of [["plain", "plain-pw"], ["nobody", "nobody-pw"], ["", ""]] as const) {
    assertEquals(await site.status(basic(user, password)), 401, user);
  }
  for (const field of ["Basic", "Basic !!!", "Bearer abc", `Basic ${btoa("no colon")}`]) {
    assertEquals(await site.status({ fields: { Authorization: field } }), 401, field);
  }
  assertEquals(site.backend.requests.flatMap((request) => valuesOf(request, "authorization")), []);
  assertMatch(site.problems[0]?.message ?? "", /line 4 has a hash that is neither/);
});

Deno.test("auth-type: basic, where the proxy has threads", async () => {
  await using site = await Site.start(PREFIXES[0], {
    annotations: BASIC,
    objects: [secret("users", { auth: HTPASSWD })],
    workers: 1,
  });
  assertEquals([await site.status(basic("bcrypt")), await site.status(basic("bcrypt", "wrong"))], [200, 401]);
});

inBothSpellings("auth-secret that changes, and one that is missing", async (start) => {
  await using site = await start({ annotations: BASIC });
  assertEquals([await site.status(basic("sha")), site.problems[0]?.field.endsWith('/auth-secret"]')], [
    503,
    true,
  ]);
  await site.change({ objects: [secret("users", { auth: HTPASSWD })] });
  assertEquals([await site.status(basic("sha")), await site.status(basic("bcrypt"))], [200, 200]);
  await site.change({ objects: [secret("users", { auth: HTPASSWD.replace("sha:", "other:") })] });
  assertEquals([await site.status(basic("sha")), await site.status(basic("other", "sha-pw"))], [401, 200]);
  await site.change({ objects: [] });
  assertEquals(await site.status(basic("bcrypt")), 503);
});

inBothSpellings("auth-secret-type: auth-map", async (start) => {
  const [, hash = ""] = HTPASSWD.split("\n").map((line) => line.slice(line.indexOf(":") + 1));
  await using site = await start({
    annotations: { ...BASIC, "auth-secret": "default/users", "auth-secret-type": "auth-map" },
    objects: [secret("users", { apr1: `${hash}\n` })],
  });
  assertEquals([await site.status(basic("apr1")), await site.status(basic("apr1", "x"))], [200, 401]);
  assertEquals(valuesOf(await site.ask(), "www-authenticate"), ['Basic realm=""']);
});

const closed: [what: string, annotations: Record<string, string>][] = [
  ["digest", { ...BASIC, "auth-type": "digest" }],
  ["a Secret without auth-type", { "auth-secret": "users" }],
  ["auth-type without a Secret", { "auth-type": "basic" }],
  ["a Secret of another namespace", { ...BASIC, "auth-secret": "other/users" }],
  ["a Secret without the key auth", { ...BASIC, "auth-secret": "empty" }],
  ["a name that is none", { ...BASIC, "auth-secret": "a/b/c" }],
  ["an unknown type of Secret", { ...BASIC, "auth-secret-type": "auth-list" }],
  ["a realm that would end its quotes", { ...BASIC, "auth-realm": '"' }],
  ["a URL that is none", { "auth-url": "ftp://auth.test/" }],
  ["a server that others may choose", { "auth-url": "http://$arg_server/" }],
  ["a variable that there is not", { "auth-url": "http://auth.test/$ssl_client_cert" }],
  ["an unknown method", { "auth-url": "http://auth.test/", "auth-method": "get" }],
  ["fields that frame content", {
    "auth-url": "http://auth.test/",
    "auth-response-headers": "Content-Length",
  }],
  ["auth-signin without auth-url", { "auth-signin": "https://auth.test/" }],
  ["auth-snippet", { "auth-url": "http://auth.test/", "auth-snippet": "proxy_set_header A b;" }],
  ["auth-proxy-set-headers", { "auth-url": "http://auth.test/", "auth-proxy-set-headers": "default/map" }],
  ["auth-tls-secret", { "auth-tls-secret": "default/ca" }],
  ["auth-tls-verify-client", { "auth-tls-verify-client": "on" }],
  ["auth-tls-verify-depth", { "auth-tls-verify-depth": "1" }],
  ["auth-tls-error-page", { "auth-tls-error-page": "https://auth.test/" }],
  ["auth-tls-match-cn", { "auth-tls-match-cn": "CN=a" }],
  ["auth-tls-pass-certificate-to-upstream", { "auth-tls-pass-certificate-to-upstream": "true" }],
];

for (const [what, annotations] of closed) {
  inBothSpellings(`nobody may come in with ${what}`, async (start) => {
    await using site = await start({
      annotations,
      objects: [
        secret("users", { auth: HTPASSWD }),
        secret("empty", {}),
        secret("users", { auth: HTPASSWD }, { namespace: "other" }),
      ],
    });
    const answer = await site.ask(basic("sha"));
    assertEquals([statusOf(answer), valuesOf(answer, "pingress-error")], [503, ["closed"]]);
    assertEquals([site.problems.length > 0, site.backend.requests.length], [true, 0]);
  });
}

/** A server that decides, and what it answers. */
class AuthServer extends Backend {
  answer = ok("");

  constructor() {
    super(() => this.answer);
  }

  get url(): string {
    return `http://${this.endpoint}`;
  }
}

const server = { allowsLocalUpstreams: true };

function withStatus(status: number, fields = ""): string {
  return `HTTP/1.1 ${status} Status\r\n${fields}Content-Length: 0\r\n\r\n`;
}

inBothSpellings("auth-url", async (start) => {
  using auth = new AuthServer();
  await using site = await start({
    annotations: {
      "auth-url": `${auth.url}/check?from=$host$request_uri`,
      "auth-response-headers": "X-User, X-Group",
    },
    answer: (request) => ok(valuesOf(request, "x-user").join()),
    server,
  });
  auth.answer = withStatus(204, "X-User: alice\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Other: no\r\n");
  const answer = await site.ask({
    method: "POST",
    target: "/a/../b?c=d",
    fields: {
      "Cookie": "session=1",
      "X-User": "mallory",
      "X-Group": "admins",
      "X-Original-URL": "http://evil.test/",
      "X-Forwarded-Proto": "https",
      "Content-Type": "text/plain",
    },
    body: "content",
  });
  assertEquals([statusOf(answer), answer.body], [200, "alice"]);
  assertEquals(valuesOf(answer, "set-cookie"), ["a=1", "b=2"]);
  const [request] = site.backend.requests;
  assertEquals([valuesOf(request!, "x-group"), valuesOf(request!, "x-other"), request?.body], [
    [],
    [],
    "content",
  ]);
  const [asked] = auth.requests;
  assertEquals([asked?.start, asked?.body], [`GET /check?from=${HOST}/a/../b?c=d HTTP/1.1`, ""]);
  const told = Object.fromEntries(asked?.headers ?? []);
  assertMatch(told["x-request-id"] ?? "", /./);
  delete told["x-request-id"];
  assertEquals(told, {
    "host": "127.0.0.1",
    "cookie": "session=1",
    "content-type": "text/plain",
    "x-user": "mallory",
    "x-group": "admins",
    "x-original-url": `http://${HOST}/b?c=d`,
    "x-original-uri": "/b?c=d",
    "x-original-method": "POST",
    "x-sent-from": "nginx-ingress-controller",
    "x-scheme": "http",
    "x-real-ip": "127.0.0.1",
    "x-forwarded-for": "127.0.0.1",
    "x-auth-request-redirect": "/a/../b?c=d",
  });
});

const answers: [status: number, answer: number][] = [
  [200, 200],
  [201, 200],
  [401, 401],
  [403, 403],
  [302, 500],
  [404, 500],
  [500, 500],
];

inBothSpellings("auth-url, whatever its server answers", async (start) => {
  const auth = new AuthServer();
  try {
    await using site = await start({ annotations: { "auth-url": auth.url }, server });
    for (const [status, expected] of answers) {
      auth.answer = withStatus(status, 'WWW-Authenticate: Bearer realm="x"\r\nSet-Cookie: a=1\r\n');
      const answer = await site.ask();
      assertEquals(statusOf(answer), expected, `${status}`);
      const challenges = expected === 401 ? ['Bearer realm="x"'] : [];
      assertEquals(valuesOf(answer, "www-authenticate"), challenges, `${status}`);
      assertEquals(valuesOf(answer, "set-cookie"), expected === 200 ? ["a=1"] : [], `${status}`);
    }
    // all on one connection, which is used again
    assertEquals(auth.connections, 1);
    auth[Symbol.dispose]();
    const answer = await site.ask();
    assertEquals([statusOf(answer), valuesOf(answer, "pingress-error")], [500, ["auth_failed"]]);
    assertEquals(site.backend.requests.length, 2);
  } finally {
    auth[Symbol.dispose]();
  }
});

inBothSpellings("auth-url of this machine, where that is not allowed", async (start) => {
  using auth = new AuthServer();
  for (const url of [auth.url, auth.url.replace("127.0.0.1", "localhost")]) {
    await using site = await start({ annotations: { "auth-url": url } });
    assertEquals([await site.status(), auth.connections, site.backend.connections], [500, 0, 0]);
  }
});

inBothSpellings("auth-method, auth-request-redirect and auth-always-set-cookie", async (start) => {
  using auth = new AuthServer();
  await using site = await start({
    annotations: {
      "auth-url": auth.url,
      "auth-method": "POST",
      "auth-request-redirect": "https://$host/after",
      "auth-always-set-cookie": "true",
    },
    server,
  });
  auth.answer = withStatus(403, "Set-Cookie: a=1\r\n");
  const answer = await site.ask();
  assertEquals([statusOf(answer), valuesOf(answer, "set-cookie")], [403, ["a=1"]]);
  const [asked] = auth.requests;
  assertEquals([asked?.start, valuesOf(asked!, "content-length")], ["POST / HTTP/1.1", ["0"]]);
  assertEquals(valuesOf(asked!, "x-auth-request-redirect"), [`https://${HOST}/after`]);
});

const signIns: [annotations: Record<string, string>, location: string][] = [
  [
    { "auth-signin": "https://auth.test/start" },
    `https://auth.test/start?rd=http://${HOST}%2F%3Fa%3Db%26c%3D%252F`,
  ],
  [
    { "auth-signin": "https://auth.test/start?x=y" },
    `https://auth.test/start?x=y&rd=http://${HOST}%2F%3Fa%3Db%26c%3D%252F`,
  ],
  [
    { "auth-signin": "https://$host/start?rd=$escaped_request_uri" },
    `https://${HOST}/start?rd=%2F%3Fa%3Db%26c%3D%252F`,
  ],
  [
    { "auth-signin": "https://auth.test/start", "auth-signin-redirect-param": "back" },
    `https://auth.test/start?back=http://${HOST}%2F%3Fa%3Db%26c%3D%252F`,
  ],
];

inBothSpellings("auth-signin and auth-signin-redirect-param", async (start) => {
  using auth = new AuthServer();
  for (const [annotations, location] of signIns) {
    await using site = await start({ annotations: { "auth-url": auth.url, ...annotations }, server });
    auth.answer = withStatus(401, "Set-Cookie: a=1\r\n");
    const answer = await site.ask({ target: "/?a=b&c=%2F" });
    assertEquals([statusOf(answer), valuesOf(answer, "location")], [302, [location]]);
    assertEquals(valuesOf(answer, "set-cookie"), ["a=1"]);
    auth.answer = withStatus(403);
    assertEquals(await site.status(), 403);
  }
});

inBothSpellings("auth-url with $host, in a rule without a host", async (start) => {
  await using site = await start({ annotations: { "auth-url": "http://$host/check" }, host: "", server });
  const answer = await site.ask({ host: "evil.test" });
  assertEquals([statusOf(answer), valuesOf(answer, "pingress-error")], [503, ["closed"]]);
});

/** From which address, with which password, and what the server says: what comes of it. */
const combinations: [satisfy: string, address: string, user: string, auth: number, status: number][] = [
  ["all", "10.0.0.1", "sha", 200, 200],
  ["all", "11.0.0.1", "sha", 200, 403],
  ["all", "10.0.0.1", "nobody", 200, 401],
  ["all", "10.0.0.1", "sha", 403, 403],
  ["any", "10.0.0.1", "nobody", 403, 200],
  ["any", "11.0.0.1", "sha", 403, 200],
  ["any", "11.0.0.1", "nobody", 200, 200],
  ["any", "11.0.0.1", "nobody", 403, 401],
  ["any", "11.0.0.1", "nobody", 500, 500],
  ["nonsense", "11.0.0.1", "sha", 200, 403],
];

inBothSpellings("satisfy", async (start) => {
  using auth = new AuthServer();
  for (const [satisfy, address, user, status, expected] of combinations) {
    await using site = await start({
      annotations: { ...BASIC, satisfy, "auth-url": auth.url, "allowlist-source-range": "10.0.0.0/8" },
      objects: [secret("users", { auth: HTPASSWD })],
      server: { ...server, trustedProxies: ["127.0.0.1"] },
    });
    auth.answer = withStatus(status);
    const { fields } = basic(user);
    const answer = await site.ask({ fields: { ...fields, "X-Forwarded-For": address } });
    assertEquals(statusOf(answer), expected, JSON.stringify([satisfy, address, user, status]));
    const hasChallenge = valuesOf(answer, "www-authenticate").length > 0;
    assertEquals(hasChallenge, expected === 401);
    assertEquals(
      site.backend.requests.flatMap((request: WireMessage) => valuesOf(request, "authorization")),
      [],
    );
  }
});

inBothSpellings("auth-cache-*, auth-keepalive* and enable-global-auth", async (start) => {
  using auth = new AuthServer();
  await using site = await start({
    annotations: {
      "auth-url": auth.url,
      "auth-cache-key": "$remote_user",
      "auth-cache-duration": "200 5m",
      "auth-keepalive": "10",
      "auth-keepalive-requests": "10",
      "auth-keepalive-share-vars": "true",
      "auth-keepalive-timeout": "10",
      "enable-global-auth": "false",
    },
    server,
  });
  assertEquals([await site.status(), await site.status(), auth.requests.length], [200, 200, 2]);
  assertEquals(site.problems.map(({ reason }) => reason), ["UnsupportedAnnotation", "UnsupportedAnnotation"]);
});
