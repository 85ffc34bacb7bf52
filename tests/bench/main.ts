/**
 * Measures Pingress beside nginx and HAProxy: `deno task bench`.
 *
 * @module
 */
import {
  errorMessage,
  type FlagValues,
  helpText,
  parseFlags,
  type Program,
  UsageError,
  VERSION,
} from "@pingress/config";
import { compare } from "./compare.ts";
import { LOAD_CORE, PROXY_CORE, run, versions } from "./programs.ts";
import { section } from "./report.ts";
import { SCENARIOS } from "./scenarios.ts";
import { startBackend } from "./servers.ts";
import { CERTIFICATES, writeCertificates } from "./site.ts";

const PROGRAM: Program = {
  name: "deno task bench",
  summary: "Measures the proxy beside nginx and HAProxy, on this machine.",
  flags: [
    { name: "rounds", value: "N", default: "7", help: "How often each proxy has its turn in a scenario" },
    { name: "seconds", value: "S", default: "3", help: "How long a turn under load takes" },
    { name: "warm-up", value: "S", default: "8", help: "How long each proxy is under load before its turns" },
    {
      name: "scenario",
      value: "NAME,…",
      help: `Some scenarios only: ${SCENARIOS.map(({ name }) => name).join(", ")}`,
    },
    {
      name: "output",
      value: "FILE",
      help: "Where the results are written, too: a file below docs/ or /tmp/",
    },
  ],
};

if (import.meta.main) await main();

async function main(): Promise<void> {
  const interrupt = new AbortController();
  try {
    const commandLine = parseFlags(PROGRAM, Deno.args, { readEnv: (name) => Deno.env.get(name) });
    if (commandLine.action !== "run") {
      return print(commandLine.action === "help" ? helpText(PROGRAM) : VERSION);
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => interrupt.abort(new Error(`Ended by ${signal}`)));
    }
    await bench(commandLine.values, interrupt.signal);
    // what listens to signals would keep it running
    Deno.exit(0);
  } catch (error) {
    // deno-lint-ignore no-console -- results alone go to standard output
    console.error(`The benchmark cannot go on: ${errorMessage(error)}`);
    Deno.exit(interrupt.signal.aborted ? 130 : error instanceof UsageError ? 2 : 1);
  }
}

async function bench(values: FlagValues, signal: AbortSignal): Promise<void> {
  const rounds = count(values, "rounds");
  const seconds = count(values, "seconds");
  const warmUp = count(values, "warm-up");
  const scenarios = chosen(values.text("scenario"));
  const output = values.text("output");
  const head = await header({ rounds, seconds, warmUp, signal });
  print(head);
  await using stack = new AsyncDisposableStack();
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "pingress-bench-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  // it makes requests itself: not on the core of the proxies
  await run(["taskset", "-acp", LOAD_CORE, String(Deno.pid)], signal);
  const certificates = await writeCertificates(directory);
  const backend = stack.use(await startBackend(await Deno.makeTempDir({ dir: directory }), signal));
  const parts = [head];
  for (const scenario of scenarios) {
    const options = { certificates, backend, rounds, seconds, warmUp, directory, signal };
    const part = section(scenario, await compare(scenario, options));
    print(part);
    parts.push(part);
  }
  if (output !== undefined) await Deno.writeTextFile(output, parts.join("\n"));
}

/** What the results are worth: of which machine, which programs, and how. */
async function header(
  { rounds, seconds, warmUp, signal }: {
    rounds: number;
    seconds: number;
    warmUp: number;
    signal: AbortSignal;
  },
): Promise<string> {
  const cores = navigator.hardwareConcurrency;
  if (cores < 2) throw new Error("There is one core only: the proxy and its load need one each");
  const { nginx, haproxy, wrk, h2load } = await versions(signal);
  const { text } = await run(["cat", "/proc/sys/kernel/osrelease", "/proc/cpuinfo"], signal);
  return `# Benchmark

- ${new Date().toISOString().slice(0, 10)}, \`deno task bench --rounds ${rounds} --seconds ${seconds}\`
- ${/^model name\s*: (.*)$/m.exec(text)?.[1] ?? "CPU unknown"}, ${cores} cores
- Linux ${text.split("\n")[0]}
- Pingress ${VERSION} on Deno ${Deno.version.deno}, nginx ${nginx}, HAProxy ${haproxy}; wrk ${wrk}, h2load ${h2load}
- One worker each, after ${warmUp} s to warm up, on core ${PROXY_CORE}; the load and the backend on core ${LOAD_CORE}
- ${CERTIFICATES} hosts with a certificate each (ECDSA P-256); no session is resumed, nothing is logged, if not told
- Medians; ratios are of CPU time, if not told, to another row in the same round (least–greatest)
`;
}

function chosen(only: string | undefined) {
  if (only === undefined) return SCENARIOS;
  const names = only.split(",");
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown !== undefined) {
    throw new UsageError(`Invalid --scenario: there is no scenario ${JSON.stringify(unknown)}`);
  }
  return SCENARIOS.filter(({ name }) => names.includes(name));
}

function count(values: FlagValues, flag: string): number {
  const text = values.requiredText(flag);
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`Invalid --${flag} ${JSON.stringify(text)}: it takes a number such as 3`);
}

function print(text: string): void {
  // deno-lint-ignore no-console -- the results
  console.log(text);
}
