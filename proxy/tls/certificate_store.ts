import { canonicalHost, type KeyPair, wildcardOf } from "@pingress/config";

/** The certificates of all names; a new configuration makes a new store. */
export class CertificateStore {
  readonly #byHost: ReadonlyMap<string, KeyPair>;
  readonly #fallback: KeyPair | undefined;

  /** Takes the pair of each host, and the one for every other name. */
  constructor(byHost: ReadonlyMap<string, KeyPair>, fallback?: KeyPair) {
    this.#byHost = byHost;
    this.#fallback = fallback;
  }

  /** The pair for a server name: its own, then that of its wildcard, then the one for every other name. */
  find(serverName: string | undefined): KeyPair | undefined {
    const host = serverName === undefined ? undefined : canonicalHost(serverName);
    if (host === undefined) return this.#fallback;
    const wildcard = wildcardOf(host);
    return this.#byHost.get(host) ?? (wildcard === undefined ? undefined : this.#byHost.get(wildcard)) ??
      this.#fallback;
  }

  /** The pair that a host has for itself. */
  get(host: string): KeyPair | undefined {
    return this.#byHost.get(host);
  }

  /** Does every name have the same pair in the other store? */
  equals(other: CertificateStore): boolean {
    return this.#fallback === other.#fallback && this.#byHost.size === other.#byHost.size &&
      [...this.#byHost].every(([host, pair]) => other.#byHost.get(host) === pair);
  }

  /** Every pair once. */
  pairs(): Set<KeyPair> {
    const pairs = new Set(this.#byHost.values());
    return this.#fallback === undefined ? pairs : pairs.add(this.#fallback);
  }

  /** How many hosts have a certificate of their own. */
  get size(): number {
    return this.#byHost.size;
  }
}
