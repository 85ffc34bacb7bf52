import { assertEquals } from "@std/assert";
import { ROWS } from "./known.ts";
import { optionsFor } from "./testing.ts";

const long = (count: number) => "a".repeat(count);

/** What no value may be, and proxies would not take of the controller. */
const values: [name: string, value: string, told: string][] = [
  ["temporal-redirect", "https://a.test/\u2028a", "is not one line of visible characters"],
  ["permanent-redirect", "https://💥.test/", "is not one line of visible characters"],
  ["upstream-hash-by", "$host€", "is not one line of visible characters"],
  [
    "permanent-redirect",
    `https://a.test/${long(4082)}`,
    "is too long: it has 4097 characters, and may have 4096",
  ],
  ["custom-headers", `X-A: ${long(8188)}`, "is too long: it has 8193 characters, and may have 8192"],
  ["server-alias", "a.test,".repeat(101), "is no list of 1 to 100 hosts"],
];

for (const [name, value, told] of values) {
  Deno.test(`${name} of ${value.length} characters, ${JSON.stringify(value.slice(0, 20))}, ${told}`, () => {
    const { options, told: all } = optionsFor({ [name]: value });
    assertEquals(options, {});
    assertEquals(all, [`${JSON.stringify(value.slice(0, 80))} ${told}: the annotation does nothing`]);
  });
}

Deno.test("a list may be long; what says who may come in closes the Ingress where it is too long", () => {
  const list = (count: number) => Array.from({ length: count }, () => "10.0.0.0/8").join(",");
  assertEquals(optionsFor({ "allowlist-source-range": list(5000) }).options.allow?.length, 5000);
  const { options, told } = optionsFor({ "allowlist-source-range": list(6000) });
  assertEquals([typeof options.closed, told.length], ["string", 1]);
});

Deno.test("what is meant is told of many unknown annotations, and not of any number", () => {
  const names = Array.from({ length: 150 }, (_, index) => `ssl-redirect${index}`);
  const { told } = optionsFor(Object.fromEntries(names.map((name) => [name, "true"])));
  const advised = told.filter((message) => message.endsWith(": did you mean pingress.dev/ssl-redirect?"));
  const others = told.filter((message) => message.endsWith(": remove it"));
  assertEquals([advised.length, others.length], [100, 50]);
});

const REDIRECT = "https://a.test/";

/** Annotations that do nothing by themselves, and what has to be there: each of these is enough. */
const idle: [annotations: Record<string, string>, needed: string, enough: Record<string, string>[]][] = [
  [{ "affinity-mode": "persistent" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-name": "a" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-expires": "1" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-max-age": "1" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-path": "/" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-domain": "a.test" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-samesite": "lax" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-secure": "true" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-conditional-samesite-none": "true" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "session-cookie-change-on-failure": "true" }, "affinity: cookie", [{ affinity: "cookie" }]],
  [{ "cors-allow-origin": "*" }, 'enable-cors: "true"', [{ "enable-cors": "true" }]],
  [{ "cors-allow-methods": "GET" }, 'enable-cors: "true"', [{ "enable-cors": "true" }]],
  [{ "cors-allow-headers": "X-A" }, 'enable-cors: "true"', [{ "enable-cors": "true" }]],
  [{ "cors-expose-headers": "X-A" }, 'enable-cors: "true"', [{ "enable-cors": "true" }]],
  [{ "cors-allow-credentials": "true" }, 'enable-cors: "true"', [{ "enable-cors": "true" }]],
  [{ "cors-max-age": "1", "enable-cors": "false" }, 'enable-cors: "true"', [{ "enable-cors": "true" }]],
  [{ "canary-weight": "1" }, 'canary: "true"', [{ canary: "true" }]],
  [{ "canary-by-header": "X-A", canary: "false" }, 'canary: "true"', [{ canary: "true" }]],
  [{ "canary-by-cookie": "a" }, 'canary: "true"', [{ canary: "true" }]],
  [{ "affinity-canary-behavior": "legacy" }, 'canary: "true"', [{ canary: "true" }]],
  [{ "canary-by-header-value": "a", canary: "true" }, "canary-by-header", [{ "canary-by-header": "X-A" }]],
  [{ "canary-by-header-pattern": "a", canary: "true" }, "canary-by-header", [{ "canary-by-header": "X-A" }]],
  [{ "canary-weight-total": "200", canary: "true" }, "canary-weight", [{ "canary-weight": "0" }]],
  [{ "limit-burst-multiplier": "2", "limit-connections": "1" }, "limit-rps or limit-rpm, above 0", [
    { "limit-rps": "1" },
    { "limit-rpm": "1", "limit-rps": "0" },
  ]],
  ...["limit-allowlist", "limit-whitelist"].map((name): typeof idle[number] => [
    { [name]: "10.0.0.0/8", "limit-rps": "0" },
    "limit-rps, limit-rpm or limit-connections, above 0",
    [{ "limit-rps": "1" }, { "limit-rpm": "1" }, { "limit-connections": "1" }],
  ]),
  ...["proxy-ssl-verify", "proxy-ssl-server-name"].map((name): typeof idle[number] => [
    { [name]: "on", "backend-protocol": "GRPC" },
    "backend-protocol: HTTPS, or GRPCS",
    [{ "backend-protocol": "HTTPS" }, { "backend-protocol": "grpcs" }],
  ]),
  [{ "proxy-ssl-name": "a.test" }, "backend-protocol: HTTPS, or GRPCS", [{ "backend-protocol": "HTTPS" }]],
  [{ "proxy-ssl-secret": "default/a" }, "backend-protocol: HTTPS, or GRPCS", []],
  [{ "custom-http-errors": "404" }, "default-backend", [{ "default-backend": "known" }]],
  [{ "disable-proxy-intercept-errors": "true", "default-backend": "known" }, "custom-http-errors", [
    { "custom-http-errors": "404" },
  ]],
  [{ "hsts-max-age": "1" }, 'hsts: "true"', [{ hsts: "true" }]],
  [{ "hsts-include-subdomains": "true", hsts: "false" }, 'hsts: "true"', [{ hsts: "true" }]],
  [{ "hsts-preload": "true" }, 'hsts: "true"', [{ hsts: "true" }]],
  [{ "permanent-redirect-code": "308" }, "permanent-redirect", [{ "permanent-redirect": REDIRECT }]],
  [{ "temporal-redirect-code": "307" }, "temporal-redirect", [{ "temporal-redirect": REDIRECT }]],
  [{ "satisfy": "any" }, "allowlist-source-range, denylist-source-range, auth-type or auth-url", [
    { "allowlist-source-range": "10.0.0.0/8" },
    { "whitelist-source-range": "10.0.0.0/8" },
    { "auth-url": "http://a.test/" },
  ]],
];

