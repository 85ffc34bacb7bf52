import { assertEquals, assertThrows } from "@std/assert";
import { PROGRAM as CONTROLLER } from "../../controller/flags.ts";
import { FAMILIES as CONTROLLER_FAMILIES } from "../../controller/metrics.ts";
import { FAMILIES as PROXY_FAMILIES } from "../../proxy/observe/families.ts";
import { PROGRAM as PROXY } from "../../proxy/flags.ts";
import { ROOT } from "./markdown.ts";
import { documentContract, documentFlags, documentMetrics, readInterfaces } from "./reference.ts";

/** A page that is made of code; `deno task test:update` writes it. */
async function isPage(path: string, text: string): Promise<void> {
  const url = new URL(path, ROOT);
  if (Deno.env.get("PINGRESS_UPDATE") === "1") await Deno.writeTextFile(url, text);
  assertEquals(text, await Deno.readTextFile(url), `${path}: deno task test:update writes it`);
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

Deno.test("documentFlags() is docs/reference/flags.md", async () => {
  await isPage("docs/reference/flags.md", documentFlags([CONTROLLER, ...CONTROLLER.commands ?? [], PROXY]));
});

Deno.test("documentMetrics() is docs/reference/metrics.md", async () => {
  await isPage(
    "docs/reference/metrics.md",
    documentMetrics([
      { program: "Proxy", families: PROXY_FAMILIES },
      { program: "Controller", families: CONTROLLER_FAMILIES },
    ]),
  );
});

Deno.test("documentContract() is docs/reference/contract.md, which begins with what people wrote", async () => {
  const page = await read("docs/reference/contract.md");
  const [introduction = ""] = page.split("\n## All fields\n");
  const sources = [await read("config/proxy_config.ts"), await read("config/rule_options.ts")];
  await isPage("docs/reference/contract.md", documentContract(introduction, sources));
});

Deno.test("readInterfaces() reads fields of all kinds, and stumbles over what it does not know", () => {
  const source = [
    "/** An A. */",
    "export interface A {",
    "  /** One. */",
    "  one: string;",
    "  /**",
    "   * Two, as {@linkcode one}",
    "   * has it.",
    "   */",
    '  two?: { a: "b;c" }[];',
    "}",
    "",
    "/** A C. */",
    'export type C = "x" | "y";',
    "",
    "/** A B. */",
    "export interface B extends A {",
    "  /** Three. */",
    "  three: C | number;",
    "}",
    "",
  ].join("\n");
  const [a, b] = readInterfaces(source.replace('"b;c"', "string"));
  assertEquals(a, {
    name: "A",
    doc: "An A.",
    fields: [
      { name: "one", isOptional: false, type: "string", doc: "One." },
      { name: "two", isOptional: true, type: "{ a: string }[]", doc: "Two, as `one` has it." },
    ],
  });
  assertEquals(b?.fields.map(({ name }) => name), ["one", "two", "three"]);
  assertEquals(b?.fields[2]?.type, '"x" | "y" | number');
  assertThrows(() => readInterfaces(source.replace("  /** One. */\n", "")), Error, "A: cannot read");
});

Deno.test("docs/access_log.md names every field of the log, in its order", async () => {
  const [, line = ""] =
    /JSON\.stringify\(\{\n([^]*?)\n {4}\}\);/.exec(await read("proxy/observe/access_log.ts")) ?? [];
  const logged = [...line.matchAll(/^ {6}(\w+):/gm)].map(([, field]) => field);
  const documented = [...(await read("docs/access_log.md")).matchAll(/^\| `(\w+)`/gm)].map(([, field]) =>
    field
  );
  assertEquals(documented, logged);
});

Deno.test("docs/reference/answers.md names every reason that Pingress answers for", async () => {
  const [, reasons = ""] = /const REASONS = \{\n([^]*?)\n\}/.exec(await read("proxy/errors.ts")) ?? [];
  const known = [...reasons.matchAll(/^ {2}(\w+): \[(\d+)/gm)].map(([, reason, status]) =>
    `${status} ${reason}`
  );
  const rows = (await read("docs/reference/answers.md")).matchAll(/^\| (\d+) +\| (`.*?) +\|/gm);
  const documented = [...rows].flatMap(([, status, reasons = ""]) =>
    [...reasons.matchAll(/`(\w+)`/g)].map(([, reason]) => `${status} ${reason}`)
  );
  assertEquals(documented.toSorted(), known.toSorted());
});
