/** The name of the routes' file, and its key in the ConfigMap. */
export const PROXY_CONFIG_FILE = "proxy.json";

/** The name of the endpoints' file, and its key in the ConfigMap. */
export const ENDPOINTS_FILE = "endpoints.json";

/** How many files the routes may be spread over, and the endpoints as well. */
export const MAX_SHARDS = 16;

/** The name of a shard's file: `proxy.json` for the first one, then `proxy.1.json`, `proxy.2.json` and so on. */
export function shardFile(file: string, shard: number): string {
  return shard === 0 ? file : file.replace(/(\.json)?$/, `.${shard}$1`);
}

/** Where the ConfigMap is mounted in a proxy Pod. */
export const CONFIG_DIRECTORY = "/etc/pingress/config";

/** Where the TLS Secret is mounted in a proxy Pod. */
export const KEYS_DIRECTORY = "/etc/pingress/keys";

/** The file with the certificate and chain of a host, for example `example.com.cert`. */
export function certFile(host: string): string {
  return `${fileStem(host)}.cert`;
}

/** The file with the private key of a host, for example `example.com.key`. */
export function keyFile(host: string): string {
  return `${fileStem(host)}.key`;
}

/**
 * A Secret's keys hold only `[-._a-zA-Z0-9]`
 * (https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data),
 * so the asterisk becomes an underscore, which no host name has.
 */
function fileStem(host: string): string {
  return host.replace(/^\*/, "_");
}
