import { createHash } from "node:crypto";

/** What tells a file's text from others. */
export function textDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/**
 * The revision of a configuration: what controller and proxies call it, each by itself. It follows from the texts of
 * `proxy.json` and `endpoints.json` of each shard, of which `digests` has those of the first shard first.
 */
export function configRevision(digests: readonly string[]): string {
  return textDigest(digests.join("\n")).slice(0, 12);
}
