/**
 * Makes the classes that ask the API server for objects, from the names of their kinds.
 *
 * @module
 */

import type { JSONObject, JSONValue, RequestOptions, RestClient } from "./kubernetes_client.ts";
import { type PatchType, type WatchEventStream, WatchEventTransformer } from "./kubernetes_common.ts";
import { type Status, toStatus } from "./kubernetes_meta_v1.ts";
import { type List, readKind, readList, writeKind } from "./kubernetes_wire.ts";

interface NoOpts {
  abortSignal?: AbortSignal;
}

interface GetListOpts extends NoOpts {
  continue?: string;
  fieldSelector?: string;
  labelSelector?: string;
  limit?: number;
  resourceVersion?: string;
  resourceVersionMatch?: "Exact" | "NotOlderThan";
  sendInitialEvents?: boolean;
  timeoutSeconds?: number;
}

interface WatchListOpts extends Omit<GetListOpts, "continue" | "limit"> {
  allowWatchBookmarks?: boolean;
}

interface PutOpts extends NoOpts {
  dryRun?: string;
  fieldManager?: string;
  fieldValidation?: string;
}

interface PatchOpts extends PutOpts {
  force?: boolean;
}

interface DeleteOpts extends NoOpts {
  dryRun?: string;
  gracePeriodSeconds?: number;
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
  orphanDependents?: boolean;
  propagationPolicy?: string;
}

type DeleteListOpts = GetListOpts & DeleteOpts;

type JsonPatch = (
  | { op: "add" | "replace" | "test"; path: string; value: JSONValue }
  | { op: "move" | "copy"; from: string; path: string }
  | { op: "remove"; path: string }
)[];

type Name<Kinds> = keyof Kinds & string;

/** The methods that list and watch. */
export type Lists<Kinds, Suffix extends string = ""> =
  & { [K in Name<Kinds> as `get${K}List${Suffix}`]: (opts?: GetListOpts) => Promise<List<K, Kinds[K]>> }
  & {
    [K in Name<Kinds> as `watch${K}List${Suffix}`]: (
      opts?: WatchListOpts,
    ) => Promise<WatchEventStream<Kinds[K]>>;
  };

/** The methods that read and change objects, or a part of them. */
type Changes<Kinds, Suffix extends string = ""> =
  & { [K in Name<Kinds> as `get${K}${Suffix}`]: (name: string, opts?: NoOpts) => Promise<Kinds[K]> }
  & {
    [K in Name<Kinds> as `replace${K}${Suffix}`]: (
      name: string,
      body: Kinds[K],
      opts?: PutOpts,
    ) => Promise<Kinds[K]>;
  }
  & {
    [K in Name<Kinds> as `patch${K}${Suffix}`]: (
      name: string,
      type: PatchType,
      body: Kinds[K] | JsonPatch,
      opts?: PatchOpts,
    ) => Promise<Kinds[K]>;
  };

type WithStatus<Kinds> = { [K in keyof Kinds as "status" extends keyof Kinds[K] ? K : never]: Kinds[K] };

/** All methods of some kinds. */
export type Methods<Kinds> =
  & Lists<Kinds>
  & Changes<Kinds>
  & Changes<WithStatus<Kinds>, "Status">
  & { [K in Name<Kinds> as `create${K}`]: (body: Kinds[K], opts?: PutOpts) => Promise<Kinds[K]> }
  & { [K in Name<Kinds> as `delete${K}`]: (name: string, opts?: DeleteOpts) => Promise<Kinds[K] | Status> }
  & { [K in Name<Kinds> as `delete${K}List`]: (opts?: DeleteListOpts) => Promise<List<K, Kinds[K]>> };

/** A class for one version of an API group. */
type ApiClass<Cluster, Namespaced> = new (client: RestClient) => Cluster & {
  /** The objects of a namespace. */
  namespace(name: string): Methods<Namespaced>;
};

const CONTENT_TYPES: Record<PatchType, string> = {
  "strategic-merge": "application/strategic-merge-patch+json",
  "json-merge": "application/merge-patch+json",
  "json-patch": "application/json-patch+json",
  "apply-patch": "application/apply-patch+yaml",
};

