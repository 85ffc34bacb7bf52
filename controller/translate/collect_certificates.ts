import {
  certificateFacts,
  type CheckedKeyPair,
  checkKeyPair,
  errorMessage,
  EVERY_NAME,
  type KeyPair,
  wildcardOf,
} from "@pingress/config";
import { type Ingress, objectKey, type Secret } from "../objects.ts";
import { oncePerSecret, textsOf } from "../secrets.ts";
import { certificateBytes, type ShardSpace } from "../shards.ts";
import type { FurtherHost } from "./further_hosts.ts";
import { readHost } from "./hosts.ts";
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
  /** The Secret (`namespace/name`) with the certificate of all names that have none. */
  defaultSecret: string | undefined;
  /** Hosts that have the certificate of another one, if it is for them and they have none of their own. */
  further: readonly FurtherHost[];
  /** Takes what is wrong. */
  problems: Problem[];
  /** The time, in milliseconds since 1970; no certificate is too old unless told. */
  now: number | undefined;
  /** What the Secrets of the proxies have room for; everything unless told. */
  space: ShardSpace | undefined;
}

/** What {@linkcode collectCertificates} finds. */
export interface Certificates {
  /** The certificate of each host; with a default one it is that of {@linkcode EVERY_NAME}. */
  byHost: Map<string, HostCertificate>;
  /** The hosts that Ingresses want the default one for, where there is one. */
  defaultHosts: Set<string>;
  /** Why the default one cannot be used as it is. */
  defaultFault?: string;
}

/**
 * Finds the certificate of every host that an Ingress lists under `tls`. A host belongs to the namespace of the
 * oldest Ingress that names it, in its rules or under `tls`; of that namespace the oldest Ingress with a usable
 * Secret decides. A Secret that is missing or broken leaves its last good content in use; a Secret is only ever
 * taken from the Ingress's own namespace.
 */
export function collectCertificates(
  ingresses: readonly Ingress[],
  { secrets, lastGood, defaultSecret, further, problems, now = -Infinity, space }: CollectCertificatesOptions,
): Certificates {
  const byKey = new Map(secrets.map((secret) => [objectKey(secret), secret]));
  const owners = hostOwners(ingresses, further);
  const byHost = new Map<string, HostCertificate>();
  const defaultHosts = new Set<string>();
  const meant: { host: string; field: string; list: ProblemList }[] = [];
  const { pair: defaultPair, fault: defaultFault } = readDefault(defaultSecret, { byKey, lastGood });
  if (defaultSecret !== undefined && defaultPair !== undefined) {
    const certificate = { cert: defaultPair.cert, key: defaultPair.key, secret: defaultSecret };
    // before all others: there always is room for it
    space?.take([{ name: EVERY_NAME, bytes: certificateBytes(EVERY_NAME, certificate) }]);
    byHost.set(EVERY_NAME, certificate);
  }
  const pairs = new Map<string, KeyPair | CheckedKeyPair>();
  const isOwned = (host: string, { metadata: { namespace } }: Ingress) =>
    owners.get(host)?.metadata.namespace === namespace;
  for (const ingress of ingresses) {
    const list = new ProblemList(ingress, problems);
    const namespace = ingress.metadata.namespace ?? "";
    for (const [index, { secretName, hosts }] of (ingress.spec?.tls ?? []).entries()) {
      const field = `spec.tls[${index}]`;
      const named = tlsHosts(ingress, { hosts, field, list });
      if (!secretName) {
        if (defaultPair === undefined) list.add("NoSecretName", field, noSecretName(defaultFault));
        for (const host of defaultPair === undefined ? [] : named) {
          if (isOwned(host, ingress)) {
            defaultHosts.add(host);
            meant.push({ host, field, list });
          } else {list.add(
              "TlsConflict",
              field,
              isOfOthers(host, owners.get(host), "this entry does nothing"),
            );}
        }
        continue;
      }
      const key = `${namespace}/${secretName}`;
      const pair: KeyPair | CheckedKeyPair | undefined = readSecret(byKey.get(key), { key, field, list }) ??
        lastGood.get(key);
      if (pair === undefined) {
        // clients are shown the default one, until there is another
        const own = named.values().filter((host) => isOwned(host, ingress));
        for (const host of defaultPair === undefined ? [] : own) defaultHosts.add(host);
        continue;
      }
      for (const host of named) {
        const winner = byHost.get(host);
        if (isOwned(host, ingress) && winner === undefined) {
          const certificate = { cert: pair.cert, key: pair.key, secret: key };
          if (space?.take([{ name: host, bytes: certificateBytes(host, certificate) }]) === false) {
            list.add("OutOfSpace", field, outOfSpace(host));
            continue;
          }
          byHost.set(host, certificate);
          pairs.set(host, pair);
          checkName(pair, { host, key, field, list });
          checkTime(pair, { now, key, field, list });
        } else if (winner?.secret !== key) {
          list.add("TlsConflict", field, tlsConflict(host, { ingress, owner: owners.get(host), winner }));
        }
      }
    }
  }
  for (const { name, host, ingress } of further) {
    const pair = pairs.get(host) ?? (defaultHosts.has(host) ? defaultPair : undefined);
    if (pair === undefined || byHost.has(name) || !isFor(name, namesOf(pair))) continue;
    const certificate = byHost.get(host);
    if (certificate === undefined) {
      defaultHosts.add(name);
    } else if (space?.take([{ name, bytes: certificateBytes(name, certificate) }]) === false) {
      new ProblemList(ingress, problems).add("OutOfSpace", "spec.tls", outOfSpace(name));
    } else byHost.set(name, certificate);
  }
  for (const { host, field, list } of meant) {
    if (byHost.has(host) || defaultSecret === undefined || defaultPair === undefined) continue;
    checkName(defaultPair, { host, key: defaultSecret, field, list });
    checkTime(defaultPair, { now, key: defaultSecret, field, list });
  }
  return { byHost, defaultHosts, ...defaultFault && { defaultFault } };
}

