/**
 * Runs the shell blocks of a page as a reader would: in their order, in a copy of the repository.
 *
 * - ```` ```sh runnable ```` is run to its end, which must be a good one;
 * - ```` ```sh runnable background ```` is what the reader runs in a terminal of its own: the next block is tried
 *   until it works;
 * - ```` ```text output ```` is what the block before it prints: each line somewhere, in this order, where `…`
 *   stands for anything;
 * - `may-fail` does not ask how it ends: `check` ends with 1 where something is wrong, which is what it shows;
 * - `needs=COMMAND` leaves the block out where there is no such command.
 *
 * @module
 */
import { isInstalled } from "../../programs.ts";
import { TempDir } from "../../testing.ts";
import { codeBlocks, ROOT } from "../markdown.ts";

/** What a reader has. */
const REPOSITORY = [
  "deno.json",
  "deno.lock",
  "config",
  "controller",
  "proxy",
  "npm",
  "tools",
  "tests",
  "manifests",
  "docs",
];

/** How long the block after one in the background may take to work, in milliseconds. */
const PATIENCE = 60_000;

/** How long one block may take, in milliseconds. */
const MOST = 300_000;

/** Which blocks are run. */
export type Where = "runnable" | "cluster";

/** Does a page have such blocks? */
export function hasBlocks(page: string, where: Where): boolean {
  return codeBlocks(page).some(({ language, tags }) => language === "sh" && tags.includes(where));
}

/** Runs all blocks of a page that are tagged so. @throws {Error} for the first one that does not do what it should. */
export async function walk(path: string, where: Where): Promise<void> {
  await using directory = await TempDir.make();
  const copying = new Deno.Command("cp", { args: ["-R", ...REPOSITORY, directory.path], cwd: ROOT });
  if (!(await copying.output()).success) throw new Error(`Cannot copy the repository to ${directory.path}`);
  // deno is what runs this test, wherever it is
  await Deno.mkdir(`${directory.path}/.bin`);
  await Deno.symlink(Deno.execPath(), `${directory.path}/.bin/deno`);
  const background: Deno.ChildProcess[] = [];
  try {
    let printed: string | undefined;
    let isAfterBackground = false;
    for (const { language, tags, text, line } of codeBlocks(await Deno.readTextFile(new URL(path, ROOT)))) {
      if (language === "text" && tags.includes("output") && printed !== undefined) {
        checkOutput(text, printed, `${path}:${line}`);
      }
      if (language !== "sh") continue;
      // what follows a block that is not run is not its output
      printed = undefined;
      if (!tags.includes(where)) continue;
      const needs = tags.find((tag) => tag.startsWith("needs="))?.slice("needs=".length);
      if (needs !== undefined && !isInstalled(needs)) continue;
      if (tags.includes("background")) {
        background.push(start(text, directory.path));
        isAfterBackground = true;
        continue;
      }
      printed = await run(text, {
        cwd: directory.path,
        what: `${path}:${line}`,
        patience: isAfterBackground ? PATIENCE : 0,
        mayFail: tags.includes("may-fail"),
      });
      isAfterBackground = false;
    }
  } finally {
    for (const process of background) {
      // with all that it has started
      await new Deno.Command("kill", { args: ["--", `-${process.pid}`], stderr: "null" }).output();
      await process.status;
    }
  }
}

function command(
  text: string,
  { cwd, program = [], signal }: { cwd: string; program?: string[]; signal?: AbortSignal },
): Deno.Command {
  const [name = "", ...args] = [...program, "bash", "-euo", "pipefail", "-c", text];
  return new Deno.Command(name, {
    args,
    cwd,
    env: { PATH: `${cwd}/.bin:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
    stdin: "null",
    ...signal && { signal },
    stdout: "piped",
    stderr: "piped",
  });
}

function start(text: string, cwd: string): Deno.ChildProcess {
  const process = command(text, { cwd, program: ["setsid", "--wait"] }).spawn();
  for (const stream of [process.stdout, process.stderr]) stream.pipeTo(new WritableStream());
  return process;
}

async function run(
  text: string,
  { cwd, what, patience, mayFail }: { cwd: string; what: string; patience: number; mayFail: boolean },
): Promise<string> {
  const until = performance.now() + patience;
  for (;;) {
    const { success, stdout, stderr } = await command(text, { cwd, signal: AbortSignal.timeout(MOST) })
      .output();
    const [printed, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (success || mayFail) return `${printed}${said}`;
    if (performance.now() > until) throw new Error(`${what}:\n${text}\n${printed}${said}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** @throws {Error} for the first line that was not printed. */
export function checkOutput(expected: string, printed: string, what: string): void {
  const lines = printed.split("\n").map((line) => line.trim());
  let from = 0;
  for (const line of expected.split("\n").map((line) => line.trim()).filter((line) => line !== "")) {
    if (line === "…") continue;
    const pattern = new RegExp(`^${line.split("…").map((part) => RegExp.escape(part)).join(".*")}$`);
    const found = lines.findIndex((candidate, index) => index >= from && pattern.test(candidate));
    if (found === -1) throw new Error(`${what}: nothing like ${JSON.stringify(line)} in:\n${printed}`);
    from = found + 1;
  }
}
