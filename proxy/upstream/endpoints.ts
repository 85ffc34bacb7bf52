import { isIP } from "node:net";
import { type Address, type EndpointsFile, parseAddress } from "@pingress/config";
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
   *
   * @throws {ProxyError} when a name has no address.
   */
  of({ key, backend }: Route): readonly Address[] | Promise<readonly Address[]> {
    const listed = this.#addresses.get(key);
    if (listed !== undefined) return listed;
    const named = this.#byName.get(key);
    if (named !== undefined) return this.#resolveAll(named);
    if (typeof backend.port !== "number") return [];
    return this.#resolveAll([{ hostname: `${backend.name}.${backend.namespace}`, port: backend.port }]);
  }

  async #resolveAll(addresses: readonly Address[]): Promise<readonly Address[]> {
    const resolved = await Promise.all(
      addresses.map(async ({ hostname, port }) =>
        (await this.#resolver.resolve(hostname)).map((address) => ({ hostname: address, port }))
      ),
    );
    return resolved.flat();
  }
}
