/**
 * The part of `@cloudydeno/kubernetes-apis/common.ts` that Pingress imports, for machines where JSR does not answer.
 *
 * @module
 */

import type { ApiKind, JSONObject, JSONValue, WatchEvent } from "./kubernetes_client.ts";
import type { Status } from "./kubernetes_meta_v1.ts";

export type { ApiKind, JSONValue, RestClient, WatchEvent } from "./kubernetes_client.ts";

/** The events of a watch. */
export type WatchEventStream<T> = ReadableStream<WatchEvent<T & ApiKind, Status & ApiKind>>;

/** How a patch changes an object. */
export type PatchType = "strategic-merge" | "json-merge" | "json-patch" | "apply-patch";

/** An amount of something, such as `200m` or `64Mi`. */
export class Quantity {
  /** How much, in units of the suffix. */
  number: number;
  /** The unit. */
  suffix: string;

  constructor(number: number, suffix: string) {
    this.number = number;
    this.suffix = suffix;
  }

  /** What the API server is told. */
  serialize(): string {
    return `${this.number}${this.suffix}`;
  }
}

/** A time with six decimals of a second, as in leases and events. */
export class MicroTime {
  /** The time, to the second. */
  baseDate: Date;
  /** The microseconds since. */
  micros: number;

  constructor(baseDate: Date, micros: number) {
    this.baseDate = baseDate;
    this.micros = micros;
  }

  /** What the API server is told. */
  toISOString(): string {
    return `${this.baseDate.toISOString().slice(0, -5)}.${String(this.micros).padStart(6, "0")}Z`;
  }
}

function text(raw: JSONValue): string {
  if (typeof raw !== "string") {
    throw new Error(`Expected a string here, but got ${raw === null ? "null" : typeof raw}`);
  }
  return raw;
}

/** Reads an amount; as in the real package, decimals are lost. */
export function toQuantity(raw: JSONValue): Quantity {
  const [, number = "", suffix = ""] = /^(.*?)([KMGTPE]i|[mkMGTPE]|[eE][-+]?[0-9.]+)?$/.exec(text(raw)) ?? [];
  return new Quantity(parseInt(number, 10), suffix);
}

/** Reads a time. */
export function toTime(input: JSONValue): Date {
  const date = new Date(text(input));
  if (!text(input).includes("T") || isNaN(date.valueOf())) {
    throw new Error(`Expected a time here, but got ${JSON.stringify(input)}`);
  }
  return date;
}

/** Reads a time with decimals of a second. */
export function toMicroTime(raw: JSONValue): MicroTime {
  const [, seconds, micros] = /^(.*)\.(\d+)Z$/.exec(text(raw)) ?? [];
  const date = new Date(`${seconds}Z`);
  if (!micros || isNaN(date.valueOf())) throw new Error(`Expected a time with decimals here, but got ${raw}`);
  return new MicroTime(date, parseInt(micros));
}

/** Reads the events of a watch. */
export class WatchEventTransformer<T, U> extends TransformStream<JSONObject, WatchEvent<T, U>> {
  constructor(objValidator: (val: JSONObject) => T, errValidator: (val: JSONObject) => U) {
    super({
      transform({ type, object }, controller) {
        if (typeof object !== "object" || object === null || Array.isArray(object)) {
          throw new Error(`BUG: watch record 'object' field was ${typeof object}`);
        }
        if (type === "ERROR") return controller.enqueue({ type, object: errValidator(object) });
        if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
          return controller.enqueue({ type, object: objValidator(object) });
        }
        if (type !== "BOOKMARK") throw new Error(`BUG: watch record got unknown event type ${type}`);
        const { resourceVersion } = object.metadata as JSONObject ?? {};
        if (typeof resourceVersion !== "string") {
          throw new Error(`BUG: BOOKMARK event wasn't recognizable: ${JSON.stringify(object)}`);
        }
        controller.enqueue({ type, object: { metadata: { resourceVersion } } });
      },
    });
  }
}
