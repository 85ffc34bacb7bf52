/**
 * The part of `@cloudydeno/kubernetes-apis/apps/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as apps from "kubernetes-types/apps/v1.d.ts";
import { apiClass, type Lists } from "./kubernetes_api.ts";
import type { JSONValue } from "./kubernetes_common.ts";
import { type Real, writeKind } from "./kubernetes_wire.ts";

/** A DaemonSet. */
export type DaemonSet = Real<apps.DaemonSet>;

/** A Deployment. */
export type Deployment = Real<apps.Deployment>;

/** Writes a DaemonSet. */
export function fromDaemonSet(input: DaemonSet): JSONValue {
  return writeKind("apps/v1", "DaemonSet", input);
}

/** Writes a Deployment. */
export function fromDeployment(input: Deployment): JSONValue {
  return writeKind("apps/v1", "Deployment", input);
}

type Namespaced = { DaemonSet: DaemonSet; Deployment: Deployment };

/** The objects of apps/v1. */
export class AppsV1Api extends apiClass<Lists<Namespaced, "ForAllNamespaces">, Namespaced>("apps/v1", [
  "DaemonSet",
  "Deployment",
]) {}
