import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Address, formatAddress } from "@pingress/config";
import { selfSigned } from "../tests/certificates.ts";
import { Backend, connectTls, ok, Peer, RawServer, valuesOf } from "../tests/peers.ts";
import { LOADED, rule, TEST_SERVER, TestProxy, tlsFiles } from "../tests/test_proxy.ts";
import { recordingLog, TempDir, within } from "../tests/testing.ts";
import { Proxy } from "./proxy.ts";

const GET = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const ROUTES_TO_ONE = [rule("a.test", "/", "one")];
const ROUTES_TO_TWO = [rule("a.test", "/", "two")];

/** Two backends that say their names, and a proxy with routes to the first one. */
async function start(options = {}) {
  const one = new Backend(ok("one"));
  const two = new Backend(ok("two"));
  const endpoints = { "default/one:80": [one.endpoint], "default/two:80": [two.endpoint] };
  const proxy = await TestProxy.start({ rules: ROUTES_TO_ONE, endpoints, options });
  return {
    proxy,
    one,
    two,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      one[Symbol.dispose]();
      two[Symbol.dispose]();
    },
  };
}

Deno.test("Proxy takes new routes from the next request on, on a connection that stays open", async () => {
  await using setup = await start();
  using client = await setup.proxy.client();
  assertEquals((await client.exchange(GET)).body, "one");
  await setup.proxy.reload(ROUTES_TO_TWO);
  assertEquals((await client.exchange(GET)).body, "two");
});

Deno.test("Proxy takes new endpoints from the next request on", async () => {
  await using setup = await start();
  using client = await setup.proxy.client();
  assertEquals((await client.exchange(GET)).body, "one");
  await setup.proxy.reloadFile("endpoints.json", JSON.stringify({ "default/one:80": [setup.two.endpoint] }));
  assertEquals((await client.exchange(GET)).body, "two");
});

Deno.test("Proxy keeps its routes when the new ones are broken, and takes the next good ones", async () => {
  await using setup = await start();
  using client = await setup.proxy.client();
  for (const broken of ["{", '{"rules":[{}]}', ""]) {
    await setup.proxy.reloadFile("proxy.json", broken, "Cannot load");
    assertEquals((await client.exchange(GET)).body, "one");
  }
  await setup.proxy.reload(ROUTES_TO_TWO, "Good again", LOADED);
  assertEquals((await client.exchange(GET)).body, "two");
});

Deno.test("Proxy closes a rule that it cannot use: its requests come to no other rule, and all others are served", async () => {
  await using setup = await start();
  using client = await setup.proxy.client();
  const admin = rule("a.test", "/admin", "one", { options: { allow: ["everybody"] } });
  await setup.proxy.reload([...ROUTES_TO_TWO, admin, rule("a.test", "/admin/help", "one")]);
  const ask = async (path: string) => {
    const answer = await client.exchange(GET.replace("/", path));
    return valuesOf(answer, "pingress-error")[0] ?? answer.body;
  };
  const paths = ["/", "/other", "/admin", "/admin/users", "/admin/help"];
  const answers: string[] = [];
  for (const path of paths) answers.push(await ask(path));
  assertEquals(answers, ["two", "two", "closed", "closed", "one"]);
});

Deno.test("Proxy goes on with its routes until all files of a larger configuration are there", async () => {
  await using setup = await start();
  const { proxy, two } = setup;
  using client = await proxy.client();
  const shard = (rules: unknown[]) => JSON.stringify({ rules, shards: 2 });
  await proxy.reloadFile("proxy.json", shard([rule("b.test", "/", "one")]), "Waiting for the rest");
  assertEquals((await client.exchange(GET)).body, "one");
  await proxy.dir.write("endpoints.1.json", JSON.stringify({ "default/three:80": [two.endpoint] }));
  await proxy.reloadFile("proxy.1.json", shard([rule("a.test", "/", "three")]));
  assertEquals((await client.exchange(GET)).body, "two");
  assertEquals((await client.exchange(GET.replace("a.test", "b.test"))).body, "one");
});

Deno.test("Proxy finds a change that no file event told of", async () => {
  await using setup = await start({ watchDirectory: "/nowhere-to-be-found", rereadInterval: 20 });
  using client = await setup.proxy.client();
  await setup.proxy.reload(ROUTES_TO_TWO);
  assertEquals((await client.exchange(GET)).body, "two");
});

Deno.test("Proxy finishes a request by the routes that it started with", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  using slow = new RawServer(async (peer) => {
    await peer.readMessage();
    asked.resolve();
    await release.promise;
    await peer.write(ok("slow"));
  });
  await using setup = await start();
  await setup.proxy.reloadFile("endpoints.json", JSON.stringify({ "default/one:80": [slow.endpoint] }));
  using client = await setup.proxy.client();
  const answer = client.exchange(GET);
  await asked.promise;
  await setup.proxy.reload(ROUTES_TO_TWO);
  release.resolve();
  assertEquals((await answer).body, "slow");
});

/** The fingerprint of the certificate that a server shows. */
async function fingerprint(address: Address): Promise<string> {
  const socket = await connectTls(address, { servername: "a.test" });
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}

