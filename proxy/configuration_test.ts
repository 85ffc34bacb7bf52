import { assert, assertEquals } from "@std/assert";
import { type CheckedKeyPair, type KeyPair, serviceKey } from "@pingress/config";
import { selfSigned, withChain } from "../tests/certificates.ts";
import { recordingLog, rule, TempDir } from "../tests/testing.ts";
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
  assertEquals(Object.keys(change!), ["config", "endpoints", "certificates"]);
  assertEquals(setup.addressesOf("/"), ["10.0.0.1:80"]);
  assertEquals(setup.text("a.test"), A);
  assertEquals(setup.pair("a.test")?.names, ["a.test"]);
  assertEquals([setup.pair("b.test"), setup.pair()], [undefined, undefined]);
  assertEquals(setup.record.lines, ["INFO  test: Configuration loaded rules=1 backends=1 certificates=1"]);
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
