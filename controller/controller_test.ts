import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import type { Event } from "@cloudydeno/kubernetes-apis/core/v1";
import { createLog, type KeyPair, SILENT_LOG } from "@pingress/config";
import { selfSigned } from "../tests/certificates.ts";
import { recordingLog } from "../tests/testing.ts";
import { Controller } from "./controller.ts";
import { EventRecorder } from "./events/event_recorder.ts";
import type { Election } from "./leadership.ts";
import { Metrics } from "./metrics.ts";
import type { Kinds } from "./objects.ts";
import type { Output } from "./outputs/output.ts";
import type { Outcome, Reporter } from "./reporter.ts";
import type { Source } from "./sources/source.ts";
import { IngressStatus } from "./status/ingress_status.ts";
import { FixedAddresses } from "./status/published_addresses.ts";
import { Store } from "./store.ts";
import type { Translation } from "./translate/translate.ts";

const PACE = { collect: 1, interval: 1, retryAfter: 1 };

class FakeSource implements Source {
  readonly store = new Store();
  tick: () => void = () => {};

  start(tick: () => void): Promise<void> {
    this.tick = tick;
    return Promise.resolve();
  }

  snapshot() {
    return this.store.snapshot();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class FakeOutput implements Output {
  readonly keysDirectory = "/keys";
  readonly isSharded = false;
  readonly chooseShards = () => 1;
  readonly applied: Translation[] = [];
  good = new Map<string, KeyPair>();
  failures = 0;
  onApply = () => {};
  #waiting: (() => void)[] = [];

  start(): Promise<void> {
    return Promise.resolve();
  }

  lastGood() {
    return this.good;
  }

  apply(translation: Translation): Promise<void> {
    this.onApply();
    if (this.failures-- > 0) return Promise.reject(new Error("the cluster is away"));
    this.applied.push(translation);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return Promise.resolve();
  }

  async reach(count: number): Promise<Translation> {
    while (this.applied.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.applied[count - 1]!;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class FakeElection implements Election {
  isLeader = false;
  isRunning = false;
  #listener = () => {};

  start(): void {
    this.isRunning = true;
  }

  stop(): Promise<void> {
    this.isRunning = false;
    return Promise.resolve();
  }

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  decide(isLeader: boolean): void {
    this.isLeader = isLeader;
    this.#listener();
  }
}

function ingress(secretName?: string): Kinds["Ingress"] {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: {
      ingressClassName: "pingress",
      rules: [{
        host: "a.example.com",
        http: {
          paths: [{
            path: "/",
            pathType: "Prefix",
            backend: { service: { name: "web", port: { number: 80 } } },
          }],
        },
      }],
      ...secretName !== undefined && { tls: [{ hosts: ["a.example.com"], secretName }] },
    },
  };
}

function tlsSecret({ cert, key }: KeyPair): Kinds["Secret"] {
  return { metadata: { name: "tls", namespace: "default" }, stringData: { "tls.crt": cert, "tls.key": key } };
}

Deno.test("Controller applies nothing before the source ticks, then all of it, and again after each change", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  const controller = new Controller({ source, output, log: SILENT_LOG, pace: PACE });
  await controller.start();
  assertFalse(controller.isReady);
  source.store.set("Ingress", ingress());
  assertEquals(output.applied.length, 0);
  source.tick();
  assertEquals((await output.reach(1)).config.rules.length, 1);
  source.store.delete("Ingress", "default/web");
  source.tick();
  assert((await output.reach(2)).isEmpty);
  await controller.stop();
  assert(controller.isReady);
});

Deno.test("Controller applies nothing before the Secrets that annotations name have been read", async () => {
  const followed: string[][] = [];
  const asked = Promise.withResolvers<void>();
  const source = Object.assign(new FakeSource(), {
    followSecrets: (keys: ReadonlySet<string>) => {
      followed.push([...keys]);
      if (followed.length > 1) return true;
      source.store.set("Secret", {
        metadata: { name: "users", namespace: "default" },
        stringData: { auth: "a:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=" },
      });
      asked.resolve();
      return false;
    },
  });
  const output = new FakeOutput();
  const record = recordingLog();
  const controller = new Controller({ source, output, log: record.log, pace: PACE });
  const { metadata, ...others } = ingress();
  const annotations = { "pingress.dev/auth-type": "basic", "pingress.dev/auth-secret": "users" };
  source.store.set("Ingress", { ...others, metadata: { ...metadata, annotations } });
  await controller.start();
  source.tick();
  await asked.promise;
  // now it has been read
  source.tick();
  const { config, files } = await output.reach(1);
  assertEquals(config.rules[0]?.options, {
    basicAuth: { realm: "", users: "/keys/default_users_auth-file.users" },
  });
  assertEquals([...files.keys()], ["default_users_auth-file.users"]);
  assertEquals(followed, [["default/users"], ["default/users"]]);
  assertFalse(record.lines.join().includes("There is no Secret"));
  await controller.stop();
});

Deno.test("Controller tries again when the output fails", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  output.failures = 2;
  const lines: string[] = [];
  const log = createLog("test", { write: (line) => lines.push(line) });
  const controller = new Controller({ source, output, log, pace: PACE });
  await controller.start();
  source.tick();
  await output.reach(1);
  await controller.stop();
  assertEquals(lines.filter((line) => line.includes("the cluster is away")).length, 2);
});

Deno.test("Controller reports every run, also one that could not be applied", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  output.failures = 1;
  const outcomes: Outcome[] = [];
  const calls: string[] = [];
  const reporter: Reporter = {
    start: () => Promise.resolve(void calls.push("start")),
    report: (outcome) => void outcomes.push(outcome),
    close: () => Promise.resolve(void calls.push("close")),
  };
  const controller = new Controller({ source, output, reporters: [reporter], log: SILENT_LOG, pace: PACE });
  await controller.start();
  assertEquals([calls, outcomes], [["start"], []]);
  source.store.set("Ingress", ingress());
  source.tick();
  await output.reach(1);
  await controller.stop();
  assertEquals(calls, ["start", "close"]);
  assertEquals(outcomes.map(({ failure }) => failure), ["the cluster is away", undefined]);
  const [first] = outcomes;
  assertEquals(first?.snapshot.Ingress.length, 1);
  assertEquals(first?.translation.problems.map(({ reason }) => reason), ["ServiceNotFound"]);
});

Deno.test("Controller has every run observed, also where another one leads", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  const election = new FakeElection();
  output.failures = 1;
  const seen: string[] = [];
  let next = Promise.withResolvers<void>();
  const controller = new Controller({
    source,
    output,
    election,
    observe: ({ translation, failure = "fine" }) => {
      seen.push(`${translation.ingresses.length} ${translation.claims.length} ${failure}`);
      next.resolve();
    },
    log: SILENT_LOG,
    pace: PACE,
  });
  const observed = async (change: () => void) => {
    next = Promise.withResolvers();
    change();
    await next.promise;
  };
  await controller.start();
  source.store.set("Ingress", ingress());
  await observed(source.tick);
  assertEquals([seen, output.applied.length], [["1 1 fine"], 0]);
  await observed(() => election.decide(true));
  await output.reach(1);
  await controller.stop();
  assertEquals(seen, ["1 1 fine", "1 1 the cluster is away", "1 1 fine"]);
});

