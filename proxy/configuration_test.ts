import { assert, assertEquals } from "@std/assert";
import { type CheckedKeyPair, type KeyPair, serviceKey, shardFile } from "@pingress/config";
import { selfSigned, withChain } from "../tests/certificates.ts";
import { rule } from "../tests/test_proxy.ts";
import { recordingLog, TempDir } from "../tests/testing.ts";
import { type Configuration, ConfigurationLoader } from "./configuration.ts";

const A = await selfSigned(["a.test"]);
const B = await selfSigned(["a.test"]);

/** A loader before a directory with a good configuration, one certificate and one address. */
class Setup implements AsyncDisposable {
  readonly dir: TempDir;
  readonly record = recordingLog();
  readonly loader: ConfigurationLoader;

  constructor(dir: TempDir, options: { hasDefault?: boolean } = {}) {
    this.dir = dir;
    const defaultTls = { cert: `${dir.path}/default.cert`, key: `${dir.path}/default.key` };
    this.loader = new ConfigurationLoader({
      configFile: `${dir.path}/proxy.json`,
      log: this.record.log,
      ...options.hasDefault && { defaultTls },
    });
  }

  static async make(options: { hasDefault?: boolean } = {}): Promise<Setup> {
    const setup = new Setup(await TempDir.make(), options);
    await setup.writeRule("/");
    await setup.writePair("a", A);
    if (options.hasDefault) await setup.writePair("default", B);
    await setup.dir.write("endpoints.json", '{"default/one:80":["10.0.0.1:80"]}');
    return setup;
  }

  async writeRule(path: string): Promise<void> {
    const tls = { cert: `${this.dir.path}/a.cert`, key: `${this.dir.path}/a.key` };
    await this.dir.write("proxy.json", JSON.stringify({ rules: [rule("a.test", path, "one", { tls })] }));
  }

  async writePair(name: string, { cert, key }: KeyPair): Promise<void> {
    await this.dir.write(`${name}.cert`, cert);
    await this.dir.write(`${name}.key`, key);
  }

  /** The addresses of the rule with a path, or nothing. */
  addressesOf(path: string): string[] | undefined {
    const { config, endpoints } = this.loader.configuration!;
    const rule = config.rules.find((rule) => rule.path.path === path);
    return rule && endpoints[serviceKey(rule.backend)];
  }

  /** The pair of a host, or the one for every other name. */
  pair(host?: string): CheckedKeyPair | undefined {
    const { byHost, fallback } = this.loader.configuration!.certificates;
    return host === undefined ? fallback : byHost.get(host);
  }

  /** What is told of a pair. */
  text(host?: string): KeyPair | undefined {
    const pair = this.pair(host);
    return pair && { cert: pair.cert, key: pair.key };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dir[Symbol.asyncDispose]();
  }
}

Deno.test("ConfigurationLoader loads routes, endpoints and certificates", async () => {
  await using setup = await Setup.make();
  assertEquals(setup.loader.configuration, undefined);
  const change = await setup.loader.load();
  assert(change === setup.loader.configuration);
  assertEquals(Object.keys(change!), ["config", "endpoints", "certificates", "files"]);
  assertEquals(setup.addressesOf("/"), ["10.0.0.1:80"]);
  assertEquals(setup.text("a.test"), A);
  assertEquals(setup.pair("a.test")?.names, ["a.test"]);
  assertEquals([setup.pair("b.test"), setup.pair()], [undefined, undefined]);
  assertEquals(setup.record.lines, ["INFO  test: Configuration loaded rules=1 backends=1 certificates=1"]);
});

Deno.test("ConfigurationLoader takes the certificate of all other names from the configuration, unless told", async () => {
  for (const hasDefault of [false, true]) {
    await using setup = await Setup.make({ hasDefault });
    const certificates = [{ host: "*", cert: `${setup.dir.path}/a.cert`, key: `${setup.dir.path}/a.key` }];
    await setup.dir.write("proxy.json", JSON.stringify({ rules: [], certificates }));
    await setup.loader.load();
    assertEquals(setup.text(), hasDefault ? B : A);
    assertEquals(setup.loader.configuration?.certificates.byHost.size, 0);
    await setup.dir.write("a.key", "none");
    await setup.loader.load();
    assertEquals(setup.text(), hasDefault ? B : A, "the last good one stays");
    await setup.dir.write("proxy.json", '{"rules":[]}');
    await setup.loader.load();
    assertEquals(setup.text(), hasDefault ? B : undefined);
  }
});

