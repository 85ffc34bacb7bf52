/**
 * `--class nginx` on a real cluster, beside what an ingress-nginx leaves there, and `--default-certificate`: see
 * `cluster_test.ts`. The controller that is deployed gets the flags, and loses them in the end.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import {
  type Answer,
  ask,
  create,
  eventually,
  kubectl,
  type KubernetesObject,
  nodeAddress,
  POD_PATIENCE,
  type Question,
  read,
  removeNamespace,
  writeStatus,
} from "./cluster.ts";

const SYSTEM = "pingress-system";
const NAMESPACE = `pingress-nginx-${crypto.randomUUID().slice(0, 8)}`;
const CONTROLLER = ["-n", SYSTEM, "deployment/pingress-controller"];

/** What ingress-nginx has written. */
const THEIR_ADDRESSES = [{ ip: "203.0.113.9" }];

/** `alice` with the password `secret`, as htpasswd -s writes it. */
const ALICE = "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

Deno.test("Ingresses of ingress-nginx are served beside it, and not written to", async (t) => {
  const node = await nodeAddress();
  const inNamespace = (...args: string[]) => kubectl(["-n", NAMESPACE, ...args]);
  const { spec: { template } } = await read(...CONTROLLER);
  const args: string[] = template.spec.containers[0].args;
  const status = async (url: string, question?: Question) => (await ask(node, url, question)).status;

  try {
    await kubectl(["create", "namespace", NAMESPACE]);
    await create({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "nginx" },
      spec: { controller: "k8s.io/ingress-nginx" },
    });
    await backends();
    await create(...await secrets(), ...GUESTS);
    for (const { metadata } of GUESTS) await writeStatus(NAMESPACE, metadata.name, THEIR_ADDRESSES);
    const before = await guests();

    await t.step("with the flags they are served as their annotations say", async () => {
      await setArgs([...args, "--class=nginx", `--default-certificate=${NAMESPACE}/tls`]);
      await eventually(
        "the proxy serves",
        async () => (await ask(node, "http://rewrite.nginx.example.com/app/some/path")).status === 200,
        POD_PATIENCE,
      );
      const rewritten = await ask(node, "http://rewrite.nginx.example.com/app/some/path");
      assertEquals(rewritten.echo.path, "/some/path");
      assertEquals(await status("http://rewrite.nginx.example.com/other"), 404);

      const redirect = await ask(node, "http://tls.nginx.example.com/x");
      assertEquals([redirect.status, redirect.headers.location], [308, "https://tls.nginx.example.com/x"]);
      assertEquals(await status("https://tls.nginx.example.com/x"), 200);
      assertEquals(await status("http://default-tls.nginx.example.com/x"), 308);
      const shown = await ask(node, "https://default-tls.nginx.example.com/x");
      assertEquals(shown.status, 200);
      const stranger = await ask(node, "https://stranger.example.org/");
      assertEquals([stranger.status, stranger.fingerprint], [404, shown.fingerprint]);
      assertEquals(await status("http://no-redirect.nginx.example.com/"), 200);
      assertEquals(await status("https://no-redirect.nginx.example.com/"), 200);

      const preflight = await ask(node, "http://cors.nginx.example.com/", {
        method: "OPTIONS",
        headers: { "Origin": "https://shop.example.org", "Access-Control-Request-Method": "PUT" },
      });
      assertEquals([preflight.status, preflight.headers["access-control-allow-origin"]], [
        204,
        "https://shop.example.org",
      ]);

      const asked = await ask(node, "http://auth.nginx.example.com/");
      assertEquals([asked.status, asked.headers["www-authenticate"]], [401, 'Basic realm="Staff"']);
      const as = (user: string) => ({ headers: { authorization: `Basic ${btoa(user)}` } });
      assertEquals(await status("http://auth.nginx.example.com/", as("alice:secret")), 200);
      assertEquals(await status("http://auth.nginx.example.com/", as("alice:wrong")), 401);

      const canary = (headers: Record<string, string>) =>
        ask(node, "http://canary.nginx.example.com/", { headers });
      assertMatch((await canary({})).echo.pod ?? "", /^echo-/);
      assertMatch((await canary({ "x-canary": "always" })).echo.pod ?? "", /^canary-/);

      assertEquals(await status("http://annotation.nginx.example.com/"), 200);
      assert(isFrom("canary", await ask(node, "http://hello.example.com/")));
      assertEquals(await status("http://broken.nginx.example.com/"), 503);
    });

    await t.step("those of its own class are served beside them, first, and written to", async () => {
      await inNamespace("apply", "-k", "manifests/sample");
      await eventually(
        "the sample is served",
        async () => (await ask(node, "https://hello.example.com/")).status === 200,
      );
      // a guest claims the same
      await eventually(
        "it comes first",
        async () => isFrom("echo", await ask(node, "http://hello.example.com/")),
      );
      await eventually("its status is written", async () => {
        const { status } = await read("ingress", "echo", "-n", NAMESPACE);
        return status.loadBalancer.ingress?.some(({ ip }: { ip?: string }) => ip === node);
      });
      await inNamespace("annotate", "ingress", "echo", "pingress.dev/no-such-thing=1");
      await eventually("an Event warns", async () => (await eventNames()).length > 0);
      assertEquals(await eventNames(), ["echo"]);
      assertEquals(await guests(), before);
    });

    await t.step("without the flags they go, and the others stay", async () => {
      await setArgs(args);
      for (const url of ["http://rewrite.nginx.example.com/app/x", "http://canary.nginx.example.com/"]) {
        await eventually(`${url} is gone`, async () => await status(url) === 404);
      }
      assertEquals(await status("https://hello.example.com/"), 200);
      assertEquals(await guests(), before);
      assertEquals(await eventNames(), ["echo"]);
    });
  } finally {
    await removeNamespace(NAMESPACE);
    await kubectl(["delete", "ingressclass", "nginx", "--ignore-not-found"]);
    await setArgs(args);
  }

  /** The version and the addresses of each guest. */
  async function guests(): Promise<unknown[]> {
    const { items } = await read("ingresses", "-n", NAMESPACE, "-l", "guest=true");
    assertEquals(items.length, GUESTS.length);
    return items.map(({ metadata, status }: KubernetesObject) => {
      assertEquals(status.loadBalancer.ingress, THEIR_ADDRESSES);
      return `${metadata.name} ${metadata.resourceVersion}`;
    });
  }

  /** The Ingresses that there are Events about. */
  async function eventNames(): Promise<string[]> {
    const { items } = await read("events", "-n", NAMESPACE);
    const names = items.flatMap(({ involvedObject: { kind, name } }: KubernetesObject) =>
      kind === "Ingress" ? [name] : []
    );
    return [...new Set<string>(names)];
  }

  /** The sample's backend twice, under two names. */
  async function backends(): Promise<void> {
    await inNamespace("apply", "-k", "manifests/sample");
    // it comes later
    await inNamespace("delete", "ingress", "echo");
    const copy = async (kind: string) => {
      const { apiVersion, metadata, spec } = await read(kind, "echo", "-n", NAMESPACE);
      const labels = { "app.kubernetes.io/name": "canary" };
      return { apiVersion, kind, metadata: { name: "canary", namespace: metadata.namespace, labels }, spec };
    };
    const { spec, ...deployment } = await copy("Deployment");
    const service = await copy("Service");
    spec.selector.matchLabels = deployment.metadata.labels;
    spec.template.metadata.labels = deployment.metadata.labels;
    const { ports } = service.spec;
    await create({ ...deployment, spec }, {
      ...service,
      spec: { ports, selector: deployment.metadata.labels },
    });
    for (const name of ["echo", "canary"]) {
      await inNamespace("rollout", "status", `deployment/${name}`, "--timeout=90s");
    }
  }
});

