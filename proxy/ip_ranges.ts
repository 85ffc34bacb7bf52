import { BlockList, isIP } from "node:net";

/** IP addresses and ranges of them, of both families. */
export class IpRanges {
  readonly #list = new BlockList();
  readonly #isEmpty: boolean;

  /** @throws {Error} for a text that is neither an IP address nor a CIDR block such as `10.0.0.0/8`. */
  constructor(ranges: readonly string[]) {
    this.#isEmpty = ranges.length === 0;
    for (const range of ranges) {
      const [address = "", prefix, ...more] = range.split("/");
      const family = isIP(address);
      const bits = family === 4 ? 32 : 128;
      const isNumber = prefix === undefined || (/^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits);
      if (family === 0 || !isNumber || more.length > 0) {
        throw new Error(
          `${JSON.stringify(range)} is no IP address and no range such as 10.0.0.0/8 or fd00::/8`,
        );
      }
      this.#list.addSubnet(
        address,
        prefix === undefined ? bits : Number(prefix),
        family === 4 ? "ipv4" : "ipv6",
      );
    }
  }

  /**
   * Is an address in one of the ranges? One of IPv4 that is written as one of IPv6 (`::ffff:10.0.0.1`) counts as
   * the former, a zone (`%eth0`) does not count. What is no address is in none.
   */
  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address.replace(/%.*$/, ""), family === 4 ? "ipv4" : "ipv6");
  }
}

/**
 * What means the machine itself, or its link alone, to each machine (RFC 6890, section 2.2): loopback,
 * unspecified addresses, which lead there too, and link-local ones, where clouds serve machines' credentials.
 */
export const LOCAL_RANGES = new IpRanges([
  ...["127.0.0.0/8", "0.0.0.0/8", "169.254.0.0/16"],
  ...["::1", "::", "fe80::/10"],
]);

/** An IP address in its own form: one of IPv4 that was written as one of IPv6 becomes short. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[0-9]+\.)/i, "");
}
