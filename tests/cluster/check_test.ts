/**
 * `check --cluster` on a real cluster, the one of `KUBECONFIG`; Pingress need not be deployed. The cluster gets
 * what an Ingress leads to, and no Ingress.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import type { CheckReport } from "../../controller/check/report.ts";
import { runCheck } from "../../controller/check/run.ts";
import { createKubernetesClient } from "../../controller/kubernetes_client.ts";
import { selfSigned } from "../certificates.ts";
import { eventually, kubectl } from "./cluster.ts";

const NAMESPACE = `pingress-check-${crypto.randomUUID().slice(0, 8)}`;
const HOST = `${NAMESPACE}.example.com`;

Deno.test("check lays files over a cluster", async () => {
  try {
    await kubectl(["create", "namespace", NAMESPACE]);
    const { cert, key } = await selfSigned([HOST]);
    for (const object of objects(cert, key)) await kubectl(["-n", NAMESPACE, "apply", "-f", "-"], object);

    // newer clusters make EndpointSlices of Endpoints in their own time
    await eventually(
      "the endpoints are there",
      async () => (await check(ingress({ port: 80 }))).routes[0]?.endpoints === 2,
    );
    const { problems, routes, passed } = await check(ingress({ port: 80 }));
    assertEquals([problems, passed], [[], true]);
    assertEquals(routes, [{
      host: HOST,
      path: "/",
      type: "Prefix",
      backend: `${NAMESPACE}/web:80`,
      endpoints: 2,
      certificate: `${NAMESPACE}/tls`,
      change: "added",
    }]);

    const broken = await check(ingress({ port: 81 }));
    assertEquals(broken.problems.map(({ file, line, reason }) => [file, line, reason]), [
      ["<stdin>", 1, "PortNotFound"],
    ]);
    assertEquals(broken.passed, false);
  } finally {
    await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  }
});

/** What the report says of this test's own routes: others may be at work on the cluster. */
async function check(object: unknown): Promise<CheckReport & { passed: boolean }> {
  const { text } = await runCheck(
    { paths: ["-"], usesCluster: true, namespace: NAMESPACE, isStrict: false, output: "json" },
    {
      connect: () => createKubernetesClient({ serviceHost: undefined, servicePort: undefined }),
      stdin: ReadableStream.from([new TextEncoder().encode(JSON.stringify(object))]),
      log: SILENT_LOG,
    },
  );
  const report: CheckReport & { passed: boolean } = JSON.parse(text);
  return { ...report, routes: report.routes.filter(({ host }) => host === HOST) };
}

function ingress({ port }: { port: number }) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web" },
    spec: {
      ingressClassName: "pingress",
      tls: [{ hosts: [HOST], secretName: "tls" }],
      rules: [{
        host: HOST,
        http: {
          paths: [{
            path: "/",
            pathType: "Prefix",
            backend: { service: { name: "web", port: { number: port } } },
          }],
        },
      }],
    },
  };
}

function objects(cert: string, key: string) {
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { ports: [{ port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "web" },
      subsets: [{ addresses: [{ ip: "10.9.9.1" }, { ip: "10.9.9.2" }], ports: [{ port: 8080 }] }],
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/tls",
      metadata: { name: "tls" },
      stringData: { "tls.crt": cert, "tls.key": key },
    },
  ];
}
