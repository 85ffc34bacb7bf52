import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SILENT_LOG } from "@pingress/config";
import { withFiles } from "../../tests/testing.ts";
import { clusterOf } from "../../tests/fake_cluster.ts";
import type { CheckFlags } from "./flags.ts";
import type { CheckReport } from "./report.ts";
import { type CheckWorld, runCheck } from "./run.ts";

const FLAGS: CheckFlags = {
  paths: [],
  usesCluster: false,
  namespace: "default",
  isStrict: false,
  output: "json",
};

/** A world without a cluster and with nothing on the standard input. */
const WORLD: CheckWorld = {
  connect: () => Promise.reject(new Error("not reached")),
  stdin: ReadableStream.from([]),
  log: SILENT_LOG,
};

async function check(flags: Partial<CheckFlags>, world: Partial<CheckWorld> = {}) {
  const { text, passed } = await runCheck({ ...FLAGS, ...flags }, { ...WORLD, ...world });
  const report: CheckReport & { passed: boolean } = JSON.parse(text);
  assertEquals(report.passed, passed);
  return report;
}

function ingress(name: string, service: string): string {
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name },
    spec: {
      ingressClassName: "pingress",
      rules: [{
        host: `${name}.example.com`,
        http: {
          paths: [{
            path: "/",
            pathType: "Prefix",
            backend: { service: { name: service, port: { number: 80 } } },
          }],
        },
      }],
    },
  });
}

const SERVICE = "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { ports: [{ port: 80 }] }\n";

Deno.test("runCheck() reads files, directories and the standard input, each once and in their order", async () => {
  const files = {
    "z.yaml": ingress("z", "x"),
    "dir/b.yml": ingress("b", "x"),
    "dir/a/c.json": ingress("c", "x"),
    "dir/.hidden.yaml": "a: [",
    "dir/README.md": "a: [",
  };
  await withFiles(files, async (directory) => {
    const paths = [`${directory}/z.yaml`, "-", `${directory}/dir/`, "-", `${directory}/z.yaml`];
    const stdin = ReadableStream.from([new TextEncoder().encode(`a: [\n---\n${SERVICE}`)]);
    const { problems, routes, summary } = await check({ paths }, { stdin });
    assertEquals(problems.map(({ file, reason }) => [file?.replace(directory, ""), reason]), [
      ["/z.yaml", "ServiceNotFound"],
      ["<stdin>", "Unreadable"],
    ]);
    assertEquals(routes.map(({ host }) => host), ["b.example.com", "c.example.com", "z.example.com"]);
    assertEquals(summary.ingresses, 3);
  });
});

Deno.test("runCheck() tells which files cannot be read, and reads the others", async () => {
  await withFiles({ "dir/a.yaml": ingress("a", "web"), "dir/b.yaml": SERVICE }, async (directory) => {
    await Deno.symlink("nowhere", `${directory}/dir/c.yaml`);
    const { problems, routes } = await check({ paths: [`${directory}/missing`, `${directory}/dir`] });
    assertEquals(problems.map(({ file, line, reason }) => [file?.replace(directory, ""), line, reason]), [
      ["/missing", undefined, "Unreadable"],
      ["/dir/c.yaml", undefined, "Unreadable"],
    ]);
    assertStringIncludes(problems[0]?.message ?? "", "No such file");
    assertEquals(routes.length, 1);
  });
});

Deno.test("runCheck() fails for errors, and for warnings where it is strict", async () => {
  const files = {
    "good.yaml": `${ingress("a", "web")}\n---\n${SERVICE}`,
    "warning.yaml": ingress("a", "web"),
    "error.yaml": "hello",
  };
  await withFiles(files, async (directory) => {
    const passes = async (name: string, isStrict: boolean) =>
      (await check({ paths: [`${directory}/${name}.yaml`], isStrict })).passed;
    assertEquals([await passes("good", false), await passes("good", true)], [true, true]);
    assertEquals([await passes("warning", false), await passes("warning", true)], [true, false]);
    assertEquals([await passes("error", false), await passes("error", true)], [false, false]);
  });
});

Deno.test("runCheck() puts objects into the namespace it is told", async () => {
  await withFiles({ "a.yaml": ingress("a", "web") }, async (directory) => {
    const { routes } = await check({ paths: [directory], namespace: "shop" });
    assertEquals(routes.map(({ backend }) => backend), ["shop/web:80"]);
  });
});

Deno.test("runCheck() says it in text, on which nothing in a file has a hold", async () => {
  await withFiles({ "a.yaml": '"\\u001b[2K\\n::error::x"' }, async (directory) => {
    await Deno.rename(`${directory}/a.yaml`, `${directory}/a\n::error::.yaml`);
    const { text, passed } = await runCheck({ ...FLAGS, paths: [directory], output: "text" }, WORLD);
    assertEquals(passed, false);
    assertEquals(
      text,
      `${directory}/a\\n::error::.yaml:1: This is no Kubernetes object: it needs apiVersion and kind\n\n` +
        "0 Ingresses for Pingress, 0 routes, 1 error, 0 warnings",
    );
  });
});

const CLUSTER_SERVICE = JSON.stringify({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web" },
  spec: { ports: [{ port: 80 }] },
});

Deno.test("runCheck() reads a cluster, in which what is missing is an error", async () => {
  const objects = [ingress("a", "web"), ingress("b", "missing"), CLUSTER_SERVICE];
  const report = await check({ usesCluster: true }, { connect: () => Promise.resolve(clusterOf(objects)) });
  assertEquals(report.problems.map(({ severity, file, object }) => [severity, file, object]), [
    ["error", undefined, "Ingress default/b"],
  ]);
  assertEquals(report.routes.map(({ host, endpoints, change }) => [host, endpoints, change]), [
    ["a.example.com", 0, undefined],
    ["b.example.com", 0, undefined],
  ]);
});

Deno.test("runCheck() lays files over a cluster", async () => {
  const connect = () => Promise.resolve(clusterOf([ingress("a", "missing"), CLUSTER_SERVICE]));
  await withFiles({ "b.yaml": ingress("b", "web") }, async (directory) => {
    const { problems, routes, summary, passed } = await check(
      { paths: [directory], usesCluster: true },
      { connect },
    );
    assertEquals([problems, summary.earlierProblems, passed], [[], 1, true]);
    assertEquals(routes.map(({ host, change }) => [host, change]), [
      ["a.example.com", undefined],
      ["b.example.com", "added"],
    ]);
  });
});

Deno.test("runCheck() takes for granted what it may not look for", async () => {
  const connect = () => Promise.resolve(clusterOf([ingress("a", "web")], ["services", "secrets"]));
  const { problems, routes, passed } = await check({ usesCluster: true }, { connect });
  assertEquals(problems.map(({ severity, message }) => [severity, message]), [
    ["warning", "Service default/web may not be looked for: it is taken for granted"],
  ]);
  assertEquals([routes[0]?.endpoints, passed], [undefined, true]);
});

Deno.test("runCheck() needs the cluster's Ingresses, and an answer", async () => {
  const forbidding = () => Promise.resolve(clusterOf([], ["ingresses"]));
  await assertRejects(
    () => check({ usesCluster: true }, { connect: forbidding }),
    Error,
    "may not be listed",
  );
  const failing = () => Promise.reject(new Error("There is no cluster to talk to"));
  await assertRejects(() => check({ usesCluster: true }, { connect: failing }), Error, "no cluster");
});