/** Restarts the deployed controllers with other arguments, if they are others. */
async function setArgs(args: string[]): Promise<void> {
  const path = "/spec/template/spec/containers/0/args";
  const patch = JSON.stringify([{ op: "replace", path, value: args }]);
  await kubectl(["patch", ...CONTROLLER, "--type=json", "-p", patch]);
  await kubectl(["rollout", "status", ...CONTROLLER, "--timeout=120s"]);
}

function isFrom(name: string, { echo }: Answer): boolean {
  return echo.pod?.startsWith(`${name}-`) ?? false;
}

/** What an Ingress of ingress-nginx says. */
interface Guest {
  annotations?: Record<string, string>;
  host?: string;
  path?: string;
  service?: string;
  /** With a Secret, or with the default certificate. */
  tls?: "own" | "default";
  className?: string | undefined;
}

function guest(name: string, more: Guest = {}) {
  const { annotations = {}, host = `${name}.nginx.example.com`, path = "/", service = "echo" } = more;
  const className = "className" in more ? more.className : "nginx";
  const all = Object.entries(annotations).map(([name, value]) =>
    [name.includes("/") ? name : `nginx.ingress.kubernetes.io/${name}`, value] as const
  );
  const backend = { service: { name: service, port: { number: 80 } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace: NAMESPACE, labels: { guest: "true" }, annotations: Object.fromEntries(all) },
    spec: {
      ...className !== undefined && { ingressClassName: className },
      ...more.tls !== undefined &&
        { tls: [{ hosts: [host], ...more.tls === "own" && { secretName: "tls" } }] },
      rules: [{ host, http: { paths: [{ path, pathType: "ImplementationSpecific", backend }] } }],
    },
  };
}

const GUESTS = [
  guest("rewrite", {
    annotations: { "use-regex": "true", "rewrite-target": "/$2" },
    path: "/app(/|$)(.*)",
  }),
  guest("tls", { tls: "own" }),
  guest("default-tls", { tls: "default" }),
  guest("no-redirect", { tls: "own", annotations: { "ssl-redirect": "false" } }),
  guest("cors", {
    annotations: {
      "enable-cors": "true",
      "cors-allow-origin": "https://shop.example.org",
      "cors-allow-methods": "GET, PUT",
    },
  }),
  guest("auth", { annotations: { "auth-type": "basic", "auth-secret": "users", "auth-realm": "Staff" } }),
  guest("main", { host: "canary.nginx.example.com" }),
  guest("canary", {
    annotations: { "canary": "true", "canary-by-header": "x-canary" },
    host: "canary.nginx.example.com",
    service: "canary",
  }),
  guest("annotation", { annotations: { "kubernetes.io/ingress.class": "nginx" }, className: undefined }),
  guest("broken", { annotations: { "configuration-snippet": "deny all;" }, service: "gone" }),
  guest("clash", {
    annotations: { "ssl-redirect": "false" },
    host: "hello.example.com",
    service: "canary",
  }),
];

async function secrets(): Promise<object[]> {
  const { cert, key } = await selfSigned(["*.nginx.example.com"]);
  const metadata = (name: string) => ({ name, namespace: NAMESPACE });
  return [
    { apiVersion: "v1", kind: "Secret", metadata: metadata("users"), stringData: { auth: `${ALICE}\n` } },
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "kubernetes.io/tls",
      metadata: metadata("tls"),
      stringData: { "tls.crt": cert, "tls.key": key },
    },
  ];
}
