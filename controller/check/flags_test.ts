import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags, UsageError } from "@pingress/config";
import { CHECK_PROGRAM, checkFlags } from "./flags.ts";

function read(...args: string[]) {
  const commandLine = parseFlags(CHECK_PROGRAM, args, { readEnv: () => "never read" });
  if (commandLine.action !== "run") throw new Error("not reached");
  return checkFlags(commandLine.values, commandLine.operands);
}

Deno.test("checkFlags() reads files and flags", () => {
  const usual = { usesCluster: false, namespace: "default", isStrict: false, output: "text" } as const;
  assertEquals(read("a.yaml", "-"), { ...usual, paths: ["a.yaml", "-"] });
  assertEquals(read("--cluster"), { ...usual, paths: [], usesCluster: true });
  assertEquals(read("--strict", "--output=json", "--namespace", "shop", "--default-certificate=a/b", "dir"), {
    paths: ["dir"],
    defaultCertificate: "a/b",
    usesCluster: false,
    namespace: "shop",
    isStrict: true,
    output: "json",
  });
});

const refused: [args: string[], message: string][] = [
  [[], "There is nothing to check"],
  [["--strict"], "There is nothing to check"],
  [["a", "--output=yaml"], "it takes one of text, json"],
  [["a", "--fix"], "Unknown flag --fix"],
];

for (const [args, message] of refused) {
  Deno.test(`checkFlags() refuses ${args.join(" ") || "nothing"}`, () => {
    assertThrows(() => read(...args), UsageError, message);
  });
}
