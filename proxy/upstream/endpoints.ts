import { type Address, type EndpointsFile, parseAddress } from "@pingress/config";
import type { Route } from "../routing_table.ts";

/** The addresses of all backends, compiled; a new file makes a new one. */
export class Endpoints {
  readonly #addresses = new Map<string, Address[]>();

  /** Compiles a checked `endpoints.json`. */
  constructor(file: EndpointsFile) {
    for (const [key, list] of Object.entries(file)) {
      this.#addresses.set(
        key,
        list.map((text) => parseAddress(text)).filter((address) => address !== undefined),
      );
    }
  }

  /**
   * The addresses of a route's backend. One that is not listed is looked up in DNS as `<name>.<namespace>`
   * when it is connected to.
   */
  of({ key, backend }: Route): readonly Address[] {
    const listed = this.#addresses.get(key);
    if (listed !== undefined) return listed;
    return typeof backend.port === "number"
      ? [{ hostname: `${backend.name}.${backend.namespace}`, port: backend.port }]
      : [];
  }
}
