import { assertEquals, assertMatch } from "@std/assert";
import { ok, RawServer, valuesOf, type WireMessage } from "../peers.ts";
import { pause, within } from "../testing.ts";
import { inBothSpellings, requestOf, service, statusOf } from "./harness.ts";

const BUSY = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";

function errorOf(answer: WireMessage): [status: number, error: string | undefined] {
  return [statusOf(answer), valuesOf(answer, "pingress-error")[0]];
}

inBothSpellings("proxy-body-size", async (start) => {
  await using site = await start({ annotations: { "proxy-body-size": "1k" }, server: { maxBodyBytes: 10 } });
  const post = (length: number) => site.ask({ method: "POST", body: "x".repeat(length) });
  assertEquals(statusOf(await post(1024)), 200);
  assertEquals(errorOf(await post(1025)), [413, "body_too_large"]);
  using client = await site.client();
  const chunked = await client.exchange(
    requestOf({ method: "POST", fields: { "Transfer-Encoding": "chunked" } }) +
      `401\r\n${"x".repeat(1025)}\r\n0\r\n\r\n`,
  );
  assertEquals(errorOf(chunked), [413, "body_too_large"]);
  await site.change({ annotations: { "proxy-body-size": "0" } });
  assertEquals(statusOf(await post(100_000)), 200);
  await site.change({ annotations: { "proxy-body-size": "1 kilobyte" } });
  assertEquals(errorOf(await post(11)), [413, "body_too_large"]);
  assertMatch(site.problems[0]?.message ?? "", /no size such as 8m/);
});

inBothSpellings("proxy-connect-timeout", async (start) => {
  using busy = new RawServer(async (peer) => {
    await peer.readMessage();
    await peer.readToEnd();
  });
  await using site = await start({
    annotations: { "proxy-connect-timeout": "1" },
    paths: [{ path: "/", service: "busy" }],
    objects: service("busy", busy),
    server: { maxUpstreamConnections: 1, connectTimeout: 60_000 },
  });
  using client = await site.client();
  await client.write(requestOf());
  await busy.connected();
  assertEquals(errorOf(await site.ask()), [503, "upstream_busy"]);
});

inBothSpellings("proxy-read-timeout counts before an answer and within it", async (start) => {
  using slow = new RawServer(async (peer) => {
    const { start } = await peer.readMessage();
    if (start.includes("/begun")) await peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx");
    if (start.includes("/tunnel")) {
      await peer.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
      );
    }
    await peer.readToEnd();
  });
  await using site = await start({
    annotations: { "proxy-read-timeout": "1" },
    paths: [{ path: "/", service: "slow" }],
    objects: service("slow", slow),
    server: { responseTimeout: 60_000, streamTimeout: 60_000 },
  });
  const upgrade = { Connection: "Upgrade", Upgrade: "websocket" };
  const whole = async (target: string, fields = {}) => {
    using client = await site.client();
    await client.write(requestOf({ target, fields }));
    return await client.readToEnd();
  };
  const [waiting, begun, tunnel] = await Promise.all([
    site.ask(),
    whole("/begun"),
    whole("/tunnel", upgrade),
  ]);
  assertEquals(errorOf(waiting), [504, "upstream_timeout"]);
  assertMatch(begun, /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nx$/);
  assertMatch(tunnel, /^HTTP\/1.1 101 /);
});

inBothSpellings("proxy-send-timeout", async (start) => {
  const stop = Promise.withResolvers<void>();
  using deaf = new RawServer(async (peer) => {
    await peer.readUntil("\r\n\r\n");
    await stop.promise;
  });
  await using site = await start({
    annotations: { "proxy-send-timeout": "1" },
    paths: [{ path: "/", service: "deaf" }],
    objects: service("deaf", deaf),
    server: { responseTimeout: 60_000 },
  });
  using client = await site.client();
  const piece = "x".repeat(1024 * 1024);
  await client.write(requestOf({ method: "POST", fields: { "Content-Length": String(64 * piece.length) } }));
  const writing = (async () => {
    for (let count = 0; count < 64; count++) await client.write(piece);
  })().catch(() => {});
  assertEquals(errorOf(await client.readMessage()), [504, "upstream_timeout"]);
  stop.resolve();
  client[Symbol.dispose]();
  await within(writing, "the client");
});

