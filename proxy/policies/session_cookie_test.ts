import { assertEquals } from "@std/assert";
import type { CookieAffinity } from "@pingress/config";
import { WEB } from "../../tests/policies.ts";
import { fieldsOf } from "../../tests/testing.ts";
import { backendId, endpointId, sessionOf, setSessionCookie } from "./session_cookie.ts";

const sessions: [cookie: string, session: unknown][] = [
  ["other=1", undefined],
  ["route=", undefined],
  ["route=|id", undefined],
  ["route=key|id", { key: "key", backend: "id" }],
  ["route=key", { key: "key", backend: undefined }],
];

for (const [cookie, session] of sessions) {
  Deno.test(`sessionOf() reads ${cookie}`, () => {
    assertEquals(sessionOf(fieldsOf(`Cookie: ${cookie}\r\n`), { name: "route" }), session);
  });
}

// as `md5sum` says: of the name's own sum and the name, and of the name and the address
Deno.test("backendId() and endpointId() name things as ingress-nginx does", () => {
  assertEquals(backendId(WEB), "6cde5721ec2c7e2bce07cff7d0e4ac37");
  assertEquals(endpointId(WEB, "10.0.0.1:8080"), "0aa3b49d3795ad62718deaa56ec75fae");
});

const NOW = Date.UTC(2026, 10, 26, 6, 40, 38);

const cookies: [affinity: Partial<CookieAffinity>, isHttps: boolean, line: string][] = [
  [{}, false, "route=k|b; HttpOnly"],
  [{}, true, "route=k|b; Secure; HttpOnly"],
  [{ isSecure: true }, false, "route=k|b; Secure; HttpOnly"],
  [{ attributes: { path: "/a" } }, false, "route=k|b; Path=/a; HttpOnly"],
  [{ attributes: { expires: 0 } }, false, "route=k|b; Expires=Thu, 26-Nov-26 06:40:38 GMT; HttpOnly"],
  [{ attributes: { expires: 86400 } }, false, "route=k|b; Expires=Fri, 27-Nov-26 06:40:38 GMT; HttpOnly"],
  [
    { attributes: { expires: -86400 * 365 * 20 } },
    false,
    "route=k|b; Expires=Fri, 01-Dec-06 06:40:38 GMT; HttpOnly",
  ],
  [{ attributes: { maxAge: 0 } }, false, "route=k|b; Max-Age=0; HttpOnly"],
  [
    { attributes: { sameSite: "Lax", path: "/", domain: "a.test", maxAge: 1, expires: 1 } },
    true,
    "route=k|b; Expires=Thu, 26-Nov-26 06:40:39 GMT; Max-Age=1; Domain=a.test; Path=/; Secure; HttpOnly; SameSite=Lax",
  ],
];

for (const [affinity, isHttps, line] of cookies) {
  Deno.test(`setSessionCookie() writes ${line}`, () => {
    const written = setSessionCookie(
      { key: "k", backend: "b" },
      { name: "route", attributes: {}, ...affinity },
      { isHttps, now: NOW, userAgent: undefined },
    );
    assertEquals(written, line);
  });
}

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko)";

const browsers: [userAgent: string | undefined, sameSite: string, isSent: boolean][] = [
  [undefined, "None", true],
  ["Mozilla/5.0 (X11) Chrome/51.0.2704.63 Safari/537.36", "None", false],
  ["Mozilla/5.0 (X11) Chrome/66.0.3359.139 Safari/537.36", "None", false],
  ["Mozilla/5.0 (X11) Chrome/66.0.3359.139 Safari/537.36", "Lax", true],
  ["Mozilla/5.0 (X11) Chrome/80.0.3987.163 Safari/537.36", "None", true],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X)", "None", false],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 13_4 like Mac OS X)", "None", true],
  ["Mozilla/5.0 (iPad; CPU OS 12_0 like Mac OS X)", "None", false],
  [`${MAC} Version/12.1.2 Safari/605.1.15`, "None", false],
  [`${MAC} Chrome/119.0.0.0 Safari/537.36`, "None", true],
  [MAC, "None", true],
  ["Safari Intel Mac OS X 10_14 Macintosh", "None", true],
  // an expression that goes back would take minutes for it
  [`${"Macintosh".repeat(3000)}${"Intel Mac OS X 10_14".repeat(1500)}`, "None", true],
];

for (const [userAgent, sameSite, isSent] of browsers) {
  Deno.test(`setSessionCookie() ${isSent ? "tells" : "keeps from"} ${userAgent?.slice(0, 100)}: SameSite=${sameSite}`, () => {
    const affinity = { name: "route", attributes: { sameSite }, omitsSameSiteNone: true };
    const line = setSessionCookie({ key: "k", backend: "b" }, affinity, {
      isHttps: true,
      now: NOW,
      userAgent,
    });
    assertEquals(line.endsWith(`; SameSite=${sameSite}`), isSent);
  });
}
