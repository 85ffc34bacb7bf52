/**
 * nginx, which some tests compare the proxy with: where it is installed, and may be run.
 *
 * @module
 */
import type { Address } from "@pingress/config";
import { pause, TempDir, within } from "./testing.ts";

/** May it be run, and is it there? */
export async function hasNginx(): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "run", command: "nginx" });
  if (state !== "granted") return false;
  try {
    return (await new Deno.Command("nginx", { args: ["-v"], stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** An address of this machine at which nothing listens yet. */
export function freeAddress(): Address {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { hostname: "127.0.0.1", port: listener.addr.port };
}

/** Options of {@linkcode startNginx}. */
export interface NginxOptions {
  /** Where it listens, as its configuration says. */
  address: Address;
  /** What stands in the block `http` of its configuration. */
  http: string;
  /** More files of its directory, by name. */
  files?: Record<string, string>;
}

/** Starts it, with one worker and no log. @throws {Error} with what it says, when its configuration is no good. */
export async function startNginx({ address, http, files = {} }: NginxOptions): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const dir = stack.use(await TempDir.make());
  for (const [name, text] of Object.entries(files)) await dir.write(name, text);
  await dir.write("nginx.conf", configuration(http));
  const process = new Deno.Command("nginx", {
    args: ["-p", dir.path, "-c", "nginx.conf", "-e", "stderr"],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const said = new Response(process.stderr).text();
  stack.defer(async () => {
    // it may have ended by itself
    try {
      process.kill("SIGTERM");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await process.status;
    await said;
  });
  let hasEnded = false;
  process.status.finally(() => hasEnded = true);
  const listening = async () => {
    while (!hasEnded) {
      try {
        return (await Deno.connect(address)).close();
      } catch {
        await pause(20);
      }
    }
    throw new Error(`nginx has ended: ${await said}`);
  };
  await within(listening(), "nginx to listen");
  return stack.move();
}

const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

function configuration(http: string): string {
  return `
user root;
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr emerg;
events { worker_connections 4096; }
http {
  access_log off;
  ${TEMPORARY.map((what) => `${what}_temp_path ${what};`).join(" ")}
${http}
}
`;
}
