/**
 * The part of `@cloudydeno/kubernetes-apis/policy/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as policy from "kubernetes-types/policy/v1.d.ts";
import { apiClass, type Lists } from "./kubernetes_api.ts";
import type { JSONValue } from "./kubernetes_common.ts";
import { type Real, writeKind } from "./kubernetes_wire.ts";

/** A PodDisruptionBudget. */
export type PodDisruptionBudget = Real<policy.PodDisruptionBudget>;

/** Writes a PodDisruptionBudget. */
export function fromPodDisruptionBudget(input: PodDisruptionBudget): JSONValue {
  return writeKind("policy/v1", "PodDisruptionBudget", input);
}

type Namespaced = { PodDisruptionBudget: PodDisruptionBudget };

/** The objects of policy/v1. */
export class PolicyV1Api
  extends apiClass<Lists<Namespaced, "ForAllNamespaces">, Namespaced>("policy/v1", ["PodDisruptionBudget"]) {}
