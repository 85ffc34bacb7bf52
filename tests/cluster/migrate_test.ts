/**
 * `migrate` and `check --cluster` on a real cluster, the one of `KUBECONFIG`, as somebody runs them who may do
 * little there: programs of their own, with a kubeconfig of their own. Pingress need not be deployed, and
 * the cluster's other Ingresses are passed over.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { CheckReport } from "../../controller/check/report.ts";
import type { MigrationReport } from "../../controller/migrate/migration.ts";
import { IMPORT_FLAGS, ROOT } from "../programs.ts";
import { create, kubectl } from "./cluster.ts";

const NAMESPACE = `pingress-migrate-${crypto.randomUUID().slice(0, 8)}`;
const CLASS = NAMESPACE;

Deno.test("migrate and check need no more of a cluster than they say", async (t) => {
  const directory = await Deno.makeTempDir();
  const objects = [
    ingress("moves", { "nginx.ingress.kubernetes.io/ssl-redirect": "false" }),
    ingress("looks", { "nginx.ingress.kubernetes.io/configuration-snippet": 'more_set_headers "X-A: b";' }),
    ingress("users", {
      "nginx.ingress.kubernetes.io/auth-type": "basic",
      "nginx.ingress.kubernetes.io/auth-secret": "users",
    }),
    ingress("ours", {}, "pingress"),
  ];
  try {
    await kubectl(["create", "namespace", NAMESPACE]);
    await create(...objects, {
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: CLASS },
      spec: { controller: "example.com/nobody" },
    }, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace: NAMESPACE },
      spec: { ports: [{ port: 80 }] },
    });

    await t.step("who may do everything is told everything", async () => {
      const { ingresses, code } = await migrate(Deno.env.get("KUBECONFIG") ?? "");
      assertEquals(verdicts(ingresses), [
        ["looks", "look", ["refused"]],
        ["moves", "moves", ["supported"]],
        // of a cluster it is known that there is no such Secret: nobody could come in
        ["users", "cannot", ["SecretNotFound", "differs"]],
      ]);
      assertEquals(code, 1);
    });

    await t.step("who may list Ingresses alone is told of Ingresses", async () => {
      const kubeconfig = await account("ingresses-only", [{
        apiGroups: ["networking.k8s.io"],
        resources: ["ingresses"],
        verbs: ["list"],
      }]);
      const { ingresses } = await migrate(kubeconfig);
      assertEquals(verdicts(ingresses), [
        ["looks", "look", ["refused"]],
        ["moves", "moves", ["supported"]],
        ["users", "look", ["differs", "differs"]],
      ]);
      const { routes, problems, code } = await check(kubeconfig);
      assertEquals(routes.map(({ backend, change }) => [backend, change]), [[
        `${NAMESPACE}/web:80`,
        "added",
      ]]);
      assertEquals(problems.map(({ severity, reason }) => `${severity} ${reason}`).sort(), [
        "warning SecretNotFound",
        "warning ServiceNotFound",
      ]);
      assertEquals(code, 0);
    });

    await t.step("who may do nothing is told what is missing", async () => {
      const kubeconfig = await account("nothing", []);
      const { code, stderr } = await run(kubeconfig, ["migrate"]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "The cluster's Ingresses may not be listed");
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    await kubectl(["delete", "ingressclass", CLASS, "--ignore-not-found"]);
    await kubectl(["delete", "clusterrole,clusterrolebinding", "-l", `test=${NAMESPACE}`]);
  }

  /** Makes an account that may do these things. @returns its kubeconfig. */
  async function account(name: string, rules: object[]): Promise<string> {
    const metadata = { name: `${NAMESPACE}-${name}`, labels: { test: NAMESPACE } };
    await create(
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace: NAMESPACE } },
      { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata, rules },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata,
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: metadata.name },
        subjects: [{ kind: "ServiceAccount", name, namespace: NAMESPACE }],
      },
    );
    const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${name}/token`;
    const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
    const { status: { token } } = JSON.parse(await kubectl(["create", "--raw", path, "-f", "-"], request));
    const config = JSON.parse(await kubectl(["config", "view", "--raw", "--minify", "--flatten", "-o=json"]));
    config.users[0].user = { token };
    const file = `${directory}/${name}`;
    await Deno.writeTextFile(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }
});

async function migrate(kubeconfig: string) {
  const { code, stdout } = await run(kubeconfig, ["migrate", `--from-class=${CLASS}`, "--output=json"]);
  const { ingresses }: MigrationReport = JSON.parse(stdout);
  return { ingresses, code };
}

/** Lays one Ingress more over the cluster. */
async function check(kubeconfig: string) {
  const users = { "pingress.dev/auth-type": "basic", "pingress.dev/auth-secret": "users" };
  const file = ingress("new", users, "pingress");
  const { code, stdout } = await run(kubeconfig, ["check", "--cluster", "--output=json", "-"], file);
  const { routes, problems }: CheckReport = JSON.parse(stdout);
  return { routes: routes.filter(({ host }) => host === "new.migrate.example.com"), problems, code };
}

/** Runs the controller's program as `deno task controller` does. */
async function run(kubeconfig: string, args: string[], input: unknown = "") {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...IMPORT_FLAGS,
      "--no-prompt",
      "--allow-net",
      "--allow-read",
      "--allow-env=PINGRESS_*,KUBECONFIG,HOME,USERPROFILE,KUBERNETES_SERVICE_HOST,KUBERNETES_SERVICE_PORT",
      "controller/main.ts",
      ...args,
    ],
    cwd: ROOT,
    env: { KUBECONFIG: kubeconfig },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([JSON.stringify(input)]).stream().pipeTo(child.stdin);
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert(code < 2, text(stderr));
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The name, the verdict and the kinds of findings of each. */
function verdicts(ingresses: MigrationReport["ingresses"]) {
  return ingresses.map(({ ingress, verdict, findings }) => [
    ingress.replace(`${NAMESPACE}/`, ""),
    verdict,
    findings.map(({ kind }) => kind).sort(),
  ]);
}

function ingress(name: string, annotations: Record<string, string>, className = CLASS) {
  const backend = { service: { name: "web", port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: {
      ingressClassName: className,
      rules: [{
        host: `${name}.migrate.example.com`,
        http: { paths: [{ path: "/", pathType: "Prefix", backend }] },
      }],
    },
  };
}