Deno.test("ConfigurationLoader keeps its configuration when nothing has changed", async () => {
  await using setup = await Setup.make();
  await setup.loader.load();
  const { configuration } = setup.loader;
  await setup.writeRule("/");
  assertEquals(await setup.loader.load(), undefined);
  assert(setup.loader.configuration === configuration);
  assertEquals(setup.record.lines.length, 1);
});

Deno.test("ConfigurationLoader replaces its configuration as a whole when a file has changed", async () => {
  await using setup = await Setup.make();
  await setup.loader.load();
  const before = setup.loader.configuration!;
  await setup.writeRule("/new");
  assert(await setup.loader.load());
  assertEquals(setup.addressesOf("/"), undefined);
  assertEquals(setup.addressesOf("/new"), ["10.0.0.1:80"]);
  assertEquals(before.config.rules.map(({ path }) => path.path), ["/"]);
  assert(setup.loader.configuration !== before);
});

Deno.test("ConfigurationLoader.load() says what has changed and nothing else", async () => {
  const cases: [string, (setup: Setup) => Promise<unknown>, changed: (keyof Configuration)[]][] = [
    ["routes", (setup) => setup.writeRule("/new"), ["config"]],
    ["endpoints", ({ dir }) => dir.write("endpoints.json", "{}"), ["endpoints"]],
    ["a certificate", (setup) => setup.writePair("a", B), ["certificates"]],
    ["the default certificate", (setup) => setup.writePair("default", A), ["certificates"]],
    ["a host less", ({ dir }) => dir.write("proxy.json", '{"rules":[]}'), ["config", "certificates"]],
    ["white space", ({ dir }) => dir.write("endpoints.json", '{"default/one:80": ["10.0.0.1:80"]}'), [
      "endpoints",
    ]],
    ["a broken file", ({ dir }) => dir.write("proxy.json", "{"), []],
    ["a broken pair", ({ dir }) => dir.write("a.key", B.key), []],
  ];
  for (const [what, spoil, changed] of cases) {
    await using setup = await Setup.make({ hasDefault: true });
    await setup.loader.load();
    const before = setup.loader.configuration!;
    await spoil(setup);
    const change = await setup.loader.load();
    assertEquals(Object.keys(change ?? {}), changed, what);
    const now = setup.loader.configuration!;
    for (const part of ["config", "endpoints", "certificates"] as const) {
      const hasChanged = changed.includes(part);
      if (hasChanged) assert(change?.[part] === now[part] && now[part] !== before[part], `${what}: ${part}`);
      else if (changed.length === 0) assert(now[part] === before[part], `${what}: ${part}`);
    }
  }
});

Deno.test("ConfigurationLoader keeps the same pair object while its content is the same", async () => {
  await using setup = await Setup.make();
  await setup.loader.load();
  const pair = setup.pair("a.test");
  await setup.writeRule("/new");
  await setup.writePair("a", A);
  await setup.loader.load();
  assert(setup.pair("a.test") === pair);
  await setup.writePair("a", B);
  await setup.loader.load();
  assertEquals(setup.text("a.test"), B);
});

Deno.test("ConfigurationLoader gives hosts with the same content one pair object", async () => {
  await using setup = await Setup.make();
  const tls = { cert: `${setup.dir.path}/a.cert`, key: `${setup.dir.path}/a.key` };
  const copied = { cert: `${setup.dir.path}/copy.cert`, key: `${setup.dir.path}/copy.key` };
  await setup.writePair("copy", A);
  await setup.dir.write(
    "proxy.json",
    JSON.stringify({
      rules: [rule("a.test", "/", "one", { tls })],
      certificates: [{ host: "*.a.test", ...copied }],
    }),
  );
  await setup.loader.load();
  assertEquals(setup.text("*.a.test"), A);
  assert(setup.pair("*.a.test") === setup.pair("a.test"));
});

