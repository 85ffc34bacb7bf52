/**
 * Checks that imports point one way (config ◀ controller, config ◀ proxy), that the pure rooms stay pure, and
 * that only main.ts touches arguments, environment and exit. Prints what breaks a rule and ends with 1.
 *
 * @module
 */
import { walk } from "@std/fs";

interface Rule {
  /** The files that it is for. */
  files: RegExp;
  /** What must not be in them. */
  forbidden: RegExp;
  /** Why. */
  reason: string;
}

const RULES: Rule[] = [
  {
    files: /^config\//,
    forbidden: /(?:from|import)\s*\(?\s*"(?:@pingress\/|\.\.\/)/,
    reason: "config is imported by both programs and imports neither",
  },
  {
    files: /^controller\//,
    forbidden: /(?:from|import)\s*\(?\s*"(?:@pingress\/proxy|[./]*\.\.\/proxy\/)/,
    reason: "the controller does not know the proxy: they share the contract in config",
  },
  {
    files: /^proxy\//,
    forbidden: /(?:from|import)\s*\(?\s*"(?:@pingress\/controller|[./]*\.\.\/controller\/)/,
    reason: "the proxy does not know the controller: they share the contract in config",
  },
  {
    files: /^controller\/(?:translate|render)\//,
    forbidden: /\bDeno\.|\bDate\.now\(|new Date\(\)|\bperformance\.|\bfetch\(/,
    reason: "translate and render are functions of their arguments",
  },
  {
    files: /^(?:config|controller|proxy)\/(?!main\.ts)(?!.*\/main\.ts)/,
    forbidden: /\bDeno\.(?:args|env|exit)\b/,
    reason: "only main.ts touches arguments, environment and exit",
  },
  {
    files: /^(?:config|controller|proxy)\/(?!log\.ts)(?!.*\/log\.ts)/,
    forbidden: /from "@std\/log"/,
    reason: "log.ts is the only importer of @std/log, so that it can be replaced in one file",
  },
];

let faults = 0;
for await (
  const { path } of walk(".", { exts: [".ts"], includeDirs: false, skip: [/_test\.ts$/, /(^|\/)\.[^./]/] })
) {
  const lines = (await Deno.readTextFile(path)).split("\n");
  for (const { files, forbidden, reason } of RULES) {
    if (!files.test(path)) continue;
    for (const [index, line] of lines.entries()) {
      if (!forbidden.test(line)) continue;
      faults++;
      // deno-lint-ignore no-console -- what the tool is for
      console.error(`${path}:${index + 1}: ${line.trim()}\n  ${reason}`);
    }
  }
}
Deno.exit(faults === 0 ? 0 : 1);
