/**
 * What tests of the leader election need: time that passes when they say so, and a Lease in memory that is
 * reached over a network with faults.
 *
 * @module
 */
import { setImmediate } from "node:timers/promises";
import type { Lease } from "@cloudydeno/kubernetes-apis/coordination.k8s.io/v1";
import type { Clock } from "../controller/clock.ts";
import type { LeaseApi } from "../controller/leader_election.ts";

/** Time that a test lets pass, in whole milliseconds. */
export class VirtualTime {
  /** How much has passed. */
  now = 0;
  readonly #timers = new Set<{ at: number; end: () => void }>();

  /** A clock that has begun at some time and runs at a rate of its own. */
  clock({ rate = 1, start = 0 } = {}): Clock {
    return {
      now: () => start + this.now * rate,
      wait: (milliseconds, signal) => this.wait(milliseconds / rate, signal),
    };
  }

  /** Resolves when so much time has passed, or the signal aborts. */
  async wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (milliseconds <= 0 || signal?.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    const timer = { at: this.now + Math.ceil(milliseconds), end };
    this.#timers.add(timer);
    signal?.addEventListener("abort", end);
    await promise;
    this.#timers.delete(timer);
    signal?.removeEventListener("abort", end);
  }

  /** Lets time pass. `look` is called before and after everything that happens. @returns how much has happened. */
  async pass(milliseconds: number, look: () => void = () => {}): Promise<number> {
    const until = this.now + milliseconds;
    for (let happened = 0;; happened++) {
      await setImmediate(); // all that is not waiting for time has run then
      look();
      let next: { at: number; end: () => void } | undefined;
      for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
      if (next === undefined || next.at > until) {
        this.now = until;
        look();
        return happened;
      }
      this.now = next.at;
      look();
      this.#timers.delete(next);
      next.end();
    }
  }

  /** Lets time pass until something is so. @returns how long that took. */
  async until(isSo: () => boolean, most: number): Promise<number> {
    const start = this.now;
    for (await this.pass(0); !isSo(); await this.pass(10)) {
      if (this.now - start > most) throw new Error(`It is not so after ${most} ms`);
    }
    return this.now - start;
  }
}

/** The Lease, as the API server keeps it. */
export class FakeLeases implements LeaseApi {
  /** What there is. */
  lease: Lease | undefined;
  /** What was done, but for reading. */
  readonly writes: string[] = [];
  /** Is a replacement of another version than the present one refused? */
  isLocking = true;
  #version = 0;

  /** Changes the Lease as somebody else would. */
  edit(lease: Lease): void {
    const resourceVersion = String(++this.#version);
    const uid = this.lease?.metadata?.uid ?? `uid-${resourceVersion}`;
    this.lease = { ...lease, metadata: { ...lease.metadata, uid, resourceVersion } };
  }

  /** See {@linkcode LeaseApi}. */
  get(): Promise<Lease | undefined> {
    return Promise.resolve(this.lease);
  }

  /** See {@linkcode LeaseApi}. */
  make(): Promise<Lease> {
    if (this.lease === undefined) {
      this.writes.push("make");
      this.edit({});
    }
    return Promise.resolve(this.lease!);
  }

  /** See {@linkcode LeaseApi}. */
  replace(lease: Lease): Promise<Lease> {
    const { uid, resourceVersion } = this.lease?.metadata ?? {};
    const isSame = lease.metadata?.uid === uid && lease.metadata?.resourceVersion === resourceVersion;
    if (this.lease === undefined || (this.isLocking && !isSame)) {
      return Promise.reject(Object.assign(new Error("Conflict"), { httpCode: 409 }));
    }
    this.writes.push(lease.spec?.holderIdentity || "release");
    this.edit(lease);
    return Promise.resolve(this.lease);
  }
}

/** What happens on the way of a request and of its answer: both may wait, fail, or wait for ever. */
export interface Network {
  /** Before the API server does anything. */
  request: () => Promise<void>;
  /** When it has done it. */
  answer: () => Promise<void>;
}

/** The Lease, reached over a network. A request that nobody waits for any more may arrive all the same. */
export function over({ request, answer }: Network, leases: LeaseApi): LeaseApi {
  async function ask<T>(act: () => Promise<T>): Promise<T> {
    await request();
    try {
      return await act();
    } finally {
      await answer();
    }
  }
  return {
    get: (call) => ask(() => leases.get(call)),
    make: (call) => ask(() => leases.make(call)),
    replace: (lease, call) => ask(() => leases.replace(lease, call)),
  };
}
