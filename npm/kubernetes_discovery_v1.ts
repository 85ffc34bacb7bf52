/**
 * The part of `@cloudydeno/kubernetes-apis/discovery.k8s.io/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as discovery from "kubernetes-types/discovery/v1.d.ts";
import { apiClass, type Lists } from "./kubernetes_api.ts";
import type { Real } from "./kubernetes_wire.ts";

type Namespaced = { EndpointSlice: Real<discovery.EndpointSlice> };

/** The objects of discovery.k8s.io/v1. */
export class DiscoveryV1Api
  extends apiClass<Lists<Namespaced, "ForAllNamespaces">, Namespaced>("discovery.k8s.io/v1", [
    "EndpointSlice",
  ]) {}
