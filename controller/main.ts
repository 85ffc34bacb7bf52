import {
  createLog,
  errorMessage,
  helpText,
  type Log,
  parseFlags,
  serveAdmin,
  UsageError,
  VERSION,
} from "@pingress/config";
import { Controller } from "./controller.ts";
import { type ControllerFlags, controllerFlags, PROGRAM } from "./flags.ts";
import { eventApi } from "./events/event_api.ts";
import { EventRecorder } from "./events/event_recorder.ts";
import { createKubernetesClient } from "./kubernetes_client.ts";
import { HostPortOutput } from "./outputs/host_port.ts";
import type { Output } from "./outputs/output.ts";
import { StandaloneOutput } from "./outputs/standalone.ts";
import type { Reporter } from "./reporter.ts";
import { KubernetesSource } from "./sources/kubernetes_source.ts";
import { ManifestsSource } from "./sources/manifests_source.ts";
import type { Source } from "./sources/source.ts";
import { IngressStatus, statusApi } from "./status/ingress_status.ts";
import { FixedAddresses, ProxyNodeAddresses, proxyNodeApis } from "./status/published_addresses.ts";

if (import.meta.main) await main();

async function main(): Promise<void> {
  try {
    const commandLine = parseFlags(PROGRAM, Deno.args, { readEnv: (name) => Deno.env.get(name) });
    if (commandLine.action !== "run") {
      // deno-lint-ignore no-console -- what the user asked to be printed
      return console.log(commandLine.action === "help" ? helpText(PROGRAM) : VERSION);
    }
    const flags = controllerFlags(commandLine.values);
    const log = createLog("controller", { level: flags.logLevel });
    const controller = new Controller({ ...await wire(flags, log), log });
    stopOnSignals(controller, log);
    if (flags.listenAdmin !== undefined) serveAdmin(flags.listenAdmin, { isReady: () => controller.isReady });
    await controller.start();
  } catch (error) {
    // deno-lint-ignore no-console -- there may be no log yet
    console.error(`${PROGRAM.name}: ${errorMessage(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

interface Wiring {
  source: Source;
  output: Output;
  reporters?: Reporter[];
}

/** Picks the source, the output and the reporters that the flags ask for. */
async function wire(flags: ControllerFlags, log: Log): Promise<Wiring> {
  if (flags.backend === "Standalone") {
    const output = new StandaloneOutput({ directory: absolute(flags.outputDirectory), log });
    if (flags.manifestsDirectory === undefined) {
      return { source: new KubernetesSource(await connect(), log), output };
    }
    return { source: new ManifestsSource({ directory: flags.manifestsDirectory, log }), output };
  }
  const client = await connect();
  const { namespace, image, imagePullSecret, nodeSelector, proxyArgs, publishAddresses } = flags;
  const daemonSet = {
    image,
    proxyArgs,
    ...imagePullSecret !== undefined && { imagePullSecret },
    ...nodeSelector !== undefined && { nodeSelector },
  };
  const addresses = publishAddresses.length > 0
    ? new FixedAddresses(publishAddresses)
    : new ProxyNodeAddresses({ apis: proxyNodeApis(client, namespace), log });
  const canWrite = () => true;
  return {
    source: new KubernetesSource(client, log),
    output: new HostPortOutput({ client, namespace, daemonSet, log }),
    reporters: [
      new IngressStatus({ api: statusApi(client), addresses, canWrite, log }),
      new EventRecorder({ api: eventApi(client), namespace, canWrite, log }),
    ],
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
