import {
  createLog,
  errorMessage,
  type FlagValues,
  helpText,
  type Log,
  parseFlags,
  serveAdmin,
  UsageError,
  VERSION,
} from "@pingress/config";
import { CHECK_PROGRAM, checkFlags } from "./check/flags.ts";
import { runCheck } from "./check/run.ts";
import { Controller } from "./controller.ts";
import { type ControllerFlags, controllerFlags, PROGRAM } from "./flags.ts";
import { createKubernetesClient } from "./kubernetes_client.ts";
import { HostPortOutput } from "./outputs/host_port.ts";
import type { Output } from "./outputs/output.ts";
import { StandaloneOutput } from "./outputs/standalone.ts";
import { KubernetesSource } from "./sources/kubernetes_source.ts";
import { ManifestsSource } from "./sources/manifests_source.ts";
import type { Source } from "./sources/source.ts";

if (import.meta.main) await main();

async function main(): Promise<void> {
  const isCheck = Deno.args[0] === "check";
  const program = isCheck ? CHECK_PROGRAM : PROGRAM;
  try {
    const args = Deno.args.slice(isCheck ? 1 : 0);
    const commandLine = parseFlags(program, args, { readEnv: (name) => Deno.env.get(name) });
    if (commandLine.action !== "run") {
      // deno-lint-ignore no-console -- what the user asked to be printed
      return console.log(commandLine.action === "help" ? helpText(program) : VERSION);
    }
    if (isCheck) return await check(commandLine.values, commandLine.operands);
    const flags = controllerFlags(commandLine.values);
    const log = createLog("controller", { level: flags.logLevel });
    const controller = new Controller({ ...await wire(flags, log), log });
    stopOnSignals(controller, log);
    if (flags.listenAdmin !== undefined) serveAdmin(flags.listenAdmin, { isReady: () => controller.isReady });
    await controller.start();
  } catch (error) {
    // deno-lint-ignore no-console -- there may be no log yet
    console.error(`${program.name}: ${errorMessage(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** Prints what is wrong with what it is given, and ends with 1 where something is. */
async function check(values: FlagValues, paths: string[]): Promise<void> {
  const log = createLog("check", { level: "warn" });
  const { text, passed } = await runCheck(checkFlags(values, paths), {
    connect,
    stdin: Deno.stdin.readable,
    log,
  });
  // deno-lint-ignore no-console -- what the user asked to be printed
  console.log(text);
  if (!passed) Deno.exit(1);
}

/** Picks the source and the output that the flags ask for. */
async function wire(flags: ControllerFlags, log: Log): Promise<{ source: Source; output: Output }> {
  if (flags.backend === "Standalone") {
    const output = new StandaloneOutput({ directory: absolute(flags.outputDirectory), log });
    if (flags.manifestsDirectory === undefined) {
      return { source: new KubernetesSource(await connect(), log), output };
    }
    return { source: new ManifestsSource({ directory: flags.manifestsDirectory, log }), output };
  }
  const client = await connect();
  const { namespace, image, imagePullSecret, nodeSelector, proxyArgs } = flags;
  const daemonSet = {
    image,
    proxyArgs,
    ...imagePullSecret !== undefined && { imagePullSecret },
    ...nodeSelector !== undefined && { nodeSelector },
  };
  return {
    source: new KubernetesSource(client, log),
    output: new HostPortOutput({ client, namespace, daemonSet, log }),
  };
}

async function connect() {
  return await createKubernetesClient({
    serviceHost: Deno.env.get("KUBERNETES_SERVICE_HOST"),
    servicePort: Deno.env.get("KUBERNETES_SERVICE_PORT"),
  });
}

/** The proxy may run in another directory. */
function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path.replace(/^\.\//, "")}`;
}

/** The first signal ends what is under way, the second one ends at once. */
function stopOnSignals(controller: Controller, log: Log): void {
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      if (isStopping) Deno.exit(1);
      isStopping = true;
      log.info("Stopping", { signal });
      await controller.stop();
      Deno.exit(0);
    });
  }
}
