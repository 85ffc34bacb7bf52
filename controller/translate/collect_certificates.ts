import { X509Certificate } from "node:crypto";
import { checkKeyPair, errorMessage, isHostPattern, type KeyPair, wildcardOf } from "@pingress/config";
import { type Ingress, objectKey, type Secret } from "../objects.ts";
import { canonicalHost } from "./hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";

/** The certificate of a host. */
export interface HostCertificate extends KeyPair {
  /** The Secret that it is from, as `namespace/name`. */
  secret: string;
}

/** Options of {@linkcode collectCertificates}. */
export interface CollectCertificatesOptions {
  /** All TLS Secrets. */
  secrets: readonly Secret[];
  /** What a Secret (`namespace/name`) held when it was last good. */
  lastGood: ReadonlyMap<string, KeyPair>;
  /** Takes what is wrong. */
  problems: Problem[];
}

/**
 * Finds the certificate of every host that an Ingress lists under `tls`. The oldest Ingress that names a host
 * and has a usable Secret decides. A Secret that is missing or broken leaves its last good content in use; a
 * Secret is only ever taken from the Ingress's own namespace.
 */
export function collectCertificates(
  ingresses: readonly Ingress[],
  { secrets, lastGood, problems }: CollectCertificatesOptions,
): Map<string, HostCertificate> {
  const byKey = new Map(secrets.map((secret) => [objectKey(secret), secret]));
  const byHost = new Map<string, HostCertificate & { ingress: string }>();
  for (const ingress of ingresses) {
    const list = new ProblemList(ingress, problems);
    for (const [index, entry] of (ingress.spec?.tls ?? []).entries()) {
      const { secretName } = entry;
      const field = `spec.tls[${index}]`;
      if (!secretName) continue; // served with the proxy's default certificate, where it has one
      const key = `${ingress.metadata.namespace ?? ""}/${secretName}`;
      const pair = readSecret(byKey.get(key), { key, field, list }) ?? lastGood.get(key);
      if (pair === undefined) continue;
      for (const host of namedHosts(ingress, { hosts: entry.hosts, field, list })) {
        const owner = byHost.get(host);
        if (owner === undefined) {
          byHost.set(host, { ...pair, secret: key, ingress: objectKey(ingress) });
          checkName(pair, { host, key, field, list });
        } else if (owner.secret !== key) {
          list.add(
            "TlsConflict",
            field,
            `${host} has the certificate of Secret ${owner.secret} already, by the older Ingress ${owner.ingress}: ` +
              "let both name the same Secret",
          );
        }
      }
    }
  }
  return new Map([...byHost].map(([host, { cert, key, secret }]) => [host, { cert, key, secret }]));
}

/** Without hosts an entry is for all hosts of its Ingress's rules. */
function namedHosts(
  ingress: Ingress,
  { hosts, field, list }: { hosts: string[] | undefined; field: string; list: ProblemList },
): Set<string> {
  const named = hosts?.length ? hosts : (ingress.spec?.rules ?? []).flatMap(({ host }) => host ? [host] : []);
  const canonical = named.map(canonicalHost);
  for (const host of canonical) {
    if (hosts?.length && !isHostPattern(host)) {
      list.add("InvalidHost", `${field}.hosts`, `${JSON.stringify(host)} is not a DNS name: correct it`);
    }
  }
  return new Set(canonical.filter(isHostPattern));
}

function readSecret(
  secret: Secret | undefined,
  { key, field, list }: { key: string; field: string; list: ProblemList },
): KeyPair | undefined {
  if (secret === undefined) {
    list.add(
      "SecretNotFound",
      `${field}.secretName`,
      `There is no Secret ${key} of type kubernetes.io/tls: ` +
        "its hosts keep their last certificate, if there was one, until it is created",
    );
    return undefined;
  }
  const known = checked.get(secret) ?? check(secret);
  checked.set(secret, known);
  if (typeof known !== "string") return known;
  list.add(
    "InvalidCertificate",
    `${field}.secretName`,
    `Secret ${key} is not usable: ${known}. Its hosts keep their last certificate, if there was one`,
  );
  return undefined;
}

/** Objects are replaced when they change, never edited: what was found out about one stays true. */
const checked = new WeakMap<Secret, KeyPair | string>();

function check({ type, data = {}, stringData = {} }: Secret): KeyPair | string {
  if (type !== undefined && type !== "kubernetes.io/tls") return `its type is ${type}, not kubernetes.io/tls`;
  const texts: string[] = [];
  for (const name of ["tls.crt", "tls.key"]) {
    const text = stringData[name] ?? decodeBase64(data[name]);
    if (!text) return `it has no ${name}`;
    texts.push(text);
  }
  const [cert = "", key = ""] = texts;
  try {
    checkKeyPair({ cert, key });
    return { cert, key };
  } catch (error) {
    return errorMessage(error);
  }
}

function decodeBase64(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(text.replaceAll(/\s/g, "")));
  } catch {
    return undefined;
  }
}

function checkName(
  { cert }: KeyPair,
  { host, key, field, list }: { host: string; key: string; field: string; list: ProblemList },
): void {
  const names = [...new X509Certificate(cert).subjectAltName?.matchAll(/DNS:([^,\s]+)/g) ?? []]
    .map(([, name = ""]) => name.toLowerCase());
  if (names.includes(host) || names.includes(wildcardOf(host) ?? "")) return;
  list.add(
    "CertificateNameMismatch",
    field,
    `The certificate in Secret ${key} is for ${names.join(", ") || "no DNS name"}, not for ${host}: ` +
      "clients will not trust it",
  );
}
