import { assertEquals, assertLess } from "@std/assert";
import { recordingLog, TempDir, within } from "../tests/testing.ts";
import { FileWatcher } from "./file_watcher.ts";
import { SILENT_LOG } from "./log.ts";

/** Far longer than a test: such a timer never fires. */
const NEVER = 3_600_000;

/** A watcher that reads one file whole at every reload. */
class Follower implements AsyncDisposable {
  reloads = 0;
  readonly #file: string;
  readonly #watcher: FileWatcher;
  #text: string | undefined;
  #reloaded = Promise.withResolvers<void>();

  constructor(directory: string, file: string, rereadInterval = NEVER) {
    this.#file = `${directory}/${file}`;
    const { log } = recordingLog();
    this.#watcher = new FileWatcher({ directory, reload: () => this.#reload(), rereadInterval, log });
  }

  /** Waits for the reload that finds `text`, or no file. */
  async has(text: string | undefined): Promise<void> {
    while (this.#text !== text) await within(this.#reloaded.promise, `a reload that finds ${text}`);
  }

  async close(): Promise<void> {
    await this.#watcher.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #reload(): Promise<boolean> {
    const before = this.#text;
    this.#text = await Deno.readTextFile(this.#file).catch(() => undefined);
    this.reloads++;
    this.#reloaded.resolve();
    this.#reloaded = Promise.withResolvers();
    return this.#text !== before;
  }
}

Deno.test("FileWatcher reloads after an event", async () => {
  await using dir = await TempDir.make();
  await dir.write("a.json", "1");
  await using follower = new Follower(dir.path, "a.json");
  await dir.write("a.json", "2");
  await follower.has("2");
});

Deno.test("FileWatcher sees a file in a directory below", async () => {
  await using dir = await TempDir.make();
  await Deno.mkdir(`${dir.path}/keys`);
  await using follower = new Follower(dir.path, "keys/a.key");
  await dir.write("keys/a.key", "1");
  await follower.has("1");
});

Deno.test("FileWatcher follows the link that kubelet swaps", async () => {
  await using dir = await TempDir.make();
  await publish(dir, "..2026_01_01", "1");
  await Deno.symlink("..data/proxy.json", `${dir.path}/proxy.json`);
  await using follower = new Follower(dir.path, "proxy.json");
  await publish(dir, "..2026_01_02", "2");
  await Deno.remove(`${dir.path}/..2026_01_01`, { recursive: true });
  await follower.has("2");
  await publish(dir, "..2026_01_03", "3");
  await follower.has("3");
});

Deno.test("FileWatcher makes one reload of a burst", async () => {
  await using dir = await TempDir.make();
  await using follower = new Follower(dir.path, "last");
  await Promise.all(Array.from({ length: 200 }, (_, file) => dir.write(`file-${file}`, "")));
  await dir.write("last", "1");
  await follower.has("1");
  assertLess(follower.reloads, 4);
});

Deno.test("FileWatcher finds by its slow re-read what the watch missed, then watches the new directory", async () => {
  await using dir = await TempDir.make();
  const watched = `${dir.path}/config`;
  for (const version of ["v1", "v2"]) await Deno.mkdir(`${dir.path}/${version}`);
  await Deno.symlink("v1", watched);
  const rereadInterval = 1500;
  await using follower = new Follower(watched, "a.json", rereadInterval);
  // the watch stays with the directory that the link led to
  await dir.write("v2/a.json", "1");
  await Deno.remove(watched);
  await Deno.symlink("v2", watched);
  await follower.has("1");
  for (const text of ["2", "3", "4"]) {
    const start = performance.now();
    await dir.write("config/a.json", text);
    await follower.has(text);
    assertLess(performance.now() - start, rereadInterval / 2);
  }
});

Deno.test("FileWatcher waits for a directory that is not there", async () => {
  await using dir = await TempDir.make();
  const record = recordingLog();
  const changed = Promise.withResolvers<void>();
  const watcher = new FileWatcher({
    directory: `${dir.path}/missing`,
    reload: () => Promise.resolve(changed.resolve()).then(() => false),
    rereadInterval: 60_000,
    log: record.log,
  });
  try {
    await record.has("Waiting for directory");
    await Deno.mkdir(`${dir.path}/missing`);
    await changed.promise;
  } finally {
    await watcher.close();
  }
});

Deno.test("FileWatcher follows a directory that is removed and made again", async () => {
  await using dir = await TempDir.make();
  await Deno.mkdir(`${dir.path}/config`);
  await using follower = new Follower(`${dir.path}/config`, "a.json");
  for (const text of ["1", "2"]) {
    await dir.write("config/a.json", text);
    await follower.has(text);
  }
  await Deno.remove(`${dir.path}/config`, { recursive: true });
  await follower.has(undefined);
  await Deno.mkdir(`${dir.path}/config`);
  for (const text of ["3", "4", "5"]) {
    await dir.write("config/a.json", text);
    await follower.has(text);
  }
});

Deno.test("FileWatcher logs a reload that fails and goes on", async () => {
  await using dir = await TempDir.make();
  const record = recordingLog();
  const again = Promise.withResolvers<void>();
  let reloads = 0;
  const watcher = new FileWatcher({
    directory: dir.path,
    reload: () => {
      if (++reloads > 1) again.resolve();
      return Promise.reject(new Error("broken"));
    },
    rereadInterval: 10,
    log: record.log,
  });
  try {
    await record.has("A reload failed error=broken");
    await again.promise;
  } finally {
    await watcher.close();
  }
});

Deno.test("FileWatcher reloads no more once it is closed", async () => {
  await using dir = await TempDir.make();
  await using follower = new Follower(dir.path, "a.json");
  await using other = new Follower(dir.path, "a.json");
  await follower.close();
  await dir.write("a.json", "1");
  await other.has("1");
  assertEquals(follower.reloads, 0);
});

Deno.test("FileWatcher.close() waits for the reload that is under way", async () => {
  await using dir = await TempDir.make();
  const started = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let hasEnded = false;
  const watcher = new FileWatcher({
    directory: dir.path,
    reload: async () => {
      started.resolve();
      await released;
      await Deno.stat(dir.path);
      return hasEnded = true;
    },
    rereadInterval: NEVER,
    log: SILENT_LOG,
  });
  watcher.reload();
  await started.promise;
  const closed = watcher.close().then(() => hasEnded);
  release();
  assertEquals(await closed, true);
});

/** Writes a new version the way kubelet does: a directory first, then a link to it that replaces the old link. */
async function publish(dir: TempDir, name: string, text: string): Promise<void> {
  await Deno.mkdir(`${dir.path}/${name}`);
  await dir.write(`${name}/proxy.json`, text);
  await Deno.symlink(name, `${dir.path}/..data_tmp`);
  await Deno.rename(`${dir.path}/..data_tmp`, `${dir.path}/..data`);
}
