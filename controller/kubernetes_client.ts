import type { JSONValue, RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { KubeConfig, KubeConfigRestClient } from "@cloudydeno/kubernetes-apis/deps.ts";

/** Where a Pod finds its service account (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/). */
const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** How to reach the Kubernetes API. */
export interface ClusterAccess {
  /** In a Pod: `KUBERNETES_SERVICE_HOST`. */
  serviceHost: string | undefined;
  /** In a Pod: `KUBERNETES_SERVICE_PORT`. */
  servicePort: string | undefined;
}

/**
 * Makes a client: in a Pod with its service account, elsewhere with the kubeconfig that kubectl uses too.
 *
 * @throws {Error} when there is neither.
 */
export async function createKubernetesClient(access: ClusterAccess): Promise<RestClient> {
  const context = (await readConfig(access)).fetchContext();
  const server = await context.getServerTls();
  const user = await context.getClientTls();
  const client = Deno.createHttpClient({
    caCerts: server ? [server.serverCert] : [],
    ...user && { cert: user.userCert, key: user.userKey },
    // with HTTP/2 all watches share a connection, and when that is dead a new watch would be opened on it again
    http2: false,
  });
  return tolerant(new KubeConfigRestClient(context, { client }));
}

async function readConfig({ serviceHost, servicePort = "443" }: ClusterAccess): Promise<KubeConfig> {
  if (serviceHost) {
    const host = serviceHost.includes(":") ? `[${serviceHost}]` : serviceHost;
    return KubeConfig.fromPieces({
      cluster: {
        server: `https://${host}:${servicePort}`,
        "certificate-authority": `${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`,
      },
      // the token is replaced about every hour: a file is read for each request
      user: { tokenFile: `${SERVICE_ACCOUNT_DIRECTORY}/token` },
    });
  }
  const config = await KubeConfig.getDefaultConfig();
  if (!config.fetchContext().cluster.server) {
    throw new Error(
      "There is no cluster to talk to: run in a Pod, or set KUBECONFIG to a file with a current context",
    );
  }
  return config;
}

/** Is this the API server's answer that something is not there? */
export function isNotFound(error: unknown): boolean {
  return (error as { httpCode?: number } | undefined)?.httpCode === 404;
}

/**
 * The typed clients refuse a whole list because of one object in it: an EndpointSlice whose endpoints are null,
 * which is what one without endpoints has, or a Service condition without a time. So objects are mended, and
 * what Pingress never looks at is dropped, before the typed clients see them.
 */
function tolerant(client: RestClient): RestClient {
  const performRequest = async (options: Parameters<RestClient["performRequest"]>[0]): Promise<unknown> => {
    const answer: unknown = await client.performRequest(options);
    if (options.method !== "GET" || !options.expectJson) return answer;
    if (answer instanceof ReadableStream) {
      return answer.pipeThrough(
        new TransformStream<JSONValue, JSONValue>({
          transform: (event, controller) => {
            mend((event as { object?: unknown } | null)?.object);
            controller.enqueue(event);
          },
        }),
      );
    }
    const { items } = answer as { items?: unknown };
    if (Array.isArray(items)) { for (const item of items) mend(item); }
    return answer;
  };
  return Object.assign(Object.create(client), { performRequest }) as RestClient;
}

function mend(object: unknown): void {
  if (typeof object !== "object" || object === null) return;
  const { metadata } = object as { metadata?: { managedFields?: unknown } };
  delete metadata?.managedFields;
  if ("endpoints" in object) object.endpoints ??= [];
  // a Service's only: a DaemonSet's is small, and a Status has a string here
  if ("spec" in object && "status" in object && isService(object.spec)) delete object.status;
}

function isService(spec: unknown): boolean {
  return typeof spec === "object" && spec !== null && ("clusterIP" in spec || "externalName" in spec);
}
