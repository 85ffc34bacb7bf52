/**
 * The part of `@cloudydeno/kubernetes-apis/core/v1` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type * as core from "kubernetes-types/core/v1.d.ts";
import { apiClass, type Lists, type Methods } from "./kubernetes_api.ts";
import type { ApiKind, JSONValue } from "./kubernetes_common.ts";
import { type List, readKind, type Real, writeKind } from "./kubernetes_wire.ts";

/** A ConfigMap. */
export type ConfigMap = Real<core.ConfigMap>;
/** A Container. */
export type Container = Real<core.Container>;
/** An Endpoints. */
export type Endpoints = Real<core.Endpoints>;
/** An EndpointAddress. */
export type EndpointAddress = Real<core.EndpointAddress>;
/** An EndpointPort. */
export type EndpointPort = Real<core.EndpointPort>;
/** An EndpointSubset. */
export type EndpointSubset = Real<core.EndpointSubset>;
/** An Event. */
export type Event = Real<core.Event>;
/** A Namespace. */
export type Namespace = Real<core.Namespace>;
/** A Node. */
export type Node = Real<core.Node>;
/** A Pod. */
export type Pod = Real<core.Pod>;
/** A PodSpec. */
export type PodSpec = Real<core.PodSpec>;
/** A PodTemplateSpec. */
export type PodTemplateSpec = Real<core.PodTemplateSpec>;
/** A Secret. */
export type Secret = Real<core.Secret>;
/** A Service. */
export type Service = Real<core.Service>;
/** A ServicePort. */
export type ServicePort = Real<core.ServicePort>;
/** A ServiceSpec. */
export type ServiceSpec = Real<core.ServiceSpec>;
/** A Volume. */
export type Volume = Real<core.Volume>;
/** A list of ConfigMap objects. */
export type ConfigMapList = List<"ConfigMap", ConfigMap>;
/** A list of Endpoints objects. */
export type EndpointsList = List<"Endpoints", Endpoints>;
/** A list of Event objects. */
export type EventList = List<"Event", Event>;
/** A list of Namespace objects. */
export type NamespaceList = List<"Namespace", Namespace>;
/** A list of Node objects. */
export type NodeList = List<"Node", Node>;
/** A list of Pod objects. */
export type PodList = List<"Pod", Pod>;
/** A list of Secret objects. */
export type SecretList = List<"Secret", Secret>;
/** A list of Service objects. */
export type ServiceList = List<"Service", Service>;

/** Reads a ConfigMap. */
export function toConfigMap(input: JSONValue): ConfigMap & ApiKind {
  return readKind("v1", "ConfigMap", input);
}

/** Writes a ConfigMap. */
export function fromConfigMap(input: ConfigMap): JSONValue {
  return writeKind("v1", "ConfigMap", input);
}

/** Reads an Endpoints. */
export function toEndpoints(input: JSONValue): Endpoints & ApiKind {
  return readKind("v1", "Endpoints", input);
}

/** Writes an Endpoints. */
export function fromEndpoints(input: Endpoints): JSONValue {
  return writeKind("v1", "Endpoints", input);
}

/** Reads a Secret. */
export function toSecret(input: JSONValue): Secret & ApiKind {
  return readKind("v1", "Secret", input);
}

/** Writes a Secret. */
export function fromSecret(input: Secret): JSONValue {
  return writeKind("v1", "Secret", input);
}

/** Reads a Service. */
export function toService(input: JSONValue): Service & ApiKind {
  return readKind("v1", "Service", input);
}

/** Writes a Service. */
export function fromService(input: Service): JSONValue {
  return writeKind("v1", "Service", input);
}

type Namespaced = {
  ConfigMap: ConfigMap;
  Endpoints: Endpoints;
  Event: Event;
  Pod: Pod;
  Secret: Secret;
  Service: Service;
};
type Cluster = { Namespace: Namespace; Node: Node };

/** The objects of v1. */
export class CoreV1Api extends apiClass<
  Lists<Namespaced, "ForAllNamespaces"> & Omit<Methods<Cluster>, "deleteNamespaceList">,
  Namespaced
>("v1", ["Namespace", "Node", "ConfigMap", "Endpoints", "Event", "Pod", "Secret", "Service"]) {}
