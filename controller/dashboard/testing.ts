/**
 * What the tests of the dashboard share.
 *
 * @module
 */
import { parseManifests } from "../sources/manifests_source.ts";
import { Store } from "../store.ts";
import { translate } from "../translate/translate.ts";

/** What the controller would make of some YAML. */
export function outcomeOf(yaml: string) {
  const store = new Store();
  for (const { kind, object } of parseManifests(yaml, "test.yaml")) store.set(kind, object);
  const snapshot = store.snapshot();
  return { snapshot, translation: translate(snapshot, { keysDirectory: "/keys" }) };
}

/** An Ingress with one path, and its Service. */
export function webYaml({ name = "web", path = "/" } = {}): string {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: default, uid: ${name}-uid }
spec:
  ingressClassName: pingress
  rules:
    - host: a.test
      http:
        paths:
          - { path: ${path}, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { ports: [{ port: 80 }] }
`;
}