Deno.test("ConfigurationLoader keeps the last good of what is wrong now, says so once, and recovers", async () => {
  const chain = await withChain(["a.test"]);
  const broken = chain.cert.replace(/(?<=END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n).*/, "!!!!");
  const cases: [what: string, spoil: (setup: Setup) => Promise<unknown>, message: string][] = [
    [
      "broken routes",
      (setup) => setup.dir.write("proxy.json", '{"rules":['),
      "proxy.json: the last good one",
    ],
    [
      "wrong routes",
      (setup) => setup.dir.write("proxy.json", '{"rules":1}'),
      'error="rules: found 1, expected',
    ],
    ["missing routes", ({ dir }) => Deno.remove(`${dir.path}/proxy.json`), "proxy.json: the last good one"],
    ["broken endpoints", ({ dir }) => dir.write("endpoints.json", "{"), "endpoints.json: the last good one"],
    [
      "wrong endpoints",
      ({ dir }) => dir.write("endpoints.json", '{"a":1}'),
      'error="a: found 1, expected a list"',
    ],
    [
      "missing endpoints",
      ({ dir }) => Deno.remove(`${dir.path}/endpoints.json`),
      "endpoints.json: the last good",
    ],
    [
      "another key",
      ({ dir }) => dir.write("a.key", B.key),
      "the certificate of a.test: the last good one stays",
    ],
    [
      "missing key",
      ({ dir }) => Deno.remove(`${dir.path}/a.key`),
      "the certificate of a.test: the last good",
    ],
    [
      "missing certificate",
      ({ dir }) => Deno.remove(`${dir.path}/a.cert`),
      "the certificate of a.test: the last",
    ],
    ["garbage", ({ dir }) => dir.write("a.cert", "garbage"), "The certificate is not PEM"],
    [
      "broken chain",
      (setup) => setup.writePair("a", { ...chain, cert: broken }),
      "Certificate 2 of 2 cannot be",
    ],
  ];
  for (const [what, spoil, message] of cases) {
    await using setup = await Setup.make();
    await setup.loader.load();
    const pair = setup.pair("a.test");
    await spoil(setup);
    for (let reload = 0; reload < 2; reload++) {
      await setup.loader.load();
      assertEquals(setup.addressesOf("/"), ["10.0.0.1:80"], what);
      assert(setup.pair("a.test") === pair, what);
    }
    const errors = setup.record.lines.filter((line) => line.startsWith("ERROR"));
    assertEquals([errors.length, errors[0]?.includes(message)], [1, true], `${what}: ${errors}`);

    await setup.writeRule("/good");
    await setup.writePair("a", B);
    await setup.dir.write("endpoints.json", '{"default/one:80":["10.0.0.2:80"]}');
    assert(await setup.loader.load(), what);
    assertEquals([setup.addressesOf("/good"), setup.text("a.test")], [["10.0.0.2:80"], B], what);
    assert(setup.record.lines.some((line) => line.includes("Good again: ")), what);
  }
});

Deno.test("ConfigurationLoader lets one bad certificate touch nothing else", async () => {
  await using setup = await Setup.make();
  const files = (name: string) => ({
    tls: { cert: `${setup.dir.path}/${name}.cert`, key: `${setup.dir.path}/${name}.key` },
  });
  const rules = [rule("bad.test", "/", "one", files("bad")), rule("a.test", "/", "one", files("a"))];
  await setup.dir.write("proxy.json", JSON.stringify({ rules }));
  await setup.writePair("bad", { cert: A.cert, key: B.key });
  assert(await setup.loader.load());
  assertEquals([setup.text("bad.test"), setup.text("a.test")], [undefined, A]);
  assertEquals(setup.addressesOf("/"), ["10.0.0.1:80"]);
  const [fault] = setup.record.lines;
  assert(fault?.includes("Cannot load the certificate of bad.test: it is left out"), fault);
});

