import manifest from "./deno.json" with { type: "json" };

/** The version of Pingress, the same for both programs. */
export const VERSION: string = manifest.version;
