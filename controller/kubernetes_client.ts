import type { JSONValue, RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { KubeConfig, KubeConfigRestClient } from "@cloudydeno/kubernetes-apis/deps.ts";
import { FIELD_MANAGER } from "./render/names.ts";

/** Where a Pod finds its service account (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/). */
const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** How to reach the Kubernetes API. */
export interface ClusterAccess {
  /** In a Pod: `KUBERNETES_SERVICE_HOST`. */
  serviceHost: string | undefined;
  /** In a Pod: `KUBERNETES_SERVICE_PORT`. */
  servicePort: string | undefined;
  /** See {@linkcode TolerantOptions}. */
  onAnswer?: TolerantOptions["onAnswer"];
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
  return tolerant(new KubeConfigRestClient(context, { client }), { onAnswer: access.onAnswer });
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

/** The status of the API server's answer that an error is; nothing where it did not answer. */
function codeOf(error: unknown): number | undefined {
  return (error as { httpCode?: number } | undefined)?.httpCode;
}

/** Is this the API server's answer that something is not there? */
export function isNotFound(error: unknown): boolean {
  return codeOf(error) === 404;
}

/** Is this the API server's answer that something of that name is there already, or in another version? */
export function isConflict(error: unknown): boolean {
  return codeOf(error) === 409;
}

/** Is this the API server's answer that one may not do this? */
export function isForbidden(error: unknown): boolean {
  return codeOf(error) === 403;
}

/** Is it this very object that the API server refuses, so that asking again is of no use? */
export function isRefusal(error: unknown): boolean {
  const { status } = (error ?? {}) as {
    status?: { details?: { causes?: { reason?: string | null }[] | null } | null };
  };
  // nothing can be made in a namespace that is going away
  const isEnding = status?.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating");
  return isEnding === true || [400, 404, 413, 422].includes(codeOf(error) ?? 0);
}

/** Does the API server know a version of a group, such as `policy/v1`? */
export async function servesVersion(client: RestClient, groupVersion: string): Promise<boolean> {
  const answer = await client.performRequest({ method: "GET", path: "/apis", expectJson: true });
  const { groups } = answer as { groups?: { versions?: { groupVersion?: string }[] }[] };
  return (groups ?? []).some(({ versions = [] }) =>
    versions.some((version) => version.groupVersion === groupVersion)
  );
}

/** How long the API server may take for an answer that is no watch, in milliseconds. */
const ANSWER_MILLISECONDS = 30_000;

/** Options of {@linkcode tolerant}. */
export interface TolerantOptions {
  /** How long an answer that is no watch may take, in milliseconds. */
  answerTimeout?: number;
  /** Told of each request: the status, 200 for all that are fine, or none where there was no answer. */
  onAnswer?: ((method: string, status: number | undefined) => void) | undefined;
}

/**
 * Makes a client that survives what the typed clients do not: they refuse a whole list because of one object in
 * it, such as an EndpointSlice whose endpoints are null, which is what one without endpoints has. So what
 * Pingress never looks at is dropped, and the rest mended, before they see it. And no call but a watch goes on
 * for ever.
 */
export function tolerant(
  client: RestClient,
  { answerTimeout = ANSWER_MILLISECONDS, onAnswer }: TolerantOptions = {},
): RestClient {
  const counted = async (options: RequestOptions, request: Promise<unknown>): Promise<unknown> => {
    try {
      const answer = await request;
      onAnswer?.(options.method, 200);
      return answer;
    } catch (error) {
      onAnswer?.(options.method, codeOf(error));
      throw error;
    }
  };
  const performRequest = async (options: RequestOptions): Promise<unknown> => {
    if (options.expectStream) return await counted(options, streamed(client, options));
    const answer = await counted(options, answered(client, { ...options, answerTimeout }));
    const { items } = (answer ?? {}) as { items?: unknown };
    if (options.method === "GET" && Array.isArray(items)) { for (const item of items) mend(item, options); }
    return answer;
  };
  return Object.assign(Object.create(client), { performRequest }) as RestClient;
}

type RequestOptions = Parameters<RestClient["performRequest"]>[0];

/** A signal alone does not do: it may be forgotten while the request waits. */
async function answered(
  client: RestClient,
  { answerTimeout, ...options }: RequestOptions & { answerTimeout: number },
): Promise<unknown> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    const error = new Error(`The API server did not answer ${options.method} ${options.path} in time`);
    deadline.abort(error);
    reject(error);
  }, answerTimeout);
  const signals = [deadline.signal, ...options.abortSignal ? [options.abortSignal] : []];
  try {
    return await Promise.race([
      client.performRequest({ ...options, abortSignal: AbortSignal.any(signals) }),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

async function streamed(client: RestClient, options: RequestOptions): Promise<unknown> {
  const events: unknown = await client.performRequest(options);
  if (!options.expectJson || !(events instanceof ReadableStream)) return events;
  return events.pipeThrough(
    new TransformStream<JSONValue, JSONValue>({
      transform: (event, controller) => {
        mend((event as { object?: unknown } | null)?.object, options);
        controller.enqueue(event);
      },
    }),
  );
}

/** What is looked at of an object's status, by the last part of the path that lists its kind. */
const KEPT_OF_STATUS: Readonly<Record<string, readonly string[]>> = {
  ingresses: ["loadBalancer"],
  nodes: ["addresses"],
  pods: ["conditions", "podIP"],
  services: ["loadBalancer"],
};

function mend(object: unknown, { path }: RequestOptions): void {
  if (typeof object !== "object" || object === null) return;
  const { metadata, status } = object as { metadata?: { managedFields?: unknown } | null; status?: unknown };
  if (metadata?.managedFields !== undefined) metadata.managedFields = ownFields(metadata.managedFields);
  if ("endpoints" in object) object.endpoints ??= [];
  // an error event is a Status, which has a text here
  if (typeof status !== "object" || status === null) return;
  const names = KEPT_OF_STATUS[path.slice(path.lastIndexOf("/") + 1)] ?? [];
  const kept = Object.entries(status).filter(([name, value]) => names.includes(name) && value !== undefined);
  (object as { status?: unknown }).status = kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** Has the controller applied anything of it? Which fields, and what is whose else, is a lot that nobody reads. */
function ownFields(managedFields: unknown): object[] | undefined {
  if (!Array.isArray(managedFields)) return undefined;
  const own = managedFields.filter((entry) =>
    entry?.manager === FIELD_MANAGER && entry.operation === "Apply"
  );
  return own.length === 0 ? undefined : [{ manager: FIELD_MANAGER, operation: "Apply" }];
}
