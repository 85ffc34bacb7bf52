/**
 * The part of `@cloudydeno/kubernetes-client` that the other adapters need, for machines where JSR does not answer.
 *
 * @module
 */

/** What JSON can say. */
export type JSONValue = string | number | boolean | null | undefined | JSONObject | JSONValue[];

/** A JSON object. */
export type JSONObject = { [key: string]: JSONValue };

/** What the server says of every object. */
export type ApiKind = {
  apiVersion: string;
  kind: string;
};

/** One event of a watch. */
export type WatchEvent<T, U> =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: T }
  | { type: "ERROR"; object: U }
  | { type: "BOOKMARK"; object: { metadata: { resourceVersion: string } } };

/** One request. */
export interface RequestOptions {
  method: "GET" | "POST" | "DELETE" | "PUT" | "PATCH" | "OPTIONS" | "HEAD";
  path: string;
  querystring?: URLSearchParams;
  abortSignal?: AbortSignal;
  contentType?: string;
  bodyRaw?: Uint8Array;
  bodyJson?: JSONValue;
  bodyStream?: ReadableStream<Uint8Array>;
  accept?: string;
  expectTunnel?: string[];
  expectStream?: boolean;
  expectJson?: boolean;
}

/** A connection into a pod, which only the JSR package can make. */
export interface KubernetesTunnel extends Disposable {
  readonly transportProtocol: "SPDY" | "WebSocket" | "Opaque";
  readonly subProtocol: string;
  getReadableStream(ids: TunnelIds): ReadableStream<Uint8Array>;
  getWritableStream(ids: TunnelIds): WritableStream<Uint8Array>;
  whenReady(): Promise<void>;
  close(): Promise<void>;
}

/** Which of a tunnel's streams is meant. */
type TunnelIds = { index?: number; spdyHeaders?: Record<string, string | number> };

/** What all API classes make their requests with. */
export interface RestClient extends Disposable {
  performRequest(opts: RequestOptions & { expectTunnel: string[] }): Promise<KubernetesTunnel>;
  performRequest(
    opts: RequestOptions & { expectStream: true; expectJson: true },
  ): Promise<ReadableStream<JSONValue>>;
  performRequest(opts: RequestOptions & { expectStream: true }): Promise<ReadableStream<Uint8Array>>;
  performRequest(opts: RequestOptions & { expectJson: true }): Promise<JSONValue>;
  performRequest(opts: RequestOptions): Promise<Uint8Array>;
  defaultNamespace?: string;
  close?(): void;
}
