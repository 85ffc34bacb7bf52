import { assertEquals } from "@std/assert";
import { optionsFor } from "./testing.ts";

const NO_TYPE = "It does nothing: the Ingress has no annotation auth-type";
const NO_URL = "It does nothing: the Ingress has no annotation auth-url";

/** What is told of annotations that need others. */
const idle: [annotations: Record<string, string>, told: string[]][] = [
  [{ "auth-realm": "staff" }, [NO_TYPE]],
  [{ "auth-secret-type": "auth-map" }, ["It does nothing: the Ingress has no annotation auth-secret"]],
  [{ "auth-method": "POST" }, [NO_URL]],
  [{ "auth-response-headers": "X-User", "auth-always-set-cookie": "true" }, [NO_URL, NO_URL]],
  [{ "auth-request-redirect": "https://a.test/" }, [NO_URL]],
  [{ "auth-signin-redirect-param": "to" }, ["It does nothing: the Ingress has no annotation auth-signin"]],
  [{ "auth-realm": "staff", canary: "true" }, []],
  [{ "auth-url": "http://a.test", "auth-method": "POST" }, []],
];

for (const [annotations, told] of idle) {
  Deno.test(`${Object.keys(annotations).join(" with ")} tells what it needs`, () => {
    assertEquals(optionsFor(annotations).told, told);
  });
}

/** What is wrong with one annotation is told once, and not of those beside it. */
const faulty: [annotations: Record<string, string>, told: number][] = [
  [
    { "auth-type": "digest", "auth-secret": "users", "auth-realm": "staff", "auth-secret-type": "auth-map" },
    1,
  ],
  [{ "auth-type": "basic", "auth-secret": "a/b/c", "auth-secret-type": "auth-map" }, 1],
  [{ "auth-url": "ftp://a.test", "auth-signin": "https://a.test/in", "auth-method": "POST" }, 1],
  [{ "auth-signin": "https://a.test/in" }, 1],
];

for (const [annotations, count] of faulty) {
  Deno.test(`${JSON.stringify(annotations)} closes the Ingress, and tells why once`, () => {
    const { options, told } = optionsFor(annotations);
    assertEquals([typeof options.closed, told.length], ["string", count]);
  });
}

Deno.test("auth-secret with many faulty lines is told once", () => {
  const secret = {
    metadata: { name: "users", namespace: "default" },
    stringData: { auth: "web:{SHA}O/MvdjOwOQpt8I9HBSVZugThPMw=\n" + "x:plain\n".repeat(10_000) },
  };
  const { told } = optionsFor({ "auth-type": "basic", "auth-secret": "users" }, { secret: () => secret });
  assertEquals(told, [
    "auth-secret: Secret default/users: line 2 has a hash that is neither bcrypt's ($2y$) nor $apr1$ nor {SHA}: " +
    "with it nobody can come in, and there are 9999 more such lines",
  ]);
});

Deno.test("auth-signin beside auth-type alone does nothing, and that is told", () => {
  const { told } = optionsFor({
    "auth-type": "basic",
    "auth-secret": "users",
    "auth-signin": "https://a.test/in",
  });
  assertEquals(told.filter((message) => message.includes("auth-url")), [`auth-signin: ${NO_URL}`]);
});
