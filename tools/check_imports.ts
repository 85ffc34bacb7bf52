/**
 * Checks that imports point one way (config ◀ controller, config ◀ proxy), that the pure rooms stay pure, that
 * only main.ts touches arguments, environment and exit, and that programs and tests each have packages of their
 * own. Prints what breaks a rule and ends with 1.
 *
 * @module
 */
import { walk } from "@std/fs";

interface Rule {
  /** The files that it is for. */
  files: RegExp;
  /** Is it for tests? Else it is for all that is not one. */
  tests?: boolean;
  /** What must not be in them. */
  forbidden: RegExp;
  /** Why. */
  reason: string;
}

/** Tests, and what helps them. */
const TESTS = /^tests\/|_test\.ts$|\/testing\.ts$/;

/** The packages that the programs have. */
const PACKAGES = Object.keys(JSON.parse(await Deno.readTextFile("deno.json")).imports);

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
  {
    files: /^(?:config|controller|proxy|tools)\//,
    // not in the examples of JSDoc
    forbidden: /^(?!\s*\*).*(?:from|import)\s*\(?\s*"(?:npm:|jsr:|https?:|@std\/assert)/,
    reason:
      "the programs' packages are those of deno.json; what is named by npm:, and @std/assert, is the tests'",
  },
  {
    files: /^(?:config|controller|proxy)\//,
    forbidden: /(?:from|import)\s*\(?\s*"(?:[./]*\.\.\/tests\/|[^"]*(?:_test|\/testing)\.ts")/,
    reason: "the programs do not import from tests",
  },
  {
    files: /./,
    tests: true,
    forbidden: new RegExp(`"(?:npm|jsr):(?:${PACKAGES.join("|")})[@/"]`),
    reason:
      "a package that the programs have is imported by its name in deno.json, so that there is one version",
  },
];

let faults = 0;
for await (const { path } of walk(".", { exts: [".ts"], includeDirs: false, skip: [/(^|\/)\.[^./]/] })) {
  const isTest = TESTS.test(path);
  const lines = (await Deno.readTextFile(path)).split("\n");
  for (const { files, tests = false, forbidden, reason } of RULES) {
    if (tests !== isTest || !files.test(path)) continue;
    for (const [index, line] of lines.entries()) {
      if (!forbidden.test(line)) continue;
      faults++;
      // deno-lint-ignore no-console -- what the tool is for
      console.error(`${path}:${index + 1}: ${line.trim()}\n  ${reason}`);
    }
  }
}
Deno.exit(faults === 0 ? 0 : 1);