for (const [annotations, needed, enough] of idle) {
  Deno.test(`${JSON.stringify(annotations)} does nothing without ${needed}, and that is told`, () => {
    assertEquals(optionsFor(annotations).told, [`It does nothing: the Ingress has no annotation ${needed}`]);
    for (const more of enough) assertEquals(optionsFor({ ...annotations, ...more }).told, []);
  });
}

Deno.test("every annotation that needs another one is told when it is not there", () => {
  const told = new Set(idle.flatMap(([annotations]) => Object.keys(annotations)));
  // those of passwords and auth-url are in access_test.ts
  const untold = [...ROWS].filter(([name, { needs }]) => needs !== undefined && !told.has(name)).map((
    [name],
  ) => name);
  assertEquals(untold.filter((name) => !name.startsWith("auth-")), []);
});

const silent: Record<string, string>[] = [
  // what is off asks for nothing
  {
    "session-cookie-secure": "false",
    "cors-allow-credentials": "false",
    "hsts-preload": "false",
    "satisfy": "all",
  },
  { "proxy-ssl-verify": "off", "proxy-ssl-server-name": "off", "preserve-trailing-slash": "false" },
  // both names for other controllers' versions
  { "allowlist-source-range": "10.0.0.0/8", "whitelist-source-range": "10.0.0.0/8" },
  { "ssl-redirect": "true", "preserve-trailing-slash": "true" },
  { "force-ssl-redirect": "true", "preserve-trailing-slash": "true" },
  { "proxy-next-upstream-tries": "2", "proxy-next-upstream-timeout": "2" },
];

for (const annotations of silent) {
  Deno.test(`of ${JSON.stringify(annotations)} nothing is told`, () => {
    assertEquals(optionsFor(annotations).told, []);
  });
}

const overruled: [annotations: Record<string, string>, told: string[]][] = [
  [{ "allowlist-source-range": "10.0.0.0/8", "whitelist-source-range": "::/0" }, [
    "allowlist-source-range counts instead",
  ]],
  [{ "limit-rps": "1", "limit-allowlist": "10.0.0.0/8", "limit-whitelist": "::/0" }, [
    "limit-allowlist counts instead",
  ]],
  [{ "temporal-redirect": REDIRECT, "permanent-redirect": "https://b.test/" }, [
    "temporal-redirect counts instead",
  ]],
  [
    {
      canary: "true",
      "canary-by-header": "X-A",
      "canary-by-header-value": "a",
      "canary-by-header-pattern": "b",
    },
    ["canary-by-header-value counts instead"],
  ],
  [{ "proxy-next-upstream": "off", "proxy-next-upstream-tries": "2", "proxy-next-upstream-timeout": "2" }, [
    "proxy-next-upstream is off",
    "proxy-next-upstream is off",
  ]],
  [{ "ssl-redirect": "false", "preserve-trailing-slash": "true" }, [
    'the Ingress has no annotation ssl-redirect or force-ssl-redirect: "true"',
  ]],
];

for (const [annotations, told] of overruled) {
  Deno.test(`${JSON.stringify(annotations)} is told of what does nothing`, () => {
    assertEquals(
      optionsFor(annotations).told.map((message) => message.replace(/^(?:[-a-z]+: )?It does nothing: /, "")),
      told,
    );
  });
}

Deno.test("an annotation is not told to do nothing where another one is faulty, or is itself", () => {
  const cases: Record<string, string>[] = [
    { affinity: "ip", "session-cookie-name": "a" },
    { "enable-cors": "yes", "cors-max-age": "1" },
    { "cors-allow-origin": "a.test" },
    { "limit-rps": "x", "limit-burst-multiplier": "2" },
    { canary: "yes", "canary-weight": "1" },
    { "ssl-redirect": "yes", "preserve-trailing-slash": "true" },
  ];
  for (const annotations of cases) {
    assertEquals(optionsFor(annotations).told.length, 1, JSON.stringify(annotations));
  }
});
