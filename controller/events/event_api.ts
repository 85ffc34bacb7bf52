import type { JSONValue, RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { CoreV1Api, type Event, type ObjectReference } from "@cloudydeno/kubernetes-apis/core/v1";
import { isConflict } from "../kubernetes_client.ts";
import { FIELD_MANAGER } from "../render/names.ts";
import { aboutKey, type Notice } from "./findings.ts";

/** The calls for the Events of a cluster. */
export interface EventApi {
  /** Makes an Event. */
  create(namespace: string, event: Event): Promise<unknown>;
  /** Sets fields of an Event. @returns how often it has happened, as it is counted there. */
  set(event: { namespace: string; name: string }, fields: Record<string, JSONValue>): Promise<number>;
}

/** The most that `kubectl` and newer APIs take for a message. */
const MOST_MESSAGE_CHARACTERS = 1024;

/**
 * Records that something happened: a new Event, or one time more for the Event that there is of the same.
 * Which one that is follows from what it says, so that a controller that starts anew finds it.
 */
export async function recordEvent(api: EventApi, notice: Notice & { about: ObjectReference }): Promise<void> {
  const now = new Date();
  const event = await newEvent(notice, now);
  const { name = "", namespace = "" } = event.metadata as { name?: string; namespace?: string };
  try {
    await api.create(namespace, event);
  } catch (error) {
    if (!isConflict(error)) throw error;
    // the first answer tells the count: reading it would take one more permission
    const lastTimestamp = now.toISOString();
    const count = await api.set({ namespace, name }, { lastTimestamp });
    await api.set({ namespace, name }, { count: count + 1 });
  }
}

/** An Event as it is when something happens for the first time. */
export async function newEvent(
  { about, type, reason, message }: Notice & { about: ObjectReference },
  now: Date,
): Promise<Event> {
  const identity = await hash(JSON.stringify([aboutKey(about), type, reason, message]));
  // a name may have 253 characters, and an Ingress may have all of them
  const prefix = (about.name ?? "").slice(0, 230).replace(/[-.]+$/, "");
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${prefix}.${identity}`, namespace: about.namespace ?? "default" },
    involvedObject: about,
    type,
    reason,
    message: shortened(message),
    source: { component: FIELD_MANAGER },
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
  };
}

function shortened(text: string): string {
  return text.length > MOST_MESSAGE_CHARACTERS ? `${text.slice(0, MOST_MESSAGE_CHARACTERS - 1)}…` : text;
}

async function hash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest, 0, 8).toHex();
}

/** The Events of a cluster. */
export function eventApi(client: RestClient): EventApi {
  const core = new CoreV1Api(client);
  return {
    create: (namespace, event) =>
      core.namespace(namespace).createEvent(event, { fieldManager: FIELD_MANAGER }),
    set: async ({ namespace, name }, fields) => {
      const operations = Object.entries(fields).map(([field, value]) => ({
        op: "add" as const,
        path: `/${field}`,
        value,
      }));
      const event = await core.namespace(namespace).patchEvent(name, "json-patch", operations, {
        fieldManager: FIELD_MANAGER,
      });
      return event.count ?? 1;
    },
  };
}
