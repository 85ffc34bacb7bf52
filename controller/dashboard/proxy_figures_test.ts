import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Address, serveAdmin } from "@pingress/config";
import { within } from "../../tests/testing.ts";
import { type KnownProxy, ProxyFigures, type ProxyFinder } from "./proxy_figures.ts";

/** An admin port whose answers a test changes. */
class FakeProxy implements AsyncDisposable {
  metrics = "";
  isReady = true;
  asked = 0;
  /** Awaited before metrics are told. */
  before: Promise<void> = Promise.resolve();
  readonly #server = serveAdmin({ hostname: "127.0.0.1", port: 0 }, {
    isReady: () => this.isReady,
    metrics: async () => {
      this.asked++;
      await this.before;
      return this.metrics;
    },
  });

  get admin(): Address {
    return this.#server.addr;
  }

  serve(requests: number, more = ""): void {
    this.metrics = `pingress_requests_total{code="200"} ${requests}\n${more}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

class FakeFinder implements ProxyFinder {
  readonly #proxies: readonly KnownProxy[];
  failure: Error | undefined;
  closed = 0;

  constructor(proxies: readonly KnownProxy[]) {
    this.#proxies = proxies;
  }

  find(): Promise<readonly KnownProxy[]> {
    return this.failure === undefined ? Promise.resolve(this.#proxies) : Promise.reject(this.failure);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

/** Asks so many times, as fast as it can. */
async function scraped(figures: ProxyFigures, times: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  figures.start(() => --times <= 0 && resolve());
  await within(promise, "the proxies' figures");
  await figures.stop();
}

Deno.test("ProxyFigures tells what proxies say of themselves", async () => {
  await using proxy = new FakeProxy();
  proxy.serve(
    1,
    `pingress_config_info{revision="abc"} 1
pingress_workers 2
pingress_connections 3
pingress_upstream_endpoint_passed_over{address="10.0.0.1:80"} 2
pingress_upstream_passed_over_endpoints 1
pingress_reloads_total 4
pingress_reload_failures_total 5
`,
  );
  const finder = new FakeFinder([{ name: "one", node: "node1", admin: proxy.admin }, { name: "two" }]);
  const figures = new ProxyFigures({ finder });
  await figures.refresh();
  assertEquals(figures.proxies, [{
    name: "one",
    node: "node1",
    address: `127.0.0.1:${proxy.admin.port}`,
    isReady: true,
    revision: "abc",
    workers: 2,
    connections: 3,
    passedOver: 1,
    reloads: 4,
    reloadFailures: 5,
  }, { name: "two", address: "", isReady: false, failure: "It has no address yet" }]);
  assert(figures.scrapedAt !== undefined);
  assertEquals([figures.traffic, figures.history], [undefined, []]);
});

Deno.test("ProxyFigures tells rates from the second time on, and a history", async () => {
  await using one = new FakeProxy();
  await using two = new FakeProxy();
  const finder = new FakeFinder([{ name: "one", admin: one.admin }, { name: "two", admin: two.admin }]);
  const figures = new ProxyFigures({ finder, interval: 20 });
  one.serve(5);
  two.serve(0, 'pingress_requests_total{code="502"} 0\n');
  await scraped(figures, 1);
  one.serve(6);
  two.serve(0, 'pingress_requests_total{code="502"} 3\n');
  const { promise, resolve } = Promise.withResolvers<void>();
  figures.start(() => figures.traffic !== undefined && resolve());
  await within(promise, "rates");
  await figures.stop();
  const [traffic] = figures.history;
  assert((traffic?.rate ?? 0) > 0);
  assertEquals(traffic?.errorShare, 0.75);
  assert(figures.proxies.every(({ traffic }) => traffic !== undefined));
});

Deno.test("ProxyFigures says why nothing is known of a proxy, and goes on with the others", async () => {
  await using good = new FakeProxy();
  good.isReady = false;
  await using large = new FakeProxy();
  large.metrics = "# x\n".repeat(5 * 1024 * 1024);
  const nobody = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  nobody.close();
  const finder = new FakeFinder([
    { name: "large", admin: large.admin },
    { name: "nobody", admin: { hostname: "127.0.0.1", port: nobody.addr.port } },
    { name: "good", admin: good.admin },
  ]);
  // however long a busy machine takes to read so much
  const figures = new ProxyFigures({ finder, timeout: 60_000 });
  await figures.refresh();
  assertEquals(figures.proxies.map(({ name, isReady }) => [name, isReady]), [
    ["large", false],
    ["nobody", false],
    ["good", false],
  ]);
  const failures = figures.proxies.map(({ failure }) => failure);
  assertEquals(failures[0], "Its metrics are larger than 16 MiB");
  assertMatch(failures[1] ?? "", /refused/);
  assertEquals(failures[2], undefined);
});

/** What a proxy says that passes over some endpoints. */
function passingOver(...addresses: string[]): string {
  const lines = addresses.map((address) =>
    `pingress_upstream_endpoint_passed_over{address="${address}"} 1\n`
  );
  return `${lines.join("")}pingress_upstream_passed_over_endpoints ${addresses.length}\n`;
}

Deno.test("ProxyFigures.health is what those proxies say of endpoints that answer", async () => {
  await using one = new FakeProxy();
  await using two = new FakeProxy();
  await using old = new FakeProxy();
  one.serve(1, passingOver("10.0.0.1:80", "10.0.0.2:80"));
  two.serve(1, passingOver("10.0.0.1:80"));
  old.serve(1);
  const finder = new FakeFinder([
    { name: "one", admin: one.admin },
    { name: "two", admin: two.admin },
    { name: "old", admin: old.admin },
    { name: "nowhere" },
  ]);
  const figures = new ProxyFigures({ finder });
  const addresses = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"];
  const known =
    () => [figures.health.proxies, ...addresses.map((address) => figures.health.passedOverBy(address))];
  assertEquals(known(), [0, undefined, undefined, undefined]);
  await figures.refresh();
  assertEquals(known(), [2, 2, 1, 0]);
});

Deno.test("ProxyFigures.health is nothing when the proxies were asked long ago", async () => {
  await using proxy = new FakeProxy();
  proxy.serve(1, passingOver("10.0.0.1:80"));
  const finder = new FakeFinder([{ name: "one", admin: proxy.admin }]);
  let time = Date.parse("2026-01-01");
  const figures = new ProxyFigures({ finder, now: () => time });
  await figures.refresh();
  const cases: [passed: number, proxies: number][] = [[0, 1], [29_999, 1], [1, 0], [-30_001, 0]];
  for (const [passed, proxies] of cases) {
    time += passed;
    assertEquals(figures.health.proxies, proxies, `${passed}`);
  }
});

Deno.test("ProxyFigures takes no more from a proxy than it can bear", async () => {
  await using many = new FakeProxy();
  await using long = new FakeProxy();
  many.serve(
    1,
    passingOver(...Array.from({ length: 2001 }, (_, index) => `10.0.${index >> 8}.${index & 255}:80`)),
  );
  long.serve(1, passingOver("1".repeat(60_000)));
  const finder = new FakeFinder([{ name: "many", admin: many.admin }, { name: "long", admin: long.admin }]);
  const figures = new ProxyFigures({ finder, timeout: 60_000 });
  await figures.refresh();
  assertEquals(figures.proxies.map(({ failure }) => failure), [
    "Its metrics have more than 2000 series",
    undefined,
  ]);
  // what it does not name, as far as can be told
  assertEquals([figures.health.proxies, figures.health.passedOverBy("10.0.0.1:80")], [1, undefined]);
});

Deno.test("ProxyFigures tells the traffic of backends, of as many as it has room for", async () => {
  await using proxy = new FakeProxy();
  const finder = new FakeFinder([{ name: "one", admin: proxy.admin }]);
  const figures = new ProxyFigures({ finder, timeout: 60_000 });
  const serve = (requests: number) => {
    const backends = [
      "a/web:80",
      "x".repeat(500),
      ...Array.from({ length: 50_000 }, (_, index) => `a/${index}:80`),
    ];
    const line = (backend: string) => `pingress_backend_requests_total{backend="${backend}"} ${requests}\n`;
    proxy.serve(
      requests,
      `pingress_backend_errors_total{backend="a/web:80"} ${requests / 2}\n${backends.map(line).join("")}`,
    );
  };
  serve(0);
  await figures.refresh();
  assertEquals(figures.backends, new Map());
  serve(10);
  figures.scrapedAt = undefined; // as if that was a while ago
  await figures.refresh();
  assertEquals(figures.proxies.map(({ failure }) => failure), [undefined]);
  assertEquals(figures.backends.get("a/web:80")?.errorShare, 0.5);
  assert((figures.backends.get("a/web:80")?.rate ?? 0) > 0);
  assertEquals(figures.backends.size, 39_999);
  assert([...figures.backends.keys()].every((key) => key.length < 200));
});

Deno.test("ProxyFigures gives up a proxy that does not answer in time", async () => {
  await using silent = new FakeProxy();
  const late = Promise.withResolvers<void>();
  silent.before = late.promise;
  const finder = new FakeFinder([{ name: "silent", admin: silent.admin }, { name: "other" }]);
  const figures = new ProxyFigures({ finder, timeout: 10 });
  await within(figures.refresh(), "the end of its time").finally(late.resolve);
  assertEquals(figures.proxies, [{
    name: "silent",
    address: `127.0.0.1:${silent.admin.port}`,
    isReady: false,
    failure: "There was no answer within 0.01 seconds",
  }, { name: "other", address: "", isReady: false, failure: "It has no address yet" }]);
});

Deno.test("ProxyFigures keeps what it knows while it cannot find out which proxies there are", async () => {
  await using proxy = new FakeProxy();
  const finder = new FakeFinder([{ name: "one", admin: proxy.admin }]);
  const figures = new ProxyFigures({ finder, interval: 1 });
  await scraped(figures, 1);
  finder.failure = new Error("the cluster is away");
  await scraped(figures, 2);
  assertEquals(figures.proxies.map(({ name }) => name), ["one"]);
});

Deno.test("ProxyFigures asks nobody unless somebody looks", async () => {
  await using proxy = new FakeProxy();
  const finder = new FakeFinder([{ name: "one", admin: proxy.admin }]);
  const figures = new ProxyFigures({ finder, interval: 60_000 });
  await scraped(figures, 1);
  assertEquals([proxy.asked, finder.closed], [1, 1]);
  // a moment ago is good enough
  await figures.refresh();
  await scraped(figures, 1);
  assertEquals(proxy.asked, 1);
});

Deno.test("ProxyFigures asks again when the clock was set back, and has no history of what is to come", async () => {
  await using proxy = new FakeProxy();
  const finder = new FakeFinder([{ name: "one", admin: proxy.admin }]);
  let time = Date.parse("2026-01-01");
  const figures = new ProxyFigures({ finder, interval: 60_000, now: () => time });
  // how often it was asked, and the history, after so many milliseconds
  const after = async (milliseconds: number) => {
    time += milliseconds;
    await figures.refresh();
    return [proxy.asked, ...figures.history.map(({ at }) => time - at)];
  };
  assertEquals(await after(0), [1]);
  assertEquals(await after(29_999), [1]);
  assertEquals(await after(1), [2, 0]);
  assertEquals(await after(-3_600_000), [3, 0]);
  assertEquals(await after(30_000), [4, 30_000, 0]);
});

Deno.test("ProxyFigures.stop() breaks off what is under way", async () => {
  await using proxy = new FakeProxy();
  const late = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  proxy.before = late.promise;
  const finder = new FakeFinder([{ name: "one", admin: proxy.admin }]);
  const find = finder.find.bind(finder);
  finder.find = () => {
    asked.resolve();
    return find();
  };
  const figures = new ProxyFigures({ finder, timeout: 60_000 });
  figures.start(() => {
    throw new Error("not reached");
  });
  await asked.promise;
  await within(figures.stop(), "the end");
  late.resolve();
  assertEquals(figures.scrapedAt, undefined);
});
