/**
 * The part of `@cloudydeno/kubernetes-apis/deps.ts` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import { dirname, join, resolve } from "node:path";
import { loadAll } from "js-yaml";
import type {
  JSONObject,
  JSONValue,
  KubernetesTunnel,
  RequestOptions,
  RestClient,
} from "./kubernetes_client.ts";

interface ContextConfig {
  cluster?: string;
  user?: string;
  namespace?: string;
}

interface ClusterConfig {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
}

interface UserConfig {
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  "client-certificate"?: string;
  "client-certificate-data"?: string;
}

interface RawKubeConfig {
  apiVersion: "v1";
  kind: "Config";
  "current-context"?: string;
  contexts?: { name: string; context: ContextConfig }[];
  clusters?: { name: string; cluster: ClusterConfig }[];
  users?: { name: string; user: UserConfig }[];
}

const SECRETS_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The contents of a field in base64, or of the file that another field names. */
async function textOf(data: string | undefined, path: string | undefined): Promise<string | null> {
  if (data) return atob(data);
  return path ? await Deno.readTextFile(path) : null;
}

/** One cluster, and who asks it. */
class KubeConfigContext {
  readonly context: ContextConfig;
  readonly cluster: ClusterConfig;
  readonly user: UserConfig;

  constructor(context: ContextConfig, cluster: ClusterConfig, user: UserConfig) {
    this.context = context;
    this.cluster = cluster;
    this.user = user;
  }

  get defaultNamespace(): string | null {
    return this.context.namespace ?? null;
  }

  async getServerTls(): Promise<{ serverCert: string } | null> {
    const { "certificate-authority-data": data, "certificate-authority": path } = this.cluster;
    const serverCert = await textOf(data, path);
    return serverCert ? { serverCert } : null;
  }

  async getClientTls(): Promise<{ userKey: string; userCert: string } | null> {
    const userCert = await textOf(this.user["client-certificate-data"], this.user["client-certificate"]);
    const userKey = await textOf(this.user["client-key-data"], this.user["client-key"]);
    if (userKey && userCert) return { userKey, userCert };
    if (!userKey && !userCert) return null;
    throw new Error(
      "Within the KubeConfig, client key and certificate must both be provided if either is provided.",
    );
  }

  async getAuthHeader(): Promise<string | null> {
    const { username, password, token, tokenFile } = this.user;
    if (username || password) return `Basic ${btoa(`${username ?? ""}:${password ?? ""}`)}`;
    if (token) return `Bearer ${token}`;
    if (tokenFile) return `Bearer ${(await Deno.readTextFile(tokenFile)).trim()}`;
    const plugin = ["exec", "auth-provider"].find((name) => name in this.user);
    if (plugin) {
      throw new Error(`The kubeconfig has "${plugin}", which needs the JSR package; see npm/README.md`);
    }
    return null;
  }
}

/** The clusters that a kubeconfig file names, and who asks them. */
export class KubeConfig {
  /** The contents of the file. */
  readonly data: RawKubeConfig;

  constructor(data: RawKubeConfig) {
    this.data = data;
  }

  /** Makes the kubeconfig of one cluster. */
  static fromPieces(
    pieces: { contextName?: string; context?: ContextConfig; cluster?: ClusterConfig; user?: UserConfig },
  ): KubeConfig {
    const name = pieces.contextName ?? "inline";
    const context = { cluster: name, user: name, ...pieces.context };
    return new KubeConfig({
      apiVersion: "v1",
      kind: "Config",
      "current-context": name,
      contexts: [{ name, context }],
      clusters: [{ name: context.cluster, cluster: pieces.cluster ?? {} }],
      users: [{ name: context.user, user: pieces.user ?? {} }],
    });
  }

  /** Reads a file, in which paths are relative to it. */
  static async readFromPath(path: string): Promise<KubeConfig> {
    const [data] = loadAll(await Deno.readTextFile(path)) as (RawKubeConfig | null)[];
    if (data?.apiVersion !== "v1" || data.kind !== "Config") {
      throw new Error(`KubeConfig's "apiVersion" and "kind" fields weren't set`);
    }
    for (const { cluster } of data.clusters ?? []) resolvePaths(path, cluster, ["certificate-authority"]);
    for (const { user } of data.users ?? []) {
      resolvePaths(path, user, ["tokenFile", "client-key", "client-certificate"]);
    }
    return new KubeConfig(data);
  }

  /** Reads the files that `KUBECONFIG` lists, or `~/.kube/config`. */
  static async getDefaultConfig(): Promise<KubeConfig> {
    const listed = Deno.env.get("KUBECONFIG");
    if (listed) {
      return merge(await Promise.all(listed.split(":").filter(Boolean).map(KubeConfig.readFromPath)));
    }
    try {
      return await KubeConfig.readFromPath(join(Deno.env.get("HOME") || "/root", ".kube", "config"));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return merge([]);
      throw error;
    }
  }

  /** Makes the kubeconfig of a pod's own cluster. */
  static async getInClusterConfig(
    { baseUrl = "https://kubernetes.default.svc.cluster.local", secretsPath = SECRETS_PATH }: {
      baseUrl?: string;
      secretsPath?: string;
    } = {},
  ): Promise<KubeConfig> {
    const files = ["namespace", "ca.crt", "token"].map((name) => Deno.readTextFile(join(secretsPath, name)));
    const [namespace, ca, token] = await Promise.all(files) as [string, string, string];
    return KubeConfig.fromPieces({
      context: { namespace },
      cluster: { server: baseUrl, "certificate-authority-data": btoa(ca) },
      user: { token },
    });
  }

