/**
 * Makes the deno.json of an image from that of the repository, in place: run by the Dockerfiles, which have
 * no shell to rely on. Its workspace is config and the one program, and the import map is in it, so that the
 * image's command needs no flag for it.
 *
 * @module
 */
const [program] = Deno.args;
const importMap = Deno.env.get("IMPORT_MAP");
const { imports, unstable } = JSON.parse(await Deno.readTextFile("deno.json"));
const config = {
  workspace: ["./config", `./${program}`],
  unstable,
  ...importMap ? { importMap } : { imports },
};
await Deno.writeTextFile("deno.json", `${JSON.stringify(config, null, 2)}\n`);
