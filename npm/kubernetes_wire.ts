/**
 * What the API server says and is told, as the real package's types have it: times are `Date`, amounts are
 * `Quantity`, what may be left out may be null.
 *
 * The real package has a function for each struct. This knows by their names the fields that JSON says otherwise.
 *
 * @module
 */

import type { ApiKind, JSONObject, JSONValue } from "./kubernetes_client.ts";
import { MicroTime, Quantity, toMicroTime, toQuantity, toTime } from "./kubernetes_common.ts";
import type { ListMeta, Status } from "./kubernetes_meta_v1.ts";

const TIMES = [
  "creationTimestamp",
  "deletionTimestamp",
  "finishedAt",
  "firstTimestamp",
  "lastHeartbeatTime",
  "lastProbeTime",
  "lastTimestamp",
  "lastTransitionTime",
  "lastUpdateTime",
  "startTime",
  "startedAt",
  "time",
  "timeAdded",
] as const;
const MICRO_TIMES = ["acquireTime", "eventTime", "lastObservedTime", "renewTime"] as const;
const TIME_MAPS = ["disruptedPods"] as const;
const QUANTITIES = ["divisor", "sizeLimit"] as const;
const QUANTITY_MAPS = [
  "allocatable",
  "allocatedResources",
  "capacity",
  "limits",
  "overhead",
  "requests",
] as const;
const STRING_MAPS = [
  "allocatedResourceStatuses",
  "annotations",
  "binaryData",
  "data",
  "deprecatedTopology",
  "labels",
  "matchLabels",
  "nodeSelector",
  "options",
  "selector",
  "stringData",
  "volumeAttributes",
] as const;
const REQUIRED_LISTS = ["endpoints", "paths"] as const;

/** What an optional field is, without its absence. */
type Present<T> = Exclude<T, undefined>;

/** What else an optional field may be. */
type Null<T, K extends keyof T> = string extends K ? never
  : Record<never, never> extends Pick<T, K> ? (K extends "apiVersion" | "kind" ? IfString<T[K]> : null)
  : never;

/** Null, unless the type names all that there is. */
type IfString<T> = string extends T ? null : never;

/** One field, by its name. */
type Field<K, T> = K extends typeof TIMES[number] ? Date
  : K extends typeof MICRO_TIMES[number] ? MicroTime
  : K extends typeof TIME_MAPS[number] ? Record<string, Date>
  : K extends typeof QUANTITIES[number] ? Quantity
  : K extends typeof QUANTITY_MAPS[number] ? (T extends unknown[] ? Real<T> : Record<string, Quantity>)
  : K extends "fieldsV1" ? JSONValue
  : K extends "hostIPs" | "podIPs" ? { ip: string }[]
  : K extends "hostAliases" ? { ip: string; hostnames?: string[] | null }[]
  : Real<T>;

/** A type of `kubernetes-types`, as the real package has it. */
export type Real<T> = T extends (infer Item)[] ? Real<Item>[]
  : T extends object ? { -readonly [K in keyof T]: Field<K, Present<T[K]>> | Null<T, K> }
  : T;

/** A list of objects. */
export type List<Kind extends string, T> = {
  metadata: ListMeta;
  items: T[];
  apiVersion?: T extends { apiVersion?: infer Version } ? Present<Version> : never;
  kind?: `${Kind}List`;
};

function includes(names: readonly string[], name: string): boolean {
  return names.includes(name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(input: JSONValue): JSONObject {
  if (!isObject(input)) throw new Error(`Expected an object here, but got ${JSON.stringify(input)}`);
  return input;
}

function map<T>(input: JSONObject, read: (value: JSONValue) => T): Record<string, T> {
  const entries = Object.entries(input).map(([key, value]) => [key, read(value)]);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

function string(value: JSONValue): string {
  if (typeof value !== "string") throw new Error(`Expected a string here, but got ${JSON.stringify(value)}`);
  return value;
}

/** Service selectors are plain maps, label selectors are not. */
function isStringMap(name: string, value: JSONObject): boolean {
  return includes(STRING_MAPS, name) &&
    (name !== "selector" || Object.values(value).every((item) => typeof item === "string"));
}

function readField(name: string, value: JSONValue): unknown {
  if (includes(REQUIRED_LISTS, name) && !Array.isArray(value)) {
    throw new Error(`Expected an array as ${name}`);
  }
  if (value == null || name === "fieldsV1") return value;
  if (includes(TIMES, name)) return toTime(value);
  if (includes(MICRO_TIMES, name)) return toMicroTime(value);
  if (includes(QUANTITIES, name)) return toQuantity(value);
  if (Array.isArray(value)) return value.map((item) => readField("", item));
  if (!isObject(value)) return value;
  if (includes(TIME_MAPS, name)) return map(value, toTime);
  if (includes(QUANTITY_MAPS, name)) return map(value, toQuantity);
  return isStringMap(name, value) ? map(value, string) : readObject(value);
}

function readObject(input: JSONObject): object {
  return Object.fromEntries(Object.entries(input).map(([name, value]) => [name, readField(name, value)]));
}

function checkKind(input: object, apiVersion: string, kind: string): ApiKind {
  const given = input as { apiVersion?: unknown; kind?: unknown };
  const isGiven = "apiVersion" in input && "kind" in input;
  if (!isGiven || (given.apiVersion === apiVersion && given.kind === kind)) return { apiVersion, kind };
  if (given.apiVersion === "v1" && given.kind === "Status") {
    const status = readKind<Status>("v1", "Status", input as JSONObject);
    throw Object.assign(new Error(`Kubernetes says: ${status.message}`), { status });
  }
  throw new Error(
    `Kubernetes Resource Mistype: Expected "${apiVersion}/${kind}", but was given "${given.apiVersion}/${given.kind}"`,
  );
}

/** Throws where the real package does, at what API servers say of some objects that are in order. */
function checkRequired(kind: string, raw: JSONObject): void {
  if (kind === "EndpointSlice") readField("endpoints", raw.endpoints);
  const { conditions } = kind === "Service" && isObject(raw.status) ? raw.status : {};
  for (const condition of Array.isArray(conditions) ? conditions : []) {
    toTime(object(condition).lastTransitionTime);
  }
}

/** Reads an object. */
export function readKind<T>(apiVersion: string, kind: string, input: JSONValue): T & ApiKind {
  const raw = object(input);
  checkRequired(kind, raw);
  return { ...readObject(raw), ...checkKind(raw, apiVersion, kind) } as T & ApiKind;
}

/** Reads a list of objects. */
export function readList<T>(apiVersion: string, kind: string, input: JSONValue): List<string, T> {
  const raw = object(input);
  const { items, metadata } = raw;
  const told = checkKind(raw, apiVersion, `${kind}List`);
  if (!Array.isArray(items)) throw new Error("Expected an array as items");
  const list = {
    ...told,
    metadata: object(metadata),
    items: items.map((item) => readKind<T>(apiVersion, kind, item)),
  };
  return list as List<string, T>;
}

function writeField(value: unknown): JSONValue {
  if (value instanceof Date || value instanceof MicroTime) return value.toISOString();
  if (value instanceof Quantity) return value.serialize();
  if (Array.isArray(value)) return value.map(writeField);
  if (!isObject(value)) return value as JSONValue;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, writeField(field)]));
}

/** Writes an object. */
export function writeKind(apiVersion: string, kind: string, input: object): JSONValue {
  return { ...checkKind(input, apiVersion, kind), ...writeField(input) as JSONObject };
}
