/**
 * The rounds in which proxies take turns.
 *
 * @module
 */
import type { Server } from "./programs.ts";
import type { Context, Run, Scenario, Turn } from "./scenario.ts";
import { prepareProxy } from "./servers.ts";

/** Options of {@linkcode compare}. */
export interface CompareOptions extends Pick<Context, "directory" | "seconds" | "warmUp" | "signal"> {
  /** How often each row has its turn. */
  rounds: number;
  /** Where the certificates are. */
  certificates: string;
  /** The backend, which listens on its port for HTTP. */
  backend: Server;
}

/** Measures a scenario, with proxies of its own: what it finds does not depend on the others. @returns each row's runs. */
export async function compare(scenario: Scenario, options: CompareOptions): Promise<Map<string, Run[]>> {
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ dir: options.directory });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  const context: Context = { ...options, directory, stack, found: {} };
  const turns: [turn: Turn, runs: Run[]][] = [];
  const runs = new Map<string, Run[]>();
  for (const [name, setup] of Object.entries(scenario.rows)) {
    const proxy = await prepareProxy(name, setup, {
      directory: await Deno.makeTempDir({ dir: directory }),
      certificates: options.certificates,
      backend: options.backend.ports.http,
    });
    const own: Run[] = [];
    runs.set(name, own);
    turns.push([await scenario.prepare(proxy, context), own]);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const [turn, own] of turns) own.push(await turn());
  }
  return runs;
}
