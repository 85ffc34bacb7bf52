import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { selfSigned, withChain } from "../certificates.ts";
import { Backend, RawServer, valuesOf, type WireMessage } from "../peers.ts";
import { inBothSpellings, ingress, requestOf, secret, service, type Site, statusOf } from "./harness.ts";

/** A backend that says which one it is. */
function named(name: string): Backend {
  return new Backend(() => `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
}

/** The Service `next` with the canary Ingress that leads to it. */
function canary(prefix: string, annotations: Record<string, string>, ...backends: RawServer[]): object[] {
  const all = Object.entries({ canary: "true", ...annotations });
  return [
    ...service("next", ...backends),
    ingress("next", {
      annotations: Object.fromEntries(all.map(([name, value]) => [prefix + name, value])),
      paths: [{ path: "/", service: "next" }],
    }),
  ];
}

/** Who answered, of `count` requests with these fields. */
async function answerers(site: Site, fields: Record<string, string> = {}, count = 5): Promise<string[]> {
  const bodies = new Set<string>();
  for (let request = 0; request < count; request++) bodies.add((await site.ask({ fields })).body);
  return [...bodies].sort();
}

/** The name and value of the cookie that an answer sets, and its attributes. */
function cookieOf(answer: WireMessage): { cookie: string; attributes: string } | undefined {
  const [line] = valuesOf(answer, "set-cookie");
  if (line === undefined) return undefined;
  const [cookie = "", ...attributes] = line.split("; ");
  return { cookie, attributes: attributes.join("; ") };
}

const byWeight: [annotations: Record<string, string>, answerers: string[]][] = [
  [{}, ["web"]],
  [{ "canary-weight": "0" }, ["web"]],
  [{ "canary-weight": "100" }, ["next"]],
  [{ "canary-weight": "1000" }, ["next"]],
  // by chance once in two million tests
  [{ "canary-weight": "100", "canary-weight-total": "1000000000" }, ["web"]],
  [{ "canary-weight": "1000000000", "canary-weight-total": "1000000000" }, ["next"]],
  [{ "canary-weight": "100", "canary-weight-total": "10" }, ["next"]],
];

inBothSpellings("canary-weight and canary-weight-total divide requests", async (start, prefix) => {
  using next = named("next");
  await using site = await start({ objects: canary(prefix, {}, next) });
  for (const [annotations, expected] of byWeight) {
    if (Object.keys(annotations).length > 0) {
      await site.change({ objects: canary(prefix, annotations, next) });
    }
    assertEquals(await answerers(site), expected, JSON.stringify(annotations));
  }
  await site.change({ objects: canary(prefix, { "canary-weight": "50" }, next) });
  // by chance once in 2^59 tests
  assertEquals(await answerers(site, {}, 60), ["next", "web"]);
  assertEquals(site.problems, []);
});

type Decision = [annotations: Record<string, string>, fields: Record<string, string>, answerer: string];

const H = { "canary-by-header": "X-Canary", "canary-weight": "0" };
const C = { "canary-by-cookie": "try", "canary-weight": "0" };

const decisions: Decision[] = [
  [H, { "X-Canary": "always" }, "next"],
  [H, { "x-canary": "always" }, "next"],
  [H, { "X-Canary": "yes" }, "web"],
  [H, {}, "web"],
  [{ ...H, "canary-weight": "100" }, { "X-Canary": "never" }, "web"],
  [{ ...H, "canary-weight": "100" }, { "X-Canary": "yes" }, "next"],
  [{ ...H, "canary-by-header": "x_canary" }, { "X-Canary": "always" }, "next"],
  [{ ...H, "canary-by-header-value": "eu" }, { "X-Canary": "eu" }, "next"],
  [{ ...H, "canary-by-header-value": "eu" }, { "X-Canary": "EU" }, "web"],
  [{ ...H, "canary-by-header-value": "eu" }, { "X-Canary": "always" }, "web"],
  [{ ...H, "canary-by-header-value": "eu", "canary-weight": "100" }, { "X-Canary": "never" }, "next"],
  [{ ...H, "canary-by-header-pattern": "e[uv]" }, { "X-Canary": "the eu" }, "next"],
  [{ ...H, "canary-by-header-pattern": "^e[uv]$" }, { "X-Canary": "the eu" }, "web"],
  [{ ...H, "canary-by-header-pattern": "e[uv]" }, { "X-Canary": "always" }, "web"],
  [{ ...H, "canary-by-header-pattern": "e[uv]", "canary-by-header-value": "x" }, { "X-Canary": "eu" }, "web"],
  [C, { Cookie: "a=1; try=always; b=2" }, "next"],
  [C, { Cookie: "a=1; try=maybe" }, "web"],
  [C, { Cookie: "xtry=always" }, "web"],
  [{ ...C, "canary-weight": "100" }, { Cookie: "try=never" }, "web"],
  [{ ...H, ...C }, { "X-Canary": "never", Cookie: "try=always" }, "web"],
  [{ ...H, ...C }, { "X-Canary": "other", Cookie: "try=always" }, "next"],
];

inBothSpellings(
  "canary-by-header, -value, -pattern and canary-by-cookie decide",
  async (start, prefix) => {
    using next = named("next");
    for (const [annotations, fields, expected] of decisions) {
      await using site = await start({ objects: canary(prefix, annotations, next) });
      assertEquals(await answerers(site, fields, 2), [expected], JSON.stringify([annotations, fields]));
      const isOverruled = "canary-by-header-pattern" in annotations &&
        "canary-by-header-value" in annotations;
      assertEquals(site.problems.length, isOverruled ? 1 : 0);
    }
  },
);

inBothSpellings("canary: without endpoints nobody is sent to it", async (start, prefix) => {
  await using site = await start({ objects: canary(prefix, { "canary-weight": "100" }) });
  assertEquals(await answerers(site), ["web"]);
});

inBothSpellings("canary: what cannot be one is told", async (start, prefix) => {
  using next = named("next");
  const [, , object] = canary(prefix, { "canary-weight": "100", "ssl-redirect": "false" }, next);
  const other = structuredClone(object) as {
    metadata: { name: string };
    spec: { rules: { host: string }[] };
  };
  other.metadata.name = "no-primary";
  other.spec.rules[0]!.host = "elsewhere.test";
  await using site = await start({ objects: [...canary(prefix, { "ssl-redirect": "false" }, next), other] });
  assertEquals(site.problems.map(({ ingress, reason, field }) => [ingress, reason, field]), [
    ["default/next", "AnnotationConflict", `metadata.annotations["${prefix}ssl-redirect"]`],
    ["default/no-primary", "CanaryWithoutPrimary", "spec.rules[0].http.paths[0]"],
  ]);
  assertEquals(await site.status({ host: "elsewhere.test" }), 404);
  await site.change({ objects: [], annotations: { "canary-weight": "5" } });
  assertEquals(site.problems.map(({ reason }) => reason), ["AnnotationConflict"]);
});

const BOUND = { affinity: "cookie" };

inBothSpellings("affinity: a client stays where it was first", async (start) => {
  using two = named("two");
  using three = named("three");
  await using site = await start({ annotations: BOUND, objects: service("web", two, three) });
  const first = await site.ask();
  const { cookie, attributes } = cookieOf(first)!;
  assertMatch(cookie, /^INGRESSCOOKIE=[-0-9a-f]{36}\|[0-9a-f]{32}$/);
  assertEquals(attributes, "Path=/; HttpOnly");
  for (let request = 0; request < 10; request++) {
    const again = await site.ask({ fields: { Cookie: `a=b; ${cookie}` } });
    assertEquals([again.body, cookieOf(again)], [first.body, undefined]);
  }
  // new clients go everywhere
  assertEquals((await answerers(site, {}, 60)).length, 2);
});

inBothSpellings("affinity: the backend's own cookies stay", async (start) => {
  const answer = "HTTP/1.1 200 OK\r\nSet-Cookie: own=1\r\nContent-Length: 0\r\n\r\n";
  await using site = await start({ annotations: BOUND, answer });
  const lines = valuesOf(await site.ask(), "set-cookie");
  assertEquals([lines.length, lines[0]], [2, "own=1"]);
});

inBothSpellings("affinity: a client that nobody could serve is not bound", async (start) => {
  await using site = await start({ annotations: BOUND, objects: service("web") });
  const answer = await site.ask();
  assertEquals([statusOf(answer), cookieOf(answer)], [503, undefined]);
});

inBothSpellings("affinity-mode: persistent clients stay when there are more endpoints", async (start) => {
  using backends = new DisposableStack();
  const all = Array.from({ length: 6 }, (_, index) => backends.use(named(`backend ${index}`)));
  const annotations = { ...BOUND, "affinity-mode": "persistent" };
  await using site = await start({ annotations, objects: service("web", all[0]!) });
  const { cookie } = cookieOf(await site.ask())!;
  assertMatch(cookie, /^INGRESSCOOKIE=[0-9a-f]{32}\|[0-9a-f]{32}$/);
  await site.change({ objects: service("web", ...all) });
  const again = await site.ask({ fields: { Cookie: cookie } });
  assertEquals([again.body, cookieOf(again)], ["backend 0", undefined]);
  await site.change({ objects: service("web", ...all.slice(1)) });
  const moved = await site.ask({ fields: { Cookie: cookie } });
  assertNotEquals(moved.body, "backend 0");
  assertNotEquals(cookieOf(moved)!.cookie, cookie);
});

inBothSpellings(
  "affinity-mode: of balanced clients some move when there are more endpoints",
  async (start) => {
    using backends = new DisposableStack();
    const all = Array.from({ length: 4 }, (_, index) => backends.use(named(`backend ${index}`)));
    const annotations = { ...BOUND, "affinity-mode": "balanced" };
    await using site = await start({ annotations, objects: service("web", ...all.slice(0, 2)) });
    const cookies = Array.from({ length: 40 }, (_, index) => `INGRESSCOOKIE=client-${index}`);
    const places = async () => {
      const found: string[] = [];
      for (const cookie of cookies) found.push((await site.ask({ fields: { Cookie: cookie } })).body);
      return found;
    };
    const before = await places();
    await site.change({ objects: service("web", ...all) });
    const after = await places();
    const stayed = before.filter((place, index) => place === after[index]).length;
    assert(stayed > 2 && stayed < 38, `${stayed} of 40 have stayed`);
    assertEquals(after.every((place, index) => place === before[index] || /[23]/.test(place)), true);
  },
);

const attributes: [annotations: Record<string, string>, name: RegExp, attributes: RegExp][] = [
  [{ "session-cookie-name": "route" }, /^route=/, /^Path=\/; HttpOnly$/],
  [
    { "session-cookie-expires": "172800" },
    /^INGRESSCOOKIE=/,
    /^Expires=(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9]-[A-Z][a-z][a-z]-[0-9][0-9] [0-9:]{8} GMT; Path=\/; HttpOnly$/,
  ],
  [{ "session-cookie-max-age": "172800" }, /^INGRESSCOOKIE=/, /^Max-Age=172800; Path=\/; HttpOnly$/],
  [{ "session-cookie-max-age": "-1" }, /^INGRESSCOOKIE=/, /^Max-Age=-1; Path=\/; HttpOnly$/],
  [{ "session-cookie-path": "/app" }, /^INGRESSCOOKIE=/, /^Path=\/app; HttpOnly$/],
  [
    { "session-cookie-domain": "site.test" },
    /^INGRESSCOOKIE=/,
    /^Domain=site.test; Path=\/; HttpOnly$/,
  ],
  [{ "session-cookie-samesite": "Lax" }, /^INGRESSCOOKIE=/, /^Path=\/; HttpOnly; SameSite=Lax$/],
  [{ "session-cookie-samesite": "none" }, /^INGRESSCOOKIE=/, /^Path=\/; HttpOnly; SameSite=None$/],
  [{ "session-cookie-secure": "true" }, /^INGRESSCOOKIE=/, /^Path=\/; Secure; HttpOnly$/],
  [
    {
      "session-cookie-expires": "60",
      "session-cookie-max-age": "60",
      "session-cookie-domain": "site.test",
      "session-cookie-secure": "true",
      "session-cookie-samesite": "Strict",
    },
    /^INGRESSCOOKIE=/,
    /^Expires=[^;]+; Max-Age=60; Domain=site.test; Path=\/; Secure; HttpOnly; SameSite=Strict$/,
  ],
];

inBothSpellings(
  "session-cookie-… are the cookie's attributes, in ingress-nginx's order",
  async (start) => {
    await using site = await start({ annotations: BOUND });
    for (const [annotations, name, expected] of attributes) {
      await site.change({ annotations: { ...BOUND, ...annotations } });
      const found = cookieOf(await site.ask())!;
      assertMatch(found.cookie, name);
      assertMatch(found.attributes, expected);
      assertEquals(site.problems, []);
    }
  },
);

inBothSpellings("session-cookie-path is the Ingress's path unless told", async (start) => {
  await using site = await start({ annotations: BOUND, paths: [{ path: "/shop" }] });
  assertEquals(cookieOf(await site.ask({ target: "/shop/1" }))!.attributes, "Path=/shop; HttpOnly");
});

inBothSpellings("session-cookie-conditional-samesite-none asks who the browser is", async (start) => {
  const annotations = {
    ...BOUND,
    "session-cookie-samesite": "None",
    "session-cookie-conditional-samesite-none": "true",
  };
  await using site = await start({ annotations });
  const of = async (agent: string) =>
    cookieOf(await site.ask({ fields: { "User-Agent": agent } }))!.attributes;
  assertEquals(await of("Mozilla/5.0 Chrome/51.0 Safari/537.36"), "Path=/; HttpOnly");
  assertEquals(await of("Mozilla/5.0 Chrome/120.0 Safari/537.36"), "Path=/; HttpOnly; SameSite=None");
});

inBothSpellings("session-cookie-… without affinity do nothing, and that is told", async (start, prefix) => {
  await using site = await start({
    annotations: { "session-cookie-name": "route", "affinity-mode": "balanced" },
  });
  assertEquals(site.problems.map(({ field, reason, closes }) => [field, reason, closes]), [
    [`metadata.annotations["${prefix}session-cookie-name"]`, "AnnotationConflict", undefined],
    [`metadata.annotations["${prefix}affinity-mode"]`, "AnnotationConflict", undefined],
  ]);
  assertEquals(valuesOf(await site.ask(), "set-cookie"), []);
});

inBothSpellings("session-cookie-change-on-failure binds anew", async (start) => {
  using alive = named("alive");
  using gone = named("gone");
  const annotations = { ...BOUND, "affinity-mode": "persistent" };
  const changing = { ...annotations, "session-cookie-change-on-failure": "true" };
  await using site = await start({ annotations, objects: service("web", gone) });
  const { cookie } = cookieOf(await site.ask())!;
  await site.change({ objects: service("web", gone, alive) });
  gone[Symbol.dispose]();
  assertEquals(await site.status({ fields: { Cookie: cookie } }), 502);
  assertEquals(await site.status({ fields: { Cookie: cookie } }), 502, "it is still bound");
  await site.change({ annotations: changing });
  const moved = await site.ask({ fields: { Cookie: cookie } });
  assertEquals(moved.body, "alive");
  const again = await site.ask({ fields: { Cookie: cookieOf(moved)!.cookie } });
  assertEquals([again.body, cookieOf(again)], ["alive", undefined]);
});

inBothSpellings(
  "affinity-canary-behavior: who is bound to one of the two stays there",
  async (start, prefix) => {
    using next = named("next");
    const all = { "canary-weight": "100", "canary-by-header": "X-Canary" };
    await using site = await start({ annotations: BOUND, objects: canary(prefix, all, next) });
    const { cookie } = cookieOf(await site.ask())!;
    await site.change({ objects: canary(prefix, { ...all, "canary-weight": "0" }, next) });
    assertEquals(await answerers(site, { Cookie: cookie }), ["next"]);
    const { cookie: primary } = cookieOf(await site.ask())!;
    assertEquals(await answerers(site, { Cookie: primary, "X-Canary": "always" }), ["web"]);

    await site.change({
      objects: canary(prefix, { ...all, "affinity-canary-behavior": "legacy" }, next),
    });
    const unbound = await site.ask();
    assertEquals([unbound.body, cookieOf(unbound)], ["next", undefined]);
    assertEquals(await answerers(site, { Cookie: cookie, "X-Canary": "never" }), ["web"]);
    assertEquals(await answerers(site, { Cookie: primary }), ["web"]);
  },
);

const NUMBERS = Array.from({ length: 30 }, (_, index) => String(index));

const hashed: [hashBy: string, questions: { target?: string; user?: string }[]][] = [
  ["$request_uri", NUMBERS.map((number) => ({ target: `/${number}?a` }))],
  ["$arg_user", NUMBERS.map((user) => ({ target: `/?user=${user}` }))],
  ["${http_x_user}", NUMBERS.map((user) => ({ user }))],
];

inBothSpellings("upstream-hash-by: what is alike goes to the same endpoint", async (start) => {
  using two = named("two");
  using three = named("three");
  for (const [hashBy, questions] of hashed) {
    const annotations = { "upstream-hash-by": hashBy };
    await using site = await start({ annotations, objects: service("web", two, three) });
    assertEquals(site.problems, []);
    const places = new Set<string>();
    for (const { target = "/", user = "" } of questions) {
      const answers = new Set<string>();
      for (let request = 0; request < 3; request++) {
        answers.add((await site.ask({ target, fields: { "X-User": user } })).body);
      }
      assertEquals(answers.size, 1, `${hashBy} of ${target} ${user}`);
      for (const answer of answers) places.add(answer);
    }
    assertEquals([...places].sort(), ["three", "two"], hashBy);
  }
});

inBothSpellings("upstream-hash-by: the next endpoint takes what one that is gone had", async (start) => {
  using alive = named("alive");
  using gone = named("gone");
  gone[Symbol.dispose]();
  const annotations = { "upstream-hash-by": "$request_uri" };
  await using site = await start({ annotations, objects: service("web", gone, alive) });
  for (const target of ["/a", "/b", "/c", "/d"]) assertEquals((await site.ask({ target })).body, "alive");
});

inBothSpellings("load-balance: round_robin takes one after the other", async (start) => {
  using two = named("two");
  using three = named("three");
  const annotations = { "load-balance": "round_robin" };
  await using site = await start({ annotations, objects: service("web", two, three) });
  const bodies: string[] = [];
  for (let request = 0; request < 6; request++) bodies.push((await site.ask()).body);
  const [first, second] = bodies;
  assertNotEquals(first, second);
  assertEquals(bodies, [first, second, first, second, first, second]);
});

inBothSpellings("load-balance: ewma takes those that are less busy", async (start) => {
  const caught = Promise.withResolvers<boolean>();
  const end = Promise.withResolvers<void>();
  using slow = new RawServer(async (peer) => {
    await peer.readMessage();
    caught.resolve(true);
    await end.promise;
  });
  using fast = named("fast");
  await using site = await start({
    annotations: { "load-balance": "ewma" },
    objects: service("web", slow, fast),
    server: { balance: "round-robin" },
  });
  using waiting = await site.client();
  do await waiting.write(requestOf()); while (
    !await Promise.race([caught.promise, waiting.readMessage().then(() => false, () => true)])
  );
  for (let request = 0; request < 5; request++) assertEquals((await site.ask()).body, "fast");
  end.resolve();
});

inBothSpellings(
  "service-upstream: the Service's own address is the one endpoint",
  async (start, prefix) => {
    using cluster = named("the cluster");
    using pod = named("a Pod");
    const { port } = cluster.address;
    const [, endpoints = {}] = service("own", pod);
    const own = (clusterIP: string) => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "own", namespace: "default" },
      spec: { clusterIP, ports: [{ name: "http", port }] },
    });
    const backend = { service: { name: "own", port: { number: port } } };
    const owner = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "own", namespace: "default", annotations: { [`${prefix}service-upstream`]: "true" } },
      spec: {
        ingressClassName: "pingress",
        rules: [{ host: "own.test", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      },
    };
    await using site = await start({ objects: [own("127.0.0.1"), endpoints, owner] });
    assertEquals((await site.ask({ host: "own.test" })).body, "the cluster");
    await site.change({ objects: [own("None"), endpoints, owner] });
    assertEquals((await site.ask({ host: "own.test" })).body, "a Pod");
    assertEquals(site.problems, []);
  },
);

const CHAIN = await withChain(["backend.test"]);
const CLIENT = await selfSigned(["client.test"]);

/** A backend over TLS that answers with the name that it was asked for, and with whose certificate it was shown. */
class TlsBackend implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("secureConnection", (socket: TLSSocket & { servername?: string | false | null }) => {
      this.#sockets.add(socket);
      const body = `${socket.servername || "no name"}, ${
        socket.getPeerCertificate()?.subject?.CN ?? "nobody"
      }`;
      socket.on("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
      });
      socket.on("error", () => {});
    });
    server.on("tlsClientError", () => {});
  }

  static async start(): Promise<TlsBackend> {
    const server = createServer({ ...CHAIN, requestCert: true, rejectUnauthorized: false });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    return new TlsBackend(server);
  }

  /** The Service `web`, which leads here. */
  get service(): object[] {
    const { port } = this.#server.address() as { port: number };
    const metadata = { name: "web", namespace: "default" };
    const subset = { addresses: [{ ip: "127.0.0.1" }], ports: [{ name: "http", port }] };
    return [
      { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80 }] } },
      { apiVersion: "v1", kind: "Endpoints", metadata, subsets: [subset] },
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }
}

const SECRET = { "backend-protocol": "HTTPS", "proxy-ssl-secret": "default/tls" };
const CHECKED = { ...SECRET, "proxy-ssl-verify": "on" };
const TRUST = { "ca.crt": CHAIN.root };
const IDENTITY = { "tls.crt": CLIENT.cert, "tls.key": CLIENT.key };

const handshakes: [
  annotations: Record<string, string>,
  holds: Record<string, string>,
  outcome: string | number,
][] = [
  [{ "backend-protocol": "HTTPS" }, {}, "no name, nobody"],
  [{ "backend-protocol": "https" }, {}, "no name, nobody"],
  [{ "backend-protocol": "HTTPS", "proxy-ssl-name": "backend.test" }, {}, "no name, nobody"],
  [
    { "backend-protocol": "HTTPS", "proxy-ssl-name": "any.test", "proxy-ssl-server-name": "on" },
    {},
    "any.test, nobody",
  ],
  // the system does not trust it
  [{ "backend-protocol": "HTTPS", "proxy-ssl-verify": "on", "proxy-ssl-name": "backend.test" }, {}, 502],
  [SECRET, TRUST, "no name, nobody"],
  [SECRET, IDENTITY, "no name, client.test"],
  [CHECKED, TRUST, 502],
  [{ ...CHECKED, "proxy-ssl-name": "another.test" }, TRUST, 502],
  [{ ...CHECKED, "proxy-ssl-name": "backend.test" }, TRUST, "no name, nobody"],
  [
    { ...CHECKED, "proxy-ssl-name": "backend.test", "proxy-ssl-server-name": "on" },
    { ...TRUST, ...IDENTITY },
    "backend.test, client.test",
  ],
  [{ ...CHECKED, "proxy-ssl-name": "backend.test" }, { "ca.crt": CLIENT.cert }, 502],
  [
    { ...CHECKED, "proxy-ssl-name": "backend.test", "proxy-ssl-verify": "off" },
    { "ca.crt": CLIENT.cert },
    "no name, nobody",
  ],
  // what cannot be used closes the Ingress
  [SECRET, { other: "text" }, 503],
  [SECRET, { "ca.crt": "no certificate" }, 503],
  [SECRET, { "tls.crt": CLIENT.cert, "tls.key": CHAIN.key }, 503],
  [{ ...SECRET, "proxy-ssl-secret": "default/missing" }, TRUST, 503],
  [{ ...SECRET, "proxy-ssl-secret": "other/tls" }, TRUST, 503],
  [{ ...SECRET, "proxy-ssl-secret": "tls" }, TRUST, 503],
  [{ ...CHECKED, "proxy-ssl-verify": "perhaps" }, TRUST, 503],
];

inBothSpellings(
  "backend-protocol HTTPS and proxy-ssl-… say how backends are spoken to",
  async (start) => {
    await using backend = await TlsBackend.start();
    for (const [annotations, holds, expected] of handshakes) {
      await using site = await start({ annotations, objects: [...backend.service, secret("tls", holds)] });
      const answer = await site.ask();
      const what = JSON.stringify([annotations, Object.keys(holds)]);
      assertEquals(typeof expected === "number" ? statusOf(answer) : answer.body, expected, what);
      assertEquals(site.problems.length, expected === 503 ? 1 : 0, what);
    }
  },
);

inBothSpellings("proxy-ssl-secret: what it holds counts from the next request on", async (start) => {
  await using backend = await TlsBackend.start();
  const annotations = { ...CHECKED, "proxy-ssl-name": "backend.test" };
  const objects = (holds: Record<string, string>) => [...backend.service, secret("tls", holds)];
  await using site = await start({ annotations, objects: objects(TRUST) });
  assertEquals((await site.ask()).body, "no name, nobody");
  await site.change({ objects: objects({ ...TRUST, ...IDENTITY }) });
  assertEquals(
    (await site.ask()).body,
    "no name, client.test",
    "a connection without a certificate is not used",
  );
  await site.change({ objects: objects({ "ca.crt": CLIENT.cert }) });
  assertEquals(await site.status(), 502, "a connection that was trusted before is not used");
});

inBothSpellings(
  "backend-protocol: GRPC and GRPCS are told to the proxy, FCGI and AUTO_HTTP are not",
  async (start) => {
    await using site = await start();
    for (const [text, expected] of [["GRPC", "GRPC"], ["grpcs", "GRPCS"], ["HTTP", undefined]]) {
      await site.change({ annotations: { "backend-protocol": text! } });
      assertEquals([site.rules[0]?.options?.backendProtocol, site.problems], [expected, []]);
    }
    for (const text of ["FCGI", "AUTO_HTTP", "H2"]) {
      await using other = await start({ annotations: { "backend-protocol": text } });
      assertEquals([await other.status(), other.problems.map(({ reason }) => reason)], [200, [
        "InvalidAnnotation",
      ]]);
    }
  },
);

inBothSpellings("what there is no such thing of is told", async (start) => {
  const annotations = {
    "upstream-hash-by-subset": "true",
    "upstream-hash-by-subset-size": "3",
    "proxy-ssl-ciphers": "DEFAULT",
    "proxy-ssl-protocols": "TLSv1.2",
    "proxy-ssl-verify-depth": "2",
  };
  await using site = await start({ annotations });
  assertEquals(await site.status(), 200);
  assertEquals(site.problems.map(({ reason }) => reason), Array(5).fill("UnsupportedAnnotation"));
});
