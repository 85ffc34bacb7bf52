import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { parseProxyConfig, readProxyConfig } from "./parse_proxy_config.ts";
import { ShapeError } from "./shape.ts";

const PATH = { type: "Prefix", path: "/" };
const BACKEND = { type: "Service", name: "my-service", namespace: "default", port: 80 };
const TLS = { key: "/etc/pingress/keys/example.com.key", cert: "/etc/pingress/keys/example.com.cert" };
const RULE = { host: "example.com", path: PATH, backend: BACKEND, tls: TLS };

/** A document whose one rule differs in some members. */
function withRule(changes: Record<string, unknown>): unknown {
  return { rules: [{ ...RULE, ...changes }] };
}

Deno.test("parseProxyConfig() takes the example of the README", () => {
  const text =
    '{"rules":[{"host":"example.com","path":{"type":"Prefix","path":"/"},"backend":{"type":"Service",' +
    '"name":"my-service","namespace":"default","port":80},"tls":{"key":"/etc/pingress/keys/example.com.key",' +
    '"cert":"/etc/pingress/keys/example.com.cert"}}]}';
  assertEquals<unknown>(parseProxyConfig(JSON.parse(text)), { rules: [RULE] });
});

Deno.test("parseProxyConfig() takes every optional member", () => {
  const config = {
    rules: [
      { path: { type: "Exact", path: "/a" }, backend: BACKEND },
      {
        host: "*.example.com",
        path: { type: "ImplementationSpecific", path: "/" },
        backend: { ...BACKEND, port: "http" },
      },
      { path: { type: "Regex", path: "/a(/|$)(.*)" }, backend: BACKEND },
      {
        path: PATH,
        backend: BACKEND,
        options: { backendProtocol: "HTTPS", backendServerName: "internal.example.com", backendVerify: true },
      },
    ],
    defaultBackend: BACKEND,
    certificates: [{ host: "*.example.org", ...TLS }, { host: "*", ...TLS }],
    shards: 16,
  };
  assertEquals<unknown>(parseProxyConfig(config), config);
});

Deno.test("parseProxyConfig() takes null for missing and drops what it does not know", () => {
  const { host: _host, tls: _tls, ...rest } = RULE;
  const config = { rules: [{ ...rest, host: null, tls: null, weight: 3 }], defaultBackend: null, version: 2 };
  assertEquals<unknown>(parseProxyConfig(config), { rules: [rest] });
});

Deno.test("parseProxyConfig() takes a rule's options one by one", () => {
  const cases: [options: unknown, expected: unknown][] = [
    [{}, {}],
    [{ backendProtocol: "HTTP" }, { backendProtocol: "HTTP" }],
    [{ backendProtocol: "HTTPS" }, { backendProtocol: "HTTPS" }],
    [{ backendProtocol: "H2C" }, { backendProtocol: "H2C" }],
    [{ backendServerName: "a.test" }, { backendServerName: "a.test" }],
    [{ backendVerify: false }, { backendVerify: false }],
    [{ backendProtocol: null, backendServerName: null, backendVerify: null, other: 1 }, {}],
  ];
  for (const [options, expected] of cases) {
    assertEquals<unknown>(parseProxyConfig(withRule({ options })), {
      rules: [{ ...RULE, options: expected }],
    });
  }
  assertEquals<unknown>(parseProxyConfig(withRule({ options: null })), { rules: [RULE] });
});

