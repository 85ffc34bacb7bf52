import type { Address } from "./address.ts";

/** Serves `/healthz` (the program runs) and `/readyz` (it serves traffic), for kubelet's probes. */
export function serveAdmin(address: Address, isReady: () => boolean): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: address.hostname, port: address.port, onListen: () => {} }, (request) => {
    // the URL is glued together from what the client sent, and may be none
    switch (/^[a-z]+:\/\/[^/]*(\/[^?]*)/.exec(request.url)?.[1]) {
      case "/healthz":
        return answer(200, "ok");
      case "/readyz":
        return isReady() ? answer(200, "ok") : answer(503, "not ready");
      default:
        return answer(404, "not found: there are /healthz and /readyz");
    }
  });
}

function answer(status: number, text: string): Response {
  return new Response(`${text}\n`, { status });
}
