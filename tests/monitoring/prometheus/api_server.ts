/** An object of Kubernetes, as far as the server looks. */
export interface ApiObject {
  /** Its API group and version. */
  apiVersion: string;
  /** Its kind. */
  kind: string;
  /** Its name, and its namespace where it has one. */
  metadata: { name: string; namespace?: string };
}

/** How kinds are spelled in paths. */
const RESOURCES: Record<string, string> = {
  ingresses: "Ingress",
  ingressclasses: "IngressClass",
  services: "Service",
  secrets: "Secret",
  endpoints: "Endpoints",
  configmaps: "ConfigMap",
  daemonsets: "DaemonSet",
  deployments: "Deployment",
  pods: "Pod",
  nodes: "Node",
};

/**
 * As much of a Kubernetes API server as a controller needs to lead and to write: it lists the objects that it is
 * given, takes what is applied, and keeps watches open, of which the first one of Ingresses breaks off.
 */
export class ApiServer implements AsyncDisposable {
  readonly #objects: readonly ApiObject[];
  readonly #applied = new Map<string, object>();
  readonly #ending = new AbortController();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #hasBrokenOff = false;
  #version = 1;

  /** Starts one on a free port. */
  constructor(objects: readonly ApiObject[]) {
    this.#objects = objects;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: this.#ending.signal },
      (request) => this.#answer(request),
    );
  }

  /** A kubeconfig that leads here. */
  get kubeconfig(): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "test",
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${this.#server.addr.port}` } }],
      users: [{ name: "test", user: {} }],
    });
  }

  /** Ends it with all watches. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#server.finished;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/apis") return Response.json({ kind: "APIGroupList", groups: [] });
    if (request.method !== "GET") return this.#write(pathname, await request.text());
    const resource = pathname.replace(/^.*\//, "");
    const applied = this.#applied.get(pathname);
    if (applied !== undefined) return Response.json(applied);
    if (searchParams.has("watch")) return this.#watch(resource);
    if (!/^[a-z]+$/.test(resource)) return notFound();
    const [apiVersion = ""] = /(?<=^\/apis?\/)(?:[a-z0-9.]+\/)?v1/.exec(pathname) ?? [];
    return Response.json({
      apiVersion,
      kind: `${RESOURCES[resource] ?? ""}List`,
      metadata: { resourceVersion: `${this.#version}` },
      items: this.#objects.filter(({ kind }) => kind === RESOURCES[resource]),
    });
  }

  #write(path: string, text: string): Response {
    if (text === "" || !text.startsWith("{")) return notFound();
    const object = JSON.parse(text);
    object.metadata = { ...object.metadata, resourceVersion: `${++this.#version}` };
    this.#applied.set(path, object);
    return Response.json(object);
  }

  #watch(resource: string): Response {
    if (resource === "ingresses" && !this.#hasBrokenOff) {
      this.#hasBrokenOff = true;
      return Response.json({ kind: "Status", code: 500 }, { status: 500 });
    }
    return new Response(new ReadableStream({ start: (stream) => this.#endWith(stream) }));
  }

  #endWith(stream: ReadableStreamDefaultController): void {
    this.#ending.signal.addEventListener("abort", () => {
      try {
        stream.close();
      } catch {
        // nobody reads it any more
      }
    });
  }
}

function notFound(): Response {
  return Response.json({ apiVersion: "v1", kind: "Status", reason: "NotFound", code: 404 }, { status: 404 });
}
