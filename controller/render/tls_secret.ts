import type { Secret } from "@cloudydeno/kubernetes-apis/core/v1";
import { certFile, keyFile, type KeyPair } from "@pingress/config";
import { certificateBytes, type ChooseShards, fileBytes, shardName, spread } from "../shards.ts";
import type { Translation } from "../translate/translate.ts";
import { COMMON_LABELS, SOURCES_ANNOTATION, TLS_SECRET_NAME } from "./names.ts";

/** Options of {@linkcode renderTlsSecrets}. */
export interface TlsSecretsOptions {
  /** Where they are. */
  namespace: string;
  /** How many there are. */
  choose: ChooseShards;
}

/** The Secrets that proxies mount, one for each shard: a certificate and a key for each host, and other files. */
export function renderTlsSecrets(
  { certificates, files }: Pick<Translation, "certificates" | "files">,
  { namespace, choose }: TlsSecretsOptions,
): Secret[] {
  const parts = [
    ...[...certificates].map(([host, pair]) => ({
      name: host,
      bytes: certificateBytes(host, pair),
      source: pair.secret,
      data: { [certFile(host)]: pair.cert, [keyFile(host)]: pair.key },
    })),
    ...[...files].map(([name, text]) => ({
      name,
      bytes: fileBytes(name, text),
      source: undefined,
      data: { [name]: text },
    })),
  ].sort((one, other) => one.name < other.name ? -1 : 1);
  return spread(parts, choose).map((parts, shard) => {
    const sources = Object.fromEntries(
      parts.flatMap(({ name, source }) => source === undefined ? [] : [[name, source]]),
    );
    return {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      metadata: {
        name: shardName(TLS_SECRET_NAME, shard),
        namespace,
        labels: COMMON_LABELS,
        annotations: { [SOURCES_ANNOTATION]: JSON.stringify(sources) },
      },
      data: Object.fromEntries(
        parts.flatMap(({ data }) => Object.entries(data)).map(([name, text]) => [name, toBase64(text)]),
      ),
    };
  });
}

/** Reads back which Secret held what: the other way round of {@linkcode renderTlsSecrets}, for one of them. */
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