  /** One of the contexts, the current one unless it is named. */
  fetchContext(contextName?: string): KubeConfigContext {
    const wanted = contextName ?? this.data["current-context"];
    const context = this.data.contexts?.find(({ name }) => name === wanted)?.context ?? {};
    const cluster = this.data.clusters?.find(({ name }) => name === context.cluster)?.cluster ?? {};
    const user = this.data.users?.find(({ name }) => name === context.user)?.user ?? {};
    return new KubeConfigContext(context, cluster, user);
  }
}

function resolvePaths<K extends string>(file: string, config: { [name in K]?: string }, names: K[]): void {
  for (const name of names) {
    const path = config[name];
    if (path) config[name] = resolve(dirname(file), path);
  }
}

/** One kubeconfig of several, of which the first that has a name says what it means. */
function merge(configs: KubeConfig[]): KubeConfig {
  const all = configs.map(({ data }) => data);
  const current = all.find((data) => data["current-context"])?.["current-context"] ?? "";
  return new KubeConfig({
    apiVersion: "v1",
    kind: "Config",
    "current-context": current,
    contexts: all.flatMap((data) => data.contexts ?? []),
    clusters: all.flatMap((data) => data.clusters ?? []),
    users: all.flatMap((data) => data.users ?? []),
  });
}

/** Cuts a text into the JSON objects of its lines. */
class JsonLines extends TransformStream<string, JSONObject> {
  constructor() {
    let rest = "";
    const read = (line: string) => {
      if (!line.startsWith("{")) throw new Error(`JSON line doesn't start with {: ${line.slice(0, 256)}`);
      return JSON.parse(line) as JSONObject;
    };
    super({
      transform(chunk, controller) {
        const lines = chunk.split("\n");
        lines[0] = rest + lines[0];
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(read(line));
      },
      flush(controller) {
        if (rest) controller.enqueue(read(rest));
      },
    });
  }
}

/** Asks the API server that a kubeconfig names. */
export class KubeConfigRestClient implements RestClient {
  readonly #context: KubeConfigContext;
  #client: Deno.HttpClient | undefined;
  /** The namespace that the kubeconfig names. */
  defaultNamespace: string;
  /** Closes all connections. */
  close: () => void = () => this[Symbol.dispose]();

  constructor(context: KubeConfigContext, fetchClient: { client: Deno.HttpClient } | null) {
    this.#context = context;
    this.#client = fetchClient?.client;
    this.defaultNamespace = context.defaultNamespace || "default";
  }

  /** Asks a pod's own cluster. */
  static async forInCluster(): Promise<RestClient> {
    return await this.forKubeConfig(await KubeConfig.getInClusterConfig());
  }

  /** Asks the cluster that a file names, or the default files. */
  static async readKubeConfig(path?: string, contextName?: string): Promise<RestClient> {
    const config = path ? await KubeConfig.readFromPath(path) : await KubeConfig.getDefaultConfig();
    return await this.forKubeConfig(config, contextName);
  }

  /** Asks a cluster. */
  static async forKubeConfig(config: KubeConfig, contextName?: string): Promise<RestClient> {
    const context = config.fetchContext(contextName);
    const server = await context.getServerTls();
    const user = await context.getClientTls();
    if (!server && !user) return new this(context, null);
    const caCerts = server ? [server.serverCert] : [];
    const pair = user ? { cert: user.userCert, key: user.userKey } : {};
    return new this(context, { client: Deno.createHttpClient({ caCerts, ...pair }) });
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    this.#client?.close();
    this.#client = undefined;
  }

  /** Makes a request. */
  performRequest(opts: RequestOptions & { expectTunnel: string[] }): Promise<KubernetesTunnel>;
  performRequest(
    opts: RequestOptions & { expectStream: true; expectJson: true },
  ): Promise<ReadableStream<JSONValue>>;
  performRequest(opts: RequestOptions & { expectStream: true }): Promise<ReadableStream<Uint8Array>>;
  performRequest(opts: RequestOptions & { expectJson: true }): Promise<JSONValue>;
  performRequest(opts: RequestOptions): Promise<Uint8Array>;
  async performRequest(opts: RequestOptions): Promise<unknown> {
    const { server } = this.#context.cluster;
    if (!server) throw new Error("No server URL found in KubeConfig");
    if (opts.expectTunnel) throw new Error("Tunnels need the JSR package; see npm/README.md");
    const url = new URL(opts.querystring ? `${opts.path}?${opts.querystring}` : opts.path || "/", server);
    const accept = opts.accept ?? (opts.expectJson ? "application/json" : null);
    const contentType = opts.contentType ?? (opts.bodyJson ? "application/json" : null);
    const authorization = await this.#context.getAuthHeader();
    const headers = Object.entries({
      Authorization: authorization,
      Accept: accept,
      "Content-Type": contentType,
    });

    const response = await fetch(url, {
      method: opts.method,
      body: (opts.bodyStream ?? opts.bodyRaw ?? JSON.stringify(opts.bodyJson) ?? null) as BodyInit | null,
      redirect: "error",
      signal: opts.abortSignal ?? null,
      headers: headers.filter((header): header is [string, string] => header[1] !== null),
      ...(this.#client ? { client: this.#client } : {}),
    });

    // Like the real client: other answers that are no success pass as if they were what was asked for.
    const isJson = response.headers.get("content-type") === "application/json";
    if (!response.ok && isJson && response.headers.get("content-length")) {
      const status = await response.json();
      const message = `Kubernetes returned HTTP ${response.status} ${status.reason}: ${status.message}`;
      throw Object.assign(new Error(message), { httpCode: response.status, status });
    }
    if (!opts.expectStream) {
      return opts.expectJson ? await response.json() : new Uint8Array(await response.arrayBuffer());
    }
    if (!response.body) return new ReadableStream();
    if (!opts.expectJson) return response.body;
    return response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new JsonLines());
  }
}
