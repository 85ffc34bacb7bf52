import { assertEquals, assertMatch } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import { connectTls, valuesOf } from "../peers.ts";
import { latin1, within } from "../testing.ts";
import { HOST, inBothSpellings, requestOf, secret, type Site, statusOf } from "./harness.ts";

const OWN = "HTTP/1.1 200 OK\r\nX-Frame-Options: SAMEORIGIN\r\nStrict-Transport-Security: max-age=1\r\n" +
  "Content-Length: 0\r\nConnection: close\r\n\r\n";

inBothSpellings("custom-headers are on every answer, instead of the backend's", async (start) => {
  const headers = "X-Frame-Options: DENY\n\n  content-security-policy: default-src 'self'; img-src *  \n";
  await using site = await start({ annotations: { "custom-headers": headers }, answer: OWN });
  for (const status of [200, 503]) {
    const answer = await site.ask();
    assertEquals(statusOf(answer), status);
    assertEquals(valuesOf(answer, "x-frame-options"), ["DENY"]);
    assertEquals(valuesOf(answer, "content-security-policy"), ["default-src 'self'; img-src *"]);
    if (status === 200) await site.change({ paths: [{ path: "/", service: "missing" }] });
  }
});

inBothSpellings("custom-headers with the name of a ConfigMap do nothing and are told", async (start) => {
  await using site = await start({ annotations: { "custom-headers": "default/headers" }, answer: OWN });
  assertEquals(valuesOf(await site.ask(), "x-frame-options"), ["SAMEORIGIN"]);
  assertMatch(site.problems.map(({ message }) => message).join(), /reads no ConfigMap/);
});

const hsts: [annotations: Record<string, string>, said: string[]][] = [
  [{}, ["max-age=1"]],
  [{ hsts: "false" }, ["max-age=1"]],
  [{ hsts: "true" }, ["max-age=31536000; includeSubDomains"]],
  [{ hsts: "true", "hsts-max-age": "60" }, ["max-age=60; includeSubDomains"]],
  [{ hsts: "true", "hsts-include-subdomains": "false" }, ["max-age=31536000"]],
  [{ hsts: "true", "hsts-preload": "true" }, ["max-age=31536000; includeSubDomains; preload"]],
];

inBothSpellings("hsts and its options count over HTTPS alone", async (start) => {
  const { cert, key } = await selfSigned([HOST]);
  await using site = await start({
    answer: OWN,
    tls: [{ hosts: [HOST], secretName: "tls" }],
    objects: [secret("tls", { "tls.crt": cert, "tls.key": key }, { type: "kubernetes.io/tls" })],
  });
  for (const [index, [annotations, said]] of hsts.entries()) {
    if (index > 1) await site.change({ annotations });
    assertEquals(valuesOf(await site.ask(), "strict-transport-security"), ["max-age=1"]);
    const answer = await askOverTls(site);
    assertEquals(
      [...answer.matchAll(/^strict-transport-security: (.*)\r$/gim)].map(([, value]) => value),
      said,
    );
  }
});

async function askOverTls({ addresses }: Site): Promise<string> {
  const socket = await connectTls(addresses.https, { servername: HOST });
  try {
    const { promise, resolve } = Promise.withResolvers<void>();
    let text = "";
    socket.on("data", (bytes: Uint8Array) => {
      text += latin1(bytes);
      if (text.includes("\r\n\r\n")) resolve();
    });
    socket.write(requestOf());
    await within(promise, "an answer over TLS");
    return text;
  } finally {
    socket.destroy();
  }
}
