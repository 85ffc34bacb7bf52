import { assertEquals } from "@std/assert";
import { valuesOf, type WireMessage } from "../peers.ts";
import { inBothSpellings, statusOf } from "./harness.ts";

const ORIGIN = "https://app.test";
const BACKENDS_OWN = "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://old.test\r\n" +
  "Access-Control-Max-Age: 1\r\nContent-Length: 0\r\n\r\n";

/** What an answer allows, in the order of names. */
function allowed({ headers }: WireMessage): [name: string, value: string][] {
  return headers.filter(([name]) => name.startsWith("access-control-"))
    .map(([name, value]): [string, string] => [name.slice("access-control-".length), value])
    .sort(([one], [other]) => one < other ? -1 : 1);
}

inBothSpellings("enable-cors allows every origin what ingress-nginx allows", async (start) => {
  await using site = await start({ annotations: { "enable-cors": "true" }, answer: BACKENDS_OWN });
  const everything = [
    ["allow-credentials", "true"],
    [
      "allow-headers",
      "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization",
    ],
    ["allow-methods", "GET, PUT, POST, DELETE, PATCH, OPTIONS"],
    ["allow-origin", "*"],
    ["max-age", "1728000"],
  ];
  const simple = await site.ask();
  assertEquals([statusOf(simple), allowed(simple)], [200, everything]);
  assertEquals(site.backend.requests.length, 1);
  const preflight = await site.ask({ method: "OPTIONS", fields: { Origin: ORIGIN } });
  assertEquals([statusOf(preflight), allowed(preflight)], [204, everything]);
  assertEquals(site.backend.requests.length, 1);
  await site.change({ annotations: { "enable-cors": "false" } });
  assertEquals(allowed(await site.ask()), [["allow-origin", "https://old.test"], ["max-age", "1"]]);
});

inBothSpellings("cors-allow-origin lets in whole origins only", async (start) => {
  await using site = await start({
    annotations: { "enable-cors": "true", "cors-allow-origin": "https://app.test, https://*.apps.test:8443" },
    answer: (request) =>
      valuesOf(request, "x-silent").length > 0
        ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        : BACKENDS_OWN,
  });
  const cases: [origin: string, isAllowed: boolean][] = [
    ["https://app.test", true],
    ["HTTPS://APP.test", true],
    ["https://one.apps.test:8443", true],
    ["https://apps.test:8443", false],
    ["https://two.one.apps.test:8443", false],
    ["https://one.apps.test", false],
    ["https://evil-app.test", false],
    ["xhttps://app.test", false],
    ["https://app.test.evil.test", false],
    ["http://app.test", false],
    ["null", false],
  ];
  for (const [origin, isAllowed] of cases) {
    const answer = await site.ask({ fields: { Origin: origin, "X-Silent": "1" } });
    assertEquals(valuesOf(answer, "access-control-allow-origin"), isAllowed ? [origin] : [], origin);
    assertEquals(valuesOf(answer, "vary"), ["Origin"]);
    const preflight = await site.ask({ method: "OPTIONS", fields: { Origin: origin } });
    assertEquals(statusOf(preflight), isAllowed ? 204 : 200, origin);
  }
  // who is not allowed gets what the backend says
  assertEquals(allowed(await site.ask()), [["allow-origin", "https://old.test"], ["max-age", "1"]]);
});

inBothSpellings("cors-allow-origin with a bad value allows nothing", async (start) => {
  await using site = await start({
    annotations: { "enable-cors": "true", "cors-allow-origin": "https://app.test, app.test/path" },
  });
  const answer = await site.ask({ fields: { Origin: ORIGIN } });
  assertEquals([statusOf(answer), allowed(answer)], [200, []]);
  assertEquals(site.problems.map(({ reason }) => reason), ["InvalidAnnotation"]);
});

const values: [name: string, value: string, field: string, said: string[]][] = [
  ["cors-allow-methods", "GET, POST", "access-control-allow-methods", ["GET, POST"]],
  ["cors-allow-headers", "X-One,X_Two", "access-control-allow-headers", ["X-One,X_Two"]],
  ["cors-allow-credentials", "false", "access-control-allow-credentials", []],
  ["cors-allow-credentials", "no", "access-control-allow-credentials", []],
  ["cors-max-age", "600", "access-control-max-age", ["600"]],
  ["cors-max-age", "10m", "access-control-max-age", ["1728000"]],
  ["cors-expose-headers", "X-Total", "access-control-expose-headers", ["X-Total"]],
  ["cors-expose-headers", "*", "access-control-expose-headers", ["*"]],
];

for (const [name, value, field, said] of values) {
  inBothSpellings(`${name}: ${value}`, async (start) => {
    await using site = await start({ annotations: { "enable-cors": "true", [name]: value } });
    assertEquals(valuesOf(await site.ask({ fields: { Origin: ORIGIN } }), field), said);
  });
}

inBothSpellings("enable-cors counts for errors and redirects, too", async (start) => {
  await using site = await start({
    annotations: { "enable-cors": "true", "permanent-redirect": "https://other.test/" },
  });
  const answer = await site.ask();
  assertEquals([statusOf(answer), valuesOf(answer, "access-control-allow-origin")], [301, ["*"]]);
  assertEquals(statusOf(await site.ask({ method: "OPTIONS" })), 204);
  await site.change({ annotations: { "enable-cors": "true" }, paths: [{ path: "/", service: "missing" }] });
  const failed = await site.ask();
  assertEquals([statusOf(failed), valuesOf(failed, "access-control-allow-origin")], [503, ["*"]]);
});
