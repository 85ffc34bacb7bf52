import { assertEquals } from "@std/assert";
import { type AdminAnswers, serveAdmin } from "./admin.ts";

/** Serves on a free port, and asks with {@linkcode Get}. */
async function serving(answers: AdminAnswers, ask: (get: Get) => Promise<void>): Promise<void> {
  const server = serveAdmin({ hostname: "127.0.0.1", port: 0 }, answers);
  try {
    await ask(async (path) => {
      const response = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
      return [response.status, await response.text(), response.headers.get("content-type")];
    });
  } finally {
    await server.shutdown();
  }
}

type Get = (path: string) => Promise<[status: number, text: string, type: string | null]>;

Deno.test("serveAdmin() tells whether the program runs and whether it serves traffic", async () => {
  let isReady = false;
  await serving({ isReady: () => isReady }, async (get) => {
    assertEquals((await get("/healthz")).slice(0, 2), [200, "ok\n"]);
    assertEquals((await get("/readyz")).slice(0, 2), [503, "not ready\n"]);
    isReady = true;
    assertEquals((await get("/readyz")).slice(0, 2), [200, "ok\n"]);
    assertEquals((await get("/readyz?verbose")).slice(0, 2), [200, "ok\n"]);
    for (const path of ["/", "/healthz/", "/metrics"]) {
      assertEquals((await get(path)).slice(0, 2), [404, "not found: there are /healthz and /readyz\n"]);
    }
  });
});

Deno.test("serveAdmin() serves metrics as they are at that moment, where there are any", async () => {
  let count = 0;
  const metrics = () => Promise.resolve(`requests ${++count}\n`);
  await serving({ isReady: () => true, metrics }, async (get) => {
    assertEquals(await get("/metrics"), [200, "requests 1\n", "text/plain; version=0.0.4"]);
    assertEquals((await get("/metrics?x"))[1], "requests 2\n");
    assertEquals((await get("/"))[1], "not found: there are /healthz, /metrics and /readyz\n");
    assertEquals(count, 2);
  });
});

Deno.test("serveAdmin() hands all other paths on, where anything answers them", async () => {
  const others = (request: Request, { remoteAddr }: { remoteAddr: { hostname: string } }) =>
    new Response(`${new URL(request.url).pathname} from ${remoteAddr.hostname}`);
  await serving({ isReady: () => true, others }, async (get) => {
    assertEquals((await get("/healthz"))[1], "ok\n");
    for (const path of ["/", "/metrics", "/healthz/"]) {
      assertEquals((await get(path)).slice(0, 2), [200, `${path} from 127.0.0.1`]);
    }
  });
});
