/**
 * Pingress on one machine without a cluster: two small backends, the controller in Standalone on a directory
 * of YAML, the proxy on what the controller writes.
 *
 * @module
 */
import {
  type Address,
  createLog,
  errorMessage,
  type FlagValues,
  formatAddress,
  helpText,
  type KeyPair,
  parseFlags,
  type Program,
  type ProxyConfig,
  serveAdmin,
  UsageError,
  VERSION,
} from "@pingress/config";
import { copy, emptyDir } from "@std/fs";
import { Controller } from "../controller/controller.ts";
import { ASSETS } from "../controller/dashboard/assets.ts";
import { Dashboard } from "../controller/dashboard/dashboard.ts";
import { ProxyFigures } from "../controller/dashboard/proxy_figures.ts";
import { dashboardHandler } from "../controller/dashboard/server.ts";
import { Metrics } from "../controller/metrics.ts";
import { StandaloneOutput } from "../controller/outputs/standalone.ts";
import { ManifestsSource } from "../controller/sources/manifests_source.ts";
import { listenErrorMessage } from "../proxy/accept/listen_error.ts";
import { PROGRAM as PROXY_PROGRAM, proxyFlags } from "../proxy/flags.ts";
import { Proxy } from "../proxy/proxy.ts";
import { selfSigned } from "../tests/certificates.ts";
import { serveFruit } from "./demo/backend.ts";
import { curlCommand, type DemoProxy, REQUESTS, send } from "./demo/requests.ts";

const PROGRAM: Program = {
  name: "deno task demo",
  summary: "Runs Pingress on this machine, without a cluster, on YAML that you can edit.",
  flags: [
    { name: "listen-http", value: "ADDRESS", default: "127.0.0.1:8080", help: "Where HTTP is served" },
    { name: "listen-https", value: "ADDRESS", default: "127.0.0.1:8443", help: "Where HTTPS is served" },
    {
      name: "listen-admin",
      value: "ADDRESS",
      default: "127.0.0.1:9000",
      help: "Where the dashboard is served",
    },
    {
      name: "once",
      help: "Make the requests, print the answers and end: with 0 when all are right, else with 1",
    },
  ],
};

const DIRECTORY = ".demo";
const FRUITS = ["apple", "banana"];

await main();

