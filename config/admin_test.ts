import { assertEquals } from "@std/assert";
import { serveAdmin } from "./admin.ts";

Deno.test("serveAdmin() tells whether the program runs and whether it serves traffic", async () => {
  let isReady = false;
  const server = serveAdmin({ hostname: "127.0.0.1", port: 0 }, () => isReady);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
    return [response.status, (await response.text()).split(":")[0]];
  };
  try {
    assertEquals(await get("/healthz"), [200, "ok\n"]);
    assertEquals(await get("/readyz"), [503, "not ready\n"]);
    isReady = true;
    assertEquals(await get("/readyz"), [200, "ok\n"]);
    assertEquals(await get("/"), [404, "not found"]);
  } finally {
    await server.shutdown();
  }
});
