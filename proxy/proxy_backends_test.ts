import { assertEquals } from "@std/assert";
import { formatAddress, type KeyPair } from "@pingress/config";
import { selfSigned } from "../tests/certificates.ts";
import { get, outcome, proxyTo } from "../tests/one_backend.ts";
import { Backend, ok, RawServer, type WireMessage } from "../tests/peers.ts";
import { rule, TestProxy } from "../tests/test_proxy.ts";

/** A backend that answers each connection's first request and then ends the connection without an answer. */
function forgetful(): Backend {
  const requests: WireMessage[] = [];
  const server = new RawServer(async (peer) => {
    requests.push(await peer.readMessage());
    await peer.write(ok(requests.at(-1)?.start ?? ""));
    requests.push(await peer.readMessage());
  });
  return Object.assign(server, { requests });
}

Deno.test("Proxy repeats a GET when the kept connection was dead, but no POST", async () => {
  const cases: [method: string, expected: [status: number, error: string | undefined], sent: number][] = [
    ["GET", [200, undefined], 3],
    ["POST", [502, "upstream_unreachable"], 2],
  ];
  for (const [method, expected, sent] of cases) {
    using backend = forgetful();
    await using proxy = await proxyTo(backend);
    using client = await proxy.client();
    assertEquals(outcome(await client.exchange(get("/first"))), [200, undefined]);
    const answer = await client.exchange(`${method} /second HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    assertEquals(outcome(answer), expected, method);
    assertEquals(backend.requests.length, sent, method);
  }
});

Deno.test("Proxy passes over an endpoint that refuses", async () => {
  using backend = new Backend(ok("one"));
  using gone = new RawServer(() => Promise.resolve());
  gone[Symbol.dispose]();
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one")],
    endpoints: { "default/one:80": [gone.endpoint, backend.endpoint] },
    server: { balance: "round-robin" },
  });
  using client = await proxy.client();
  for (const method of ["GET", "POST", "GET", "POST"]) {
    const answer = await client.exchange(`${method} / HTTP/1.1\r\nHost: a.test\r\n\r\n`);
    assertEquals([...outcome(answer), answer.body], [200, undefined, "one"]);
  }
  assertEquals(backend.connections, 1);
});

Deno.test("Proxy tells which endpoints it passes over, until it reaches them", async () => {
  using gone = new RawServer(() => Promise.resolve());
  gone[Symbol.dispose]();
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one")],
    endpoints: { "default/one:80": [gone.endpoint] },
    options: { listenAdmin: { hostname: "127.0.0.1", port: 0 } },
  });
  const passedOver = async () => {
    const response = await fetch(`http://${formatAddress(proxy.addresses.admin!)}/metrics`);
    return (await response.text()).match(/^pingress_\w*passed_over.*/gm);
  };
  assertEquals(await passedOver(), ["pingress_upstream_passed_over_endpoints 0"]);
  using client = await proxy.client();
  assertEquals(outcome(await client.exchange(get("/"))), [502, "upstream_unreachable"]);
  assertEquals(await passedOver(), [
    `pingress_upstream_endpoint_passed_over{address="${gone.endpoint}"} 1`,
    "pingress_upstream_passed_over_endpoints 1",
  ]);
  await using _back = Deno.serve({ ...gone.address, onListen: () => {} }, () => new Response("back"));
  assertEquals(outcome(await client.exchange(get("/"))), [200, undefined]);
  assertEquals(await passedOver(), ["pingress_upstream_passed_over_endpoints 0"]);
});

/** A backend over TLS that says what it was asked. */
function tlsBackend(pair: KeyPair): Deno.HttpServer<Deno.NetAddr> & { endpoint: string } {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, ...pair, onListen: () => {} },
    async (request) =>
      new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`),
  );
  return Object.assign(server, { endpoint: formatAddress(server.addr) });
}

Deno.test("Proxy speaks HTTPS to a backend, and trusts nobody's signature only where it need not", async () => {
  await using backend = tlsBackend(await selfSigned(["backend.test"]));
  const https = { backendProtocol: "HTTPS" };
  const cases: [options: object, expected: [status: number, error: string | undefined]][] = [
    [https, [200, undefined]],
    [{ ...https, backendServerName: "backend.test" }, [200, undefined]],
    [{ ...https, backendVerify: true }, [502, "upstream_unreachable"]],
    [{ ...https, backendVerify: true, backendServerName: "backend.test" }, [502, "upstream_unreachable"]],
  ];
  for (const [options, expected] of cases) {
    await using proxy = await proxyTo(backend, { members: { options } });
    using client = await proxy.client();
    for (let count = 0; count < 2; count++) {
      const answer = await client.exchange(
        "POST /path HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
      );
      assertEquals(outcome(answer), expected, JSON.stringify(options));
      if (expected[0] === 200) assertEquals(answer.body, "POST /path hello");
    }
  }
});

Deno.test("Proxy speaks HTTP/2 in clear to a backend", async () => {
  const backend = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { method, url, headers } = request;
    return new Response(`${method} ${url} ${headers.get("x-real-ip")} ${await request.text()}`);
  });
  try {
    const members = { options: { backendProtocol: "H2C" } };
    await using proxy = await proxyTo({ endpoint: formatAddress(backend.addr) }, { members });
    using client = await proxy.client();
    const cases: [request: string, expected: string][] = [
      [
        "PUT /a HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
        "PUT http://a.test/a 127.0.0.1 hello",
      ],
      ["HEAD /b HTTP/1.1\r\nHost: a.test\r\n\r\n", ""],
      ["GET /c?d HTTP/1.1\r\nHost: a.test\r\n\r\n", "GET http://a.test/c?d 127.0.0.1 "],
    ];
    for (const [request, expected] of cases) {
      const answer = await client.exchange(request);
      assertEquals([...outcome(answer), answer.body], [200, undefined, expected]);
    }
  } finally {
    await backend.shutdown();
  }
});

Deno.test("Proxy says that a backend does not speak HTTPS", async () => {
  using backend = new RawServer(async (peer) => {
    await peer.read(1);
    await peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  await using proxy = await proxyTo(backend, { members: { options: { backendProtocol: "HTTPS" } } });
  using client = await proxy.client();
  assertEquals(outcome(await client.exchange(get("/"))), [502, "upstream_unreachable"]);
});

Deno.test("Proxy follows no name to this machine, unless it may", async () => {
  using backend = new Backend(ok("one"));
  const named = { endpoint: backend.endpoint.replace("127.0.0.1", "localhost") };
  const cases: [allowsLocalUpstreams: boolean, expected: [number, string | undefined]][] = [
    [false, [502, "upstream_unreachable"]],
    [true, [200, undefined]],
  ];
  for (const [allowsLocalUpstreams, expected] of cases) {
    await using proxy = await proxyTo(named, { server: { allowsLocalUpstreams } });
    using client = await proxy.client();
    assertEquals(outcome(await client.exchange(get("/"))), expected);
  }
});

Deno.test("Proxy tells in the access log where a request of a canary went", async () => {
  using backend = new Backend(ok("next"));
  let text = "";
  const accessLog = {
    write: (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const canary = { backend: { type: "Service", name: "next", namespace: "default", port: 80 }, weight: 100 };
  await using proxy = await TestProxy.start({
    rules: [rule("a.test", "/", "one", { options: { canary } })],
    endpoints: { "default/one:80": [], "default/next:80": [backend.endpoint] },
    options: { accessLog },
    server: { accessLogRate: 1 },
  });
  {
    using client = await proxy.client();
    assertEquals((await client.exchange(get("/"))).body, "next");
  }
  await proxy.stop();
  const { backend: logged, endpoint, host } = JSON.parse(text);
  assertEquals([logged, endpoint, host], ["default/next:80", backend.endpoint, "a.test"]);
});