function plural(kind: string): string {
  const name = kind.toLowerCase();
  return name.endsWith("ss") ? `${name}es` : name.endsWith("s") ? name : `${name}s`;
}

function query(opts: object, first: Record<string, string> = {}): URLSearchParams {
  const params = new URLSearchParams(first);
  for (const [name, value] of Object.entries(opts)) {
    if (value != null) params.append(name, typeof value === "boolean" ? (value ? "1" : "0") : String(value));
  }
  return params;
}

/** The methods of one kind, by their names. */
function methodsOf(client: RestClient, root: string, apiVersion: string, kind: string): object {
  const collection = root + plural(kind);
  const read = (input: JSONValue) => readKind<object>(apiVersion, kind, input);
  const write = (body: object) => Array.isArray(body) ? body : writeKind(apiVersion, kind, body);

  async function ask(
    method: RequestOptions["method"],
    path: string,
    { abortSignal, ...params }: NoOpts,
    more: Pick<RequestOptions, "bodyJson" | "contentType"> = {},
  ): Promise<JSONValue> {
    const signal = abortSignal ? { abortSignal } : {};
    return await client.performRequest({
      method,
      path,
      expectJson: true,
      querystring: query(params),
      ...signal,
      ...more,
    });
  }

  async function list(opts: NoOpts = {}) {
    return readList(apiVersion, kind, await ask("GET", collection, opts));
  }

  async function watch({ abortSignal, ...params }: NoOpts = {}) {
    const events = await client.performRequest({
      method: "GET",
      path: collection,
      expectJson: true,
      expectStream: true,
      querystring: query(params, { watch: "1" }),
      ...(abortSignal ? { abortSignal } : {}),
    }) as ReadableStream<JSONObject>;
    return events.pipeThrough(new WatchEventTransformer(read, toStatus));
  }

  function changes(suffix: string, subresource: string) {
    const path = (name: string) => `${collection}/${name}${subresource}`;
    return {
      [`get${kind}${suffix}`]: async (name: string, opts: NoOpts = {}) =>
        read(await ask("GET", path(name), opts)),
      [`replace${kind}${suffix}`]: async (name: string, body: object, opts: PutOpts = {}) =>
        read(await ask("PUT", path(name), opts, { bodyJson: write(body) })),
      [`patch${kind}${suffix}`]: async (name: string, type: PatchType, body: object, opts: PatchOpts = {}) =>
        read(
          await ask("PATCH", path(name), opts, { bodyJson: write(body), contentType: CONTENT_TYPES[type] }),
        ),
    };
  }

  return {
    ...changes("", ""),
    ...changes("Status", "/status"),
    [`get${kind}List`]: list,
    [`get${kind}ListForAllNamespaces`]: list,
    [`watch${kind}List`]: watch,
    [`watch${kind}ListForAllNamespaces`]: watch,
    [`create${kind}`]: async (body: object, opts: PutOpts = {}) =>
      read(await ask("POST", collection, opts, { bodyJson: write(body) })),
    [`delete${kind}`]: async (name: string, opts: DeleteOpts = {}) => {
      const answer = await ask("DELETE", `${collection}/${name}`, opts) as JSONObject;
      return answer.kind === "Status" ? toStatus(answer) : read(answer);
    },
    [`delete${kind}List`]: async (opts: DeleteListOpts = {}) =>
      readList(apiVersion, kind, await ask("DELETE", collection, opts)),
  };
}

/** The class for one version of an API group. */
export function apiClass<Cluster, Namespaced>(
  apiVersion: string,
  kinds: string[],
): ApiClass<Cluster, Namespaced> {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}/` : `/api/${apiVersion}/`;

  function methods(client: RestClient, path: string): object {
    return Object.assign({}, ...kinds.map((kind) => methodsOf(client, path, apiVersion, kind)));
  }

  class Api {
    readonly #client: RestClient;

    constructor(client: RestClient) {
      this.#client = client;
      Object.assign(this, methods(client, root));
    }

    namespace(name: string): object {
      return methods(this.#client, `${root}namespaces/${name}/`);
    }
  }
  return Api as unknown as ApiClass<Cluster, Namespaced>;
}
