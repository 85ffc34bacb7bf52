/** How often one thing may happen: a leaky bucket. */
export interface Rate {
  /** Which one of the two that are kept of each key. */
  bucket: 0 | 1;
  /** How many milliseconds there are between two requests. */
  interval: number;
  /** How many may come earlier than that. */
  burst: number;
}

/** How many keys are remembered; of those that are new the oldest make place. A power of two. */
const ENTRIES = 64 * 1024;

/** A key is kept in one of so many places: more of them cost time, fewer forget more. */
const WAYS = 8;

/** Of each entry: a tag, how many requests are under way, and two times. */
const TAG_BYTES = 4;
const TIME_BYTES = 8;
const SEED_BYTES = 8;

/** Memory for a {@linkcode LimitTable}: 1.5 MiB, of which a system gives only what is used. */
export function limitMemory(): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(SEED_BYTES + ENTRIES * (2 * TIME_BYTES + 2 * TAG_BYTES));
  // nobody can choose addresses that take each other's place
  new Uint32Array(memory, 0, 2).set(crypto.getRandomValues(new Uint32Array(2)));
  return memory;
}

/**
 * How much clients have asked lately, in memory that all threads share. Nothing is ever locked: what threads do
 * at the very same time to the same key is counted one after the other, and a key that takes another one's place
 * starts anew.
 *
 * A bucket is kept as the time at which it will have run empty: as a request adds to it what takes one interval
 * to leak, that is all there is to know.
 */
export class LimitTable {
  readonly #seed: Uint32Array;
  readonly #times: BigInt64Array;
  readonly #tags: Int32Array;
  readonly #running: Int32Array;

  /** A table in memory of {@linkcode limitMemory}. */
  constructor(memory: SharedArrayBuffer) {
    const tagsAt = SEED_BYTES + 2 * ENTRIES * TIME_BYTES;
    this.#seed = new Uint32Array(memory, 0, 2);
    this.#times = new BigInt64Array(memory, SEED_BYTES, 2 * ENTRIES);
    this.#tags = new Int32Array(memory, tagsAt, ENTRIES);
    this.#running = new Int32Array(memory, tagsAt + ENTRIES * TAG_BYTES, ENTRIES);
  }

  /**
   * Counts a request at a time in milliseconds since 1970, if all rates allow it: what is refused fills no bucket.
   *
   * @returns whether they do.
   */
  take(key: string, rates: readonly Rate[], now: number): boolean {
    const { entry } = this.#find(key);
    const microseconds = BigInt(Math.round(now * 1000));
    const empties = rates.map(({ bucket, interval, burst }) => {
      const at = 2 * entry + bucket;
      const last = Atomics.load(this.#times, at);
      const most = micro((burst + 1) * interval);
      // who was remembered before the clock was put back, or with a slower rate, starts anew
      const empty = last > microseconds && last - microseconds <= most ? last : microseconds;
      return {
        at,
        last,
        empty,
        interval: micro(interval),
        isOver: empty - microseconds > micro(burst * interval),
      };
    });
    if (empties.some(({ isOver }) => isOver)) return false;
    for (const { at, last, empty, interval } of empties) {
      const found = Atomics.compareExchange(this.#times, at, last, empty + interval);
      // another thread was faster: this one comes on top
      if (found !== last) Atomics.add(this.#times, at, interval);
    }
    return true;
  }

  /** Counts a request that begins, if fewer than `most` are under way. @returns what counts its end, once. */
  begin(key: string, most: number): (() => void) | undefined {
    const { entry, tag } = this.#find(key);
    if (Atomics.add(this.#running, entry, 1) >= most) {
      this.#end(entry);
      return undefined;
    }
    let isOver = false;
    return () => {
      if (!isOver && Atomics.load(this.#tags, entry) === tag) this.#end(entry);
      isOver = true;
    };
  }

  /** Forgets which requests are under way: those of a thread that has died never end. */
  forgetRunning(): void {
    this.#running.fill(0);
  }

  #end(entry: number): void {
    // those that were forgotten end, too
    for (let count = Atomics.load(this.#running, entry); count > 0;) {
      const found = Atomics.compareExchange(this.#running, entry, count, count - 1);
      if (found === count) return;
      count = found;
    }
  }

  /** The entry of a key; of a new one the entry that has been of no use for the longest time. */
  #find(key: string): { entry: number; tag: number } {
    const { place, tag } = this.#hash(key);
    let oldest = place;
    let oldestUse = this.#lastUse(oldest);
    for (let entry = place; entry < place + WAYS; entry++) {
      if (Atomics.load(this.#tags, entry) === tag) return { entry, tag };
      const use = this.#lastUse(entry);
      if (use < oldestUse) [oldest, oldestUse] = [entry, use];
    }
    Atomics.store(this.#tags, oldest, tag);
    Atomics.store(this.#running, oldest, 0);
    Atomics.store(this.#times, 2 * oldest, 0n);
    Atomics.store(this.#times, 2 * oldest + 1, 0n);
    return { entry: oldest, tag };
  }

  /** One with requests under way is in use now. */
  #lastUse(entry: number): number {
    if (Atomics.load(this.#running, entry) > 0) return Infinity;
    return Math.max(Number(this.#times[2 * entry]), Number(this.#times[2 * entry + 1]));
  }

  /** Two hashes like FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), from a start that nobody knows. */
  #hash(key: string): { place: number; tag: number } {
    let [one = 0, other = 0] = this.#seed;
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index);
      one = Math.imul(one ^ code, 0x01000193);
      other = Math.imul(other ^ code, 0x5bd1e995);
    }
    one ^= one >>> 15;
    other ^= other >>> 13;
    // 0 is the tag of an entry that was never used
    return { place: (one & (ENTRIES / WAYS - 1)) * WAYS, tag: other | 0 || 1 };
  }
}

function micro(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1000));
}