/** The pair for all names that have none, and what is wrong with it. */
function readDefault(
  key: string | undefined,
  { byKey, lastGood }: { byKey: ReadonlyMap<string, Secret>; lastGood: ReadonlyMap<string, KeyPair> },
): { pair?: KeyPair | CheckedKeyPair | undefined; fault?: string } {
  if (key === undefined) return {};
  const secret = byKey.get(key);
  const found = secret && check(secret);
  if (found !== undefined && typeof found !== "string") return { pair: found };
  const fault = found === undefined
    ? `There is no Secret ${key} of type kubernetes.io/tls`
    : `Secret ${key} is not usable: ${found}`;
  return { pair: lastGood.get(key), fault };
}

function noSecretName(defaultFault: string | undefined): string {
  return defaultFault === undefined
    ? "No Secret is named, and the proxies get no default certificate from here: name a Secret, or give the " +
      "controller --default-certificate"
    : `No Secret is named, and the default certificate cannot be used: ${defaultFault}`;
}

/** Of what was last good they are not at hand. */
function namesOf(pair: KeyPair | CheckedKeyPair): readonly string[] {
  if ("names" in pair) return pair.names;
  try {
    return certificateFacts(pair.cert).names;
  } catch {
    return [];
  }
}

function isFor(host: string, names: readonly string[]): boolean {
  return names.includes(host) || names.includes(wildcardOf(host) ?? "");
}

function outOfSpace(host: string): string {
  return `The proxies' Secrets have no room for the certificate of ${host}: it is served over HTTP alone, ` +
    "if neither a wildcard's certificate nor the default one is there for it. Remove certificates, or use a wildcard's";
}

function tlsConflict(
  host: string,
  { ingress, owner, winner }: {
    ingress: Ingress;
    owner: Ingress | undefined;
    winner: HostCertificate | undefined;
  },
): string {
  if (owner !== undefined && owner.metadata.namespace !== ingress.metadata.namespace) {
    return isOfOthers(host, owner, "this certificate is not used for it");
  }
  return `${host} has the certificate of Secret ${winner?.secret} already: let all of them name the same Secret`;
}

