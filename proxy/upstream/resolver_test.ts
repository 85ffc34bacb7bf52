import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ProxyError } from "../errors.ts";
import { Resolver } from "./resolver.ts";

/** A resolver whose look-ups and clock a test decides on. */
class Setup {
  /** The names that were looked up, in order. */
  readonly lookedUp: string[] = [];
  /** What the next look-ups find. */
  answer: () => Promise<string[]>;
  time = 0;
  readonly resolver = new Resolver({
    lookup: (hostname) => {
      this.lookedUp.push(hostname);
      return this.answer();
    },
    refreshInterval: 100,
    now: () => this.time,
  });

  constructor(...addresses: string[]) {
    this.answer = () => Promise.resolve(addresses);
  }

  /** What the resolver says of a name that it has no address of. */
  async failure(hostname: string): Promise<ProxyError> {
    return await assertRejects(async () => await this.resolver.resolve(hostname), ProxyError);
  }

  /** Resolves until the answer is another one. */
  async becomes(hostname: string, expected: string[]): Promise<void> {
    for (let turn = 0; turn < 10; turn++) {
      if ((await this.resolver.resolve(hostname)).join() === expected.join()) return;
    }
    assertEquals(await this.resolver.resolve(hostname), expected);
  }
}

Deno.test("Resolver.resolve() looks a name up once, however many ask", async () => {
  const setup = new Setup("10.0.0.1", "fd00::1");
  const answers = await Promise.all([1, 2, 3].map(() => setup.resolver.resolve("a.default")));
  for (const answer of answers) assertEquals(answer, ["10.0.0.1", "fd00::1"]);
  await setup.resolver.resolve("a.default");
  await setup.resolver.resolve("b.default");
  assertEquals(setup.lookedUp, ["a.default", "b.default"]);
});

Deno.test("Resolver.resolve() answers at once and looks up again in the background", async () => {
  const setup = new Setup("10.0.0.1");
  await setup.resolver.resolve("a");
  const { promise, resolve } = Promise.withResolvers<string[]>();
  setup.answer = () => promise;
  setup.time = 99;
  await setup.resolver.resolve("a");
  assertEquals(setup.lookedUp.length, 1);
  setup.time = 100;
  for (let turn = 0; turn < 3; turn++) assertEquals(await setup.resolver.resolve("a"), ["10.0.0.1"]);
  assertEquals(setup.lookedUp.length, 2);
  resolve(["10.0.0.2"]);
  await setup.becomes("a", ["10.0.0.2"]);
  setup.time = 199;
  await setup.resolver.resolve("a");
  assertEquals(setup.lookedUp.length, 2);
});

Deno.test("Resolver.resolve() keeps the last good answer while the resolver fails", async () => {
  const setup = new Setup("10.0.0.1");
  await setup.resolver.resolve("a");
  const failures: (() => Promise<string[]>)[] = [
    () => Promise.reject(new Error("SERVFAIL")),
    () => Promise.resolve([]),
  ];
  for (const failure of failures) {
    setup.answer = failure;
    setup.time += 100;
    for (let turn = 0; turn < 5; turn++) assertEquals(await setup.resolver.resolve("a"), ["10.0.0.1"]);
  }
  assertEquals(setup.lookedUp.length, 3);
  setup.answer = () => Promise.resolve(["10.0.0.3"]);
  setup.time += 100;
  await setup.becomes("a", ["10.0.0.3"]);
});

Deno.test("Resolver.resolve() says that a name has no address, and tries again", async () => {
  const setup = new Setup();
  const cases: [answer: () => Promise<string[]>, message: string][] = [
    [() => Promise.resolve([]), "a.default: the name has no address"],
    [() => Promise.reject(new Error("ENOTFOUND")), "a.default: ENOTFOUND"],
  ];
  for (const [answer, message] of cases) {
    setup.answer = answer;
    for (const error of await Promise.all([setup.failure("a.default"), setup.failure("a.default")])) {
      assertEquals([error.reason, error.message], ["upstream_unreachable", message]);
    }
    setup.time += 100;
  }
  assertEquals(setup.lookedUp.length, 2);
  setup.answer = () => Promise.resolve(["10.0.0.1"]);
  assertEquals(await setup.resolver.resolve("a.default"), ["10.0.0.1"]);
});

Deno.test("Resolver.resolve() asks again for a name without an address once a second, not for each request", async () => {
  let time = 0;
  let lookedUp = 0;
  const lookup = () => Promise.reject(new Error(`failure ${++lookedUp}`));
  const resolver = new Resolver({ lookup, now: () => time });
  const cases: [time: number, message: string][] = [
    [0, "a: failure 1"],
    [999, "a: failure 1"],
    [1000, "a: failure 2"],
    [1999, "a: failure 2"],
  ];
  for (const [at, message] of cases) {
    time = at;
    await assertRejects(async () => await resolver.resolve("a"), ProxyError, message);
  }
});

Deno.test("Resolver.resolve() answers with what other machines mean by it alone", async () => {
  const cases: [found: string[], usable: string[]][] = [
    [["127.0.0.1", "10.0.0.1"], ["10.0.0.1"]],
    [["10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:127.0.0.1"], ["10.0.0.1", "fd00::1"]],
  ];
  for (const [found, usable] of cases) assertEquals(await new Setup(...found).resolver.resolve("a"), usable);
});

for (
  const address of ["127.0.0.1", "127.255.0.9", "0.0.0.0", "169.254.169.254", "::1", "::", "fe80::1"].concat(
    ["fe80::1%eth0", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::FFFF:0:0"],
  )
) {
  Deno.test(`Resolver.resolve() refuses ${address}, and says what to do`, async () => {
    const error = await new Setup(address).failure("evil.test");
    assertEquals(error.reason, "upstream_unreachable");
    assert(error.message.startsWith(`evil.test: the name leads to ${address}, which is this machine`));
    assertStringIncludes(error.message, "--allow-local-upstreams");
  });

  Deno.test(`Resolver.resolve() answers with ${address} where that is allowed`, async () => {
    const resolver = new Resolver({ lookup: () => Promise.resolve([address]), allowsLocal: true });
    assertEquals(await resolver.resolve("a"), [address]);
  });
}

Deno.test("Resolver.resolve() keeps the last good answer when a name leads to this machine later", async () => {
  const setup = new Setup("10.0.0.1");
  await setup.resolver.resolve("a");
  setup.answer = () => Promise.resolve(["127.0.0.1"]);
  setup.time = 100;
  for (let turn = 0; turn < 5; turn++) assertEquals(await setup.resolver.resolve("a"), ["10.0.0.1"]);
  assertEquals(setup.lookedUp.length, 2);
});

Deno.test("Resolver.resolve() forgets the oldest of very many names", async () => {
  const setup = new Setup("10.0.0.1");
  for (let name = 0; name < 10_001; name++) await setup.resolver.resolve(`${name}`);
  setup.lookedUp.length = 0;
  await setup.resolver.resolve("10000");
  await setup.resolver.resolve("1");
  await setup.resolver.resolve("0");
  assertEquals(setup.lookedUp, ["0"]);
});

Deno.test("Resolver.resolve() asks the system unless told", async () => {
  const addresses = await new Resolver({ allowsLocal: true }).resolve("localhost");
  assert(addresses.some((address) => ["127.0.0.1", "::1"].includes(address)), addresses.join());
});
