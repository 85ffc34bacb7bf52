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
import { createKubernetesClient } from "./kubernetes_client.ts";
import { Metrics } from "./metrics.ts";
import { ClusterOutput } from "./outputs/cluster.ts";
import type { Workload } from "./outputs/managed_objects.ts";
import type { Output } from "./outputs/output.ts";
import { StandaloneOutput } from "./outputs/standalone.ts";
import { renderDaemonSet } from "./render/host_port.ts";
import { renderDeployment, renderPodDisruptionBudget, renderService } from "./render/load_balancer.ts";
import { KubernetesSource } from "./sources/kubernetes_source.ts";
import { ManifestsSource } from "./sources/manifests_source.ts";
import type { Source } from "./sources/source.ts";

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
    const metrics = new Metrics();
    const controller = new Controller({ ...await wire(flags, { log, metrics }), log, metrics });
    stopOnSignals(controller, log);
    if (flags.listenAdmin !== undefined) {
      serveAdmin(flags.listenAdmin, {
        isReady: () => controller.isReady,
        metrics: () => Promise.resolve(metrics.text()),
      });
    }
    await controller.start();
  } catch (error) {
    // deno-lint-ignore no-console -- there may be no log yet
    console.error(`${PROGRAM.name}: ${errorMessage(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** Picks the source and the output that the flags ask for. */
async function wire(
  flags: ControllerFlags,
  { log, metrics }: { log: Log; metrics: Metrics },
): Promise<{ source: Source; output: Output }> {
  if (flags.backend === "Standalone") {
    const output = new StandaloneOutput({ directory: absolute(flags.outputDirectory), log });
    if (flags.manifestsDirectory === undefined) {
      return { source: new KubernetesSource(await connect(metrics), { log, metrics }), output };
    }
    return { source: new ManifestsSource({ directory: flags.manifestsDirectory, log }), output };
  }
  const client = await connect(metrics);
  const { namespace } = flags;
  const workload = renderWorkload(flags);
  return {
    source: new KubernetesSource(client, { log, metrics }),
    output: new ClusterOutput({ client, namespace, workload, log }),
  };
}

function renderWorkload(flags: Exclude<ControllerFlags, { backend: "Standalone" }>): Workload {
  const { namespace, proxy } = flags;
  if (flags.backend === "HostPort") return { DaemonSet: renderDaemonSet(proxy, namespace) };
  return {
    Deployment: renderDeployment(flags.proxy, namespace),
    Service: renderService(flags.proxy, namespace),
    PodDisruptionBudget: renderPodDisruptionBudget(namespace),
  };
}

async function connect(metrics: Metrics) {
  return await createKubernetesClient({
    serviceHost: Deno.env.get("KUBERNETES_SERVICE_HOST"),
    servicePort: Deno.env.get("KUBERNETES_SERVICE_PORT"),
    onAnswer: (method, status) => metrics.countApiRequest(method, status),
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
