import {
  createLog,
  errorMessage,
  type FlagValues,
  helpText,
  type Log,
  parseFlags,
  type Program,
  serveAdmin,
  UsageError,
  VERSION,
} from "@pingress/config";
import { CHECK_PROGRAM, checkFlags } from "./check/flags.ts";
import { type CheckWorld, runCheck } from "./check/run.ts";
import { Controller } from "./controller.ts";
import { ASSETS } from "./dashboard/assets.ts";
import { Dashboard, type DashboardOptions } from "./dashboard/dashboard.ts";
import { ingressDetails } from "./dashboard/ingress_details.ts";
import { ProxyFigures } from "./dashboard/proxy_figures.ts";
import { ProxyPods } from "./dashboard/proxy_pods.ts";
import { dashboardHandler } from "./dashboard/server.ts";
import { type ControllerFlags, controllerFlags, PROGRAM } from "./flags.ts";
import { eventApi } from "./events/event_api.ts";
import { EventRecorder } from "./events/event_recorder.ts";
import { createKubernetesClient } from "./kubernetes_client.ts";
import { LeaderElection, leaseApi } from "./leader_election.ts";
import { type Election, NO_ELECTION, writingAsLeader } from "./leadership.ts";
import { Metrics } from "./metrics.ts";
import { MIGRATE_PROGRAM, migrateFlags } from "./migrate/flags.ts";
import { runMigrate } from "./migrate/run.ts";
import { ClusterOutput } from "./outputs/cluster.ts";
import type { Workload } from "./outputs/managed_objects.ts";
import type { Output } from "./outputs/output.ts";
import { StandaloneOutput } from "./outputs/standalone.ts";
import type { Reporter } from "./reporter.ts";
import { renderDaemonSet } from "./render/host_port.ts";
import { renderDeployment, renderPodDisruptionBudget, renderService } from "./render/load_balancer.ts";
import { KubernetesSource } from "./sources/kubernetes_source.ts";
import { ManifestsSource } from "./sources/manifests_source.ts";
import type { Source } from "./sources/source.ts";
import { IngressStatus, statusApi } from "./status/ingress_status.ts";
import {
  FixedAddresses,
  ProxyNodeAddresses,
  proxyNodeApis,
  proxyPodApi,
  proxyServiceApi,
  ServiceAddresses,
} from "./status/published_addresses.ts";

/** Something that is done once, and said on the standard output. */
interface Command {
  program: Program;
  run(values: FlagValues, paths: string[], world: CheckWorld): Promise<{ text: string; passed: boolean }>;
}

const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ["check", {
    program: CHECK_PROGRAM,
    run: (values, paths, world) => runCheck(checkFlags(values, paths), world),
  }],
  ["migrate", {
    program: MIGRATE_PROGRAM,
    run: (values, paths, world) => runMigrate(migrateFlags(values, paths), world),
  }],
]);

if (import.meta.main) await main();

