import { EVERY_NAME, type KeyPair } from "@pingress/config";
import { type Ingress, objectKey, type Secret } from "../objects.ts";
import { certificateBytes, type ShardSpace } from "../shards.ts";
import type { FurtherHost } from "./further_hosts.ts";
import { readHost } from "./hosts.ts";
import { type Problem, ProblemList } from "./problem.ts";
import {
  checkName,
  checkTime,
  isFor,
  readDefaultSecret,
  readNamedSecret,
  type TlsPair,
} from "./tls_pairs.ts";

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
 * taken from the Ingress's own namespace. What has no Secret, or none that was ever good, gets the default
 * certificate, where there is one.
 */
export function collectCertificates(
  ingresses: readonly Ingress[],
  options: CollectCertificatesOptions,
): Certificates {
  const collector = new Collector(hostOwners(ingresses, options.further), options);
  for (const ingress of ingresses) collector.add(ingress);
  for (const further of options.further) collector.addFurther(further);
  return collector.result();
}

/** An entry of `spec.tls`. */
interface Entry {
  ingress: Ingress;
  field: string;
  list: ProblemList;
}

class Collector {
  readonly #owners: ReadonlyMap<string, Ingress>;
  readonly #options: CollectCertificatesOptions;
  readonly #secrets: ReadonlyMap<string, Secret>;
  readonly #byHost = new Map<string, HostCertificate>();
  readonly #pairs = new Map<string, TlsPair>();
  readonly #default: TlsPair | undefined;
  readonly #defaultFault: string | undefined;
  readonly #defaultHosts = new Set<string>();
  /** Who wants the default certificate, by its own word. */
  readonly #meant: { host: string; entry: Entry }[] = [];

  constructor(owners: ReadonlyMap<string, Ingress>, options: CollectCertificatesOptions) {
    const { secrets, lastGood, defaultSecret } = options;
    this.#owners = owners;
    this.#options = options;
    this.#secrets = new Map(secrets.map((secret) => [objectKey(secret), secret]));
    if (defaultSecret === undefined) return;
    const { pair, fault } = readDefaultSecret(this.#secrets.get(defaultSecret), defaultSecret);
    this.#default = pair ?? lastGood.get(defaultSecret);
    this.#defaultFault = fault;
    if (this.#default === undefined) return;
    const certificate = hostCertificate(this.#default, defaultSecret);
    // before all others: there always is room for it
    this.#takes(EVERY_NAME, certificate);
    this.#byHost.set(EVERY_NAME, certificate);
  }

  add(ingress: Ingress): void {
    const list = new ProblemList(ingress, this.#options.problems);
    for (const [index, { secretName, hosts }] of (ingress.spec?.tls ?? []).entries()) {
      const entry = { ingress, field: `spec.tls[${index}]`, list };
      const named = tlsHosts(hosts, entry);
      if (secretName) this.#addSecret(`${ingress.metadata.namespace ?? ""}/${secretName}`, named, entry);
      else this.#addDefault(named, entry);
    }
  }

  /** A name that has the certificate of another host, if it is for it. */
  addFurther({ name, host, ingress }: FurtherHost): void {
    const pair = this.#pairs.get(host) ?? (this.#defaultHosts.has(host) ? this.#default : undefined);
    if (pair === undefined || this.#byHost.has(name) || !isFor(name, pair)) return;
    const certificate = this.#byHost.get(host);
    if (certificate === undefined) this.#defaultHosts.add(name);
    else if (this.#takes(name, certificate)) this.#byHost.set(name, certificate);
    else new ProblemList(ingress, this.#options.problems).add("OutOfSpace", "spec.tls", outOfSpace(name));
  }

  result(): Certificates {
    for (const { host, entry: { field, list } } of this.#meant) {
      const { defaultSecret: key, now } = this.#options;
      if (this.#byHost.has(host) || this.#default === undefined || key === undefined) continue;
      checkName(this.#default, { host, key, field, list });
      checkTime(this.#default, { now, key, field, list });
    }
    const defaultFault = this.#defaultFault;
    return {
      byHost: this.#byHost,
      defaultHosts: this.#defaultHosts,
      ...defaultFault !== undefined && { defaultFault },
    };
  }

  #addDefault(hosts: ReadonlySet<string>, entry: Entry): void {
    const { field, list } = entry;
    if (this.#default === undefined) {
      return list.add("NoSecretName", field, noSecretName(this.#defaultFault));
    }
    for (const host of hosts) {
      if (this.#isOwned(host, entry)) {
        this.#defaultHosts.add(host);
        this.#meant.push({ host, entry });
      } else list.add("TlsConflict", field, this.#isOfOthers(host, "this entry does nothing"));
    }
  }

  #addSecret(key: string, hosts: ReadonlySet<string>, entry: Entry): void {
    const pair = readNamedSecret(this.#secrets.get(key), { key, ...entry }) ??
      this.#options.lastGood.get(key);
    for (const host of hosts) {
      if (pair !== undefined) this.#give(host, { pair, key, entry });
      // clients are shown the default one, until there is another
      else if (this.#default !== undefined && this.#isOwned(host, entry)) this.#defaultHosts.add(host);
    }
  }

  #give(host: string, { pair, key, entry }: { pair: TlsPair; key: string; entry: Entry }): void {
    const { field, list } = entry;
    const winner = this.#byHost.get(host);
    if (winner?.secret === key) return;
    if (!this.#isOwned(host, entry)) {
      return list.add("TlsConflict", field, this.#isOfOthers(host, "this certificate is not used for it"));
    }
    if (winner !== undefined) {
      const message = `${host} has the certificate of Secret ${winner.secret} already: ` +
        "let all of them name the same Secret";
      return list.add("TlsConflict", field, message);
    }
    const certificate = hostCertificate(pair, key);
    if (!this.#takes(host, certificate)) return list.add("OutOfSpace", field, outOfSpace(host));
    this.#byHost.set(host, certificate);
    this.#pairs.set(host, pair);
    checkName(pair, { host, key, field, list });
    checkTime(pair, { now: this.#options.now, key, field, list });
  }

  #takes(name: string, certificate: HostCertificate): boolean {
    return this.#options.space?.take([{ name, bytes: certificateBytes(name, certificate) }]) !== false;
  }

  #isOwned(host: string, { ingress }: Entry): boolean {
    return this.#owners.get(host)?.metadata.namespace === ingress.metadata.namespace;
  }

  #isOfOthers(host: string, follows: string): string {
    const owner = this.#owners.get(host);
    return `${host} belongs to the namespace of the older Ingress ${owner && objectKey(owner)}: ${follows}`;
  }
}

function hostCertificate({ cert, key }: KeyPair, secret: string): HostCertificate {
  return { cert, key, secret };
}

function noSecretName(defaultFault: string | undefined): string {
  return defaultFault === undefined
    ? "No Secret is named, and the proxies get no default certificate from here: name a Secret, or give the " +
      "controller --default-certificate"
    : `No Secret is named, and the default certificate cannot be used: ${defaultFault}`;
}

function outOfSpace(host: string): string {
  return `The proxies' Secrets have no room for the certificate of ${host}: it is served over HTTP alone, ` +
    "if neither a wildcard's certificate nor the default one is there for it. Remove certificates, or use a wildcard's";
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
function tlsHosts(hosts: readonly string[] = [], { ingress, field, list }: Entry): Set<string> {
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
