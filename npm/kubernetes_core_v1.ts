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
/** An Event. */
export type Event = Real<core.Event>;
/** A Node. */
export type Node = Real<core.Node>;
/** The object that another one is about. */
export type ObjectReference = Real<core.ObjectReference>;
/** A Pod. */
export type Pod = Real<core.Pod>;
/** A Secret. */
export type Secret = Real<core.Secret>;
/** A Service. */
export type Service = Real<core.Service>;
/** A Pod as something else makes it. */
export type PodTemplateSpec = Real<core.PodTemplateSpec>;

type Namespaced = {
  ConfigMap: ConfigMap;
  Endpoints: Real<core.Endpoints>;
  Event: Event;
  Pod: Pod;
  Secret: Secret;
  Service: Service;
};
type Cluster = { Node: Node };

/** The objects of v1. */
export class CoreV1Api extends apiClass<Lists<Namespaced, "ForAllNamespaces"> & Methods<Cluster>, Namespaced>(
  "v1",
  ["Node", "ConfigMap", "Endpoints", "Event", "Pod", "Secret", "Service"],
) {}
