import { canonicalHost, type CheckedKeyPair, wildcardOf } from "@pingress/config";
import type { CertificateSet } from "../configuration.ts";

/** Finds the certificate for a name; a new configuration makes a new store. */
export class CertificateStore {
  readonly #set: CertificateSet;

  /** Finds among the pairs of a set. */
  constructor(set: CertificateSet) {
    this.#set = set;
  }

  /** The pair for a server name: its own, then that of its wildcard, then the one for every other name. */
  find(serverName: string | undefined): CheckedKeyPair | undefined {
    const { byHost, fallback } = this.#set;
    const host = serverName === undefined ? undefined : canonicalHost(serverName);
    if (host === undefined) return fallback;
    const wildcard = wildcardOf(host);
    return byHost.get(host) ?? (wildcard === undefined ? undefined : byHost.get(wildcard)) ?? fallback;
  }
}
