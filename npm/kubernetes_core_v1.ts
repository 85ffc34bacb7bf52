/**
 * The part of `@cloudydeno/kubernetes-apis/core/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as core from "kubernetes-types/core/v1.d.ts";
import { apiClass, type Lists, type Methods } from "./kubernetes_api.ts";
import type { Real } from "./kubernetes_wire.ts";

/** A ConfigMap. */
export type ConfigMap = Real<core.ConfigMap>;
/** A Secret. */
export type Secret = Real<core.Secret>;
/** A Service. */
export type Service = Real<core.Service>;
/** A Pod as something else makes it. */
export type PodTemplateSpec = Real<core.PodTemplateSpec>;

type Namespaced = {
  ConfigMap: ConfigMap;
  Endpoints: Real<core.Endpoints>;
  Pod: Real<core.Pod>;
  Secret: Secret;
  Service: Service;
};
type Cluster = { Node: Real<core.Node> };

/** The objects of v1. */
export class CoreV1Api extends apiClass<Lists<Namespaced, "ForAllNamespaces"> & Methods<Cluster>, Namespaced>(
  "v1",
  ["Node", "ConfigMap", "Endpoints", "Pod", "Secret", "Service"],
) {}
