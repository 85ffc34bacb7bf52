/**
 * How what does not fit into one object is spread over several. Kubernetes takes at most 1 MiB of data for a
 * ConfigMap or a Secret (https://kubernetes.io/docs/concepts/configuration/configmap/#motivation).
 *
 * Everything goes into one of sixteen buckets by a hash of its name, and the buckets into 1, 2, 4, 8 or 16
 * shards. So nothing moves unless the number of shards changes, and what fits into fewer fits into more.
 *
 * @module
 */
import { type KeyPair, MAX_SHARDS } from "@pingress/config";

/** What fits into a shard, in bytes: what Kubernetes takes, less what a file needs to be one. */
export const SHARD_BYTES = 960 * 1024;

/** A shard that holds more than this asks for more of them, in bytes. */
const COMFORTABLE_BYTES = 600 * 1024;

/** Half as many shards will do when none of them would hold more than this, in bytes. */
const SMALL_BYTES = 300 * 1024;

const COUNTS = [1, 2, 4, 8, MAX_SHARDS];

/** Something that goes into a shard. */
export interface ShardPart {
  /** What decides about the shard: a host, or the key of a backend. What has no name is in the first one. */
  name: string | undefined;
  /** How large it is. */
  bytes: number;
}

/** Says how many shards there are, knowing how many bytes each bucket holds. */
export type ChooseShards = (bucketBytes: readonly number[]) => number;

/** The name of a shard's object: `pingress-config` for the first one, then `pingress-config-1` and so on. */
export function shardName(name: string, shard: number): string {
  return shard === 0 ? name : `${name}-${shard}`;
}

/** The names of all the shards that there can be. */
export function shardNames(name: string): string[] {
  return Array.from({ length: MAX_SHARDS }, (_, shard) => shardName(name, shard));
}

/** The parts of each shard, in their order. */
export function spread<T extends ShardPart>(parts: readonly T[], choose: ChooseShards): T[][] {
  const count = choose(bucketBytes(parts));
  const byShard = Map.groupBy(parts, ({ name }) => bucketOf(name) % count);
  return Array.from({ length: count }, (_, shard) => byShard.get(shard) ?? []);
}

/**
 * How many shards to use where `current` are in use: no fewer, unless half as many would be small, and more when
 * one gets large. Something that is large by itself is left alone as long as it fits: no number makes it smaller.
 */
export function shardCount(bucketBytes: readonly number[], current: number): number {
  const holds = (count: number, bytes: number) =>
    bucketBytes.every((_, shard) =>
      bucketBytes.reduce((sum, size, bucket) => bucket % count === shard ? sum + size : sum, 0) <= bytes
    );
  const least = Math.min(current, COUNTS.find((count) => holds(count, SMALL_BYTES)) ?? MAX_SHARDS);
  const counts = COUNTS.filter((count) => count >= least);
  return counts.find((count) => holds(count, COMFORTABLE_BYTES)) ??
    counts.find((count) => holds(count, SHARD_BYTES)) ?? MAX_SHARDS;
}

/** The room that is left in all the shards that there can be. */
export class ShardSpace {
  #left: readonly number[] = new Array<number>(MAX_SHARDS).fill(SHARD_BYTES);

  /** Takes room for all parts. @returns false when one of them has none: none is taken then. */
  take(parts: readonly ShardPart[]): boolean {
    const left = [...this.#left];
    for (const { name, bytes } of parts) {
      const bucket = bucketOf(name);
      const rest = (left[bucket] ?? 0) - bytes;
      if (rest < 0) return false;
      left[bucket] = rest;
    }
    this.#left = left;
    return true;
  }
}

/** How much room a line of JSON takes in a file, in bytes: there is nothing but ASCII in it, and little around it. */
export function lineBytes(json: string): number {
  return json.length + 10;
}

/**
 * How much room a certificate takes in a Secret, in bytes. What an annotation says of it counts four times:
 * Kubernetes takes 256 KiB of annotations, a quarter of what it takes of data.
 */
export function certificateBytes(host: string, { cert, key, secret }: KeyPair & { secret: string }): number {
  return encoder.encode(cert + key).length + 4 * lineBytes(JSON.stringify([host, secret]));
}

/** How much room another file takes in a Secret, in bytes. */
export function fileBytes(name: string, text: string): number {
  return name.length + encoder.encode(text).length;
}

const encoder = new TextEncoder();

function bucketBytes(parts: readonly ShardPart[]): number[] {
  const byBucket = Map.groupBy(parts, ({ name }) => bucketOf(name));
  return Array.from(
    { length: MAX_SHARDS },
    (_, bucket) => (byBucket.get(bucket) ?? []).reduce((sum, { bytes }) => sum + bytes, 0),
  );
}

/** The bucket of a name: the best mixed bits of its FNV-1a hash (http://www.isthe.com/chongo/tech/comp/fnv/). */
function bucketOf(name: string | undefined): number {
  if (name === undefined) return 0;
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  return hash >>> 28;
}