/** A backend that refuses its first requests. */
function failing(times: number, refusal = BUSY): () => string {
  return () => times-- > 0 ? refusal : ok("at last");
}

inBothSpellings("proxy-next-upstream", async (start) => {
  await using site = await start({
    annotations: { "proxy-next-upstream": "error http_503" },
    answer: (request) => valuesOf(request, "x-try").length > 0 ? refuse() : BUSY,
  });
  let refuse = failing(2);
  const again = { "X-Try": "1" };
  assertEquals((await site.ask({ fields: again })).body, "at last");
  assertEquals(site.backend.requests.length, 3);
  refuse = failing(1);
  assertEquals(statusOf(await site.ask({ method: "POST", fields: again })), 503);
  refuse = failing(1);
  assertEquals(statusOf(await site.ask({ method: "PUT", body: "text", fields: again })), 503);
  refuse = failing(1, BUSY.replace("503", "502"));
  assertEquals(statusOf(await site.ask({ fields: again })), 502);
  await site.change({ annotations: { "proxy-next-upstream": "http_503 non_idempotent" } });
  refuse = failing(1);
  assertEquals(statusOf(await site.ask({ method: "POST", fields: again })), 200);
  await site.change({ annotations: { "proxy-next-upstream": "off http_503" } });
  refuse = failing(1);
  assertEquals(statusOf(await site.ask({ fields: again })), 503);
  await site.change({ annotations: { "proxy-next-upstream": "http_418" } });
  assertMatch(site.problems[0]?.message ?? "", /is not of the words error, timeout/);
});

inBothSpellings("proxy-next-upstream: timeout goes on to another endpoint", async (start) => {
  using deaf = new RawServer(async (peer) => {
    await peer.readToEnd();
  });
  using good = new RawServer(async (peer) => {
    for (;;) {
      await peer.readMessage();
      await peer.write(ok("good"));
    }
  });
  await using site = await start({
    annotations: { "proxy-next-upstream": "timeout", "proxy-read-timeout": "1" },
    paths: [{ path: "/", service: "two" }],
    objects: service("two", deaf, good),
    server: { balance: "round-robin" },
  });
  const answers = await Promise.all([site.ask(), site.ask()]);
  assertEquals(answers.map(({ body }) => body), ["good", "good"]);
  assertEquals(deaf.connections > 0, true);
});

inBothSpellings("proxy-next-upstream-tries", async (start) => {
  await using site = await start({
    annotations: { "proxy-next-upstream": "http_503", "proxy-next-upstream-tries": "2" },
    answer: BUSY,
  });
  assertEquals([statusOf(await site.ask()), site.backend.requests.length], [503, 2]);
  await site.change({ annotations: { "proxy-next-upstream": "http_503", "proxy-next-upstream-tries": "0" } });
  assertEquals([statusOf(await site.ask()), site.backend.requests.length], [503, 12]);
});

inBothSpellings("proxy-next-upstream-timeout", async (start) => {
  using slow = new RawServer(async (peer) => {
    for (;;) {
      await peer.readMessage();
      // some tries are within the time limit, and not all of them
      await pause(600);
      await peer.write(BUSY);
    }
  });
  await using site = await start({
    annotations: {
      "proxy-next-upstream": "http_503",
      "proxy-next-upstream-tries": "10",
      "proxy-next-upstream-timeout": "1",
    },
    paths: [{ path: "/", service: "slow" }],
    objects: service("slow", slow),
  });
  const began = performance.now();
  assertEquals(statusOf(await site.ask()), 503);
  assertEquals(Math.round((performance.now() - began) / 600), 2);
});

inBothSpellings("proxy-buffering and proxy-request-buffering are accepted", async (start) => {
  for (const [value, problems] of [["on", 0], ["off", 0], ["yes", 2]] as const) {
    await using site = await start({
      annotations: { "proxy-buffering": value, "proxy-request-buffering": value },
    });
    assertEquals(statusOf(await site.ask({ method: "POST", body: "text" })), 200);
    assertEquals(site.problems.length, problems, value);
  }
});