Deno.test("Proxy shows a new certificate from the next handshake on, and open connections go on", async () => {
  const before = await selfSigned(["a.test"]);
  const after = await selfSigned(["a.test"]);
  using backend = new Backend(ok("one"));
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: { "a.cert": before.cert, "a.key": before.key },
  });
  const { hostname, port } = proxy.addresses.https;
  const tls = { hostname: "a.test", caCerts: [before.cert] };
  using open = new Peer(await Deno.startTls(await Deno.connect({ hostname, port }), tls));
  assertEquals((await open.exchange(GET)).body, "one");
  const shownBefore = await fingerprint(proxy.addresses.https);

  await proxy.reloadFile("a.cert", after.cert, "The private key does not belong to the certificate");
  assertEquals(await fingerprint(proxy.addresses.https), shownBefore);
  await proxy.reloadFile("a.key", after.key, "Good again", LOADED);
  const socket = await connectTls(proxy.addresses.https, { servername: "a.test", ca: after.cert });
  assertEquals(socket.authorized, true);
  socket.destroy();
  assertEquals(await fingerprint(proxy.addresses.https) === shownBefore, false);

  for (let request = 0; request < 2; request++) assertEquals((await open.exchange(GET)).body, "one");
});

Deno.test("Proxy.start() waits for a first good configuration, and is ready then", async () => {
  await using dir = await TempDir.make();
  const record = recordingLog();
  const proxy = new Proxy({
    configFile: `${dir.path}/proxy.json`,
    watchDirectory: dir.path,
    server: TEST_SERVER,
    workers: 0,
    shutdownDelay: 0,
    drainTimeout: 5000,
    accessLog: { write: (bytes) => Promise.resolve(bytes.length) },
    log: record.log,
  });
  try {
    const started = proxy.start();
    await record.has("Waiting for a configuration");
    await dir.write("proxy.json", "{");
    await record.has("Cannot load");
    assertEquals(proxy.isReady, false);
    await dir.write("proxy.json", '{"rules":[],"shards":2}');
    await record.has("Waiting for the rest of the configuration");
    assertEquals(proxy.isReady, false);
    await dir.write("proxy.1.json", '{"rules":[],"shards":2}');
    await started;
    assertEquals(proxy.isReady, true);
  } finally {
    await proxy.stop();
  }
  assertEquals(proxy.isReady, false);
});

Deno.test("Proxy.stop() finishes what runs and takes nothing new", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    asked.resolve();
    await release.promise;
    await peer.write("5\r\nworld\r\n0\r\n\r\n");
    await peer.readToEnd();
  });
  await using proxy = await TestProxy.start({
    rules: ROUTES_TO_ONE,
    endpoints: { "default/one:80": [backend.endpoint] },
  });
  using idle = await proxy.client();
  using client = await proxy.client();
  const answer = client.exchange(GET);
  answer.catch(() => {});
  await asked.promise;
  const stopped = proxy.stop();
  await assertRejects(() => proxy.client());
  await assertRejects(() => Peer.connect(proxy.addresses.https));
  assertEquals(await idle.readToEnd(), "");
  release.resolve();
  assertEquals((await answer).body, "helloworld");
  await within(stopped, "the end");
});

Deno.test("Proxy.stop() finishes an upload", async () => {
  using backend = new Backend(({ body }) => ok(body));
  await using proxy = await TestProxy.start({
    rules: ROUTES_TO_ONE,
    endpoints: { "default/one:80": [backend.endpoint] },
  });
  using client = await proxy.client();
  await client.write("PUT / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhello");
  await backend.connected();
  const stopped = proxy.stop();
  await client.write("world");
  assertEquals((await client.readMessage()).body, "helloworld");
  await within(stopped, "the end");
});

Deno.test("Proxy.stop() does not wait for ever", async () => {
  using backend = new RawServer((peer) => peer.readToEnd().then(() => {}));
  await using proxy = await TestProxy.start({
    rules: ROUTES_TO_ONE,
    endpoints: { "default/one:80": [backend.endpoint] },
    options: { drainTimeout: 20 },
  });
  using client = await proxy.client();
  await client.write(GET);
  await backend.connected();
  await within(proxy.stop(), "the end", 2000);
  await proxy.record.has("Not all requests have finished");
});

Deno.test("Proxy.stop() finishes what runs over TLS", async () => {
  const pair = await selfSigned(["a.test"]);
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    asked.resolve();
    await release.promise;
    await peer.write(ok("hello"));
    await peer.readToEnd();
  });
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: { "a.cert": pair.cert, "a.key": pair.key },
  });
  const { hostname, port } = proxy.addresses.https;
  const tls = { hostname: "a.test", caCerts: [pair.cert] };
  using client = new Peer(await Deno.startTls(await Deno.connect({ hostname, port }), tls));
  const answer = client.exchange(GET);
  answer.catch(() => {});
  await asked.promise;
  const stopped = proxy.stop();
  release.resolve();
  assertEquals((await answer).body, "hello");
  await client.readToEnd();
  client[Symbol.dispose]();
  await within(stopped, "the end");
});

