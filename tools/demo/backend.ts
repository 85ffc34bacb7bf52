/** A small backend that says its name and what it was asked. Listens on a free port of 127.0.0.1. */
export function serveFruit(name: string): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const { pathname, search } = new URL(request.url);
    const lines = [
      `This is ${name}.`,
      `You asked ${request.headers.get("host")} for ${pathname}${search}`,
      `over ${request.headers.get("x-forwarded-proto")}, from ${request.headers.get("x-forwarded-for")}.`,
    ];
    return new Response(`${lines.join("\n")}\n`, {
      headers: { "content-type": "text/plain; charset=utf-8" },
    });
  });
}
