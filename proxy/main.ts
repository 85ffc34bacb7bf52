import { createLog, errorMessage, helpText, parseFlags, UsageError, VERSION } from "@pingress/config";
import { PROGRAM, proxyFlags } from "./flags.ts";
import { Proxy } from "./proxy.ts";

if (import.meta.main) await main();

async function main(): Promise<void> {
  try {
    const commandLine = parseFlags(PROGRAM, Deno.args, { readEnv: (name) => Deno.env.get(name) });
    if (commandLine.action !== "run") {
      // deno-lint-ignore no-console -- what the user asked to be printed
      return console.log(commandLine.action === "help" ? helpText(PROGRAM) : VERSION);
    }
    const flags = proxyFlags(commandLine.values, { cores: navigator.hardwareConcurrency });
    const log = createLog("proxy", { level: flags.logLevel });
    const proxy = new Proxy({ ...flags, accessLog: Deno.stdout, log });
    stopOnSignals(proxy, log);
    await proxy.start();
  } catch (error) {
    // deno-lint-ignore no-console -- there may be no log yet
    console.error(`${PROGRAM.name}: ${errorMessage(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** The first signal lets running requests finish, the second one ends at once. */
function stopOnSignals(proxy: Proxy, log: ReturnType<typeof createLog>): void {
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      if (isStopping) Deno.exit(1);
      isStopping = true;
      log.info("Stopping: running requests are finished first", { signal });
      await proxy.stop();
      Deno.exit(0);
    });
  }
}
