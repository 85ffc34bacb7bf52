import { lookup } from "node:dns/promises";
import { errorMessage } from "@pingress/config";
import { ProxyError } from "../errors.ts";

/** Finds the IP addresses of a name. */
export type Lookup = (hostname: string) => Promise<string[]>;

/** Options of {@linkcode Resolver}. */
export interface ResolverOptions {
  /** Finds addresses; the system's resolver, with its search domains, unless told. */
  lookup?: Lookup;
  /** After how long a name is looked up again, in milliseconds. */
  refreshInterval?: number;
  /** The clock, in milliseconds. */
  now?: () => number;
}

interface Entry {
  addresses: string[];
  lookedUp: number;
  refreshing: Promise<void> | undefined;
}

/** Names beyond this number are forgotten, the oldest first. */
const MOST_NAMES = 10_000;

/**
 * Remembers the addresses of names. A name that is known is answered at once and looked up again in the
 * background: only the first request waits, and a resolver that fails leaves the last good answer.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #refreshInterval: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  /** Makes one that knows no name. */
  constructor(options: ResolverOptions = {}) {
    this.#lookup = options.lookup ?? systemLookup;
    this.#refreshInterval = options.refreshInterval ?? 5000;
    this.#now = options.now ?? (() => performance.now());
  }

  /** The addresses of a name. @throws {ProxyError} when there never were any. */
  async resolve(hostname: string): Promise<readonly string[]> {
    let entry = this.#entries.get(hostname);
    if (entry === undefined) {
      entry = { addresses: [], lookedUp: -Infinity, refreshing: undefined };
      this.#entries.set(hostname, entry);
      if (this.#entries.size > MOST_NAMES) this.#entries.delete(this.#entries.keys().next().value ?? "");
    }
    if (this.#now() - entry.lookedUp >= this.#refreshInterval) {
      entry.refreshing ??= this.#refresh(hostname, entry);
      if (entry.addresses.length > 0) entry.refreshing.catch(() => {});
    }
    if (entry.addresses.length === 0) await entry.refreshing;
    return entry.addresses;
  }

  async #refresh(hostname: string, entry: Entry): Promise<void> {
    try {
      const addresses = await this.#lookup(hostname);
      if (addresses.length === 0) throw new Error("the name has no address");
      entry.addresses = addresses;
      entry.lookedUp = this.#now();
    } catch (error) {
      // one that has addresses keeps them, and is asked for again later
      if (entry.addresses.length > 0) entry.lookedUp = this.#now();
      throw new ProxyError("upstream_unreachable", `${hostname}: ${errorMessage(error)}`, { cause: error });
    } finally {
      entry.refreshing = undefined;
    }
  }
}

async function systemLookup(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