async function main(): Promise<void> {
  try {
    const commandLine = parseFlags(PROGRAM, Deno.args, { readEnv: (name) => Deno.env.get(name) });
    if (commandLine.action !== "run") {
      return print(commandLine.action === "help" ? helpText(PROGRAM) : VERSION);
    }
    await run(commandLine.values);
  } catch (error) {
    print(`The demo cannot run: ${errorMessage(error)}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

async function run(values: FlagValues): Promise<void> {
  const http = address(values, "listen-http");
  const https = address(values, "listen-https");
  const admin = address(values, "listen-admin");
  const isOnce = values.switch("once");
  // before anything is written: the files may be those of a demo that is running
  for (const { hostname, port } of [http, https, ...isOnce ? [] : [admin]]) tryToListen({ hostname, port });
  const name = `${DIRECTORY}/${http.port}`;
  const directory = `${Deno.cwd()}/${name}`;
  const manifests = `${directory}/manifests`;
  const output = `${directory}/output`;
  await writeManifests(directory, manifests);
  const log = createLog("demo", { level: "warn", write: print });
  const standalone = new StandaloneOutput({ directory: output, log });
  const dashboard = new Dashboard({
    isLeader: () => true,
    chooseShards: standalone.chooseShards,
    figures: new ProxyFigures({
      finder: {
        find: () => Promise.resolve([{ name: "demo", admin: proxy.addresses.admin }]),
        close: () => Promise.resolve(),
      },
    }),
    log,
  });
  const metrics = new Metrics();
  const controller = new Controller({
    source: new ManifestsSource({ directory: manifests, log }),
    output: standalone,
    observe: (outcome) => dashboard.see(outcome),
    metrics,
    log,
  });
  await controller.start();
  const proxy = new Proxy({
    ...proxyOptions(output, { http, https }),
    onReload: () => isUp && announce({ output, manifests }),
    log,
  });
  let isUp = false;
  await proxy.start();
  isUp = true;
  const demo = { ...proxy.addresses, caFile: `${name}/ca.pem` };
  if (isOnce) return Deno.exit(await showAnswers(demo) ? 0 : 1);
  serveAdmin(admin, {
    isReady: () => controller.isReady,
    metrics: () => Promise.resolve(metrics.text()),
    others: dashboardHandler({ dashboard, assets: ASSETS, log }),
  });
  await showRoutes(output);
  print("Try it:\n");
  for (const request of REQUESTS) {
    print(`  # ${request.title}: ${request.backend}\n  ${curlCommand(request, demo)}\n`);
  }
  print(`Look at it: http://${formatAddress(admin)}/`);
  print(`Edit ${name}/manifests/ingress.yaml and save: the change is live within a second.`);
  print("Ctrl-C ends the demo; the next one begins with files of its own.\n");
  Deno.addSignalListener("SIGINT", () => Deno.exit(0));
}

/** What the proxy's command line would say; it serves in this thread. */
function proxyOptions(output: string, { http, https }: { http: Address; https: Address }) {
  const commandLine = parseFlags(PROXY_PROGRAM, [
    `--config=${output}/proxy.json`,
    `--watch=${output}`,
    `--listen-http=${formatAddress(http)}`,
    `--listen-https=${formatAddress(https)}`,
    "--listen-admin=127.0.0.1:0",
  ], { readEnv: () => undefined });
  if (commandLine.action !== "run") throw new Error("BUG: the proxy's flags ask for something else");
  return { ...proxyFlags(commandLine.values, { cores: 1 }), workers: 0, accessLog: Deno.stdout };
}

function address(values: FlagValues, flag: string): Address {
  const address = values.address(flag);
  if (address.hostname === "127.0.0.1") return address;
  throw new UsageError(`Invalid --${flag}: the demo may listen on 127.0.0.1 only, such as 127.0.0.1:8081`);
}

function tryToListen(address: Address): void {
  try {
    Deno.listen(address).close();
  } catch (error) {
    throw new Error(listenErrorMessage(error, address));
  }
}

/** Starts the backends, and writes YAML with their addresses and with fresh certificates. */
async function writeManifests(directory: string, manifests: string): Promise<void> {
  await emptyDir(directory);
  await Deno.mkdir(manifests);
  for (const name of ["ingress.yaml", "services.yaml"]) {
    await copy(new URL(`./demo/${name}`, import.meta.url), `${manifests}/${name}`);
  }
  const endpoints = FRUITS.map((fruit) => ({
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: { name: fruit },
    subsets: [{
      addresses: [{ ip: "127.0.0.1" }],
      ports: [{ name: "http", port: serveFruit(fruit).addr.port }],
    }],
  }));
  const pairs = await Promise.all(FRUITS.map((fruit) => selfSigned([`${fruit}.example.com`])));
  const secrets = FRUITS.map((fruit, index) => tlsSecret(`${fruit}-tls`, pairs[index]));
  await Deno.writeTextFile(`${manifests}/endpoints.json`, listOf(endpoints));
  await Deno.writeTextFile(`${manifests}/certificates.json`, listOf(secrets));
  await Deno.writeTextFile(`${directory}/ca.pem`, pairs.map(({ cert }) => cert).join("\n"));
}

function tlsSecret(name: string, pair: KeyPair | undefined): object {
  const stringData = { "tls.crt": pair?.cert, "tls.key": pair?.key };
  return { apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls", metadata: { name }, stringData };
}

function listOf(items: object[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items }, null, 2);
}

/** Makes all requests. @returns whether every answer is right. */
async function showAnswers(demo: DemoProxy): Promise<boolean> {
  let allRight = true;
  for (const request of REQUESTS) {
    const { title, protocol, host, path, backend } = request;
    const answer = await send(request, demo).catch((error) => `no answer: ${errorMessage(error)}`);
    const isRight = answer.startsWith(`This is ${backend}.`);
    allRight &&= isRight;
    print(`${isRight ? "ok  " : "FAIL"} ${title}: ${protocol} ${host}${path}`);
    print(answer.trimEnd().replaceAll(/^/gm, "       "));
  }
  print(allRight ? "\nAll answers are right." : "\nNot all answers are right.");
  return allRight;
}

async function showRoutes(output: string): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile(`${output}/proxy.json`)) as ProxyConfig;
  const rows = config.rules.map((
    { host = "(any)", path, backend, tls },
  ) => [
    host,
    path.type,
    path.path,
    `${backend.namespace}/${backend.name}:${backend.port}`,
    tls ? "yes" : "no",
  ]);
  if (config.defaultBackend !== undefined) {
    const { namespace, name, port } = config.defaultBackend;
    rows.push(["(what is left)", "", "", `${namespace}/${name}:${port}`, ""]);
  }
  const table = [["HOST", "TYPE", "PATH", "BACKEND", "TLS"], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  print("");
  for (const row of table) {
    print(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}`);
  }
  print("");
}

/** Says that an edit is served, and how long after it was saved. */
async function announce({ output, manifests }: { output: string; manifests: string }): Promise<void> {
  const now = Date.now();
  let saved = 0;
  for await (const { name } of Deno.readDir(manifests)) {
    saved = Math.max(saved, (await Deno.stat(`${manifests}/${name}`)).mtime?.getTime() ?? 0);
  }
  // a file that was removed or moved leaves its time in the directory
  saved = Math.max(saved, (await Deno.stat(manifests)).mtime?.getTime() ?? 0);
  print(`Live, ${((now - saved) / 1000).toFixed(2)} s after it was saved:`);
  await showRoutes(output);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- the demo talks to the one who runs it
  console.log(text);
}
