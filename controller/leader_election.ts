import { MicroTime, type RestClient } from "@cloudydeno/kubernetes-apis/common.ts";
import { CoordinationV1Api, type Lease } from "@cloudydeno/kubernetes-apis/coordination.k8s.io/v1";
import { errorMessage, type Log } from "@pingress/config";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { isConflict, isNotFound } from "./kubernetes_client.ts";
import type { Election } from "./leadership.ts";
import { COMMON_LABELS, FIELD_MANAGER, LEASE_NAME } from "./render/names.ts";

/** How long others wait after the last sign of life of a leader, in milliseconds. */
export const LEASE_MILLISECONDS = 12_000;

/** How long a leader leads after it began to renew the Lease successfully, in milliseconds. */
export const LEADING_MILLISECONDS = 8_000;

/** How often a leader renews the Lease, in milliseconds. */
const RENEW_EVERY = 2_000;

/** How often the others look at it, and how soon a failure is tried again, in milliseconds. */
const LOOK_EVERY = 1_000;

/** How long a call may take, in milliseconds: a second one must fit in before a leader has to stop. */
const CALL_MILLISECONDS = 3_000;

/** A failure that lasts is told with every so many tries: about once a minute. */
const TRIES_PER_LINE = 60;

/** The calls of the Lease. */
export interface LeaseApi {
  /** Reads it; nothing when there is none. */
  get(call: LeaseCall): Promise<Lease | undefined>;
  /** Makes one without a holder, unless there is one. */
  make(call: LeaseCall): Promise<Lease>;
  /** Replaces that version of it. @throws {Error} when there is another one. */
  replace(lease: Lease, call: LeaseCall): Promise<Lease>;
}

/** Options of a call. */
export interface LeaseCall {
  /** Aborts when nobody waits for the answer any more. */
  abortSignal: AbortSignal;
}

