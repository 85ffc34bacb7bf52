/**
 * The Ingresses that values and expressions are in, and the Services that they name.
 *
 * @module
 */
import type { Ingress } from "../../controller/objects.ts";
import { type Snapshot, Store } from "../../controller/store.ts";

/** The host of an Ingress, unless told. */
export const HOST = "fuzz.test";
const META = { namespace: "default", creationTimestamp: 2 };

/** An Ingress with one path to the Service `web`. */
export function ingressOf(name: string, { host = HOST, path = "/app(/|$)(.*)", ...metadata }: {
  host?: string;
  path?: string;
  namespace?: string;
  creationTimestamp?: number;
  annotations?: Record<string, string>;
} = {}): Ingress {
  const backend = { service: { name: "web", port: { number: 80 } } };
  return {
    metadata: { ...META, name, ...metadata },
    spec: {
      ingressClassName: "pingress",
      rules: [{ host, http: { paths: [{ path, pathType: "ImplementationSpecific", backend }] } }],
    },
  };
}

/** All objects but Ingresses. */
export const OBJECTS: Snapshot = (() => {
  const store = new Store();
  for (const namespace of ["default", "other"]) {
    for (const name of ["web", "known", "canary"]) {
      const spec = { clusterIP: "10.0.0.1", ports: [{ port: 80 }] };
      store.set("Service", { metadata: { name, namespace }, spec });
    }
  }
  return store.snapshot();
})();
