import { assertEquals, assertRejects } from "@std/assert";
import { fromDaemonSet, fromDeployment } from "@cloudydeno/kubernetes-apis/apps/v1";
import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { SILENT_LOG } from "@pingress/config";
import { writingAsLeader } from "../leadership.ts";
import { renderDaemonSet } from "../render/host_port.ts";
import { renderDeployment, renderPodDisruptionBudget, renderService } from "../render/load_balancer.ts";
import { renderTlsSecrets } from "../render/tls_secret.ts";
import type { Translation } from "../translate/translate.ts";
import { type ClusterOptions, ClusterOutput } from "./cluster.ts";
import type { Workload } from "./managed_objects.ts";

/** A namespace with one proxy Pod, whose writes are recorded, kept, and can be made to fail. */
class FakeNamespace {
  readonly writes: string[] = [];
  /** What lists of each resource hold. */
  readonly items: Record<string, object[]> = { pods: [{ metadata: { name: "proxy-1" } }] };
  /** What the API server knows beside the usual. */
  versions = [{ groupVersion: "policy/v1" }];
  failing = "";
  /** Called after each write. */
  onWrite = () => {};
  readonly #objects = new Map<string, { text: string; object: object }>();
  #version = 0;

  readonly client = { performRequest: (request: Request) => this.#answer(request) } as unknown as RestClient;

  #answer({ method, path, bodyJson, expectStream }: Request): Promise<unknown> {
    const [resource = "", name = ""] = path.split("/namespaces/test/")[1]?.split("/") ?? [];
    // a watch on which nothing happens
    if (expectStream) return Promise.resolve(new ReadableStream());
    if (path === "/apis") return Promise.resolve({ groups: [{ versions: this.versions }] });
    if (method === "GET" && name !== "") {
      return Promise.reject(Object.assign(new Error("not found"), { httpCode: 404 }));
    }
    if (method === "GET") {
      const kept = [...this.#objects].filter(([key]) => key.startsWith(`${resource}/`));
      const items = this.items[resource] ?? kept.map(([, { object }]) => object);
      return Promise.resolve({ metadata: { resourceVersion: "1" }, items });
    }
    if (this.failing !== "" && path.includes(this.failing)) {
      return Promise.reject(new Error(`${name} is too large`));
    }
    this.writes.push(`${method} ${name}`);
    this.onWrite();
    const key = `${resource}/${name}`;
    if (bodyJson === undefined) {
      this.#objects.delete(key);
      return Promise.resolve({ apiVersion: "v1", kind: "Status", status: "Success" });
    }
    const text = JSON.stringify(bodyJson);
    if (this.#objects.get(key)?.text !== text) {
      const { metadata, ...others } = bodyJson;
      const written = { uid: name, generation: 1, resourceVersion: String(++this.#version) };
      this.#objects.set(key, { text, object: { ...others, metadata: { ...metadata, ...written } } });
    }
    return Promise.resolve(this.#objects.get(key)?.object);
  }
}

interface Request {
  method: string;
  path: string;
  bodyJson?: { metadata: object };
  expectStream?: boolean;
}

function translation(port: number): Translation {
  const backend = { type: "Service", name: "web", namespace: "default", port } as const;
  const config = { rules: [{ path: { type: "Prefix", path: "/" } as const, backend }] };
  return {
    isEmpty: false,
    ingresses: [],
    claims: [],
    config,
    endpoints: {},
    certificates: new Map(),
    files: new Map(),
    namedSecrets: new Set<string>(),
    problems: [],
  };
}

const PROXY = { image: "proxy:1" };
const HOST_PORT: Workload = { DaemonSet: renderDaemonSet(PROXY, "test") };

async function start(namespace: FakeNamespace, options: Partial<ClusterOptions> = {}) {
  const output = new ClusterOutput({
    client: namespace.client,
    namespace: "test",
    workload: HOST_PORT,
    log: SILENT_LOG,
    ...options,
  });
  await output.start(() => {});
  return Object.assign(output, { [Symbol.asyncDispose]: () => output.close() });
}

const ALL = ["PATCH pingress-tls-secret", "PATCH pingress-config", "PATCH pingress-proxy-server"];
const TOUCH = "PATCH proxy-1";

Deno.test("ClusterOutput.apply() writes what has changed, then touches the proxies' Pods", async () => {
  const namespace = new FakeNamespace();
  await using output = await start(namespace);
  await output.apply(translation(80));
  assertEquals(namespace.writes.splice(0), [...ALL, TOUCH]);
  await output.apply(translation(80));
  assertEquals(namespace.writes.splice(0), []);
  await output.apply(translation(81));
  assertEquals(namespace.writes, ["PATCH pingress-config", TOUCH]);
});

Deno.test("ClusterOutput.apply() lets one object that cannot be written hold up no other", async () => {
  const namespace = new FakeNamespace();
  await using output = await start(namespace);
  namespace.failing = "secrets";
  await assertRejects(() => output.apply(translation(80)), Error, "pingress-tls-secret is too large");
  assertEquals(namespace.writes, ["PATCH pingress-config", "PATCH pingress-proxy-server", TOUCH]);
});

Deno.test("ClusterOutput.apply() touches Pods that it could not touch before", async () => {
  const namespace = new FakeNamespace();
  await using output = await start(namespace);
  namespace.failing = "pods";
  await assertRejects(() => output.apply(translation(80)), Error, "proxy-1");
  assertEquals(namespace.writes.splice(0), ALL);
  namespace.failing = "";
  await output.apply(translation(80));
  assertEquals(namespace.writes, [TOUCH]);
});

Deno.test("ClusterOutput.apply() touches Pods for what another controller has written", async () => {
  const namespace = new FakeNamespace();
  await using before = await start(namespace);
  namespace.failing = "pods";
  await assertRejects(() => before.apply(translation(80)), Error, "proxy-1");
  namespace.failing = "";
  namespace.writes.splice(0);
  await using output = await start(namespace);
  await output.apply(translation(80));
  assertEquals(namespace.writes.splice(0), [...ALL, TOUCH]);
  await output.apply(translation(80));
  assertEquals(namespace.writes, []);
});

Deno.test("ClusterOutput.apply() writes nothing more when another controller leads", async () => {
  const namespace = new FakeNamespace();
  const leadership = { isLeader: true, onChange: () => {} };
  await using output = await start(namespace, { client: writingAsLeader(namespace.client, leadership) });
  namespace.onWrite = () => leadership.isLeader = false;
  await assertRejects(() => output.apply(translation(80)), Error, "another controller may lead");
  assertEquals(namespace.writes.splice(0), ["PATCH pingress-tls-secret"]);
  namespace.onWrite = () => {};
  leadership.isLeader = true;
  await output.apply(translation(80));
  assertEquals(namespace.writes, ["PATCH pingress-config", "PATCH pingress-proxy-server", TOUCH]);
});

Deno.test("ClusterOutput.apply() deletes what it made when there is no Ingress, and nothing before", async () => {
  const namespace = new FakeNamespace();
  await using output = await start(namespace);
  await output.apply({ ...translation(80), isEmpty: true });
  assertEquals(namespace.writes, []);
  await output.apply(translation(80));
  namespace.writes.splice(0);
  await output.apply({ ...translation(80), isEmpty: true });
  assertEquals(namespace.writes, [
    "DELETE pingress-proxy-server",
    "DELETE pingress-config",
    "DELETE pingress-tls-secret",
  ]);
});

const OPTIONS = { ...PROXY, replicas: 2, serviceAnnotations: {}, externalTrafficPolicy: "Local" } as const;
const LOAD_BALANCER: Workload = {
  Deployment: renderDeployment(OPTIONS, "test"),
  Service: renderService(OPTIONS, "test"),
  PodDisruptionBudget: renderPodDisruptionBudget("test"),
};

Deno.test("ClusterOutput.apply() makes what serves before it deletes what another backend has made", async () => {
  const namespace = new FakeNamespace();
  const found = (object: unknown) => ({
    ...object as object,
    metadata: { ...(object as { metadata: object }).metadata, uid: "x", generation: 1 },
  });
  namespace.items.daemonsets = [found(fromDaemonSet(HOST_PORT.DaemonSet!))];
  {
    await using output = await start(namespace, { workload: LOAD_BALANCER });
    await output.apply(translation(80));
    const writes = namespace.writes.splice(0).filter((write) => write.endsWith("pingress-proxy-server"));
    assertEquals(writes, [...Array(3).fill("PATCH pingress-proxy-server"), "DELETE pingress-proxy-server"]);
    await output.apply({ ...translation(80), isEmpty: true });
    assertEquals(namespace.writes.splice(0).slice(0, 3), Array(3).fill("DELETE pingress-proxy-server"));
  }
  namespace.items.daemonsets = [];
  namespace.items.deployments = [found(fromDeployment(LOAD_BALANCER.Deployment!))];
  namespace.items.services = [found(LOAD_BALANCER.Service!)];
  namespace.items.poddisruptionbudgets = [found(LOAD_BALANCER.PodDisruptionBudget!)];
  await using output = await start(namespace);
  await output.apply(translation(80));
  assertEquals(
    namespace.writes.filter((write) => write.endsWith("pingress-proxy-server")),
    ["PATCH pingress-proxy-server", ...Array(3).fill("DELETE pingress-proxy-server")],
  );
});

Deno.test("ClusterOutput tells how large each object is, and that it is gone", async () => {
  const namespace = new FakeNamespace();
  const sizes = new Map<string, number | undefined>();
  await using output = await start(namespace, { onWritten: (object, bytes) => sizes.set(object, bytes) });
  await output.apply(translation(80));
  assertEquals([...sizes.keys()], [
    "Secret/pingress-tls-secret",
    "ConfigMap/pingress-config",
    "DaemonSet/pingress-proxy-server",
  ]);
  assertEquals([...sizes.values()].every((bytes) => (bytes ?? 0) > 100), true);
  await output.apply({ ...translation(80), isEmpty: true });
  assertEquals([...sizes.values()], [undefined, undefined, undefined]);
});

Deno.test("ClusterOutput.apply() does without a PodDisruptionBudget where Kubernetes has none", async () => {
  const namespace = new FakeNamespace();
  namespace.versions = [];
  await using output = await start(namespace, { workload: LOAD_BALANCER });
  await output.apply(translation(80));
  assertEquals(namespace.writes.filter((write) => write.endsWith("pingress-proxy-server")).length, 2);
});

/** A translation with a rule for each host, and a certificate of some size. */
function large(hosts: number, certificateBytes: number): Translation {
  const { config, ...others } = translation(80);
  const names = Array.from({ length: hosts }, (_, index) => `app-${index}.example.com`);
  const [{ path, backend }] = config.rules as [Translation["config"]["rules"][number]];
  const cert = "C".repeat(certificateBytes);
  return {
    ...others,
    config: { rules: names.map((host) => ({ host, path, backend })) },
    certificates: new Map(names.map((host) => [host, { cert, key: "K", secret: `default/${host}` }])),
    files: new Map(),
    namedSecrets: new Set<string>(),
  };
}

Deno.test("ClusterOutput.apply() spreads what is large, writes one shard for a change, and goes back later", async () => {
  const namespace = new FakeNamespace();
  await using output = await start(namespace);
  // 2 MiB of certificates
  await output.apply(large(1000, 2000));
  const secrets = ["-3", "-2", "-1", ""].map((number) => `PATCH pingress-tls-secret${number}`);
  assertEquals(namespace.writes.splice(0), [
    ...secrets,
    "PATCH pingress-config",
    "PATCH pingress-proxy-server",
    TOUCH,
  ]);
  const changed = large(1000, 2000);
  changed.certificates.set("app-7.example.com", { cert: "other", key: "K", secret: "default/other" });
  await output.apply(changed);
  assertEquals(namespace.writes.length, 2);
  assertEquals(secrets.includes(namespace.writes[0] ?? ""), true);
  namespace.writes.splice(0);
  await output.apply(changed);
  assertEquals(namespace.writes, []);
  await output.apply(large(100, 2000));
  assertEquals(namespace.writes.splice(0), [
    "PATCH pingress-tls-secret",
    ...["1", "2", "3"].map((number) => `DELETE pingress-tls-secret-${number}`),
    "PATCH pingress-config",
    TOUCH,
  ]);
});

Deno.test("ClusterOutput goes on with as many shards as an earlier run has left", async () => {
  const namespace = new FakeNamespace();
  const left = renderTlsSecrets(large(300, 2000), { namespace: "test", choose: () => 2 });
  const withVersion = left.map(({ metadata, ...others }) => ({
    ...others,
    metadata: { ...metadata, uid: metadata?.name, resourceVersion: "1" },
  }));
  namespace.items.secrets = withVersion;
  await using output = await start(namespace);
  assertEquals(output.lastGood().size, 300);
  assertEquals(output.lastGood().get("default/app-299.example.com"), { cert: "C".repeat(2000), key: "K" });
  // 200 of them would fit into one, but not easily
  await output.apply(large(200, 2000));
  assertEquals(namespace.writes.filter((write) => write.includes("secret")), [
    "PATCH pingress-tls-secret-1",
    "PATCH pingress-tls-secret",
  ]);
});
