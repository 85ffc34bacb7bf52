/**
 * A backend in a process of its own, that can be killed: answers every request on the address of its first
 * argument, after as many milliseconds as its second one says; `/large` with 8 MB.
 *
 * @module
 */
/** More than the buffers of all connections on the way hold. */
const LARGE = new Uint8Array(8_000_000);

const [address = "", delay = "0"] = Deno.args;
const { hostname, port } = new URL(`http://${address}`);

const server = Deno.serve({ hostname, port: Number(port), onListen: () => {} }, async (request) => {
  await request.body?.cancel();
  if (delay !== "0") await new Promise((resolve) => setTimeout(resolve, Number(delay)));
  return new Response(new URL(request.url).pathname === "/large" ? LARGE : "hello\n");
});
Deno.addSignalListener("SIGTERM", async () => {
  await server.shutdown();
  Deno.exit(0);
});
