import { assert, assertEquals } from "@std/assert";
import type { KeyPair } from "@pingress/config";
import { CertificateStore } from "./certificate_store.ts";

function pair(name: string): KeyPair {
  return { cert: name, key: name };
}

const EXACT = pair("exact");
const WILDCARD = pair("wildcard");
const FALLBACK = pair("fallback");
const BY_HOST = new Map([["www.a.test", EXACT], ["*.a.test", WILDCARD], ["b.test", WILDCARD]]);

Deno.test("CertificateStore.find() takes the exact name, then the wildcard, then the fallback", () => {
  const cases: [serverName: string | undefined, KeyPair | undefined][] = [
    ["www.a.test", EXACT],
    ["WWW.A.Test.", EXACT],
    ["api.a.test", WILDCARD],
    ["b.test", WILDCARD],
    ["a.b.a.test", undefined],
    ["a.test", undefined],
    ["c.test", undefined],
    ["localhost", undefined],
    ["", undefined],
    ["..", undefined],
    [undefined, undefined],
  ];
  for (const [serverName, expected] of cases) {
    assertEquals(new CertificateStore(BY_HOST).find(serverName), expected, serverName);
    assertEquals(new CertificateStore(BY_HOST, FALLBACK).find(serverName), expected ?? FALLBACK, serverName);
  }
});

Deno.test("CertificateStore.get() knows only what a host has for itself", () => {
  const store = new CertificateStore(BY_HOST, FALLBACK);
  assert(store.get("www.a.test") === EXACT);
  assertEquals(store.get("api.a.test"), undefined);
});

Deno.test("CertificateStore.pairs() lists every pair once", () => {
  assertEquals([...new CertificateStore(BY_HOST).pairs()], [EXACT, WILDCARD]);
  assertEquals([...new CertificateStore(BY_HOST, FALLBACK).pairs()], [EXACT, WILDCARD, FALLBACK]);
  assertEquals([...new CertificateStore(BY_HOST, EXACT).pairs()].length, 2);
  assertEquals(new CertificateStore(BY_HOST, FALLBACK).size, 3);
});
