import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import type { Translation } from "../translate/translate.ts";
import { StandaloneOutput } from "./standalone.ts";

const EMPTY: Translation = {
  isEmpty: true,
  ingresses: [],
  claims: [],
  config: { rules: [] },
  endpoints: {},
  certificates: new Map(),
  files: new Map(),
  namedSecrets: new Set<string>(),
  problems: [],
};

Deno.test("StandaloneOutput writes what has changed and removes what it wrote", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await using output = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
    await output.start(() => {});
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
    assertEquals(await namesIn(`${directory}/keys`), ["mine.key", "sources.json"]);
    assertEquals(JSON.parse(await Deno.readTextFile(`${directory}/endpoints.json`)), {});
    const after = await Deno.stat(`${directory}/proxy.json`);
    assertEquals([after.mtime, after.ino], [mtime, ino], "a file that has not changed was written");
    assertEquals(await namesIn(directory), ["endpoints.json", "keys", "proxy.json"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("StandaloneOutput knows after a restart what it wrote, and which Secret it is from", async () => {
  const directory = await Deno.makeTempDir();
  const certificates = new Map([
    ["a.example.com", { cert: "CA", key: "KA", secret: "default/a" }],
    ["b.example.com", { cert: "CB", key: "KB", secret: "default/b" }],
    ["*", { cert: "C", key: "K", secret: "tls/default" }],
  ]);
  try {
    {
      await using first = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
      await first.start(() => {});
      await first.apply({ ...EMPTY, certificates });
    }
    await Deno.writeTextFile(`${directory}/keys/c.example.com.key.next`, "half a k");
    await using second = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
    await second.start(() => {});
    assertEquals(Object.fromEntries(second.lastGood()), {
      "default/a": { cert: "CA", key: "KA" },
      "default/b": { cert: "CB", key: "KB" },
      "tls/default": { cert: "C", key: "K" },
    });
    certificates.delete("b.example.com");
    await second.apply({ ...EMPTY, certificates });
    assertEquals(await namesIn(`${directory}/keys`), [
      "_.cert",
      "_.key",
      "a.example.com.cert",
      "a.example.com.key",
      "sources.json",
    ]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("StandaloneOutput keeps password hashes for its own eyes, and not for longer than they are needed", async () => {
  const directory = await Deno.makeTempDir();
  const file = `${directory}/keys/default_users_auth-file.users`;
  try {
    {
      await using first = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
      await first.start(() => {});
      await first.apply({ ...EMPTY, files: new Map([["default_users_auth-file.users", "a:hash\n"]]) });
      assertEquals(await Deno.readTextFile(file), "a:hash\n");
      assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    }
    await using second = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
    await second.start(() => {});
    await second.apply(EMPTY);
    assertEquals(await namesIn(`${directory}/keys`), ["sources.json"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("StandaloneOutput writes other files beside the keys, and removes them after a restart too", async () => {
  const directory = await Deno.makeTempDir();
  const files = new Map([["default_a.backend.ca", "CA"], ["default_a.backend.key", "K"]]);
  try {
    {
      await using first = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
      await first.start(() => {});
      await first.apply({ ...EMPTY, files });
    }
    assertEquals(await Deno.readTextFile(`${directory}/keys/default_a.backend.ca`), "CA");
    assertEquals((await Deno.stat(`${directory}/keys/default_a.backend.key`)).mode! & 0o777, 0o600);
    // the files of a host
    await Deno.writeTextFile(`${directory}/keys/mine.backend.key`, "not Pingress's");
    await using second = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
    await second.start(() => {});
    await second.apply(EMPTY);
    assertEquals(await namesIn(`${directory}/keys`), ["mine.backend.key", "sources.json"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("StandaloneOutput has endpoints of every route, wherever it is cut off", async () => {
  const directory = await Deno.makeTempDir();
  const proxyJson = `${directory}/proxy.json`;
  const served = (name: string, endpoint: string): Translation => {
    const backend = { type: "Service" as const, namespace: "default", name, port: 80 };
    const rule = { host: `${name}.example.com`, path: { type: "Prefix" as const, path: "/" }, backend };
    return { ...EMPTY, config: { rules: [rule] }, endpoints: { [`default/${name}:80`]: [endpoint] } };
  };
  const endpoints = async () => JSON.parse(await Deno.readTextFile(`${directory}/endpoints.json`));
  try {
    await using output = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
    await output.start(() => {});
    await output.apply(served("old", "10.0.0.1:80"));
    // a file cannot take the place of a directory
    await Deno.remove(proxyJson);
    await Deno.mkdir(proxyJson);
    await assertRejects(() => output.apply(served("new", "10.0.0.2:80")));
    assertEquals(await endpoints(), { "default/old:80": ["10.0.0.1:80"], "default/new:80": ["10.0.0.2:80"] });
    // sorted, as always: what says the same is not written again
    assertEquals(Object.keys(await endpoints()), ["default/new:80", "default/old:80"]);
    await Deno.remove(proxyJson);
    await output.apply(served("new", "10.0.0.3:80"));
    assertEquals(await endpoints(), { "default/new:80": ["10.0.0.3:80"] });
    assertStringIncludes(await Deno.readTextFile(proxyJson), "new.example.com");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("StandaloneOutput puts right what somebody else did to its files", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await using output = closing(new StandaloneOutput({ directory, log: SILENT_LOG }));
    let ticked = Promise.withResolvers<void>();
    await output.start(() => ticked.resolve());
    await output.apply(EMPTY);
    const proxyJson = await Deno.readTextFile(`${directory}/proxy.json`);
    for (
      const spoil of [
        () => Deno.remove(`${directory}/proxy.json`),
        () => Deno.writeTextFile(`${directory}/proxy.json`, "{}"),
      ]
    ) {
      ticked = Promise.withResolvers<void>();
      await spoil();
      await ticked.promise;
      await output.apply(EMPTY);
      assertEquals(await Deno.readTextFile(`${directory}/proxy.json`), proxyJson);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

function closing(output: StandaloneOutput): StandaloneOutput & AsyncDisposable {
  return Object.assign(output, { [Symbol.asyncDispose]: () => output.close() });
}

async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
}
