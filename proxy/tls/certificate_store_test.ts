import { assertEquals } from "@std/assert";
import type { CheckedKeyPair } from "@pingress/config";
import { CertificateStore } from "./certificate_store.ts";

function pair(name: string): CheckedKeyPair {
  return { cert: name, key: name, names: [], notAfter: 0 };
}

const EXACT = pair("exact");
const WILDCARD = pair("wildcard");
const FALLBACK = pair("fallback");
const BY_HOST = new Map([["www.a.test", EXACT], ["*.a.test", WILDCARD], ["b.test", WILDCARD]]);

Deno.test("CertificateStore.find() takes the exact name, then the wildcard, then the fallback", () => {
  const cases: [serverName: string | undefined, CheckedKeyPair | undefined][] = [
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
    const strict = new CertificateStore({ byHost: BY_HOST, fallback: undefined });
    assertEquals(strict.find(serverName), expected, serverName);
    const lenient = new CertificateStore({ byHost: BY_HOST, fallback: FALLBACK });
    assertEquals(lenient.find(serverName), expected ?? FALLBACK, serverName);
  }
});
