import type { Endpoint } from "./endpoint.ts";

/** How endpoints are chosen. */
export const BALANCES = ["least-requests", "round-robin"] as const;

/** One of {@linkcode BALANCES}. */
export type Balance = typeof BALANCES[number];

/** Chooses among the endpoints of a backend. */
export interface Balancer {
  /** Chooses one; those that could not be reached lately only when there is no other. */
  choose<T extends Candidate>(endpoints: readonly T[], key: string): T | undefined;
}

/** What is looked at of an {@linkcode Endpoint}. */
export type Candidate = Pick<Endpoint, "name" | "load" | "isPassedOver">;

/** Makes a balancer. `random` returns a number from 0 to less than 1. */
export function createBalancer(balance: Balance, random: () => number = Math.random): Balancer {
  return balance === "round-robin" ? new RoundRobin(random) : new LeastRequests(random);
}

/**
 * Takes the one with fewer requests of two that are chosen by chance: nearly as even as looking at all of
 * them, without all proxies running to the same one.
 */
class LeastRequests implements Balancer {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  choose<T extends Candidate>(endpoints: readonly T[]): T | undefined {
    const candidates = reachable(endpoints);
    if (candidates.length <= 1) return candidates[0];
    const first = Math.floor(this.#random() * candidates.length);
    const second = (first + 1 + Math.floor(this.#random() * (candidates.length - 1))) % candidates.length;
    const [one, other] = [candidates[first], candidates[second]];
    return one !== undefined && other !== undefined && other.load < one.load ? other : one;
  }
}

/** Takes one after the other, each backend's in its own turn. */
class RoundRobin implements Balancer {
  readonly #random: () => number;
  readonly #turns = new Map<string, number>();

  constructor(random: () => number) {
    this.#random = random;
  }

  choose<T extends Candidate>(endpoints: readonly T[], key: string): T | undefined {
    const candidates = reachable(endpoints);
    if (candidates.length <= 1) return candidates[0];
    // proxies that start together begin in different places
    const turn = this.#turns.get(key) ?? Math.floor(this.#random() * candidates.length);
    this.#turns.set(key, (turn + 1) % Number.MAX_SAFE_INTEGER);
    return candidates[turn % candidates.length];
  }
}

/** Those that could be reached lately; all of them when there are none. */
export function reachable<T extends Candidate>(endpoints: readonly T[]): readonly T[] {
  if (endpoints.length <= 1 || !endpoints.some((endpoint) => endpoint.isPassedOver)) return endpoints;
  const candidates = endpoints.filter((endpoint) => !endpoint.isPassedOver);
  return candidates.length === 0 ? endpoints : candidates;
}
