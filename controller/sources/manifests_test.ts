import { assertEquals } from "@std/assert";
import { readManifests } from "./manifests.ts";

const SERVICE = "apiVersion: v1\nkind: Service\nmetadata: { name: web, namespace: shop }\n";

Deno.test("readManifests() leaves out what cannot be read, and says where it is", () => {
  const text = `${SERVICE}---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  rules:
    - host: 5
---
hello
---
a: [
---
apiVersion: networking.k8s.io/v1beta1
kind: IngressClass
metadata: { name: pingress }
---
apiVersion: v1
kind: Secret
data: {}
`;
  const { objects, faults } = readManifests(text);
  assertEquals(objects.map(({ kind, lineOf }) => [kind, lineOf("metadata.name")]), [["Service", 3]]);
  assertEquals(faults, [
    {
      line: 11,
      object: "Ingress default/web",
      field: "spec.rules[0].host",
      message: "found 5, expected a string",
    },
    { line: 13, message: "This is no Kubernetes object: it needs apiVersion and kind" },
    { line: 15, message: "This is no YAML: deficient indentation" },
    {
      line: 17,
      object: "IngressClass pingress",
      field: "apiVersion",
      message: "IngressClass is read as networking.k8s.io/v1, not networking.k8s.io/v1beta1: rewrite it",
    },
    {
      line: 21,
      object: "Secret without a name",
      field: "metadata",
      message: "found nothing, expected an object",
    },
  ]);
});

Deno.test("readManifests() reads lists, of all kinds or of one", () => {
  const text = `apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: Service, metadata: { name: a } }
  - apiVersion: apps/v1
    kind: Deployment
  - apiVersion: v1
    kind: Service
    metadata:
      namespace: 5
      name: b
  - apiVersion: v1
    kind: List
    items: []
  - hello
---
apiVersion: networking.k8s.io/v1
kind: IngressList
items:
  - metadata: { name: c }
---
apiVersion: example.com/v1
kind: AllowList
items: [hello]
---
apiVersion: v1
kind: List
items: []
`;
  const { objects, faults } = readManifests(text);
  assertEquals(
    objects.map((
      { kind, object, lineOf },
    ) => [kind, object.metadata.name, lineOf("metadata.name"), lineOf("")]),
    [["Service", "a", 4, 4], ["Ingress", "c", 20, 20]],
  );
  assertEquals(faults.map(({ line, message }) => [line, message]), [
    [10, "found 5, expected a string"],
    [12, "A List in a List is not read: take it apart"],
    [15, "This is no Kubernetes object: it needs apiVersion and kind"],
  ]);
});

Deno.test("readManifests() passes over other APIs, but not over older versions of its own", () => {
  const versions = (kind: string, ...apiVersions: string[]) =>
    apiVersions.map((apiVersion) => {
      const { objects, faults } = readManifests(
        JSON.stringify({ apiVersion, kind, metadata: { name: "a" } }),
      );
      return [objects.length, faults.length];
    });
  assertEquals(
    versions(
      "Ingress",
      "networking.k8s.io/v1",
      "networking.k8s.io/v1beta1",
      "extensions/v1beta1",
      "example.com/v1",
    ),
    [[1, 0], [0, 1], [0, 1], [0, 0]],
  );
  assertEquals(versions("Service", "v1", "v2", "serving.knative.dev/v1", "extensions/v1beta1"), [
    [1, 0],
    [0, 1],
    [0, 0],
    [0, 0],
  ]);
});

Deno.test("readManifests() puts objects without a namespace into the one it is told", () => {
  const text = `${SERVICE}---\n${SERVICE.replace(", namespace: shop", "")}---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: pingress }
`;
  const namespaces = (namespace?: string) =>
    readManifests(text, namespace === undefined ? {} : { namespace }).objects.map(({ object }) =>
      object.metadata.namespace
    );
  assertEquals(namespaces(), ["shop", "default", undefined]);
  assertEquals(namespaces("other"), ["shop", "other", undefined]);
});

Deno.test("readManifests() knows a template by its braces", () => {
  const [fault] = readManifests("host: {{ .Values.host }}").faults;
  assertEquals(fault?.message.endsWith(" (a template has to be rendered first)"), true);
});