Deno.test("parseProxyConfig() names the place of a fault", () => {
  const cases: [unknown, string][] = [
    [null, "the document: found null, expected an object"],
    [[], "the document: found a list, expected an object"],
    [{}, "rules: found nothing, expected a list"],
    [{ rules: {} }, "rules: found an object, expected a list"],
    [{ rules: [RULE, "x"] }, 'rules[1]: found "x", expected an object'],
    [withRule({ host: "" }), 'rules[0].host: found "", expected a host name'],
    [withRule({ host: "Example.com" }), 'rules[0].host: found "Example.com"'],
    [withRule({ host: "example.com:80" }), 'rules[0].host: found "example.com:80"'],
    [withRule({ host: "*.*.com" }), 'rules[0].host: found "*.*.com"'],
    [withRule({ host: 7 }), "rules[0].host: found 7"],
    [withRule({ path: undefined }), "rules[0].path: found nothing, expected an object"],
    [withRule({ path: { ...PATH, type: "prefix" } }), 'rules[0].path.type: found "prefix", expected one of'],
    [
      withRule({ path: { ...PATH, path: "a" } }),
      'rules[0].path.path: found "a", expected a path that starts',
    ],
    [
      withRule({ path: { type: "Regex", path: "/(" } }),
      'rules[0].path.path: found "/(", expected a regular expression: missing closing )',
    ],
    [withRule({ path: { type: "Exact" } }), "rules[0].path.path: found nothing"],
    [withRule({ backend: { ...BACKEND, type: "Pod" } }), 'rules[0].backend.type: found "Pod"'],
    [withRule({ backend: { ...BACKEND, name: "My_Service" } }), 'rules[0].backend.name: found "My_Service"'],
    [withRule({ backend: { ...BACKEND, name: "a\n" } }), 'rules[0].backend.name: found "a\\n"'],
    [withRule({ backend: { ...BACKEND, namespace: "a/b" } }), 'rules[0].backend.namespace: found "a/b"'],
    [
      withRule({ backend: { ...BACKEND, port: 0 } }),
      "rules[0].backend.port: found 0, expected a port number",
    ],
    [withRule({ backend: { ...BACKEND, port: 65536 } }), "rules[0].backend.port: found 65536"],
    [withRule({ backend: { ...BACKEND, port: "HTTP" } }), 'rules[0].backend.port: found "HTTP"'],
    [withRule({ tls: { key: "/k" } }), "rules[0].tls.cert: found nothing, expected the path of a file"],
    [withRule({ tls: { key: "", cert: "/c" } }), 'rules[0].tls.key: found ""'],
    [withRule({ host: undefined }), "rules[0].tls: found an object, expected no tls on a rule without host"],
    [withRule({ options: [] }), "rules[0].options: found a list, expected an object"],
    [
      withRule({ options: { backendProtocol: "https" } }),
      'rules[0].options.backendProtocol: found "https", expected one of',
    ],
    [withRule({ options: { backendProtocol: "FCGI" } }), 'rules[0].options.backendProtocol: found "FCGI"'],
    [
      withRule({ options: { backendServerName: "a b" } }),
      'rules[0].options.backendServerName: found "a b", expected a name',
    ],
    [withRule({ options: { backendServerName: "" } }), 'rules[0].options.backendServerName: found ""'],
    [withRule({ options: { backendVerify: "true" } }), 'rules[0].options.backendVerify: found "true"'],
    [
      withRule({ options: { canary: { backend: BACKEND, headerPattern: "(" } } }),
      'rules[0].options.canary.headerPattern: found "(", expected a regular expression',
    ],
    [
      withRule({ options: { externalAuth: { url: "https://auth.test/a b" } } }),
      'rules[0].options.externalAuth.url: found "https://auth.test/a b", expected a URL that begins',
    ],
    [withRule({ options: { backendVerify: 1 } }), "rules[0].options.backendVerify: found 1"],
    [{ rules: [], defaultBackend: {} }, "defaultBackend.type: found nothing"],
    [{ rules: [], certificates: [TLS] }, "certificates[0].host: found nothing"],
    [{ rules: [], certificates: [{ host: "*.*", ...TLS }] }, 'certificates[0].host: found "*.*"'],
    [{ rules: [], shards: 0 }, "shards: found 0, expected a whole number from 1 to 16"],
    [{ rules: [], shards: 17 }, "shards: found 17"],
  ];
  for (const [config, message] of cases) {
    assertThrows(() => parseProxyConfig(config), ShapeError, message);
  }
});

const NONE = { type: "Service", name: "unreadable", namespace: "unreadable", port: 1 };

