import { assert, assertEquals, assertMatch } from "@std/assert";
import { ASSETS } from "./assets.ts";

const UI = new URL("./ui/", import.meta.url);

function body(path: string): string {
  const asset = ASSETS.get(path);
  assert(asset !== undefined, `there is a ${path}`);
  assert(typeof asset.body === "string");
  return asset.body;
}

/** The modules that a script names in its imports. */
function importsOf(script: string): string[] {
  return [...script.matchAll(/\b(?:from|import)\s*"([^"\s]+)"/g)].map(([, name = ""]) => name);
}

Deno.test("each module can be had at the path by which others import it", () => {
  let count = 0;
  for (const [path, { type }] of ASSETS) {
    if (!type.startsWith("text/javascript")) continue;
    for (const name of importsOf(body(path))) {
      assertMatch(name, /^\.\/[a-z_]+\.js$/, `${path} imports ${name}`);
      assert(ASSETS.has(name.slice(1)), `${path} imports ${name}`);
      count++;
    }
  }
  assert(count > 20, "imports were found");
});

Deno.test("each file of the pages is served as it is", async () => {
  for await (const { name } of Deno.readDir(UI)) {
    if (/_test\.ts$|^deno\.json$/.test(name)) continue;
    const served = body(name === "index.html" ? "/" : `/${name}`);
    const own = await Deno.readTextFile(new URL(name, UI));
    assertEquals(served.length > 0, own.length > 0, name);
    // imports of libraries alone are other ones
    assertEquals(served.split("\n").length, own.split("\n").length, name);
  }
});

Deno.test("the page names files that there are, all modules beforehand, and has no script or style in it", () => {
  const page = body("/");
  const files = [...page.matchAll(/\b(?:href|src)="([^"]+)"/g)].map(([, name]) => `/${name}`);
  for (const file of files) assert(ASSETS.has(file), file);
  const scripts = [...ASSETS].filter(([, { type }]) => type.startsWith("text/javascript"));
  for (const [path] of scripts) assert(files.includes(path), `${path} is preloaded`);
  assert(!/<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=/.test(page));
});
