/**
 * Controllers that compete for a Lease on the cluster of `KUBECONFIG`: processes on this machine, in a namespace
 * of their own, which is removed in the end. Their DaemonSet, should anybody's Ingress ask for one, fits no node.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { freeAddress, IMPORT_FLAGS, readLines, ROOT } from "../programs.ts";
import { eventually, Figures, kubectl, read } from "./cluster.ts";

const NAMESPACE = `pingress-leader-${crypto.randomUUID().slice(0, 8)}`;

/** How often what is measured is tried. */
const TRIES = 2;

/** How long it may take until another leads, in milliseconds. */
const AFTER_DEATH = 15_000;
const AFTER_STOP = 2_000;

/** A controller in a process of its own. */
class ControllerProcess {
  /** As the Lease has it. */
  identity = "";
  /** Does it lead, as it says? */
  isLeading = false;
  /** What it logged. */
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #admin: string;

  constructor(name: string) {
    this.#admin = freeAddress();
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        ...IMPORT_FLAGS,
        "--no-prompt",
        "--allow-net",
        "--allow-read",
        "--allow-env",
        "controller/main.ts",
        "--backend=HostPort",
        `--namespace=${NAMESPACE}`,
        "--proxy-server-image=none.invalid/pingress/proxy:0",
        "--node-selector=pingress.dev/no-such-node=true",
        `--listen-admin=${this.#admin}`,
      ],
      cwd: ROOT,
      env: { PINGRESS_POD_NAME: name },
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#read();
  }

  /** Is it ready, as it tells kubelet? */
  async isReady(): Promise<boolean> {
    const response = await fetch(`http://${this.#admin}/readyz`);
    await response.body?.cancel();
    return response.ok;
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end. @returns its exit code. */
  async ended(): Promise<number> {
    return (await this.#child.status).code;
  }

  /** Ends it at once, in whatever state it is. */
  async kill(): Promise<void> {
    try {
      this.signal("SIGKILL");
    } catch {
      // it has ended
    }
    await this.ended();
  }

  async #read(): Promise<void> {
    await readLines(this.#child.stderr, (line) => {
      this.lines.push(line);
      const [, no, identity] = / This controller leads( no longer)? identity=(\S+)/.exec(line) ?? [];
      if (identity === undefined) return;
      this.identity = identity;
      this.isLeading = no === undefined;
    });
  }
}

Deno.test("one of several controllers leads", async (t) => {
  const figures = new Figures();
  const started: ControllerProcess[] = [];
  const running: ControllerProcess[] = [];

  /** Starts controllers until two run that are ready. */
  const complete = async () => {
    while (running.length < 2) {
      const controller = new ControllerProcess(`controller-${started.length + 1}`);
      started.push(controller);
      running.push(controller);
    }
    for (const controller of running) await eventually("it is ready", () => controller.isReady(), 30_000);
  };
  const roles = () => {
    const leader = running.find(({ isLeading }) => isLeading);
    const follower = running.find((controller) => controller !== leader);
    assert(leader && follower);
    return { leader, follower };
  };
  const gone = (controller: ControllerProcess) => running.splice(running.indexOf(controller), 1);
  const leads = async (controller: ControllerProcess, what: string, deadline: number) => {
    const took = await eventually(what, () => Promise.resolve(controller.isLeading), deadline);
    figures.add(what, `another leads after ${(took / 1000).toFixed(2)} s`);
    assertEquals(await holder(), controller.identity);
  };

  const step = async (name: string, run: () => Promise<void>) => {
    assert(await t.step(name, run), "the next steps go on from where this one ends");
  };

  try {
    await kubectl(["create", "namespace", NAMESPACE]);

    await step("both are ready, one leads and writes", async () => {
      await complete();
      await eventually("one leads", () => Promise.resolve(running.some(({ isLeading }) => isLeading)));
      const { leader, follower } = roles();
      assertEquals(await holder(), leader.identity);
      assert(leader.identity.startsWith("controller-"));
      await eventually(
        "the other one knows",
        () => Promise.resolve(follower.lines.some((line) => line.includes(`holder=${leader.identity}`))),
      );
      await isWritten();
      assertEquals(follower.lines.filter((line) => /Applied|Deleted|failed/.test(line)), []);
    });

    await step("another takes over when the leader is stopped", async () => {
      for (let count = 1; count <= TRIES; count++) {
        await complete();
        const { leader, follower } = roles();
        leader.signal("SIGTERM");
        await leads(follower, "SIGTERM", AFTER_STOP);
        await isWritten();
        assertEquals(await leader.ended(), 0);
        gone(leader);
      }
    });

    await step("another takes over when the leader dies", async () => {
      for (let count = 1; count <= TRIES; count++) {
        await complete();
        const { leader, follower } = roles();
        leader.signal("SIGKILL");
        await leads(follower, "SIGKILL", AFTER_DEATH);
        await isWritten();
        await leader.ended();
        gone(leader);
      }
    });

    await step("a leader that stood still for a while knows that it leads no longer", async () => {
      await complete();
      const { leader, follower } = roles();
      leader.signal("SIGSTOP");
      await leads(follower, "SIGSTOP", AFTER_DEATH);
      await isWritten();
      const seen = leader.lines.length;
      leader.signal("SIGCONT");
      await eventually("it knows", () => Promise.resolve(!leader.isLeading));
      await eventually(
        "it knows who does",
        () => Promise.resolve(leader.lines.some((line) => line.includes(`holder=${follower.identity}`))),
      );
      assertEquals(leader.lines.slice(seen).filter((line) => /Applied|Deleted/.test(line)), []);
      assertEquals([await holder(), follower.isLeading], [follower.identity, true]);
    });

    await step("a Lease that somebody deletes is made anew", async () => {
      const { leader } = roles();
      await kubectl(["-n", NAMESPACE, "delete", "lease", "pingress-controller"]);
      await eventually("it leads no longer", () => Promise.resolve(!leader.isLeading), 5_000);
      await eventually(
        "one leads again",
        () => Promise.resolve(running.some((one) => one.isLeading)),
        20_000,
      );
      assertEquals(running.filter(({ isLeading }) => isLeading).length, 1);
      assertEquals(await holder(), roles().leader.identity);
    });
  } finally {
    figures.print();
    for (const controller of started) await controller.kill();
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
  }
});

async function holder(): Promise<string> {
  return (await read("lease", "pingress-controller", "-n", NAMESPACE)).spec.holderIdentity;
}

/**
 * Waits until the leader does its work: a ConfigMap that looks as if somebody had changed it is deleted, or put
 * right where there is an Ingress for it.
 */
async function isWritten(): Promise<void> {
  const marker = crypto.randomUUID();
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: "pingress-config",
      namespace: NAMESPACE,
      labels: { "app.kubernetes.io/managed-by": "pingress-controller" },
    },
    data: { "proxy.json": marker },
  });
  await eventually("the leader has written", async () => {
    const found = ["get", "configmap", "pingress-config", "--ignore-not-found", "-o", "json"];
    return !(await kubectl(["-n", NAMESPACE, ...found])).includes(marker);
  });
}