async function main(): Promise<void> {
  const command = COMMANDS.get(Deno.args[0] ?? "");
  const program = command?.program ?? PROGRAM;
  try {
    const args = Deno.args.slice(command === undefined ? 0 : 1);
    const commandLine = parseFlags(program, args, { readEnv: (name) => Deno.env.get(name) });
    if (commandLine.action !== "run") {
      // deno-lint-ignore no-console -- what the user asked to be printed
      return console.log(commandLine.action === "help" ? helpText(program) : VERSION);
    }
    if (command !== undefined) return await runCommand(command, commandLine);
    const flags = controllerFlags(commandLine.values);
    const log = createLog("controller", { level: flags.logLevel });
    const metrics = new Metrics();
    const { defaultCertificate, guestClasses } = flags;
    const wiring = await wire(flags, { log, metrics });
    const dashboard = flags.dashboard ? createDashboard(wiring, log) : undefined;
    const controller = new Controller({
      ...wiring,
      defaultCertificate,
      guestClasses,
      log,
      metrics,
      ...dashboard !== undefined && { observe: (outcome) => dashboard.see(outcome) },
    });
    stopOnSignals({ controller, dashboard }, log);
    if (flags.listenAdmin !== undefined) {
      serveAdmin(flags.listenAdmin, {
        isReady: () => controller.isReady,
        metrics: () => Promise.resolve(metrics.text()),
        ...dashboard !== undefined && { others: dashboardHandler({ dashboard, assets: ASSETS, log }) },
      });
    }
    await controller.start();
  } catch (error) {
    // deno-lint-ignore no-console -- there may be no log yet
    console.error(`${program.name}: ${errorMessage(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** Prints what a command has to say, and ends with 1 where all is not well. */
async function runCommand(
  { program, run }: Command,
  { values, operands }: { values: FlagValues; operands: string[] },
): Promise<void> {
  const log = createLog(program.name.replace(/^.* /, ""), { level: "warn" });
  const { text, passed } = await run(values, operands, {
    connect: () => connect(new Metrics()),
    stdin: Deno.stdin.readable,
    log,
  });
  // deno-lint-ignore no-console -- what the user asked to be printed
  console.log(text);
  if (!passed) Deno.exit(1);
}

interface Wiring {
  source: Source;
  output: Output;
  election?: Election;
  reporters?: Reporter[];
  /** What the dashboard asks the cluster and the proxies. */
  asking?: Pick<DashboardOptions, "details" | "figures">;
}

function createDashboard({ output, election = NO_ELECTION, asking }: Wiring, log: Log): Dashboard {
  return new Dashboard({
    isLeader: () => election.isLeader,
    chooseShards: output.chooseShards,
    ...asking,
    log,
  });
}

/** Picks the source, the output, the election and the reporters that the flags ask for. */
async function wire(
  flags: ControllerFlags,
  { log, metrics }: { log: Log; metrics: Metrics },
): Promise<Wiring> {
  if (flags.backend === "Standalone") {
    const output = new StandaloneOutput({ directory: absolute(flags.outputDirectory), log });
    if (flags.manifestsDirectory === undefined) {
      const client = await connect(metrics);
      const source = new KubernetesSource(client, { log, metrics });
      return { source, output, asking: { details: ingressDetails(client) } };
    }
    return { source: new ManifestsSource({ directory: flags.manifestsDirectory, log }), output };
  }
  const client = await connect(metrics);
  const { namespace, publishAddresses } = flags;
  const election = flags.leaderElection
    ? new LeaderElection({ leases: leaseApi(client, namespace), identity: identity(), log })
    : NO_ELECTION;
  const addresses = publishAddresses.length > 0
    ? new FixedAddresses(publishAddresses)
    : flags.backend === "LoadBalancer"
    ? new ServiceAddresses({ api: proxyServiceApi(client, namespace), log })
    : new ProxyNodeAddresses({ apis: proxyNodeApis(client, namespace), log });
  const writer = writingAsLeader(client, election);
  const canWrite = () => election.isLeader;
  const onWritten = (object: string, bytes: number | undefined) => metrics.setShard(object, bytes);
  return {
    source: new KubernetesSource(client, { log, metrics }),
    output: new ClusterOutput({ client: writer, namespace, workload: renderWorkload(flags), log, onWritten }),
    election,
    reporters: [
      new IngressStatus({ api: statusApi(writer), addresses, canWrite, log }),
      new EventRecorder({ api: eventApi(writer), namespace, canWrite, log }),
    ],
    asking: {
      details: ingressDetails(client),
      figures: new ProxyFigures({ finder: new ProxyPods({ api: proxyPodApi(client, namespace), log }) }),
    },
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

/** The Pod's name says where to look; a container that is started anew in it is another one. */
function identity(): string {
  return `${Deno.env.get("PINGRESS_POD_NAME") ?? PROGRAM.name}-${crypto.randomUUID().slice(0, 8)}`;
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
function stopOnSignals(
  { controller, dashboard }: { controller: Controller; dashboard: Dashboard | undefined },
  log: Log,
): void {
  let isStopping = false;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, async () => {
      if (isStopping) Deno.exit(1);
      isStopping = true;
      log.info("Stopping", { signal });
      await Promise.all([controller.stop(), dashboard?.close()]);
      Deno.exit(0);
    });
  }
}
