import { assertEquals } from "@std/assert";
import type { Ingress } from "../objects.ts";
import { Store } from "../store.ts";
import type { Problem } from "../translate/problem.ts";
import { type Finding, findings, type Notice, steps } from "./findings.ts";

const OPTIONS = { namespace: "pingress-system" };

function ingress(name: string, uid: string): Ingress {
  return { metadata: { name, namespace: "default", uid }, spec: { ingressClassName: "pingress" } };
}

function found(problems: Problem[], { failure }: { failure?: string } = {}): Map<string, Finding> {
  const translation = {
    isEmpty: false,
    ingresses: [],
    claims: [],
    config: { rules: [] },
    endpoints: {},
    certificates: new Map(),
    files: new Map(),
    namedSecrets: new Set<string>(),
    problems,
  };
  const outcome = { snapshot: new Store().snapshot(), translation, ...failure !== undefined && { failure } };
  return findings(outcome, { ...OPTIONS, ingresses: [ingress("web", "1"), ingress("shop", "2")] });
}

const MISSING: Problem = {
  ingress: "default/web",
  field: "spec.rules[0].http.paths[0].backend.service.name",
  reason: "ServiceNotFound",
  message: "There is no Service default/web",
};

function notices(
  current: Map<string, Finding>,
  told: Map<string, Finding>,
  isOurs = () => true,
): (Notice | undefined)[] {
  return steps(current, { told, isOurs }).map(({ notice }) => notice);
}

Deno.test("findings() are about Ingresses, and about the ConfigMap when it cannot be written", () => {
  const about = [...found([MISSING], { failure: "too large" }).values()].map((
    { about, reason },
  ) => [reason, about]);
  assertEquals(about, [
    ["ServiceNotFound", {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      name: "web",
      namespace: "default",
      uid: "1",
    }],
    ["ApplyFailed", {
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: "pingress-system",
      name: "pingress-config",
    }],
  ]);
});

Deno.test("steps() warns of what is new, with its field", () => {
  assertEquals(notices(found([MISSING]), new Map()), [{
    type: "Warning",
    reason: "ServiceNotFound",
    message: "spec.rules[0].http.paths[0].backend.service.name: There is no Service default/web",
  }]);
  assertEquals(notices(found([MISSING]), found([MISSING])), []);
});

Deno.test("steps() says what is solved", () => {
  assertEquals(notices(new Map(), found([MISSING], { failure: "too large" })), [
    {
      type: "Normal",
      reason: "Resolved",
      message: "spec.rules[0].http.paths[0].backend.service.name: ServiceNotFound is resolved",
    },
    { type: "Normal", reason: "Resolved", message: "ApplyFailed is resolved" },
  ]);
});

Deno.test("steps() does not call solved what is still wrong in another way", () => {
  const other = { ...MISSING, message: "There is no Service default/other" };
  const told = found([MISSING]);
  const all = steps(found([other]), { told, isOurs: () => true });
  assertEquals(all.map(({ isSo, notice }) => [isSo, notice?.type]), [[true, "Warning"], [false, undefined]]);
});

Deno.test("steps() does not call solved what is gone with its object", () => {
  assertEquals(notices(new Map(), found([MISSING]), () => false), [undefined]);
});

Deno.test("steps() tells an Ingress from a later one of the same name", () => {
  const problem = found([MISSING]);
  const later = new Map([...problem].map(([key, finding]): [string, Finding] => [
    `${key} later`,
    { ...finding, about: { ...finding.about, uid: "3" } },
  ]));
  assertEquals(notices(later, problem, () => false).map((notice) => notice?.type), ["Warning", undefined]);
});
