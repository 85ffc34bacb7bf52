/**
 * What tests share: waiting, bytes, directories that go away, and a log that can be waited for.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createLog, type Log } from "@pingress/config";
import type { Deadlines } from "../proxy/deadlines.ts";
import type { HeaderList } from "../proxy/exchange.ts";
import { Fields } from "../proxy/http1/fields.ts";

/** How long a test waits for what should happen at once, in milliseconds. */
const PATIENCE = 10_000;

/** Waits for a promise, but not for ever. */
export async function within<T>(promise: Promise<T>, what: string, milliseconds = PATIENCE): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}`)), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets everything run that waits for nothing from outside. */
export async function settled(): Promise<void> {
  await pause(0);
}

/** Waits until something is so of which nobody tells: it is looked at again and again. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`Waited in vain for ${what}`);
    await pause(1);
  }
}

/** Lets milliseconds go by: for what depends on time, or must not happen. Where there is an event, wait for that. */
export async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until the deadlines have been looked at. */
export async function lookedAt(deadlines: Deadlines): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const expiring = { deadline: 0, expire: resolve };
  deadlines.add(expiring);
  await within(promise, "a look at the deadlines");
  deadlines.delete(expiring);
}

/** Bytes as a string of as many characters. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** A string of characters up to U+00FF as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** Header fields as they are received: `lines` have a line end each. */
export function fieldsOf(lines: string): Fields {
  return Fields.parse(bytesOf(`${lines}\r\n`), { start: 0, end: lines.length });
}

/** The same header fields in each form that they have: as they are received, and as they are made here. */
export function eachForm(list: HeaderList): Fields[] {
  const lines = list.map(([name, value]) => `${name}: ${value}\r\n`);
  return [fieldsOf(lines.join("")), Fields.of([...list])];
}

/** The SHA-256 of some bytes or of a stream of them, in hexadecimal. */
export async function sha256(content: BodyInit | null): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await new Response(content).arrayBuffer());
  return new Uint8Array(digest).toHex();
}

/** Bytes that nobody would mistake for others of the same length. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

/** A directory for one test. */
export class TempDir implements AsyncDisposable {
  /** Its path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes one. */
  static async make(): Promise<TempDir> {
    return new TempDir(await Deno.makeTempDir({ prefix: "pingress-" }));
  }

  /** Puts a file into it, whole: a reader sees the old one or the new one. @returns its path. */
  async write(name: string, text: string): Promise<string> {
    const path = `${this.path}/${name}`;
    await Deno.writeTextFile(`${path}.new`, text);
    await Deno.rename(`${path}.new`, path);
    return path;
  }

  /** Removes it with all that is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Runs something with a directory in which there are files, by their paths below it. */
export async function withFiles(
  files: Record<string, string>,
  run: (directory: string) => Promise<void>,
): Promise<void> {
  await using dir = await TempDir.make();
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${dir.path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await dir.write(name, text);
  }
  await run(dir.path);
}

/** A log whose lines can be read and waited for. */
export interface RecordedLog {
  /** To be written to. */
  log: Log;
  /** What was written, without the time. */
  lines: string[];
  /** Waits for a line with `text`, from line number `from` on. @returns the number of the line after it. */
  has(text: string, from?: number): Promise<number>;
}

/** Makes a log for a test. */
export function recordingLog(): RecordedLog {
  const lines: string[] = [];
  let written = Promise.withResolvers<void>();
  const log = createLog("test", {
    level: "debug",
    write: (line) => {
      lines.push(line.replace(/^\S+ /, ""));
      written.resolve();
      written = Promise.withResolvers();
    },
  });
  const has = async (text: string, from = 0) => {
    for (;;) {
      const index = lines.findIndex((line, index) => index >= from && line.includes(text));
      if (index !== -1) return index + 1;
      await within(written.promise, `"${text}" in the log, which says:\n${lines.join("\n")}\n`);
    }
  };
  return { log, lines, has };
}
