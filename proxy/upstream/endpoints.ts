import { isIP } from "node:net";
import { type Address, type EndpointsFile, errorMessage, parseAddress } from "@pingress/config";
import { ProxyError } from "../errors.ts";
import type { Route } from "../routing_table.ts";
import type { Resolver } from "./resolver.ts";

/** The addresses of all backends, compiled; a new file makes a new one. */
export class Endpoints {
  readonly #addresses = new Map<string, readonly Address[]>();
  readonly #byName = new Map<string, readonly Address[]>();
  readonly #resolver: Resolver;

  /** Compiles a checked `endpoints.json`. Names in it are looked up by `resolver`. */
  constructor(file: EndpointsFile, resolver: Resolver) {
    this.#resolver = resolver;
    for (const [key, list] of Object.entries(file)) {
      const addresses = list.map((text) => parseAddress(text)).filter((address) => address !== undefined);
      const isReady = addresses.every(({ hostname }) => isIP(hostname) !== 0);
      (isReady ? this.#addresses : this.#byName).set(key, addresses);
    }
  }

  /**
   * The addresses of a route's backend. One that is not listed is looked up in DNS as `<name>.<namespace>`.
   * Of several names those count that resolve.
   *
   * @throws {ProxyError} when none of them does.
   */
  of({ key, backend }: Pick<Route, "key" | "backend">): readonly Address[] | Promise<readonly Address[]> {
    const listed = this.#addresses.get(key);
    if (listed !== undefined) return listed;
    const named = this.#byName.get(key);
    if (named !== undefined) return this.#resolveAll(named);
    if (typeof backend.port !== "number") return [];
    return this.#resolveAll([{ hostname: `${backend.name}.${backend.namespace}`, port: backend.port }]);
  }

  /** What is known counts at once: a name that is slow to fail must not hold up requests that have others. */
  #resolveAll(addresses: readonly Address[]): readonly Address[] | Promise<readonly Address[]> {
    const answers = addresses.map(({ hostname, port }) => ({
      found: isIP(hostname) === 0 ? this.#resolver.resolve(hostname) : [hostname],
      port,
    }));
    const known = answers.flatMap(({ found, port }) => found instanceof Promise ? [] : atPort(found, port));
    return known.length > 0 ? known : allThatResolve(answers);
  }
}

async function allThatResolve(
  answers: { found: Promise<readonly string[]> | readonly string[]; port: number }[],
): Promise<readonly Address[]> {
  const settled = await Promise.allSettled(
    answers.map(async ({ found, port }) => atPort(await found, port)),
  );
  const addresses = settled.flatMap((result) => result.status === "fulfilled" ? result.value : []);
  if (addresses.length > 0) return addresses;
  const reasons = settled.flatMap((result) =>
    result.status === "rejected" ? errorMessage(result.reason) : []
  );
  throw new ProxyError("upstream_unreachable", reasons.join("; "));
}

function atPort(hostnames: readonly string[], port: number): Address[] {
  return hostnames.map((hostname) => ({ hostname, port }));
}
