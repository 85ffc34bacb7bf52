import { assertEquals } from "@std/assert";
import { inBothSpellings, statusOf } from "./harness.ts";

const cases: [name: string, value: string, status: number, problems: number][] = [
  ["configuration-snippet", 'more_set_headers "X-Frame-Options: DENY; x";\n# deny all;\nexpires 1h;', 200, 1],
  ["configuration-snippet", "deny all;", 503, 1],
  ["server-snippet", "location /admin { return 403; }", 503, 1],
  ["ssl-passthrough", "true", 503, 1],
  ["enable-modsecurity", "true", 503, 1],
  ["enable-modsecurity", "false", 200, 0],
  ["mirror-target", "https://mirror.test$request_uri", 200, 1],
  ["proxy-cookie-path", "off", 200, 0],
  ["proxy-cookie-path", "/one /two", 200, 1],
  ["proxy-buffer-size", "16k", 200, 0],
  ["enable-opentelemetry", "true", 200, 1],
  ["global-rate-limit", "100", 200, 1],
  ["secure-backends", "true", 200, 1],
];

inBothSpellings(
  "annotations that do nothing are told, and those that may guard close the Ingress",
  async (start) => {
    await using site = await start();
    for (const [name, value, status, problems] of cases) {
      const path = `/${name}-${status}-${problems}`;
      await site.change({ annotations: { [name]: value }, paths: [{ path }] });
      assertEquals(
        [statusOf(await site.ask({ target: path })), site.problems.length],
        [status, problems],
        name,
      );
    }
  },
);
