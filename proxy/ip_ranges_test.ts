import { assertEquals, assertThrows } from "@std/assert";
import { IpRanges, LOCAL_RANGES, plainAddress } from "./ip_ranges.ts";

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
    [["10.0.0.0/8"], ["::ffff:10.0.0.1", "::FFFF:a00:1"], ["::ffff:11.0.0.1", "::10.0.0.1"]],
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

Deno.test("IpRanges.has() does not mind a zone", () => {
  assertEquals(new IpRanges(["10.0.0.0/8"]).has("fe80::1%eth0"), false);
  assertEquals(new IpRanges(["fe80::/10"]).has("fe80::1%eth0"), true);
});

Deno.test("LOCAL_RANGES holds what each machine means itself or its link by", () => {
  const local = [
    ...["127.0.0.0", "127.0.0.1", "127.255.255.255", "0.0.0.0", "0.255.255.255"],
    ...["169.254.0.0", "169.254.169.254", "169.254.255.255"],
    ...["::1", "0:0:0:0:0:0:0:1", "::", "fe80::", "febf:ffff::1"],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:0.0.0.0", "::FFFF:169.254.169.254"],
  ];
  const others = [
    ...["126.255.255.255", "128.0.0.0", "1.0.0.0", "169.253.255.255", "169.255.0.0", "10.0.0.1"],
    ...["::2", "fe7f::1", "fec0::1", "fd00::1", "2001:db8::1", "::ffff:10.0.0.1", "::ffff:808:808"],
  ];
  for (const address of local) assertEquals(LOCAL_RANGES.has(address), true, address);
  for (const address of others) assertEquals(LOCAL_RANGES.has(address), false, address);
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