const closed: [changes: Record<string, unknown>, message: string, left: Record<string, unknown>][] = [
  [
    { options: { allow: ["10.0.0.0/8"], balance: "ewma" } },
    'rules[1].options.balance: found "ewma", expected one of "least-requests", "round-robin"',
    {},
  ],
  [{ options: "all" }, 'rules[1].options: found "all", expected an object', {}],
  [{ backend: { type: "Bucket" } }, 'rules[1].backend.type: found "Bucket", expected one of "Service"', {
    backend: NONE,
  }],
  [{ tls: { key: "/k" } }, "rules[1].tls.cert: found nothing, expected the path of a file", {
    tls: undefined,
  }],
  [{ backend: 1, tls: 1, options: 1 }, "rules[1].backend: found 1, expected an object", {
    backend: NONE,
    tls: undefined,
  }],
  [
    { host: undefined },
    "rules[1].tls: found an object, expected no tls on a rule without host: certificates go by name",
    { host: undefined, tls: undefined },
  ],
];

for (const [changes, message, left] of closed) {
  Deno.test(`readProxyConfig() closes a rule alone: ${message}`, () => {
    const path = { type: "Exact", path: "/app" };
    const others = [{ ...RULE, host: "a.test" }, { ...RULE, host: "b.test" }];
    const { config, faults } = readProxyConfig({
      rules: [others[0], { ...RULE, path, ...changes }, others[1]],
    });
    const part = "host" in left ? "Exact /app" : "Exact example.com/app";
    assertEquals(faults.map(({ part, error }) => [part, error.message]), [[part, message]]);
    const expected = { ...RULE, path, ...left, options: { closed: message } };
    // without what is undefined
    assertEquals<unknown>(config, JSON.parse(JSON.stringify({ rules: [others[0], expected, others[1]] })));
    assertEquals(parseProxyConfig(config), config, "it is a good one by itself");
  });
}

Deno.test("readProxyConfig() closes the default backend alone", () => {
  for (
    const [defaults, message] of [
      [{ defaultBackend: {} }, "defaultBackend.type: found nothing, expected one of"],
      [{ defaultBackend: BACKEND, defaultOptions: { allow: "all" } }, 'defaultOptions.allow: found "all"'],
    ] as const
  ) {
    const { config, faults } = readProxyConfig({ rules: [RULE], ...defaults });
    assertEquals(faults.map(({ part, error }) => [part, error.message.startsWith(message)]), [
      ["the default backend", true],
    ]);
    assertEquals<unknown>(config, {
      rules: [RULE],
      defaultBackend: NONE,
      defaultOptions: { closed: faults[0]?.error.message },
    });
  }
});

Deno.test("readProxyConfig() tells of every rule with a fault, and of nothing in a good document", () => {
  const { faults } = readProxyConfig({ rules: [RULE, { ...RULE, tls: 1 }, RULE, { ...RULE, backend: 1 }] });
  assertEquals(faults.map(({ error }) => error.path), ["rules[1].tls", "rules[3].backend"]);
  assertEquals(readProxyConfig({ rules: [RULE] }), {
    config: parseProxyConfig({ rules: [RULE] }),
    faults: [],
  });
});

Deno.test("readProxyConfig() takes nothing where it cannot tell which requests to keep out", () => {
  const cases: [unknown, string][] = [
    [{ rules: {} }, "rules: found an object"],
    [{ rules: [RULE, "x"] }, 'rules[1]: found "x"'],
    [withRule({ host: "Example.com", options: 1 }), 'rules[0].host: found "Example.com"'],
    [withRule({ options: 1, path: { type: "Glob", path: "/" } }), 'rules[0].path.type: found "Glob"'],
    [withRule({ backend: 1, path: { type: "Regex", path: "/(" } }), 'rules[0].path.path: found "/("'],
    [{ rules: [RULE], certificates: [TLS] }, "certificates[0].host: found nothing"],
    [{ rules: [RULE], shards: 17 }, "shards: found 17"],
  ];
  for (const [config, message] of cases) assertThrows(() => readProxyConfig(config), ShapeError, message);
});

Deno.test("readProxyConfig() reads a long URL in proportion to its length, however it ends", () => {
  const url = `http://${"a".repeat(200_000)} `;
  const start = performance.now();
  const { faults } = readProxyConfig(withRule({ options: { externalAuth: { url } } }));
  assertEquals(faults.length, 1);
  assertLess(performance.now() - start, 1000);
});