function isOfOthers(host: string, owner: Ingress | undefined, follows: string): string {
  return `${host} belongs to the namespace of the older Ingress ${owner && objectKey(owner)}: ${follows}`;
}

/** The oldest Ingress that names each host. */
function hostOwners(
  ingresses: readonly Ingress[],
  further: readonly FurtherHost[],
): Map<string, Ingress> {
  const owners = new Map<string, Ingress>();
  const furtherBy = Map.groupBy(further, ({ ingress }) => ingress);
  for (const ingress of ingresses) {
    const { rules = [], tls = [] } = ingress.spec ?? {};
    const texts = [
      ...rules.map(({ host = "" }) => host),
      ...tls.flatMap(({ hosts = [] }) => hosts),
      ...(furtherBy.get(ingress) ?? []).map(({ name }) => name),
    ];
    for (const text of texts) {
      const host = readHost(text);
      if (host !== undefined && !owners.has(host)) owners.set(host, ingress);
    }
  }
  return owners;
}

/** Without hosts an entry is for all hosts of its Ingress's rules. */
function tlsHosts(
  ingress: Ingress,
  { hosts = [], field, list }: { hosts: string[] | undefined; field: string; list: ProblemList },
): Set<string> {
  for (const host of hosts) {
    if (readHost(host) === undefined) {
      list.add("InvalidHost", `${field}.hosts`, `${JSON.stringify(host)} is not a DNS name: correct it`);
    }
  }
  const named = hosts.length > 0 ? hosts : (ingress.spec?.rules ?? []).map(({ host = "" }) => host);
  const readable = new Set(named.flatMap((host) => readHost(host) ?? []));
  if (hosts.length === 0 && readable.size === 0) {
    list.add(
      "NoTlsHosts",
      `${field}.hosts`,
      "Neither this nor a rule names a host: name those that it is for",
    );
  }
  return readable;
}

function readSecret(
  secret: Secret | undefined,
  { key, field, list }: { key: string; field: string; list: ProblemList },
): CheckedKeyPair | undefined {
  if (secret === undefined) {
    list.add(
      "SecretNotFound",
      `${field}.secretName`,
      `There is no Secret ${key} of type kubernetes.io/tls: ` +
        "its hosts keep their last certificate, if there was one, until it is created",
    );
    return undefined;
  }
  const known = check(secret);
  if (typeof known !== "string") return known;
  list.add(
    "InvalidCertificate",
    `${field}.secretName`,
    `Secret ${key} is not usable: ${known}. Its hosts keep their last certificate, if there was one`,
  );
  return undefined;
}

const check = oncePerSecret((secret): CheckedKeyPair | string => {
  const { type } = secret;
  if (type !== undefined && type !== "kubernetes.io/tls") return `its type is ${type}, not kubernetes.io/tls`;
  const { "tls.crt": cert, "tls.key": key } = textsOf(secret);
  if (!cert) return "it has no tls.crt";
  if (!key) return "it has no tls.key";
  try {
    return checkKeyPair({ cert, key });
  } catch (error) {
    return errorMessage(error);
  }
});

function checkName(
  { names }: Partial<CheckedKeyPair>,
  { host, key, field, list }: { host: string; key: string; field: string; list: ProblemList },
): void {
  if (names === undefined || isFor(host, names)) return;
  list.add(
    "CertificateNameMismatch",
    field,
    `The certificate in Secret ${key} is for ${names.join(", ") || "no DNS name"}, not for ${host}: ` +
      "clients will not trust it",
  );
}

function checkTime(
  { notAfter = Infinity }: Partial<CheckedKeyPair>,
  { now, key, field, list }: { now: number; key: string; field: string; list: ProblemList },
): void {
  if (notAfter >= now) return;
  list.add(
    "CertificateExpired",
    `${field}.secretName`,
    `The certificate in Secret ${key} is valid until ${new Date(notAfter).toISOString()} and no longer: ` +
      "clients will not trust it. Renew it",
  );
}
