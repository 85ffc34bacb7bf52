import { assertEquals } from "@std/assert";
import { valuesOf } from "../peers.ts";
import { inBothSpellings, statusOf } from "./harness.ts";

/** The client is behind a proxy that is trusted, so that it can be anybody. */
const server = { trustedProxies: ["127.0.0.1"] };

const cases: [annotations: Record<string, string>, statuses: Record<string, number>][] = [
  [{ "allowlist-source-range": "10.1.2.3/8, 2001:db8::1" }, {
    "10.9.9.9": 200,
    "11.1.1.1": 403,
    "2001:db8::1": 200,
    "2001:db8::2": 403,
  }],
  [{ "whitelist-source-range": "10.0.0.1" }, { "10.0.0.1": 200, "10.0.0.2": 403 }],
  [{ "allowlist-source-range": "10.0.0.1", "whitelist-source-range": "10.0.0.2" }, {
    "10.0.0.1": 200,
    "10.0.0.2": 403,
  }],
  [{ "denylist-source-range": "10.0.0.0/8" }, { "10.0.0.1": 403, "11.0.0.1": 200 }],
  [{ "allowlist-source-range": "10.0.0.0/8", "denylist-source-range": "10.0.0.1" }, {
    "10.0.0.1": 403,
    "10.0.0.2": 200,
  }],
  // who may come in cannot be told: nobody
  [{ "allowlist-source-range": "10.0.0.0/8, nonsense" }, { "10.0.0.1": 503 }],
  [{ "whitelist-source-range": "" }, { "10.0.0.1": 503 }],
  [{ "denylist-source-range": "10.0.0.0/33" }, { "11.0.0.1": 503 }],
];

inBothSpellings("allowlist-, whitelist- and denylist-source-range", async (start) => {
  for (const [annotations, statuses] of cases) {
    await using site = await start({ annotations, server });
    for (const [address, status] of Object.entries(statuses)) {
      const answer = await site.ask({ fields: { "X-Forwarded-For": address } });
      assertEquals(statusOf(answer), status, `${JSON.stringify(annotations)} ${address}`);
      if (status === 403) assertEquals(valuesOf(answer, "pingress-error"), ["forbidden"]);
    }
    const isClosed = Object.values(statuses).includes(503);
    const isOverruled = "allowlist-source-range" in annotations && "whitelist-source-range" in annotations;
    assertEquals(
      site.problems.map(({ reason }) => reason),
      isClosed ? ["InvalidAnnotation"] : isOverruled ? ["AnnotationConflict"] : [],
    );
    assertEquals(
      site.backend.requests.length,
      Object.values(statuses).filter((status) => status === 200).length,
    );
  }
});

inBothSpellings("denylist-source-range of a default backend", async (start) => {
  await using site = await start();
  await site.change({
    objects: [{
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: {
        name: "rest",
        namespace: "default",
        annotations: site.prefixed({ "denylist-source-range": "127.0.0.1" }),
      },
      spec: {
        ingressClassName: "pingress",
        defaultBackend: { service: { name: "web", port: { number: 80 } } },
      },
    }],
  });
  assertEquals([await site.status(), await site.status({ host: "other.test" })], [200, 403]);
});
