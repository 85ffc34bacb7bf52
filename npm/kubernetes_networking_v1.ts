/**
 * The part of `@cloudydeno/kubernetes-apis/networking.k8s.io/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as networking from "kubernetes-types/networking/v1.d.ts";
import { apiClass, type Lists, type Methods } from "./kubernetes_api.ts";
import type { Real } from "./kubernetes_wire.ts";

type Namespaced = { Ingress: Real<networking.Ingress> };
type Cluster = { IngressClass: Real<networking.IngressClass> };

/** The objects of networking.k8s.io/v1. */
export class NetworkingV1Api
  extends apiClass<Lists<Namespaced, "ForAllNamespaces"> & Methods<Cluster>, Namespaced>(
    "networking.k8s.io/v1",
    ["IngressClass", "Ingress"],
  ) {}
