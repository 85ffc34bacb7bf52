/**
 * The demo as users start it, with a directory of YAML that can be edited.
 *
 * @module
 */
import type { Address } from "@pingress/config";
import { within } from "../testing.ts";

/** A demo that ends when disposed of. */
export class DemoProgram implements AsyncDisposable {
  /** Where it serves HTTP. */
  readonly http: Address;
  /** Where its dashboard is. */
  readonly dashboard: string;
  /** The directory with its YAML. */
  readonly manifests: string;
  readonly #child: Deno.ChildProcess;
  readonly #directory: string;
  readonly #output: Promise<void>;

  private constructor(
    child: Deno.ChildProcess,
    { http, admin, output }: { http: number; admin: number; output: Promise<void> },
  ) {
    this.#child = child;
    this.#directory = `.demo/${http}`;
    this.#output = output;
    this.http = { hostname: "127.0.0.1", port: http };
    this.dashboard = `http://127.0.0.1:${admin}/`;
    this.manifests = `${this.#directory}/manifests`;
  }

  /** Starts it. @throws {Error} when it does not say within a minute that it is there. */
  static async start(): Promise<DemoProgram> {
    const [http = 0, https = 0, admin = 0] = freePorts(3);
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "task",
        "-q",
        "demo",
        `--listen-http=127.0.0.1:${http}`,
        `--listen-https=127.0.0.1:${https}`,
        `--listen-admin=127.0.0.1:${admin}`,
      ],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const isUp = Promise.withResolvers<void>();
    const output = (async () => {
      for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
        if (text.includes("Ctrl-C")) isUp.resolve();
      }
      isUp.reject(new Error("The demo has ended"));
    })();
    const demo = new DemoProgram(child, { http, admin, output });
    try {
      await within(isUp.promise, "the demo", 60_000);
    } catch (error) {
      await demo[Symbol.asyncDispose]();
      throw error;
    }
    return demo;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGINT");
    await this.#child.status;
    await this.#output;
    await Deno.remove(this.#directory, { recursive: true }).catch(() => {});
  }
}

/** Ports at which nobody listens. */
function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  for (const listener of listeners) listener.close();
  return listeners.map(({ addr }) => addr.port);
}
