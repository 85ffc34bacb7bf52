/**
 * Pingress with all kinds of traffic: its programs as they are started by hand, on YAML with an Ingress that has
 * everything that metrics tell of.
 *
 * @module
 */
import { request as httpsRequest } from "node:https";
import { selfSigned } from "../../certificates.ts";
import { Backend, ok, Peer } from "../../peers.ts";
import { addressOf, freeAddress, RunningProgram } from "../../programs.ts";
import { TempDir } from "../../testing.ts";
import { ApiServer } from "./api_server.ts";

const CONTROLLER = new URL("../../../controller/main.ts", import.meta.url);
const PROXY = new URL("../../../proxy/main.ts", import.meta.url);
const HOST = "shop.example.com";

/** Two controllers and two proxies with their admin ports, and a backend. */
export class Site implements AsyncDisposable {
  /** The admin ports, by what listens there. */
  readonly admin: Readonly<Record<"controller" | "leader" | "proxy" | "otherProxy", string>>;
  readonly #stack: AsyncDisposableStack;
  readonly #manifests: TempDir;
  readonly #output: TempDir;
  readonly #http: string;
  readonly #https: string;

  private constructor(
    stack: AsyncDisposableStack,
    parts: { manifests: TempDir; output: TempDir; http: string; https: string; admin: Site["admin"] },
  ) {
    this.#stack = stack;
    this.#manifests = parts.manifests;
    this.#output = parts.output;
    this.#http = parts.http;
    this.#https = parts.https;
    this.admin = parts.admin;
  }

  /** Starts everything: one controller that writes files for the proxy, and one that leads in a cluster. */
  static async start(): Promise<Site> {
    await using stack = new AsyncDisposableStack();
    const backend = stack.use(new Backend(ok("hello")));
    const [manifests, output] = [stack.use(await TempDir.make()), stack.use(await TempDir.make())];
    const admin = {
      controller: freeAddress(),
      leader: freeAddress(),
      proxy: freeAddress(),
      otherProxy: freeAddress(),
    };
    const objects = await objectsOf({ port: backend.address.port, deadPort: addressOf(freeAddress()).port });
    await manifests.write("all.json", listOf(objects));
    stack.use(
      await RunningProgram.start({
        command: CONTROLLER,
        args: [
          "--backend=Standalone",
          `--manifests=${manifests.path}`,
          `--output=${output.path}`,
          `--listen-admin=${admin.controller}`,
        ],
        until: / Configuration written /,
      }),
    );
    const api = stack.use(new ApiServer(objects));
    stack.use(
      await RunningProgram.start({
        command: CONTROLLER,
        args: [
          "--backend=HostPort",
          "--proxy-server-image=docker.io/pingress/proxy",
          `--listen-admin=${admin.leader}`,
        ],
        env: { KUBECONFIG: await manifests.write("kubeconfig", api.kubeconfig) },
        until: / Applied kind="?DaemonSet/,
      }),
    );
    const startProxy = async (address: string, ...flags: string[]) =>
      stack.use(
        await RunningProgram.start({
          command: PROXY,
          args: [
            `--config=${output.path}/proxy.json`,
            `--watch=${output.path}`,
            "--listen-http=127.0.0.1:0",
            "--listen-https=127.0.0.1:0",
            `--listen-admin=${address}`,
            ...flags,
          ],
          until: / Serving http=(\S+) https=(\S+)/,
        }),
      );
    const proxy = await startProxy(admin.proxy, "--workers=2", "--metrics-hosts");
    await startProxy(admin.otherProxy, "--workers=1");
    const [, http = "", https = ""] = proxy.found;
    return new Site(stack.move(), { manifests, output, http, https, admin });
  }

  /** Requests of every kind, once. @returns their statuses. */
  async haveTraffic(): Promise<string[]> {
    const statuses = [];
    for (const path of ["/", "/dead", "/nothing"]) statuses.push(await this.#ask(HOST, path));
    statuses.push(await this.#ask("unknown.example.com", "/"), await this.#askByTls());
    return statuses;
  }

  /** Changes an Ingress. */
  async change(): Promise<void> {
    await this.#manifests.write("more.json", listOf([ingress("more", "more.example.com", ["/"])]));
  }

  /** Puts a file in the proxy's way that says nothing. */
  async breakEndpoints(): Promise<void> {
    await this.#output.write("endpoints.json", "{");
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #ask(host: string, path: string): Promise<string> {
    using client = await Peer.connect(addressOf(this.#http));
    const { start } = await client.exchange(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return start.split(" ")[1] ?? "";
  }

  async #askByTls(): Promise<string> {
    const { hostname, port } = addressOf(this.#https);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const headers = { host: HOST };
    httpsRequest(
      { host: hostname, port, servername: HOST, headers, rejectUnauthorized: false, agent: false },
      (response) => {
        response.resume();
        response.on("end", () => resolve(`${response.statusCode}`));
      },
    ).on("error", reject).end();
    return await promise;
  }
}

/** An Ingress with a certificate, a backend, one that is not there any more, and one that never was. */
async function objectsOf({ port, deadPort }: { port: number; deadPort: number }) {
  const { cert, key } = await selfSigned([HOST]);
  return [
    ingress("shop", HOST, ["/", "/dead", "/nothing"], [{ hosts: [HOST], secretName: "tls" }]),
    ...service("root", port),
    ...service("dead", deadPort),
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/tls",
      metadata: { name: "tls", namespace: "default" },
      data: { "tls.crt": btoa(cert), "tls.key": btoa(key) },
    },
  ];
}

function ingress(name: string, host: string, paths: string[], tls: object[] = []) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: "default" },
    spec: {
      ingressClassName: "pingress",
      tls,
      rules: [{
        host,
        http: {
          paths: paths.map((path) => ({
            path,
            pathType: "Prefix",
            backend: { service: { name: path.slice(1) || "root", port: { number: 80 } } },
          })),
        },
      }],
    },
  };
}

function service(name: string, port: number) {
  const metadata = { name, namespace: "default" };
  return [
    { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata,
      subsets: [{ addresses: [{ ip: "127.0.0.1" }], ports: [{ port }] }],
    },
  ];
}

function listOf(items: object[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}
