/**
 * Makes the deno.json of an image from that of the repository, in place: run by the Dockerfiles, which have
 * no shell to rely on. Its workspace is config and the one program, and its imports are those of the two, from
 * the import map where there is one: so the image's command needs no flag for it, and its cache holds no
 * package that tests or the other program use.
 *
 * @module
 */
const [program = ""] = Deno.args;
const importMap = Deno.env.get("IMPORT_MAP");
const { imports, unstable } = await readJson("deno.json");
const available = importMap ? await importsOf(importMap) : imports;
const used = new Set<string>();
for (const folder of ["config", program, ...importMap ? ["npm"] : []]) await addImports(folder);
const kept = Object.entries(available).filter(([name]) =>
  [...used].some((one) => one === name || one.startsWith(name.endsWith("/") ? name : `${name}/`))
);
const config = { workspace: ["./config", `./${program}`], unstable, imports: Object.fromEntries(kept) };
await Deno.writeTextFile("deno.json", `${JSON.stringify(config, null, 2)}\n`);

/** Adds what the files of a folder import, but for those of tests. */
async function addImports(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await addImports(path);
    if (!name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(path);
    for (const [, specifier = ""] of text.matchAll(/(?:\bfrom|\bimport\(?)\s*"([^"]+)"/g)) {
      used.add(specifier);
    }
  }
}

/** The imports of an import map, relative to the directory above it. */
async function importsOf(path: string): Promise<Record<string, string>> {
  const entries = Object.entries<string>((await readJson(path)).imports);
  return Object.fromEntries(
    entries.map(([name, target]) =>
      [name, target.startsWith(".") ? `.${new URL(target, `file:///${path}`).pathname}` : target] as const
    ),
  );
}

async function readJson(path: string) {
  return JSON.parse(await Deno.readTextFile(path));
}
