import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags, UsageError } from "@pingress/config";
import { MIGRATE_PROGRAM, migrateFlags } from "./flags.ts";

function read(...args: string[]) {
  const commandLine = parseFlags(MIGRATE_PROGRAM, args, { readEnv: () => "from the environment" });
  if (commandLine.action !== "run") throw new Error("not reached");
  return migrateFlags(commandLine.values, commandLine.operands);
}

Deno.test("migrateFlags() reads what there is to look at, and how", () => {
  assertEquals(read(), { paths: [], classes: [], namespace: "default", output: "text" });
  const args = [
    "yaml",
    "--from-class=nginx",
    "--from-class",
    "internal",
    "--write=out",
    "--output",
    "html",
    "-",
  ];
  assertEquals(read(...args), {
    paths: ["yaml", "-"],
    classes: ["nginx", "internal"],
    namespace: "default",
    directory: "out",
    output: "html",
  });
});

Deno.test("migrateFlags() refuses what makes no sense", () => {
  assertThrows(() => read("--output=pdf", "yaml"), UsageError, "--output");
  assertThrows(() => read("--write=out"), UsageError, "kubectl get");
});
