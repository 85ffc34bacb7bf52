/**
 * Status and Events of Ingresses, on the API server of `KUBECONFIG`. The controller runs in this process and sees
 * one namespace, whose Ingresses have a class that only it knows. A controller that is deployed rests meanwhile: it
 * would take what is written here for its own, of Ingresses that are its own no longer.
 *
 * @module
 */
import { assert, assertEquals, assertFalse, assertStringIncludes } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import { Controller } from "../../controller/controller.ts";
import { eventApi } from "../../controller/events/event_api.ts";
import { EventRecorder } from "../../controller/events/event_recorder.ts";
import { createKubernetesClient } from "../../controller/kubernetes_client.ts";
import type { Output } from "../../controller/outputs/output.ts";
import { KubernetesSource } from "../../controller/sources/kubernetes_source.ts";
import { IngressStatus, statusApi } from "../../controller/status/ingress_status.ts";
import { FixedAddresses, proxyNodeApis } from "../../controller/status/published_addresses.ts";
import type { Snapshot } from "../../controller/store.ts";
import { CONTROLLER_NAME } from "../../controller/translate/select_ingresses.ts";
import { eventually, kubectl, type KubernetesObject, read } from "./cluster.ts";

const SUFFIX = crypto.randomUUID().slice(0, 8);
const NAMESPACE = `pingress-status-${SUFFIX}`;
const CLASS = `status-${SUFFIX}`;
const FOREIGN_CLASS = `foreign-${SUFFIX}`;
const ADDRESSES = [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }];

/** The cluster, as if it had one namespace and one class. */
class OneNamespace extends KubernetesSource {
  override snapshot(): Snapshot {
    const snapshot = super.snapshot();
    return {
      ...snapshot,
      Ingress: snapshot.Ingress.filter(({ metadata }) => metadata.namespace === NAMESPACE),
      IngressClass: [{ metadata: { name: CLASS }, spec: { controller: CONTROLLER_NAME } }],
    };
  }
}

/** Writes nothing, and fails when it is told to. */
class NoOutput implements Output {
  readonly isSharded = false;
  readonly chooseShards = () => 1;
  readonly keysDirectory = "/keys";
  failure: string | undefined;
  #tick: () => void = () => {};

  start(tick: () => void): Promise<void> {
    this.#tick = tick;
    return Promise.resolve();
  }

  lastGood() {
    return new Map();
  }