Deno.test("ConfigurationLoader closes a rule that it cannot use, says so once, and serves all others", async () => {
  await using setup = await Setup.make();
  const write = async (allow: unknown, path: string) => {
    const rules = [rule("a.test", path, "one"), rule("b.test", "/admin", "one", { options: { allow } })];
    await setup.dir.write("proxy.json", JSON.stringify({ rules }));
    await setup.loader.load();
  };
  const options = () => setup.loader.configuration?.config.rules[1]?.options;
  const message = 'rules[1].options.allow[0]: found "everybody", expected an IP address or a CIDR block';
  await write(["everybody"], "/");
  assertEquals(options(), { closed: message });
  await setup.loader.load();
  assertEquals(setup.loader.failures, 2);
  await write(["everybody"], "/new");
  assertEquals([setup.addressesOf("/new"), options()], [["10.0.0.1:80"], { closed: message }]);
  await write(["10.0.0.0/8"], "/new");
  assertEquals(options(), { allow: ["10.0.0.0/8"] });
  const part = "Prefix b.test/admin";
  const where = `rules[1].options.allow[0] of ${setup.dir.path}/proxy.json (${part})`;
  const reason = 'found "everybody", expected an IP address or a CIDR block';
  assertEquals(setup.record.lines.filter((line) => !line.includes("Configuration loaded")), [
    `ERROR test: Cannot use ${where}: its requests get 503 error=${JSON.stringify(reason)}`,
    `INFO  test: Good again: ${part}`,
  ]);
  assertEquals(setup.loader.failures, 3);
});

Deno.test("ConfigurationLoader does not say of a rule that moved that it is another one", async () => {
  await using setup = await Setup.make();
  const bad = rule("b.test", "/", "one", { options: { balance: "ewma" } });
  for (const others of [[], ["a.test"], ["a.test", "b.a.test"]]) {
    const rules = [...others.map((host) => rule(host, "/", "one")), bad];
    await setup.dir.write("proxy.json", JSON.stringify({ rules }));
    await setup.loader.load();
  }
  assertEquals(setup.record.lines.filter((line) => !line.includes("Configuration loaded")).length, 1);
  assertEquals(setup.loader.failures, 3);
});

Deno.test("ConfigurationLoader tells in which file of a set a rule is that it cannot use", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "new" });
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "new" });
  const rules = [rule("b.test", "/", "new-1", { backend: {} })];
  await setup.dir.write("proxy.1.json", JSON.stringify({ rules, shards: 2 }));
  await setup.loader.load();
  assertEquals(setup.loader.configuration?.config.rules.map(({ options }) => options?.closed), [
    undefined,
    'rules[0].backend.type: found nothing, expected one of "Service"',
  ]);
  await setup.record.has(
    `Cannot use rules[0].backend.type of ${setup.dir.path}/proxy.1.json (Prefix b.test/)`,
  );
});

Deno.test("ConfigurationLoader forgets the certificate of a host that has none any more", async () => {
  await using setup = await Setup.make();
  await setup.loader.load();
  await setup.dir.write("proxy.json", JSON.stringify({ rules: [rule("a.test", "/", "one")] }));
  await setup.loader.load();
  assertEquals(setup.pair("a.test"), undefined);
});

Deno.test("ConfigurationLoader has a certificate for every other name, if told", async () => {
  await using setup = await Setup.make({ hasDefault: true });
  await setup.loader.load();
  assertEquals([setup.text("a.test"), setup.text("b.test"), setup.text()], [A, undefined, B]);
  await setup.dir.write("default.key", "garbage");
  await setup.loader.load();
  assertEquals(setup.text(), B);
});

Deno.test("ConfigurationLoader knows no endpoints where there is no endpoints.json", async () => {
  await using setup = await Setup.make();
  await Deno.remove(`${setup.dir.path}/endpoints.json`);
  await setup.loader.load();
  assertEquals(setup.loader.configuration?.endpoints, {});
  assertEquals(setup.record.lines.filter((line) => line.startsWith("ERROR")), []);
});

Deno.test("ConfigurationLoader has no configuration before a first good endpoints.json, if there is any", async () => {
  await using setup = await Setup.make();
  await setup.dir.write("endpoints.json", "{");
  assertEquals([await setup.loader.load(), setup.loader.configuration], [undefined, undefined]);
  await setup.dir.write("endpoints.json", '{"default/one:80":["10.0.0.2:80"]}');
  assert(await setup.loader.load());
  assertEquals(setup.addressesOf("/"), ["10.0.0.2:80"]);
});

Deno.test("ConfigurationLoader has no configuration before the first good one", async () => {
  await using setup = await Setup.make();
  await setup.dir.write("proxy.json", "{");
  assertEquals([await setup.loader.load(), setup.loader.configuration], [undefined, undefined]);
  await setup.writeRule("/");
  assert(await setup.loader.load());
  assertEquals(setup.addressesOf("/"), ["10.0.0.1:80"]);
});