/** The Lease of a namespace's controllers. */
export function leaseApi(client: RestClient, namespace: string): LeaseApi {
  const leases = new CoordinationV1Api(client).namespace(namespace);
  const metadata = { name: LEASE_NAME, labels: COMMON_LABELS };
  return {
    get: async (call) => {
      try {
        return await leases.getLease(LEASE_NAME, call);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    // to be allowed to create a Lease of this name only, one has to apply it
    make: async (call) =>
      await leases.patchLease(LEASE_NAME, "apply-patch", { metadata }, {
        ...call,
        fieldManager: FIELD_MANAGER,
        force: true,
      }),
    replace: (lease, call) =>
      leases.replaceLease(LEASE_NAME, lease, { ...call, fieldManager: FIELD_MANAGER }),
  };
}

/** Options of {@linkcode LeaderElection}. */
export interface LeaderElectionOptions {
  /** What is competed for. */
  leases: LeaseApi;
  /** Tells this controller from all others, also from those that ran in its Pod before. */
  identity: string;
  /** Told who leads. */
  log: Log;
  /** Measures all times; that of the machine unless told. */
  clock?: Clock;
}

/** A version of the Lease. */
interface Seen {
  version: string;
  holder: string | undefined;
  /** When another may take it, on the own clock. */
  freeAt: number;
}

/**
 * Leads while it holds a Lease (https://kubernetes.io/docs/concepts/architecture/leases/), which the API server
 * lets one controller take at a time: a version of it can be replaced once.
 *
 * No clocks are compared, the times in the Lease are for people. A leader counts from before it asked to renew
 * the Lease, the others from after they have seen it renewed, which is later, and they wait for longer. So the
 * leader has stopped when another takes over, as long as no clock runs half as fast again as another one. A
 * machine that was suspended as a whole does not notice, because its clock stood still: see
 * {@linkcode writingAsLeader} for what its writes come to.
 */
export class LeaderElection implements Election {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  readonly #listeners: (() => void)[] = [];
  #running: Promise<void> | undefined;
  #seen: Seen | undefined;
  #leadsUntil = -Infinity;
  #isTold = false;
  #transitions = 0;
  #failures = 0;

  /** Does nothing yet. */
  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
  }

  /** See {@linkcode Election}. */
  get isLeader(): boolean {
    return this.#clock.now() < this.#leadsUntil;
  }

  /** How often it has begun or ceased to lead. */
  get transitions(): number {
    return this.#transitions;
  }

  /** See {@linkcode Election}. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** See {@linkcode Election}. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Gives the Lease back, so that another need not wait until it expires. */
  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#running === undefined) return;
    await this.#running;
    this.#leadsUntil = -Infinity;
    this.#tell();
    try {
      await this.#release();
    } catch (error) {
      this.#options.log.warn("The Lease cannot be given back: others wait until it expires", {
        error: errorMessage(error),
      });
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let pause: number;
      try {
        await this.#attempt();
        this.#failures = 0;
        pause = this.isLeader ? RENEW_EVERY : LOOK_EVERY;
      } catch (error) {
        this.#tellFailure(error);
        pause = LOOK_EVERY;
      }
      this.#tell();
      await this.#clock.wait(Math.min(pause, this.#untilNext()), signal);
      this.#tell();
    }
  }

  /** When something is due before the next attempt: an expired Lease can be taken, or leading has to end. */
  #untilNext(): number {
    const due = [this.#leadsUntil, this.#seen?.freeAt ?? Infinity].map((time) => time - this.#clock.now());
    return Math.min(...due.filter((left) => left > 0));
  }

  /** Takes or renews the Lease, if it is free or its own. */
  async #attempt(): Promise<void> {
    const { leases, identity } = this.#options;
    const lease = await this.#call((call) => leases.get(call)) ??
      await this.#call((call) => leases.make(call));
    const { holder, freeAt } = this.#see(lease);
    if (holder !== identity) this.#leadsUntil = -Infinity;
    const askedAt = this.#clock.now();
    if (askedAt < freeAt) return;
    try {
      this.#see(await this.#call((call) => leases.replace(taken(lease, identity), call)));
    } catch (error) {
      if (!isConflict(error)) throw error;
      return; // somebody else was faster
    }
    // whoever was held up for so long has not led for a moment: what was not done then is to be done now
    this.#tell();
    this.#leadsUntil = askedAt + LEADING_MILLISECONDS;
  }

  /** A version counts from when it is first seen. */
  #see({ metadata, spec }: Lease): Seen {
    const version = `${metadata?.uid}/${metadata?.resourceVersion}`;
    if (this.#seen?.version === version) return this.#seen;
    const { log, identity } = this.#options;
    const holder = spec?.holderIdentity ?? undefined;
    let duration = 0;
    if (holder === undefined) {
      // made anew: who held the one before, and may have renewed it just before it was deleted, must get to know
      if (this.#seen !== undefined) duration = LEASE_MILLISECONDS;
    } else if (holder !== "" && holder !== identity) {
      duration = spec?.leaseDurationSeconds ? spec.leaseDurationSeconds * 1000 : LEASE_MILLISECONDS;
      if (holder !== this.#seen?.holder) log.info("Another controller leads", { holder });
    }
    return this.#seen = { version, holder, freeAt: this.#clock.now() + duration };
  }

  async #release(): Promise<void> {
    const { leases, identity, log } = this.#options;
    const lease = await this.#call((call) => leases.get(call));
    if (lease?.spec?.holderIdentity !== identity) return;
    const released = { ...lease, spec: { ...lease.spec, holderIdentity: "", renewTime: wallTime() } };
    await this.#call((call) => leases.replace(released, call));
    log.info("The Lease is given back");
  }

  /** Waits for an answer, but not for long, and not beyond the time that it leads. */
  async #call<T>(ask: (call: LeaseCall) => Promise<T>): Promise<T> {
    const end = new AbortController();
    const left = this.#leadsUntil - this.#clock.now();
    const limit = Math.min(CALL_MILLISECONDS, left > 0 ? left : Infinity);
    const late = this.#clock.wait(limit, end.signal).then(() => {
      throw new Error("The API server did not answer in time");
    });
    try {
      return await Promise.race([ask({ abortSignal: end.signal }), late]);
    } finally {
      end.abort();
    }
  }

  /** Tells a change, once. */
  #tell(): void {
    const { isLeader } = this;
    if (isLeader === this.#isTold) return;
    this.#isTold = isLeader;
    this.#transitions++;
    const { identity, log } = this.#options;
    log.info(isLeader ? "This controller leads" : "This controller leads no longer", { identity });
    for (const listener of this.#listeners) listener();
  }

  #tellFailure(error: unknown): void {
    if (this.#failures++ % TRIES_PER_LINE > 0) return;
    this.#options.log.warn("The Lease cannot be read or written: trying again", {
      error: errorMessage(error),
    });
  }
}

function taken({ spec, ...lease }: Lease, identity: string): Lease {
  const isNew = spec?.holderIdentity !== identity;
  const now = wallTime();
  return {
    ...lease,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_MILLISECONDS / 1000,
      renewTime: now,
      ...isNew && { acquireTime: now, leaseTransitions: (spec?.leaseTransitions ?? 0) + 1 },
    },
  };
}

function wallTime(): MicroTime {
  const now = new Date();
  return new MicroTime(now, now.getUTCMilliseconds() * 1000);
}
