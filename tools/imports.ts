/**
 * Prints the flag by which a task finds its packages: none where JSR answers (deno.json says `jsr:`), else
 * `--import-map=npm/import_map.json`. PINGRESS_IMPORTS=jsr or npm decides without asking.
 *
 * @module
 */
const FLAG = "--import-map=npm/import_map.json";

async function doesJsrAnswer(): Promise<boolean> {
  try {
    const response = await fetch("https://jsr.io/@std/assert/meta.json", {
      signal: AbortSignal.timeout(3000),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

const choice = Deno.env.get("PINGRESS_IMPORTS");
if (choice === "npm" || (choice !== "jsr" && !await doesJsrAnswer())) {
  await Deno.stdout.write(new TextEncoder().encode(`${FLAG}\n`));
}