Deno.test("Controller serves guests, and writes neither status nor Events to them", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  const written: string[] = [];
  const done = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
  const status = {
    apply: ({ metadata }: Kinds["Ingress"]) =>
      Promise.resolve(void written.push(`status ${metadata.name}`)).then(done[0].resolve),
  };
  const events = {
    create: (_namespace: string, { involvedObject, reason }: Event) =>
      Promise.resolve(void written.push(`${reason} ${involvedObject.name}`)).then(done[1].resolve),
    set: () => Promise.resolve(1),
  };
  const canWrite = () => true;
  const reporters = [
    new IngressStatus({
      api: status,
      addresses: new FixedAddresses([{ ip: "192.0.2.1" }]),
      canWrite,
      log: SILENT_LOG,
      pace: PACE,
    }),
    new EventRecorder({ api: events, namespace: "pingress-system", canWrite, log: SILENT_LOG, pace: PACE }),
  ];
  const { metadata, spec } = ingress();
  source.store.set("Ingress", {
    metadata: { ...metadata, name: "guest" },
    spec: { ...spec, ingressClassName: "nginx", rules: [{ ...spec?.rules?.[0], host: "guest.example.com" }] },
  });
  source.store.set("Ingress", ingress());
  const guestClasses = ["nginx"];
  const controller = new Controller({ source, output, guestClasses, reporters, log: SILENT_LOG, pace: PACE });
  await controller.start();
  source.tick();
  const { config, problems } = await output.reach(1);
  await Promise.all(done.map(({ promise }) => promise));
  await controller.stop();
  assertEquals(config.rules.map(({ host }) => host), ["a.example.com", "guest.example.com"]);
  assertEquals(problems.map(({ ingress, reason }) => [ingress, reason]), [
    ["default/web", "ServiceNotFound"],
    ["default/guest", "ServiceNotFound"],
  ]);
  assertEquals(written.sort(), ["ServiceNotFound web", "status web"]);
});

