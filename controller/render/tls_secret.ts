import type { Secret } from "@cloudydeno/kubernetes-apis/core/v1";
import { certFile, keyFile, type KeyPair } from "@pingress/config";
import type { Translation } from "../translate/translate.ts";
import { COMMON_LABELS, SOURCES_ANNOTATION, TLS_SECRET_NAME } from "./names.ts";

/** The Secret that proxies mount: a certificate and a key for each host. */
export function renderTlsSecret({ certificates }: Translation, namespace: string): Secret {
  const hosts = [...certificates].sort(([one], [other]) => one < other ? -1 : 1);
  const sources = Object.fromEntries(hosts.map(([host, { secret }]) => [host, secret]));
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "Opaque",
    metadata: {
      name: TLS_SECRET_NAME,
      namespace,
      labels: COMMON_LABELS,
      annotations: { [SOURCES_ANNOTATION]: JSON.stringify(sources) },
    },
    data: Object.fromEntries(hosts.flatMap(([host, { cert, key }]) => [
      [certFile(host), toBase64(cert)],
      [keyFile(host), toBase64(key)],
    ])),
  };
}

/** Reads back which Secret held what: the other way round of {@linkcode renderTlsSecret}. */
export function readTlsSecret({ metadata, data }: Secret): Map<string, KeyPair> {
  const pairs = new Map<string, KeyPair>();
  let sources: unknown;
  try {
    sources = JSON.parse(metadata?.annotations?.[SOURCES_ANNOTATION] ?? "{}");
  } catch {
    return pairs; // somebody else's annotation tells nothing
  }
  for (const [host, source] of Object.entries(sources ?? {})) {
    const [cert, key] = [data?.[certFile(host)], data?.[keyFile(host)]];
    if (cert && key && typeof source === "string") {
      pairs.set(source, { cert: fromBase64(cert), key: fromBase64(key) });
    }
  }
  return pairs;
}

function toBase64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

function fromBase64(text: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(text));
}