/** Writes one of `shards` files of routes with a rule for each host, all of them to the backend of a version. */
async function writeShard(
  { dir }: Setup,
  { shard, shards, hosts, version }: { shard: number; shards: number; hosts: string[]; version: string },
): Promise<void> {
  const rules = hosts.map((host) => rule(host, "/", version));
  const config = shards === 1 ? { rules } : { rules, shards };
  await dir.write(shardFile("proxy.json", shard), JSON.stringify(config));
  const endpoints = { [`default/${version}-${shard}:80`]: [`10.0.0.${shard + 1}:80`] };
  await dir.write(shardFile("endpoints.json", shard), JSON.stringify(endpoints));
}

/** What is loaded: the hosts with the version of their backend, and the backends that have endpoints. */
function loaded({ loader }: Setup): [hosts: string, backends: string] {
  const { config, endpoints } = loader.configuration!;
  return [
    config.rules.map(({ host, backend }) => `${host}=${backend.name}`).join(" "),
    Object.keys(endpoints).map((key) => key.slice("default/".length, -":80".length)).join(" "),
  ];
}

Deno.test("ConfigurationLoader takes the files of one set together, each in its order", async () => {
  await using setup = await Setup.make();
  const tls = { cert: `${setup.dir.path}/a.cert`, key: `${setup.dir.path}/a.key` };
  const backend = { type: "Service", name: "rest", namespace: "default", port: 80 } as const;
  await setup.dir.write(
    "proxy.json",
    JSON.stringify({
      shards: 2,
      rules: [rule("a.test", "/", "first"), rule("a.test", "/", "second")],
      defaultBackend: backend,
    }),
  );
  await setup.dir.write(
    "proxy.1.json",
    JSON.stringify({
      shards: 2,
      rules: [rule("b.test", "/", "one", { tls })],
      certificates: [{ host: "c.test", ...tls }],
    }),
  );
  await setup.dir.write("endpoints.1.json", '{"default/two:80":["10.0.0.2:80"]}');
  await setup.loader.load();
  const { config, endpoints } = setup.loader.configuration!;
  assertEquals(loaded(setup)[0], "a.test=first a.test=second b.test=one");
  assertEquals(config.defaultBackend, backend);
  assertEquals(endpoints, { "default/one:80": ["10.0.0.1:80"], "default/two:80": ["10.0.0.2:80"] });
  assertEquals([setup.text("b.test"), setup.text("c.test")], [A, A]);
  assertEquals(setup.record.lines, ["INFO  test: Configuration loaded rules=3 backends=2 certificates=2"]);
  assertEquals(await setup.loader.load(), undefined);
});

Deno.test("ConfigurationLoader replaces only what a changed file of a set says", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "old" });
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "old" });
  await setup.loader.load();
  await setup.dir.write("endpoints.1.json", '{"default/old-1:80":["10.0.0.9:80"]}');
  assertEquals(Object.keys(await setup.loader.load() ?? {}), ["endpoints"]);
  assertEquals(setup.loader.configuration?.endpoints["default/old-1:80"], ["10.0.0.9:80"]);
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "new" });
  await setup.loader.load();
  assertEquals(loaded(setup), ["a.test=old b.test=new", "old-0 new-1"]);
});

