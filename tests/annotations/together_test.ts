import { assertEquals } from "@std/assert";
import { Backend, ok, valuesOf } from "../testing.ts";
import { inBothSpellings, secret, service, statusOf } from "./harness.ts";

// the password is sha-pw
const HTPASSWD = "sha:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=";

inBothSpellings("an error page for who may not come in still asks for a password", async (start) => {
  using errors = new Backend(ok("page"));
  await using site = await start({
    annotations: {
      ...{ "auth-type": "basic", "auth-secret": "users", "auth-realm": "The back office" },
      ...{ "custom-http-errors": "401", "default-backend": "errors" },
    },
    objects: [secret("users", { auth: HTPASSWD }), ...service("errors", errors)],
  });
  const answer = await site.ask();
  assertEquals([answer.body, valuesOf(answer, "www-authenticate")], ["page", [
    'Basic realm="The back office"',
  ]]);
  assertEquals([statusOf(answer), site.backend.requests.length], [200, 0]);
});

inBothSpellings("a default backend gets nothing of who may not come in", async (start) => {
  using errors = new Backend(ok("page"));
  await using site = await start({
    annotations: { "allowlist-source-range": "192.0.2.0/24", "default-backend": "errors" },
    objects: service("errors", errors),
  });
  assertEquals([await site.status(), errors.requests.length], [403, 0]);
});
