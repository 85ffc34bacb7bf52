/**
 * The part of `@cloudydeno/kubernetes-apis/discovery.k8s.io/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as discovery from "kubernetes-types/discovery/v1.d.ts";
import { apiClass, type Lists } from "./kubernetes_api.ts";
import type { ApiKind, JSONValue } from "./kubernetes_common.ts";
import { type List, readKind, type Real } from "./kubernetes_wire.ts";

/** An Endpoint. */
export type Endpoint = Real<discovery.Endpoint>;
/** An EndpointConditions. */
export type EndpointConditions = Real<discovery.EndpointConditions>;
/** An EndpointPort. */
export type EndpointPort = Real<discovery.EndpointPort>;
/** An EndpointSlice. */
export type EndpointSlice = Real<discovery.EndpointSlice>;
/** A list of EndpointSlice objects. */
export type EndpointSliceList = List<"EndpointSlice", EndpointSlice>;

/** Reads an EndpointSlice. */
export function toEndpointSlice(input: JSONValue): EndpointSlice & ApiKind {
  return readKind("discovery.k8s.io/v1", "EndpointSlice", input);
}

type Namespaced = { EndpointSlice: EndpointSlice };

/** The objects of discovery.k8s.io/v1. */
export class DiscoveryV1Api
  extends apiClass<Lists<Namespaced, "ForAllNamespaces">, Namespaced>("discovery.k8s.io/v1", [
    "EndpointSlice",
  ]) {}
