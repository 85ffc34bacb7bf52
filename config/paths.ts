import { createHash } from "node:crypto";

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

/** What the names of {@linkcode usersFile} end with. */
export const USERS_FILE_ENDING = ".users";

/** The file with the users and password hashes that a Secret holds, for example `default_web_auth-file.users`. */
export function usersFile(
  { namespace, name, type }: { namespace: string; name: string; type: string },
): string {
  return `${fileStem(`${namespace}_${name}_${type}`)}${USERS_FILE_ENDING}`;
}

/** What a file for connections to backends holds: authorities, a certificate with its chain, or its key. */
export type BackendFileKind = "ca" | "cert" | "key";

/** The file that holds what is from a Secret (`namespace/name`), for example `default_backend-tls.backend.ca`. */
export function backendFile(secret: string, kind: BackendFileKind): string {
  // no host has an underscore in its middle
  return `${fileStem(secret.replace("/", "_"))}.backend.${kind}`;
}

/** Is this a name that {@linkcode backendFile} makes? */
export function isBackendFile(name: string): boolean {
  return /\.backend\.(?:ca|cert|key)$/.test(name) && name.includes("_", 1);
}

/** What a Secret's key may have, less the longest ending: a host may have 253 characters by itself. */
const MOST_STEM_CHARACTERS = 253 - ".backend.cert".length;

/**
 * A Secret's keys hold only `[-._a-zA-Z0-9]`, and at most 253 of them
 * (https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data),
 * so the asterisk becomes an underscore, which no host name has. A host that is too long goes by its hash, which is
 * longer than any label: the API server would refuse the whole Secret, with the certificates of all other hosts.
 */
function fileStem(host: string): string {
  if (host.length > MOST_STEM_CHARACTERS) return createHash("sha256").update(host).digest("hex");
  return host.replace(/^\*/, "_");
}