Deno.test("Proxy.stop() ends keep-alive with the answer that is under way", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  using backend = new RawServer(async (peer) => {
    for (;;) {
      await peer.readMessage();
      asked.resolve();
      await release.promise;
      await peer.write(ok("hello"));
    }
  });
  await using proxy = await TestProxy.start({
    rules: ROUTES_TO_ONE,
    endpoints: { "default/one:80": [backend.endpoint] },
  });
  using client = await proxy.client();
  const answer = client.exchange(GET);
  answer.catch(() => {});
  await asked.promise;
  const stopped = proxy.stop();
  release.resolve();
  const message = await answer;
  assertEquals([valuesOf(message, "connection"), message.body], [["close"], "hello"]);
  assertEquals(await client.readToEnd(), "");
  client[Symbol.dispose]();
  await within(stopped, "the end");
});

Deno.test("Proxy.stop() closes connections that wait for their next request", async () => {
  await using setup = await start();
  using client = await setup.proxy.client();
  assertEquals((await client.exchange(GET)).body, "one");
  const stopped = setup.proxy.stop();
  assertEquals(await client.readToEnd(), "");
  await within(stopped, "the end");
});

Deno.test("Proxy.stop() closes the connections to backends", async () => {
  const ended = Promise.withResolvers<string>();
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write(ok("hello"));
    ended.resolve(await peer.readToEnd());
  });
  await using proxy = await TestProxy.start({
    rules: ROUTES_TO_ONE,
    endpoints: { "default/one:80": [backend.endpoint] },
  });
  using client = await proxy.client();
  await client.exchange(GET);
  await within(proxy.stop(), "the end");
  assertEquals(await within(ended.promise, "the end of the backend's connection"), "");
});

Deno.test("Proxy.stop() waits for no client over TLS that neither asks nor closes its side", async () => {
  const pair = await selfSigned(["a.test"]);
  using backend = new Backend(ok("one"));
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one", tlsFiles("a"))],
    endpoints: { "default/one:80": [backend.endpoint] },
    files: { "a.cert": pair.cert, "a.key": pair.key },
  });
  const { hostname, port } = proxy.addresses.https;
  using silent = await Peer.connect(proxy.addresses.https);
  const tls = { hostname: "a.test", caCerts: [pair.cert] };
  using idle = new Peer(await Deno.startTls(await Deno.connect({ hostname, port }), tls));
  assertEquals((await idle.exchange(GET)).body, "one");
  await within(proxy.stop(), "the end", 2000);
  assertEquals([await silent.readToEnd(), await idle.readToEnd()], ["", ""]);
});

Deno.test("Proxy.stop() cuts a tunnel off that does not end by itself", async () => {
  using backend = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await peer.write(await peer.read(4));
    await peer.readToEnd();
  });
  await using proxy = await TestProxy.start({
    rules: ROUTES_TO_ONE,
    endpoints: { "default/one:80": [backend.endpoint] },
    options: { drainTimeout: 300 },
  });
  using client = await proxy.client();
  await client.exchange(
    "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  );
  const stopped = proxy.stop();
  await client.write("ping");
  assertEquals(await client.read(4), "ping", "a tunnel goes on while there is time");
  await within(stopped, "the end");
  await proxy.record.has("Not all requests have finished");
  assertEquals(await client.readToEnd(), "");
});

Deno.test("Proxy.stop() says that it is not ready, and goes on for a while", async () => {
  await using setup = await start({
    listenAdmin: { hostname: "127.0.0.1", port: 0 },
    shutdownDelay: 300,
  });
  const { admin } = setup.proxy.addresses;
  const ask = async (path: string) => {
    const response = await fetch(`http://${formatAddress(admin!)}${path}`);
    await response.body?.cancel();
    return response.status;
  };
  assertEquals([await ask("/readyz"), await ask("/healthz")], [200, 200]);
  using before = await setup.proxy.client();
  assertEquals(valuesOf(await before.exchange(GET), "connection"), []);
  const began = performance.now();
  const stopped = setup.proxy.stop();
  assertEquals([await ask("/readyz"), await ask("/healthz")], [503, 200]);
  using later = await setup.proxy.client();
  for (const client of [before, later]) {
    const answer = await client.exchange(GET);
    assertEquals([answer.body, valuesOf(answer, "connection")], ["one", ["close"]]);
  }
  await within(stopped, "the end");
  assert(performance.now() - began >= 299);
  await assertRejects(() => setup.proxy.client());
});

Deno.test("Proxy serves in threads, and hands every change to all of them", async () => {
  await using setup = await start({ workers: 2 });
  const ask = async () => {
    using client = await setup.proxy.client();
    return (await client.exchange(GET)).body;
  };
  const askAll = async () => new Set(await Promise.all(Array.from({ length: 20 }, ask)));
  assertEquals(await askAll(), new Set(["one"]));
  await setup.proxy.reload(ROUTES_TO_TWO);
  // threads read their messages in order, but not at the moment in which they are sent
  while ((await askAll()).has("one"));
  assertEquals(await askAll(), new Set(["two"]));
});
