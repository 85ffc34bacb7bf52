import { assertEquals, assertThrows } from "@std/assert";
import { IpRanges, plainAddress } from "./ip_ranges.ts";

Deno.test("IpRanges knows the addresses in it", () => {
  const cases: [ranges: string[], inside: string[], outside: string[]][] = [
    [[], [], ["10.0.0.1", "::1", ""]],
    [["10.0.0.0/8"], ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "fd00::1"]],
    [["10.1.2.3/8"], ["10.0.0.1"], ["11.0.0.1"]],
    [["192.0.2.1"], ["192.0.2.1"], ["192.0.2.2", "192.0.2.0"]],
    [["192.0.2.1/32"], ["192.0.2.1"], ["192.0.2.2"]],
    [["192.0.2.128/25"], ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.128"]],
    [["0.0.0.0/0"], ["0.0.0.0", "255.255.255.255"], ["::1", "fd00::1"]],
    [["fd00::/8"], ["fd00::1", "FDFF::1"], ["fe00::1", "10.0.0.1"]],
    [["2001:db8::1"], ["2001:db8::1", "2001:DB8:0:0::1"], ["2001:db8::2"]],
    [["2001:db8::/127"], ["2001:db8::", "2001:db8::1"], ["2001:db8::2"]],
    [["::/0"], ["::1", "ffff::"], ["10.0.0.1"]],
    [["10.0.0.0/8", "fd00::/8"], ["10.0.0.1", "fd00::1"], ["11.0.0.1", "fe00::1"]],
  ];
  for (const [ranges, inside, outside] of cases) {
    const list = new IpRanges(ranges);
    for (const address of inside) assertEquals(list.has(address), true, `${address} in ${ranges}`);
    for (const address of outside) assertEquals(list.has(address), false, `${address} in ${ranges}`);
  }
});

Deno.test("IpRanges.has() takes what is no address for none", () => {
  const list = new IpRanges(["0.0.0.0/0", "::/0"]);
  for (
    const text of ["", "a.test", "10.0.0", "10.0.0.256", "10.0.0.1 ", "[::1]", "::g", "10.0.0.1/8", "unix:"]
  ) {
    assertEquals(list.has(text), false, JSON.stringify(text));
  }
});

Deno.test("IpRanges.has() takes an address with a zone without failing", () => {
  assertEquals(new IpRanges(["10.0.0.0/8"]).has("fe80::1%eth0"), false);
});

Deno.test("IpRanges refuses what is no range, and says which", () => {
  const cases = [
    "",
    "a.test",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/8/8",
    "10.0.0.0/a",
    "10.0.0.0/8 ",
    "10.0.0.0/0x8",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "/8",
    "fd00::/129",
    "[fd00::]/8",
    "fd00::/0128",
  ];
  for (const range of cases) {
    const message = `${JSON.stringify(range)} is no IP address and no range such as`;
    assertThrows(() => new IpRanges(["10.0.0.0/8", range]), Error, message);
  }
});

Deno.test("plainAddress() has one form for an address of IPv4", () => {
  const cases: [string, string][] = [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["::ffff:c000:201", "::ffff:c000:201"],
    ["::ffff:0:192.0.2.1", "::ffff:0:192.0.2.1"],
    ["64:ff9b::ffff:192.0.2.1", "64:ff9b::ffff:192.0.2.1"],
    ["2001:db8::1", "2001:db8::1"],
  ];
  for (const [address, expected] of cases) assertEquals(plainAddress(address), expected);
});