Deno.test("Controller tells each problem once, and when it is gone", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  const lines: string[] = [];
  const log = createLog("test", { write: (line) => lines.push(line) });
  const controller = new Controller({ source, output, log, pace: PACE });
  await controller.start();
  source.store.set("Ingress", ingress());
  source.tick();
  await output.reach(1);
  source.tick();
  await output.reach(2);
  assertEquals(lines.length, 1);
  assertStringIncludes(lines[0] ?? "", "There is no Service default/web");
  source.store.set("Service", {
    metadata: { name: "web", namespace: "default" },
    spec: { ports: [{ port: 80 }] },
  });
  source.tick();
  await output.reach(3);
  await controller.stop();
  assertEquals(lines.length, 2);
  assertStringIncludes(lines[1] ?? "", "No longer a problem");
});

Deno.test("Controller counts what it does", async () => {
  const source = new FakeSource();
  const output = new FakeOutput();
  const metrics = new Metrics();
  output.failures = 1;
  const controller = new Controller({ source, output, log: SILENT_LOG, pace: PACE, metrics });
  await controller.start();
  source.store.set("Ingress", ingress());
  source.tick();
  await output.reach(1);
  await controller.stop();
  const text = metrics.text();
  for (
    const line of [
      'pingress_controller_reconciles_total{result="failure"} 1',
      'pingress_controller_reconciles_total{result="success"} 1',
      "pingress_controller_change_to_applied_seconds_count 1",
      'pingress_controller_objects{kind="Ingress"} 1',
      'pingress_controller_problems{reason="ServiceNotFound"} 1',
    ]
  ) {
    assertStringIncludes(text, `${line}\n`);
  }
});

Deno.test("Controller keeps the last good certificate, also that of an earlier run", async () => {
  const [first, second] = [await selfSigned(["a.example.com"]), await selfSigned(["a.example.com"])];
  const source = new FakeSource();
  const output = new FakeOutput();
  output.good.set("default/tls", first);
  const controller = new Controller({ source, output, log: SILENT_LOG, pace: PACE });
  await controller.start();
  const certAfter = async (count: number) => {
    source.tick();
    return (await output.reach(count)).certificates.get("a.example.com")?.cert;
  };
  source.store.set("Ingress", ingress("tls"));
  assertEquals(await certAfter(1), first.cert);
  source.store.set("Secret", tlsSecret(second));
  assertEquals(await certAfter(2), second.cert);
  source.store.set("Secret", tlsSecret({ cert: first.cert, key: second.key }));
  assertEquals(await certAfter(3), second.cert);
  source.store.set("Ingress", ingress());
  assertEquals(await certAfter(4), undefined);
  source.store.set("Ingress", ingress("tls"));
  assertEquals(await certAfter(5), undefined, "a certificate that no Ingress named for a while is not kept");
  await controller.stop();
});