for (
  const [what, before, after] of [
    ["grows from one", [["a.test", "b.test"]], [["a.test"], ["b.test"]]],
    ["grows", [["a.test", "c.test"], ["b.test", "d.test"]], [["a.test"], ["b.test"], ["c.test"], ["d.test"]]],
    ["shrinks", [["a.test"], ["b.test"], ["c.test"], ["d.test"]], [["a.test", "c.test"], [
      "b.test",
      "d.test",
    ]]],
    ["shrinks to one", [["a.test"], ["b.test"]], [["a.test", "b.test"]]],
  ] as const
) {
  Deno.test(`ConfigurationLoader takes nothing of a set that ${what} before all of it is there`, async () => {
    await using setup = await Setup.make();
    const write = async (hosts: readonly (readonly string[])[], version: string, order: number[]) => {
      for (const shard of order) {
        await writeShard(setup, { shard, shards: hosts.length, hosts: [...hosts[shard]!], version });
      }
    };
    const endpoints = (hosts: readonly unknown[], version: string) =>
      hosts.map((_, shard) => `${version}-${shard}`).join(" ");
    // they may be seen in any order
    for (const isReversed of [false, true]) {
      const inOrder = (hosts: readonly unknown[]) =>
        isReversed ? [...hosts.keys()].reverse() : [...hosts.keys()];
      await write(before, "old", inOrder(before));
      await setup.loader.load();
      const old = [before.flat().map((host) => `${host}=old`).join(" "), endpoints(before, "old")];
      assertEquals(loaded(setup), old);
      const order = inOrder(after);
      const last = order.pop()!;
      for (const shard of order) {
        await write(after, "new", [shard]);
        assertEquals(await setup.loader.load(), undefined);
        assertEquals(loaded(setup), old);
      }
      await write(after, "new", [last]);
      await setup.loader.load();
      const [hosts, backends] = loaded(setup);
      assertEquals(hosts, after.flat().map((host) => `${host}=new`).join(" "));
      assertEquals(backends, endpoints(after, "new"));
      for (let shard = after.length; shard < before.length; shard++) {
        for (const name of ["proxy.json", "endpoints.json"]) {
          await Deno.remove(`${setup.dir.path}/${shardFile(name, shard)}`);
        }
      }
      assertEquals(await setup.loader.load(), undefined);
    }
    assertEquals(setup.record.lines.filter((line) => !/^(INFO|DEBUG)/.test(line)), []);
    assertEquals(setup.loader.failures, 0);
  });
}

Deno.test("ConfigurationLoader has no configuration before a first set is complete", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "new" });
  assertEquals([await setup.loader.load(), setup.loader.configuration], [undefined, undefined]);
  assertEquals(setup.record.lines, [
    `DEBUG test: Waiting for the rest of the configuration file=${setup.dir.path}/proxy.1.json shards=2`,
  ]);
  await writeShard(setup, { shard: 1, shards: 4, hosts: ["b.test"], version: "old" });
  assertEquals([await setup.loader.load(), setup.loader.configuration], [undefined, undefined]);
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "new" });
  assert(await setup.loader.load());
  assertEquals(loaded(setup), ["a.test=new b.test=new", "new-0 new-1"]);
});

Deno.test("ConfigurationLoader keeps the last set while a file of it is missing, and completes it later", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "old" });
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "old" });
  await setup.loader.load();
  await Deno.remove(`${setup.dir.path}/proxy.1.json`);
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "new" });
  assertEquals(await setup.loader.load(), undefined);
  assertEquals(loaded(setup), ["a.test=old b.test=old", "old-0 old-1"]);
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "new" });
  await setup.loader.load();
  assertEquals(loaded(setup), ["a.test=new b.test=new", "new-0 new-1"]);
});

Deno.test("ConfigurationLoader replaces certificates while a set is incomplete", async () => {
  await using setup = await Setup.make();
  await setup.loader.load();
  await setup.dir.write("proxy.json", '{"rules":[],"shards":2}');
  await setup.writePair("a", B);
  assertEquals(Object.keys(await setup.loader.load() ?? {}), ["certificates"]);
  assertEquals(setup.text("a.test"), B);
});

Deno.test("ConfigurationLoader keeps the last good of one broken file of a set, and takes the others", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "old" });
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "old" });
  await setup.loader.load();
  await setup.dir.write("proxy.1.json", "{");
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "new" });
  await setup.loader.load();
  assertEquals(loaded(setup)[0], "a.test=new b.test=old");
  await setup.record.has("Cannot load " + `${setup.dir.path}/proxy.1.json: the last good one stays`);
  await setup.dir.write("proxy.1.json", '{"rules":[],"shards":2}');
  await setup.loader.load();
  await setup.record.has("Good again: ");
  assertEquals(loaded(setup)[0], "a.test=new");
});

Deno.test("ConfigurationLoader takes nothing of an earlier set for a file that is broken now", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "old" });
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "old" });
  await setup.loader.load();
  await writeShard(setup, { shard: 0, shards: 1, hosts: ["a.test"], version: "alone" });
  await setup.loader.load();
  await setup.dir.write("proxy.1.json", "{");
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "new" });
  assertEquals(await setup.loader.load(), undefined);
  assertEquals(loaded(setup), ["a.test=alone", "alone-0"]);
});

