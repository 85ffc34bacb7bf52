/**
 * The part of `@cloudydeno/kubernetes-apis/networking.k8s.io/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as networking from "kubernetes-types/networking/v1.d.ts";
import { apiClass, type Lists, type Methods } from "./kubernetes_api.ts";
import type { ApiKind, JSONValue } from "./kubernetes_common.ts";
import { type List, readKind, type Real, writeKind } from "./kubernetes_wire.ts";

/** An Ingress. */
export type Ingress = Real<networking.Ingress>;
/** An IngressSpec. */
export type IngressSpec = Real<networking.IngressSpec>;
/** An IngressRule. */
export type IngressRule = Real<networking.IngressRule>;
/** A HTTPIngressPath. */
export type HTTPIngressPath = Real<networking.HTTPIngressPath>;
/** A HTTPIngressRuleValue. */
export type HTTPIngressRuleValue = Real<networking.HTTPIngressRuleValue>;
/** An IngressBackend. */
export type IngressBackend = Real<networking.IngressBackend>;
/** An IngressServiceBackend. */
export type IngressServiceBackend = Real<networking.IngressServiceBackend>;
/** A ServiceBackendPort. */
export type ServiceBackendPort = Real<networking.ServiceBackendPort>;
/** An IngressTLS. */
export type IngressTLS = Real<networking.IngressTLS>;
/** An IngressStatus. */
export type IngressStatus = Real<networking.IngressStatus>;
/** An IngressClass. */
export type IngressClass = Real<networking.IngressClass>;
/** A list of Ingress objects. */
export type IngressList = List<"Ingress", Ingress>;
/** A list of IngressClass objects. */
export type IngressClassList = List<"IngressClass", IngressClass>;

/** Reads an Ingress. */
export function toIngress(input: JSONValue): Ingress & ApiKind {
  return readKind("networking.k8s.io/v1", "Ingress", input);
}

/** Writes an Ingress. */
export function fromIngress(input: Ingress): JSONValue {
  return writeKind("networking.k8s.io/v1", "Ingress", input);
}

/** Reads an IngressClass. */
export function toIngressClass(input: JSONValue): IngressClass & ApiKind {
  return readKind("networking.k8s.io/v1", "IngressClass", input);
}

/** Writes an IngressClass. */
export function fromIngressClass(input: IngressClass): JSONValue {
  return writeKind("networking.k8s.io/v1", "IngressClass", input);
}

type Namespaced = { Ingress: Ingress };
type Cluster = { IngressClass: IngressClass };

/** The objects of networking.k8s.io/v1. */
export class NetworkingV1Api
  extends apiClass<Lists<Namespaced, "ForAllNamespaces"> & Methods<Cluster>, Namespaced>(
    "networking.k8s.io/v1",
    ["IngressClass", "Ingress"],
  ) {}