/** A controller that follows, and has seen the cluster as it is. */
async function following(log = SILENT_LOG) {
  const metrics = new Metrics();
  const source = new FakeSource();
  const output = new FakeOutput();
  const election = new FakeElection();
  const controller = new Controller({ source, output, election, log, metrics, pace: PACE });
  await controller.start();
  assertFalse(election.isRunning, "it could not lead yet");
  const started = Promise.withResolvers<void>();
  election.start = () => {
    election.isRunning = true;
    started.resolve();
  };
  source.tick();
  await started.promise;
  return { source, output, election, controller, metrics };
}

Deno.test("Controller applies nothing while it follows, and is ready", async () => {
  const { output, election, controller, metrics } = await following();
  assert(controller.isReady);
  await controller.stop();
  assertStringIncludes(metrics.text(), "pingress_controller_leader 0");
  assertStringIncludes(metrics.text(), "pingress_controller_change_to_applied_seconds_count 0");
  assertEquals([output.applied.length, election.isRunning], [0, false]);
});

Deno.test("Controller applies when it begins to lead, and is ready when it has", async () => {
  const { source, output, election, controller, metrics } = await following();
  source.store.set("Ingress", ingress());
  election.decide(true);
  assertFalse(controller.isReady);
  assertStringIncludes(metrics.text(), "pingress_controller_leader 1");
  assertEquals((await output.reach(1)).config.rules.length, 1);
  election.decide(false);
  await controller.stop();
  assert(controller.isReady);
  assertEquals(output.applied.length, 1);
});

Deno.test("Controller goes on with the certificates of the controller that led before", async () => {
  const [first, second] = [await selfSigned(["a.example.com"]), await selfSigned(["a.example.com"])];
  const { source, output, election, controller } = await following();
  output.good.set("default/tls", first);
  source.store.set("Ingress", ingress("tls"));
  source.store.set("Secret", tlsSecret({ cert: first.cert, key: second.key }));
  election.decide(true);
  assertEquals((await output.reach(1)).certificates.get("a.example.com")?.cert, first.cert);
  await controller.stop();
});

Deno.test("Controller does not try again what was broken off because another one leads", async () => {
  const { log, lines, has } = recordingLog();
  const { output, election, controller } = await following(log);
  output.failures = 1;
  output.onApply = () => election.isLeader = false;
  election.decide(true);
  await has("broken off");
  await controller.stop();
  assertEquals(lines.filter((line) => line.includes("trying again")), []);
  assertEquals(output.applied.length, 0);
});

Deno.test("Controller hands over when nothing is being applied any more", async () => {
  const { output, election, controller } = await following();
  const applying = Promise.withResolvers<void>();
  const applied = Promise.withResolvers<void>();
  output.apply = async () => {
    applying.resolve();
    await applied.promise;
    assert(election.isRunning);
  };
  election.decide(true);
  await applying.promise;
  const stopped = controller.stop();
  applied.resolve();
  await stopped;
  assertFalse(election.isRunning);
});

Deno.test("Controller keeps the default certificate while its Secret is broken, and tells it", async () => {
  const [good, other] = await Promise.all([selfSigned(["a.test"]), selfSigned(["a.test"])]);
  const source = new FakeSource();
  const output = new FakeOutput();
  const { log, lines } = recordingLog();
  const controller = new Controller({ source, output, log, defaultCertificate: "tls/all", pace: PACE });
  const setSecret = (cert: string, key: string) => {
    const metadata = { name: "all", namespace: "tls" };
    const stringData = { "tls.crt": cert, "tls.key": key };
    source.store.set("Secret", { metadata, type: "kubernetes.io/tls", stringData });
    source.tick();
  };
  await controller.start();
  setSecret(good.cert, good.key);
  await output.reach(1);
  setSecret(other.cert, good.key);
  const { certificates } = await output.reach(2);
  assertEquals(certificates.get("*"), { ...good, secret: "tls/all" });
  source.tick();
  await output.reach(3);
  setSecret(other.cert, other.key);
  assertEquals((await output.reach(4)).certificates.get("*")?.cert, other.cert);
  await controller.stop();
  assertEquals(lines, [
    "ERROR test: The default certificate cannot be used, the last good one stays if there was one " +
    'error="Secret tls/all is not usable: The private key does not belong to the certificate"',
    "INFO  test: The default certificate is good again",
  ]);
});
