import { assertEquals } from "@std/assert";
import { ingressYaml } from "./ingress_yaml.ts";

Deno.test("ingressYaml() has what somebody wrote and nothing else", () => {
  const object = {
    kind: "Ingress",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "1",
      resourceVersion: "2",
      generation: 3,
      creationTimestamp: "2026-01-01T00:00:00Z",
      selfLink: "/",
      labels: { team: "a" },
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}", "a.test/b": "true" },
      managedFields: [{ manager: "kubectl" }],
    },
    spec: { rules: [{ host: "*.a.test" }] },
    status: { loadBalancer: {} },
  };
  assertEquals(
    ingressYaml(object),
    `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: default
  labels:
    team: a
  annotations:
    a.test/b: 'true'
spec:
  rules:
    - host: '*.a.test'
`,
  );
  assertEquals(
    ingressYaml({ metadata: { name: "web", annotations: {} } }),
    "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n",
  );
});
