import { assertEquals } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import type { Translation } from "../translate/translate.ts";
import { StandaloneOutput } from "./standalone.ts";

const EMPTY: Translation = {
  isEmpty: true,
  config: { rules: [] },
  endpoints: {},
  certificates: new Map(),
  problems: [],
};

Deno.test("StandaloneOutput writes what has changed and removes what it wrote", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const output = new StandaloneOutput({ directory, log: SILENT_LOG });
    await output.start();
    await Deno.writeTextFile(`${directory}/keys/mine.key`, "not Pingress's");
    const certificates = new Map([["*.example.com", { cert: "C", key: "K", secret: "default/s" }]]);
    await output.apply({ ...EMPTY, certificates, endpoints: { "default/web:80": ["10.0.0.1:80"] } });
    assertEquals(await Deno.readTextFile(`${directory}/keys/_.example.com.cert`), "C");
    assertEquals((await Deno.stat(`${directory}/keys/_.example.com.key`)).mode! & 0o777, 0o600);
    assertEquals(JSON.parse(await Deno.readTextFile(`${directory}/endpoints.json`)), {
      "default/web:80": ["10.0.0.1:80"],
    });
    const { mtime, ino } = await Deno.stat(`${directory}/proxy.json`);
    await output.apply({ ...EMPTY, endpoints: {} });
    assertEquals(await namesIn(`${directory}/keys`), ["mine.key"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${directory}/endpoints.json`)), {});
    const after = await Deno.stat(`${directory}/proxy.json`);
    assertEquals([after.mtime, after.ino], [mtime, ino], "a file that has not changed was written");
    assertEquals(await namesIn(directory), ["endpoints.json", "keys", "proxy.json"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}