Deno.test("ConfigurationLoader takes no set whose endpoints it cannot read", async () => {
  await using setup = await Setup.make();
  await writeShard(setup, { shard: 0, shards: 1, hosts: ["a.test"], version: "old" });
  await setup.loader.load();
  await writeShard(setup, { shard: 1, shards: 2, hosts: ["b.test"], version: "new" });
  await setup.dir.write("endpoints.1.json", "{");
  await writeShard(setup, { shard: 0, shards: 2, hosts: ["a.test"], version: "new" });
  assertEquals(await setup.loader.load(), undefined);
  assertEquals(loaded(setup), ["a.test=old", "old-0"]);
  await setup.dir.write("endpoints.1.json", "{}");
  await setup.loader.load();
  assertEquals(loaded(setup), ["a.test=new b.test=new", "new-0"]);
});

Deno.test("ConfigurationLoader.failures counts what could not be loaded, each time", async () => {
  await using setup = await Setup.make();
  await setup.loader.load();
  assertEquals(setup.loader.failures, 0);
  await setup.dir.write("proxy.json", "{");
  await setup.dir.write("a.key", "garbage");
  for (const count of [2, 4]) {
    await setup.loader.load();
    assertEquals(setup.loader.failures, count);
  }
  await setup.writeRule("/");
  await setup.writePair("a", A);
  await setup.loader.load();
  assertEquals(setup.loader.failures, 4);
});

Deno.test("ConfigurationLoader's configuration can be handed to another thread", async () => {
  await using setup = await Setup.make({ hasDefault: true });
  await setup.loader.load();
  assertEquals(structuredClone(setup.loader.configuration), setup.loader.configuration);
});

Deno.test("ConfigurationLoader waits without complaint for a first configuration", async () => {
  await using setup = await Setup.make();
  await Deno.remove(`${setup.dir.path}/proxy.json`);
  await setup.loader.load();
  assertEquals(setup.record.lines, []);
});

Deno.test("ConfigurationLoader logs nothing of a key", async () => {
  await using setup = await Setup.make();
  await setup.writePair("a", { cert: A.cert, key: B.key.replace("\n", "\nx") });
  await setup.loader.load();
  const secret = B.key.split("\n")[1]!;
  assertEquals(setup.record.lines.some((line) => line.includes(secret)), false);
  assert(setup.record.lines.some((line) => line.startsWith("ERROR")));
});

Deno.test("ConfigurationLoader reads the files that options name, and keeps a pair together", async () => {
  await using setup = await Setup.make();
  const { path } = setup.dir;
  const options = {
    backendProtocol: "HTTPS",
    backendTrust: `${path}/b.ca`,
    backendIdentity: { cert: `${path}/b.cert`, key: `${path}/b.key` },
  };
  const rules = [rule("a.test", "/", "one", { options }), rule("a.test", "/more", "one", { options })];
  await setup.dir.write("proxy.json", JSON.stringify({ rules }));
  const texts = () =>
    ["ca", "cert", "key"].map((ending) => setup.loader.configuration?.files.get(`${path}/b.${ending}`));
  await setup.loader.load();
  assertEquals(texts(), [undefined, undefined, undefined]);

  await setup.dir.write("b.ca", A.cert);
  await setup.writePair("b", B);
  assertEquals(Object.keys(await setup.loader.load() ?? {}), ["files"]);
  assertEquals(texts(), [A.cert, B.cert, B.key]);
  assertEquals(await setup.loader.load(), undefined);

  await setup.dir.write("b.ca", "no certificate");
  await setup.dir.write("b.key", A.key);
  assertEquals(await setup.loader.load(), undefined, "what is wrong changes nothing");
  await setup.dir.write("b.cert", A.cert);
  assertEquals(Object.keys(await setup.loader.load() ?? {}), ["files"]);
  assertEquals(texts(), [A.cert, A.cert, A.key]);
  await Deno.remove(`${path}/b.ca`);
  await setup.loader.load();
  assertEquals(texts(), [A.cert, A.cert, A.key], "what is gone stays as it was");
});
