import { assertEquals, assertRejects } from "@std/assert";
import { type Address, formatAddress, parseAddress } from "@pingress/config";
import { FakeTransport } from "../../tests/testing.ts";
import { type ErrorReason, ProxyError } from "../errors.ts";
import { UpstreamClient } from "./client.ts";
import { UpstreamPool } from "./pool.ts";
import type { UpstreamRequest, UpstreamResponse } from "./round_trip.ts";

const LAST = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** A client whose connections are in memory. */
class Setup implements Disposable {
  /** The endpoints that were dialled, in order. */
  readonly dialled: string[] = [];
  /** The other ends of the connections. */
  readonly transports: FakeTransport[] = [];
  readonly #pool: UpstreamPool;
  readonly #client: UpstreamClient;
  readonly #addresses: Address[];

  /** `answer` is what a new connection of an endpoint answers its first request with; nothing refuses. */
  constructor(endpoints: string[], answer: (endpoint: string) => string | undefined) {
    this.#addresses = endpoints.map((endpoint) => parseAddress(endpoint)!);
    const dial = (address: Address) => {
      const endpoint = formatAddress(address);
      this.dialled.push(endpoint);
      const text = answer(endpoint);
      if (text === undefined) return Promise.reject(new Deno.errors.ConnectionRefused("refused"));
      const transport = new FakeTransport(text);
      this.transports.push(transport);
      return Promise.resolve(transport);
    };
    this.#pool = new UpstreamPool({ dial, connectTimeout: 5000 });
    this.#client = new UpstreamClient({ pool: this.#pool, responseTimeout: 5000 });
  }

  async send(changes: Partial<UpstreamRequest> = {}, key = "default/a:80"): Promise<UpstreamResponse> {
    const request: UpstreamRequest = {
      method: "GET",
      target: "/",
      headers: [],
      body: null,
      contentLength: undefined,
      signal: new AbortController().signal,
      ...changes,
    };
    return await this.#client.send(request, { key, addresses: this.#addresses });
  }

  async fails(reason: ErrorReason, changes: Partial<UpstreamRequest> = {}): Promise<void> {
    assertEquals((await assertRejects(() => this.send(changes), ProxyError)).reason, reason);
  }

  [Symbol.dispose](): void {
    this.#pool.close();
  }
}

Deno.test("UpstreamClient.send() takes the endpoints of each backend in turn", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1"], () => LAST);
  for (let request = 0; request < 6; request++) await setup.send();
  assertEquals(setup.dialled.slice(0, 3).toSorted(), ["a:1", "b:1", "c:1"]);
  assertEquals(setup.dialled.slice(3), setup.dialled.slice(0, 3));
  await setup.send({}, "default/other:80");
  await setup.send();
  assertEquals(setup.dialled.at(-1), setup.dialled[0]);
});

Deno.test("UpstreamClient.send() passes over endpoints that cannot be reached", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1"], (endpoint) => endpoint === "b:1" ? LAST : undefined);
  for (let request = 0; request < 3; request++) assertEquals((await setup.send()).status, 200);
});

Deno.test("UpstreamClient.send() passes over an endpoint for POST too, for nothing was sent", async () => {
  using setup = new Setup(["a:1", "b:1"], (endpoint) => endpoint === "b:1" ? LAST : undefined);
  for (let request = 0; request < 2; request++) {
    assertEquals((await setup.send({ method: "POST" })).status, 200);
  }
});

Deno.test("UpstreamClient.send() gives up after three endpoints", async () => {
  using setup = new Setup(["a:1", "b:1", "c:1", "d:1"], () => undefined);
  await setup.fails("upstream_unreachable");
  assertEquals(new Set(setup.dialled).size, 3);
});

Deno.test("UpstreamClient.send() says that there is no endpoint", async () => {
  using setup = new Setup([], () => LAST);
  await setup.fails("no_endpoint");
});

Deno.test("UpstreamClient.send() tries no other endpoint once a request was sent", async () => {
  using setup = new Setup(["a:1", "b:1"], () => "hello\r\n\r\n");
  await setup.fails("upstream_invalid");
  assertEquals(setup.dialled.length, 1);
});

Deno.test("UpstreamClient.send() uses a connection again", async () => {
  using setup = new Setup(["a:1"], () => OK);
  await setup.send();
  const second = setup.send({ target: "/2" });
  await setup.transports[0]!.has("GET /2");
  setup.transports[0]!.send(OK);
  assertEquals((await second).status, 200);
  assertEquals(setup.dialled.length, 1);
});

Deno.test("UpstreamClient.send() repeats an idempotent request when a kept connection was dead", async () => {
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
    using setup = new Setup(["a:1"], () => OK);
    await setup.send();
    const second = setup.send({ method });
    await setup.transports[0]!.has(`${method} /`);
    setup.transports[0]!.end();
    assertEquals((await second).status, 200);
    assertEquals(setup.dialled.length, 2);
  }
});

Deno.test("UpstreamClient.send() repeats nothing that may have been done, or whose content is gone", async () => {
  const body = () => new Blob(["abc"]).stream();
  const cases: Partial<UpstreamRequest>[] = [{ method: "POST" }, { method: "PATCH" }, {
    method: "PUT",
    body: body(),
  }];
  for (const request of cases) {
    using setup = new Setup(["a:1"], () => OK);
    await setup.send();
    const second = setup.fails("upstream_unreachable", request);
    await setup.transports[0]!.has(`${request.method} /`);
    setup.transports[0]!.end();
    await second;
    assertEquals(setup.dialled.length, 1, request.method);
  }
});
