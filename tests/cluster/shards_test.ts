/**
 * A configuration that is larger than one ConfigMap and one Secret, on a real cluster: see `cluster_test.ts`.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { ask, eventually, Figures, kubectl, type KubernetesObject, nodeAddress, read } from "./cluster.ts";

const SYSTEM = "pingress-system";
const NAMESPACE = `pingress-shards-${crypto.randomUUID().slice(0, 8)}`;
const MANAGED = "app.kubernetes.io/managed-by=pingress-controller";

/** With ten paths each they make 1.3 MiB of routes. */
const INGRESSES = 600;

/** With a long chain each they make 0.9 MiB of certificates. */
const TLS_HOSTS = 150;

const MIB = 1024 * 1024;

Deno.test("a cluster with more than an object holds is served", async (t) => {
  const inNamespace = (...args: string[]) => kubectl(["-n", NAMESPACE, ...args]);
  const node = await nodeAddress();
  const figures = new Figures();
  const measure = (what: string, isSeen: () => Promise<boolean>) => figures.measure(what, isSeen, 120_000);
  const serves = async (index: number, path: string) => {
    const { status, echo } = await ask(node, `http://h${index}.shards.example.com${path}`);
    return status === 200 && echo.path === path;
  };
  try {
    await kubectl(["create", "namespace", NAMESPACE]);
    await inNamespace("apply", "-k", "manifests/sample");
    await inNamespace("rollout", "status", "deployment/echo", "--timeout=90s");
    await measure(
      "the first proxy serves",
      async () => (await ask(node, "http://hello.example.com/")).status === 200,
    );
    const proxies = await proxyPods();
    assertEquals(await sizes("configmaps"), { "pingress-config": "small" });

    await t.step("routes and certificates are spread over several objects", async () => {
      const { cert, key } = await selfSigned(["*.shards.example.com"]);
      const data = { "tls.crt": btoa(cert.repeat(8)), "tls.key": btoa(key) };
      await kubectl(["-n", NAMESPACE, "create", "-f", "-"], {
        apiVersion: "v1",
        kind: "Secret",
        type: "kubernetes.io/tls",
        metadata: { name: "shared" },
        data,
      });
      const all = Array.from({ length: INGRESSES }, (_, index) => ingress(index));
      const started = performance.now();
      await kubectl(["-n", NAMESPACE, "create", "-f", "-"], { apiVersion: "v1", kind: "List", items: all });
      figures.add(`${INGRESSES} Ingresses created`, `${((performance.now() - started) / 1000).toFixed(0)} s`);
      for (const index of [INGRESSES - 1, 0, INGRESSES / 2]) {
        await measure(`Ingress ${index} is served`, () => serves(index, "/path-9/x"));
      }
      const tls = await ask(node, `https://h${TLS_HOSTS - 1}.shards.example.com/path-0`);
      assertEquals([tls.status, tls.echo.path], [200, "/path-0"]);
      for (const kind of ["configmaps", "secrets"]) {
        const found = Object.keys(await sizes(kind));
        assert(found.length > 1, `${kind}: ${found.join(", ")}`);
      }
      for (let index = 0; index < INGRESSES; index += 20) {
        for (const path of ["/path-0", "/path-9"]) assert(await serves(index, path), `${index} ${path}`);
      }
      assertEquals(await proxyPods(), proxies, "a proxy was restarted");
    });

    await t.step("a change writes one of them, and shows soon", async () => {
      const before = await versions();
      await inNamespace(
        "patch",
        "ingress",
        "h7",
        "--type=json",
        "-p",
        JSON.stringify([{ op: "replace", path: "/spec/rules/0/http/paths/0/path", value: "/changed" }]),
      );
      await measure("one Ingress changed", () => serves(7, "/changed"));
      const after = await versions();
      const changed = [...after].filter(([name, version]) => before.get(name) !== version);
      assertEquals([changed.length, before.size], [1, after.size], `${changed}`);
    });

    await t.step("what is needed no longer goes", async () => {
      await inNamespace("delete", "ingress", "-l", "bulk=true", "--wait=false");
      await eventually("one of each is left", async () => {
        const left = [...Object.keys(await sizes("configmaps")), ...Object.keys(await sizes("secrets"))];
        return left.join() === "pingress-config,pingress-tls-secret";
      }, 120_000);
      await measure(
        "a deleted Ingress is no longer served",
        async () => (await ask(node, "http://h0.shards.example.com/path-0")).status === 404,
      );
      assertEquals((await ask(node, "https://hello.example.com/")).status, 200);
      assertEquals(await proxyPods(), proxies, "a proxy was restarted");
    });
  } finally {
    figures.print();
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
  }
});

function ingress(index: number): KubernetesObject {
  const host = `h${index}.shards.example.com`;
  const backend = { service: { name: "echo", port: { number: 80 } } };
  const paths = Array.from({ length: 10 }, (_, path) => ({
    path: `/path-${path}`,
    pathType: "Prefix",
    backend,
  }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: `h${index}`, labels: { bulk: "true" } },
    spec: {
      ingressClassName: "pingress",
      ...index < TLS_HOSTS && { tls: [{ hosts: [host], secretName: "shared" }] },
      rules: [{ host, http: { paths } }],
    },
  };
}

/** The proxies with how often they were restarted. */
async function proxyPods(): Promise<string[]> {
  const { items } = await read("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=proxy");
  return items.map(({ metadata, status }: KubernetesObject) =>
    `${metadata.uid} ${status.containerStatuses?.[0]?.restartCount}`
  ).sort();
}

async function managed(kind: string): Promise<KubernetesObject[]> {
  return (await read(kind, "-n", SYSTEM, "-l", MANAGED)).items;
}

/** The objects of a kind that the controller made. None of them is near to what Kubernetes refuses. */
async function sizes(kind: string): Promise<Record<string, string>> {
  return Object.fromEntries((await managed(kind)).map(({ metadata, data = {} }) => {
    const bytes = Object.values<string>(data).reduce((sum, text) => sum + text.length, 0);
    assert(bytes < 0.9 * MIB, `${metadata.name}: ${bytes} bytes`);
    return [metadata.name, bytes < 0.1 * MIB ? "small" : "large"];
  }));
}

async function versions(): Promise<Map<string, string>> {
  const all = [...await managed("configmaps"), ...await managed("secrets")];
  return new Map(all.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}
