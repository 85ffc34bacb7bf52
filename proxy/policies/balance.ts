import type { RuleOptions } from "@pingress/config";
import { type Balancer, type Candidate, createBalancer, reachable } from "../upstream/balancer.ts";
import { highestFor } from "../upstream/rendezvous.ts";
import type { Policy, PolicyEnvironment } from "./policy.ts";
import { compileTemplate } from "./variables.ts";

/** Chooses endpoints as the rule says instead of the proxy's own way. */
export function balancePolicy({ balance }: RuleOptions, { random }: PolicyEnvironment): Policy | undefined {
  if (balance === undefined) return undefined;
  const balancer = createBalancer(balance, random);
  return {
    request: (exchange) => {
      exchange.balancer = balancer;
      return undefined;
    },
  };
}

/** Sends requests to the same endpoint for which a text is the same. */
export function hashByPolicy({ hashBy }: RuleOptions): Policy | undefined {
  if (hashBy === undefined) return undefined;
  const keyOf = compileTemplate(hashBy);
  return {
    request: (exchange) => {
      exchange.balancer = new ByHash(keyOf(exchange));
      return undefined;
    },
  };
}

/** Always the same endpoint for a key; where that cannot be reached, always the same other one. */
class ByHash implements Balancer {
  readonly #key: string;

  constructor(key: string) {
    this.#key = key;
  }

  choose<T extends Candidate>(endpoints: readonly T[]): T | undefined {
    return highestFor(reachable(endpoints), this.#key);
  }
}
