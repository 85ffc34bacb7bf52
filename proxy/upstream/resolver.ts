import { lookup } from "node:dns/promises";
import { errorMessage } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import { LOCAL_RANGES } from "../ip_ranges.ts";

/** Finds the IP addresses of a name. */
export type Lookup = (hostname: string) => Promise<string[]>;

/** Options of {@linkcode Resolver}. */
export interface ResolverOptions {
  /** Finds addresses; the system's resolver, with its search domains, unless told. */
  lookup?: Lookup;
  /** After how long a name is looked up again, in milliseconds. */
  refreshInterval?: number;
  /** May a name lead to {@linkcode LOCAL_RANGES}? */
  allowsLocal?: boolean;
  /** The clock, in milliseconds. */
  now?: () => number;
}

interface Entry {
  /** The last good answer; empty as long as there is none. */
  addresses: readonly string[];
  /** The last look-up, which may be under way. */
  latest: Promise<readonly string[]>;
  /** When the next one is due; never while one is under way. */
  due: number;
}

/** A look-up that failed is made again after so long, or after the refresh interval, in milliseconds. */
const RETRY_INTERVAL = 1000;

/** Names beyond this number are forgotten, the oldest first. */
const MOST_NAMES = 10_000;

/**
 * Remembers the addresses of names. A name that is known is answered at once and looked up again in the
 * background: only the first request waits, and a look-up that fails leaves the last good answer.
 *
 * Whoever may create a Service decides where a name leads, by its ExternalName or by DNS of their own. So what
 * only this machine can reach, its own services and the metadata of its cloud, is no answer.
 */
export class Resolver {
  readonly #lookup: Lookup;
  readonly #refreshInterval: number;
  readonly #allowsLocal: boolean;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  /** Makes one that knows no name. */
  constructor(options: ResolverOptions = {}) {
    this.#lookup = options.lookup ?? systemLookup;
    this.#refreshInterval = options.refreshInterval ?? 5000;
    this.#allowsLocal = options.allowsLocal ?? false;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * The addresses of a name: at once where some are known, else by a promise. It rejects with a ProxyError when
   * the name has no address that counts.
   */
  resolve(hostname: string): readonly string[] | Promise<readonly string[]> {
    const entry = this.#entries.get(hostname) ?? this.#add(hostname);
    if (this.#now() >= entry.due) {
      entry.latest = this.#refresh(hostname, entry);
      // nobody waits for the next answer while there is a good one
      entry.latest.catch(() => {});
    }
    return entry.addresses.length > 0 ? entry.addresses : entry.latest;
  }

  #add(hostname: string): Entry {
    const entry: Entry = { addresses: [], latest: Promise.resolve([]), due: -Infinity };
    this.#entries.set(hostname, entry);
    if (this.#entries.size > MOST_NAMES) this.#entries.delete(this.#entries.keys().next().value ?? "");
    return entry;
  }

  async #refresh(hostname: string, entry: Entry): Promise<readonly string[]> {
    entry.due = Infinity;
    try {
      entry.addresses = await this.#find(hostname);
      entry.due = this.#now() + this.#refreshInterval;
      return entry.addresses;
    } catch (error) {
      entry.due = this.#now() + Math.min(RETRY_INTERVAL, this.#refreshInterval);
      throw new ProxyError("upstream_unreachable", `${hostname}: ${errorMessage(error)}`, { cause: error });
    }
  }

  async #find(hostname: string): Promise<string[]> {
    const found = await this.#lookup(hostname);
    const [first] = found;
    if (first === undefined) throw new Error("the name has no address");
    const usable = found.filter((address) => this.#allowsLocal || !LOCAL_RANGES.has(address));
    if (usable.length > 0) return usable;
    throw new Error(
      `the name leads to ${first}, which is this machine or its link: if that is meant, ` +
        "write the address into endpoints.json or give --allow-local-upstreams",
    );
  }
}

async function systemLookup(hostname: string): Promise<string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}
