import type { RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { NetworkingV1Api } from "@cloudydeno/kubernetes-apis/networking.k8s.io/v1";
import { errorMessage, type Log } from "@pingress/config";
import { isForbidden, isRefusal } from "../kubernetes_client.ts";
import { type Ingress, objectKey } from "../objects.ts";
import { Pace, type PaceOptions, tellRetry } from "../pace.ts";
import { FIELD_MANAGER } from "../render/names.ts";
import type { Outcome, Reporter } from "../reporter.ts";
import type { Snapshot } from "../store.ts";
import { selectIngresses } from "../translate/select_ingresses.ts";
import type { PublishedAddress, PublishedAddresses } from "./published_addresses.ts";

/** What the status of an Ingress should say. */
export interface StatusChange {
  /** The Ingress as it is. */
  ingress: Ingress;
  /** Where it is served; none to take back what was written. */
  addresses: readonly PublishedAddress[];
}

/**
 * Finds the Ingresses whose status is not as it should be: ours that do not have the addresses, and those that
 * are ours no more and still have what we wrote. Without addresses ours stay as they are: that no proxy is known
 * to be ready is no reason to take the names of all Ingresses out of DNS.
 */
export function statusChanges(snapshot: Snapshot, published: readonly PublishedAddress[]): StatusChange[] {
  const ours = new Set(selectIngresses(snapshot));
  const wanted = JSON.stringify(published.map(addressText));
  return snapshot.Ingress.flatMap((ingress): StatusChange[] => {
    if (!ours.has(ingress)) return isWrittenByUs(ingress) ? [{ ingress, addresses: [] }] : [];
    if (published.length === 0) return [];
    const actual = JSON.stringify((ingress.status?.loadBalancer?.ingress ?? []).map(addressText));
    // what somebody else has written is made ours even where it says the same: only then can it be taken back
    return actual === wanted && isWrittenByUs(ingress) ? [] : [{ ingress, addresses: published }];
  });
}

/** Fields have owners (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). */
function isWrittenByUs({ metadata: { managedFields = [] } }: Ingress): boolean {
  return managedFields.some(({ manager, operation }) => manager === FIELD_MANAGER && operation === "Apply");
}

function addressText({ ip, hostname }: PublishedAddress): string {
  return ip ?? hostname ?? "";
}

/** Writes the status of one Ingress. */
export interface StatusApi {
  /** Makes these the addresses that we have written; with none, what we have written goes. */
  apply(ingress: Ingress, addresses: readonly PublishedAddress[]): Promise<void>;
}

/** Options of {@linkcode IngressStatus}. */
export interface IngressStatusOptions {
  /** Talks to the cluster. */
  api: StatusApi;
  /** What is written. */
  addresses: PublishedAddresses;
  /** May anything be written now? */
  canWrite: () => boolean;
  /** Told how much is written. */
  log: Log;
  /** How fast it follows. */
  pace?: Pick<PaceOptions, "collect" | "interval" | "burst" | "retryAfter">;
}

/** How many Ingresses are written to at a time: each is a request, and a new address means one for every Ingress. */
const WRITTEN_AT_A_TIME = 10;

/** Keeps `status.loadBalancer.ingress` of Ingresses up to date. */
export class IngressStatus implements Reporter {
  readonly #options: IngressStatusOptions;
  readonly #pace: Pace;
  /** What was written to an Ingress; when that has arrived there, the Ingress is another object. */
  readonly #written = new WeakMap<Ingress, readonly PublishedAddress[]>();
  #snapshot: Snapshot | undefined;
  #isClosed = false;

  /** Writes nothing yet. */
  constructor(options: IngressStatusOptions) {
    this.#options = options;
    this.#pace = new Pace({
      ...options.pace,
      run: () => this.#write(),
      onFailure: tellRetry(options.log, "The status of Ingresses cannot be written"),
    });
  }

  /** Follows the addresses. */
  async start(): Promise<void> {
    await this.#options.addresses.start(() => this.#pace.tick());
  }

  /** Compares the Ingresses with what should be written there. */
  report({ snapshot }: Outcome): void {
    this.#snapshot = snapshot;
    this.#pace.tick();
  }

  /** Lets the requests under way end, and makes no others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#pace.close(), this.#options.addresses.close()]);
  }

  async #write(): Promise<void> {
    if (this.#snapshot === undefined) return;
    const { addresses, canWrite, log } = this.#options;
    const changes = statusChanges(this.#snapshot, addresses.current()).filter(({ ingress, addresses }) =>
      JSON.stringify(this.#written.get(ingress)) !== JSON.stringify(addresses)
    );
    const queue = changes.values();
    const failures: unknown[] = [];
    let isAway = false;
    let count = 0;
    await Promise.all(Array.from({ length: WRITTEN_AT_A_TIME }, async () => {
      for (const change of queue) {
        if (isAway || this.#isClosed || !canWrite()) return;
        try {
          await this.#apply(change);
          count++;
        } catch (error) {
          failures.push(error);
          // a policy of one namespace holds up no other
          isAway ||= !isForbidden(error);
        }
      }
    }));
    if (count > 0) log.info("Status written", { ingresses: count });
    if (failures.length > 0) throw failures[0];
  }

  async #apply({ ingress, addresses }: StatusChange): Promise<void> {
    try {
      await this.#options.api.apply(ingress, addresses);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#options.log.warn("The status of an Ingress cannot be written", {
        ingress: objectKey(ingress),
        error: errorMessage(error),
      });
    }
    this.#written.set(ingress, addresses);
  }
}

/** Writes to a cluster: server-side apply gives up what is left out, but nothing that somebody else has written. */
export function statusApi(client: RestClient): StatusApi {
  const networking = new NetworkingV1Api(client);
  return {
    apply: async ({ metadata: { name, namespace = "" } }, addresses) => {
      await networking.namespace(namespace).patchIngressStatus(name, "apply-patch", {
        metadata: { name, namespace },
        status: addresses.length === 0 ? {} : { loadBalancer: { ingress: [...addresses] } },
      }, { fieldManager: FIELD_MANAGER, force: true });
    },
  };
}
