import type { Address } from "./address.ts";

/** Answers a request that came from an address. */
export type RequestHandler = (
  request: Request,
  info: { remoteAddr: { hostname: string } },
) => Response | Promise<Response>;

/** What the admin port tells. */
export interface AdminAnswers {
  /** Does the program do its work? */
  isReady: () => boolean;
  /** The metrics as Prometheus reads them, where there are any. */
  metrics?: () => Promise<string>;
  /** Answers what is asked for at other paths, where anything does. */
  others?: RequestHandler;
}

/**
 * Serves `/healthz` (the program runs) and `/readyz` (it does its work), for kubelet's probes, and `/metrics`
 * for Prometheus.
 */
export function serveAdmin(
  address: Address,
  { isReady, metrics, others }: AdminAnswers,
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port } = address;
  return Deno.serve({ hostname, port, onListen: () => {} }, async (request, info) => {
    const path = requestPath(request);
    if (path === "/healthz") return answer(200, "ok");
    if (path === "/readyz") return isReady() ? answer(200, "ok") : answer(503, "not ready");
    if (path === "/metrics" && metrics !== undefined) {
      return new Response(await metrics(), { headers: { "content-type": "text/plain; version=0.0.4" } });
    }
    if (others !== undefined) return await others(request, info);
    return answer(
      404,
      `not found: there are /healthz${metrics === undefined ? "" : ", /metrics"} and /readyz`,
    );
  });
}

/** The path that a request asks for; `/` where it cannot be told. */
export function requestPath({ url }: Request): string {
  // the URL is glued together from what the client sent, and may be none
  return /^[a-z]+:\/\/[^/]*(\/[^?]*)/.exec(url)?.[1] ?? "/";
}

function answer(status: number, text: string): Response {
  return new Response(`${text}\n`, { status });
}
