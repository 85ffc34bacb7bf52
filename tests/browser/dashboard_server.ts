/**
 * Answers the dashboard's pages from a made-up cluster, under the policy of the real server.
 *
 * @module
 */
import { ASSETS } from "../../controller/dashboard/assets.ts";
import { HEADERS } from "../../controller/dashboard/server.ts";
import { backendView, type Cluster, explain, ingressView, page } from "./dashboard_data.ts";

/** A server that is closed when disposed of. */
export class DashboardServer implements AsyncDisposable {
  /** What it answers from; an overview goes to the pages when {@linkcode push} is called. */
  cluster: Cluster;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();

  constructor(cluster: Cluster) {
    this.cluster = cluster;
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** How many pages follow it. */
  get followers(): number {
    return this.#streams.size;
  }

  /** Sends the overview to all pages that are open. */
  push(): void {
    for (const stream of this.#streams) stream.enqueue(this.#event());
  }

  /** Ends the streams, as a controller that goes away does. */
  hangUp(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await this.#server.shutdown();
  }

  #answer(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const asset = ASSETS.get(pathname);
    if (asset !== undefined) {
      return new Response(asset.body, { headers: { ...HEADERS, "content-type": asset.type } });
    }
    if (pathname === "/api/live") return this.#live();
    const answer = this.#data(pathname, searchParams);
    if (answer === undefined) return Response.json({ error: `There is no ${pathname}` }, { status: 404 });
    return Response.json(answer, { headers: HEADERS });
  }

  #data(path: string, query: URLSearchParams): unknown {
    const { cluster } = this;
    const search = (query.get("search") ?? "").toLowerCase();
    const [, , resource, ...name] = path.split("/").map(decodeURIComponent);
    if (resource === "ingresses" && name.length === 2) {
      const row = cluster.ingresses.find((row) => row.namespace === name[0] && row.name === name[1]);
      return row && ingressView(cluster, row, cluster.overview.scrapedAt ?? 0);
    }
    const namespace = query.get("namespace");
    switch (resource) {
      case "routes":
        return page(
          cluster.routes,
          query,
          (row) =>
            `${row.host} ${row.path} ${row.backend.name} ${row.ingress.name}`.includes(search) &&
            (namespace === null || row.ingress.namespace === namespace) &&
            (!query.has("host") || row.host === query.get("host")) &&
            (!query.has("problems") || row.problems > 0) &&
            (!query.has("passedOver") || row.endpoints.passedOver > 0),
        );
      case "endpoints":
        return backendView(cluster, query.get("backend") ?? "");
      case "ingresses":
        return page(
          cluster.ingresses,
          query,
          (row) =>
            `${row.namespace}/${row.name} ${row.hosts}`.includes(search) &&
            (namespace === null || row.namespace === namespace) &&
            (!query.has("problems") || row.errors + row.warnings > 0),
        );
      case "filters":
        return {
          namespaces: [...new Set(cluster.ingresses.map(({ namespace }) => namespace))].sort(),
          hosts: [...new Set(cluster.ingresses.flatMap(({ hosts }) => hosts))].sort(),
        };
      case "explain":
        return explain(cluster, query.get("url") ?? "");
      case "certificates":
        return cluster.certificates.slice(0, Number(query.get("limit") ?? Infinity));
      case "proxies":
        return cluster.proxies;
    }
  }

  #live(): Response {
    let stream: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        stream = controller;
        this.#streams.add(controller);
        controller.enqueue(this.#event());
      },
      cancel: () => {
        this.#streams.delete(stream);
      },
    });
    return new Response(body, { headers: { ...HEADERS, "content-type": "text/event-stream" } });
  }

  #event(): Uint8Array {
    return new TextEncoder().encode(`event: overview\ndata: ${JSON.stringify(this.cluster.overview)}\n\n`);
  }
}
