/**
 * The part of `@cloudydeno/kubernetes-apis/coordination.k8s.io/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as coordination from "kubernetes-types/coordination/v1.d.ts";
import { apiClass, type Lists } from "./kubernetes_api.ts";
import type { Real } from "./kubernetes_wire.ts";

/** A Lease. */
export type Lease = Real<coordination.Lease>;

type Namespaced = { Lease: Lease };

/** The objects of coordination.k8s.io/v1. */
export class CoordinationV1Api
  extends apiClass<Lists<Namespaced, "ForAllNamespaces">, Namespaced>("coordination.k8s.io/v1", ["Lease"]) {}