  apply(): Promise<void> {
    return this.failure === undefined ? Promise.resolve() : Promise.reject(new Error(this.failure));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  becomes(failure: string | undefined): void {
    this.failure = failure;
    this.#tick();
  }
}

async function startController() {
  const client = await createKubernetesClient({ serviceHost: undefined, servicePort: undefined });
  const output = new NoOutput();
  const canWrite = () => true;
  const controller = new Controller({
    source: new OneNamespace(client, { log: SILENT_LOG }),
    output,
    reporters: [
      new IngressStatus({
        api: statusApi(client),
        addresses: new FixedAddresses(ADDRESSES),
        canWrite,
        log: SILENT_LOG,
      }),
      new EventRecorder({ api: eventApi(client), namespace: NAMESPACE, canWrite, log: SILENT_LOG }),
    ],
    log: SILENT_LOG,
  });
  await controller.start();
  return { output, stop: () => controller.stop() };
}

function ingress(name: string, service: string, more: { className?: string; annotations?: object } = {}) {
  const { className = CLASS, annotations = {} } = more;
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: {
      ingressClassName: className,
      rules: [{ host: `${name}.example.com`, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  };
}

function service(name: string) {
  const metadata = { name, namespace: NAMESPACE };
  return { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
}

/** Stops the deployed controllers, where there are any, and starts as many again. */
async function restDeployed(): Promise<AsyncDisposable> {
  const deployment = ["-n", "pingress-system", "deployment/pingress-controller"];
  const replicas = await kubectl([
    "get",
    ...deployment,
    "--ignore-not-found",
    "-o=jsonpath={.spec.replicas}",
  ]);
  const scale = async (count: string) => {
    if (replicas === "") return;
    await kubectl(["scale", ...deployment, `--replicas=${count}`]);
    await eventually("the deployed controllers are as they should be", async () => {
      const selector = "app.kubernetes.io/component=controller";
      const pods = await kubectl(["-n", "pingress-system", "get", "pods", "-l", selector, "-o=name"]);
      return pods.split("\n").filter((line) => line !== "").length === Number(count);
    });
  };
  await scale("0");
  return { [Symbol.asyncDispose]: () => scale(replicas) };
}

async function create(...items: object[]): Promise<void> {
  await kubectl(["create", "-f", "-"], { apiVersion: "v1", kind: "List", items });
}

async function addressesOf(name: string): Promise<unknown> {
  return (await read("ingress", name, "-n", NAMESPACE)).status.loadBalancer.ingress;
}

async function hasAddresses(name: string, addresses: unknown): Promise<boolean> {
  return JSON.stringify(await addressesOf(name)) === JSON.stringify(addresses);
}

/** Writes a status as another controller would. */
async function writeStatus(name: string, addresses: object[]): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/ingresses/${name}`;
  const object = JSON.parse(await kubectl(["get", "--raw", path]));
  object.status.loadBalancer.ingress = addresses;
  await kubectl(["replace", "--raw", `${path}/status`, "-f", "-"], object);
}

async function setClass(name: string, className: string): Promise<void> {
  const patch = JSON.stringify({ spec: { ingressClassName: className } });
  await kubectl(["-n", NAMESPACE, "patch", "ingress", name, "--type=merge", "-p", patch]);
}

async function eventsAbout(name: string): Promise<KubernetesObject[]> {
  const { items } = await read("events", "-n", NAMESPACE, "--field-selector", `involvedObject.name=${name}`);
  return items;
}

/** Waits until these are the Events about an object: `type reason count`. */
async function hasEvents(name: string, wanted: string[]): Promise<void> {
  let found: string[] = [];
  await eventually(`the Events ${wanted} about ${name}`, async () => {
    const events = await eventsAbout(name);
    found = events.map(({ type, reason, count }) => `${type} ${reason} ${count}`).sort();
    return JSON.stringify(found) === JSON.stringify(wanted);
  }).catch((error) => {
    throw new Error(`${error.message}; there are ${found}`);
  });
}

Deno.test("status and Events of Ingresses", async (t) => {
  await using _ = await restDeployed();
  await kubectl(["create", "namespace", NAMESPACE]);
  await create(
    service("web"),
    ingress("good", "web"),
    ingress("broken", "gone", { annotations: { "pingress.dev/no-such-thing": "1" } }),
    ingress("foreign", "gone", { className: FOREIGN_CLASS }),
  );
  const { metadata: { resourceVersion: foreignVersion } } = await read("ingress", "foreign", "-n", NAMESPACE);
  let controller = await startController();

  try {
    await t.step("Ingresses have the addresses, those of another class have not", async () => {
      for (const name of ["good", "broken"]) {
        await eventually(`${name} has addresses`, () => hasAddresses(name, ADDRESSES));
      }
      assertEquals(
        (await read("ingress", "foreign", "-n", NAMESPACE)).metadata.resourceVersion,
        foreignVersion,
      );
    });

    await t.step("what is wrong is told beside the Ingress", async () => {
      await hasEvents("broken", ["Warning ServiceNotFound 1", "Warning UnknownAnnotation 1"]);
      const { metadata: { uid } } = await read("ingress", "broken", "-n", NAMESPACE);
      for (const event of await eventsAbout("broken")) {
        assertEquals([event.involvedObject.uid, event.source.component], [uid, "pingress-controller"]);
      }
      const described = await kubectl(["-n", NAMESPACE, "describe", "ingress", "broken"]);
      assertStringIncludes(described, `backend.service.name: There is no Service ${NAMESPACE}/gone`);
      assertEquals([await eventsAbout("good"), await eventsAbout("foreign")], [[], []]);
    });

    await t.step("a controller that starts anew counts the same Events, and writes no status", async () => {
      const { metadata: { resourceVersion } } = await read("ingress", "good", "-n", NAMESPACE);
      await controller.stop();
      controller = await startController();
      await hasEvents("broken", ["Warning ServiceNotFound 2", "Warning UnknownAnnotation 2"]);
      assertEquals(
        (await read("ingress", "good", "-n", NAMESPACE)).metadata.resourceVersion,
        resourceVersion,
      );
    });

    await t.step("what is solved is told, and what comes back is counted", async () => {
      await create(service("gone"));
      await hasEvents("broken", [
        "Normal Resolved 1",
        "Warning ServiceNotFound 2",
        "Warning UnknownAnnotation 2",
      ]);
      await kubectl(["-n", NAMESPACE, "delete", "service", "gone"]);
      await hasEvents("broken", [
        "Normal Resolved 1",
        "Warning ServiceNotFound 3",
        "Warning UnknownAnnotation 2",
      ]);
    });

    await t.step("a status that somebody else has written is put right", async () => {
      await writeStatus("good", [{ ip: "203.0.113.9" }]);
      await eventually("good has its addresses again", () => hasAddresses("good", ADDRESSES));
    });

    await t.step("an Ingress of another class loses what was written, whoever saw it go", async () => {
      await setClass("good", FOREIGN_CLASS);
      await eventually("good has no address", async () => (await addressesOf("good")) === undefined);
      await controller.stop();
      await setClass("broken", FOREIGN_CLASS);
      controller = await startController();
      await eventually("broken has no address", async () => (await addressesOf("broken")) === undefined);
    });

    await t.step("what another controller has written stays", async () => {
      await setClass("good", CLASS);
      await eventually("good has its addresses again", () => hasAddresses("good", ADDRESSES));
      await controller.stop();
      await setClass("good", FOREIGN_CLASS);
      await writeStatus("good", [{ ip: "203.0.113.9" }]);
      await setClass("broken", CLASS);
      controller = await startController();
      await eventually("broken is served", () => hasAddresses("broken", ADDRESSES));
      assert(await hasAddresses("good", [{ ip: "203.0.113.9" }]));
    });

    await t.step("a write that is rejected is told in the controller's namespace", async () => {
      controller.output.becomes("ConfigMap pingress-config is too large");
      await hasEvents("pingress-config", ["Warning ApplyFailed 1"]);
      controller.output.becomes(undefined);
      await hasEvents("pingress-config", ["Normal Resolved 1", "Warning ApplyFailed 1"]);
      assertStringIncludes(await kubectl(["-n", NAMESPACE, "get", "events"]), "is too large");
    });

    await t.step("nodes and Pods can be read", async () => {
      const client = await createKubernetesClient({ serviceHost: undefined, servicePort: undefined });
      const { pods, nodes } = proxyNodeApis(client, NAMESPACE);
      const call = { abortSignal: new AbortController().signal };
      const { items: [node] } = await nodes.list(call);
      assertEquals(Object.keys(node?.status ?? {}), ["addresses"]);
      assertEquals((await pods.list(call)).items, []);
    });
  } finally {
    await controller.stop();
    await kubectl(["delete", "namespace", NAMESPACE]);
  }
  assertFalse((await kubectl(["get", "namespaces"])).includes(NAMESPACE));
});
