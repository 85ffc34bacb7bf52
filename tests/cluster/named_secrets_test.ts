/**
 * Secrets that annotations name, on a real cluster: see `cluster_test.ts`. A change of one is followed, and
 * without it nobody comes in.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { withChain } from "../certificates.ts";
import {
  ask,
  create,
  eventually,
  Figures,
  kubectl,
  nodeAddress,
  POD_PATIENCE,
  removeNamespace,
} from "./cluster.ts";

const NAMESPACE = `pingress-secrets-${crypto.randomUUID().slice(0, 8)}`;
const BACKEND = "backend.example.com";

/** As htpasswd -s writes them: the passwords are `secret` and `changed`. */
const ALICE = "alice:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";
const CHANGED = "alice:{SHA}N8bFe+30MF70EknBeUdgtcuPrRc=";

Deno.test("Secrets that annotations name are followed", async (t) => {
  const node = await nodeAddress();
  const figures = new Figures();
  const patch = (name: string, stringData: Record<string, string>) =>
    kubectl(["-n", NAMESPACE, "patch", "secret", name, "-p", JSON.stringify({ stringData })]);
  const remove = (name: string) => kubectl(["-n", NAMESPACE, "delete", "secret", name]);
  const { cert, key, root } = await withChain([BACKEND]);
  const stranger = await withChain([BACKEND]);

  try {
    await kubectl(["create", "namespace", NAMESPACE]);
    await create(
      secret("users", { auth: `${ALICE}\n` }),
      secret("backend-ca", { "ca.crt": root }),
      secret("backend-key", { "tls.crt": cert, "tls.key": key }),
      deployment(),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: metadata("web"),
        spec: { selector: LABELS, ports: [{ port: 443, targetPort: 8443 }] },
      },
      ingress("users", { "auth-type": "basic", "auth-secret": "users" }),
      ingress("trust", {
        "proxy-ssl-secret": `${NAMESPACE}/backend-ca`,
        "proxy-ssl-verify": "on",
        "proxy-ssl-name": BACKEND,
      }),
    );
    await kubectl(["-n", NAMESPACE, "rollout", "status", "deployment/web", "--timeout=90s"]);

    await t.step("htpasswd: a change is followed, and without it nobody comes in", async () => {
      const as = async (password: string) => {
        const authorization = `Basic ${btoa(`alice:${password}`)}`;
        return (await ask(node, "http://users.secrets.example.com/", { headers: { authorization } })).status;
      };
      await eventually("alice comes in", async () => await as("secret") === 200, POD_PATIENCE);
      assertEquals(await as("changed"), 401);
      await patch("users", { auth: `${CHANGED}\n` });
      await figures.measure("htpasswd changed", async () => await as("changed") === 200);
      assertEquals(await as("secret"), 401);
      await remove("users");
      await figures.measure("htpasswd deleted", async () => await as("changed") === 503);
      assertEquals(await as("secret"), 503);
      await create(secret("users", { auth: `${ALICE}\n` }));
      await figures.measure("htpasswd made again", async () => await as("secret") === 200);
      assertEquals(await as("changed"), 401);
    });

    await t.step("backend TLS: a change is followed, and without it nobody is asked", async () => {
      const answer = async () => {
        const { status, headers } = await ask(node, "http://trust.secrets.example.com/");
        return `${status} ${headers["pingress-error"] ?? ""}`.trim();
      };
      await eventually("the backend is trusted", async () => await answer() === "200", POD_PATIENCE);
      await patch("backend-ca", { "ca.crt": stranger.root });
      await figures.measure("another authority", async () => (await answer()).startsWith("502 "));
      await patch("backend-ca", { "ca.crt": root });
      await figures.measure("the right one again", async () => await answer() === "200");
      await patch("backend-ca", { "ca.crt": "no certificate" });
      await figures.measure("none that can be read", async () => (await answer()).startsWith("503 "));
      await patch("backend-ca", { "ca.crt": root });
      await figures.measure("the right one again", async () => await answer() === "200");
      await remove("backend-ca");
      await figures.measure("backend's Secret deleted", async () => (await answer()).startsWith("503 "));
    });
  } finally {
    figures.print();
    await removeNamespace(NAMESPACE);
  }
});

const LABELS = { "app.kubernetes.io/name": "web" };

function metadata(name: string) {
  return { name, namespace: NAMESPACE };
}

function secret(name: string, stringData: Record<string, string>) {
  return { apiVersion: "v1", kind: "Secret", metadata: metadata(name), stringData };
}

function ingress(name: string, annotations: Record<string, string>) {
  const backend = { service: { name: "web", port: { number: 443 } } };
  const all = Object.entries({ "backend-protocol": "HTTPS", ...annotations });
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      ...metadata(name),
      annotations: Object.fromEntries(all.map(([name, value]) => [`pingress.dev/${name}`, value])),
    },
    spec: {
      ingressClassName: "pingress",
      rules: [{
        host: `${name}.secrets.example.com`,
        http: { paths: [{ path: "/", pathType: "Prefix", backend }] },
      }],
    },
  };
}

/** A backend over TLS, which has its certificate from the Secret. */
function deployment() {
  const program = `Deno.serve({
    port: 8443, cert: Deno.env.get("CERT"), key: Deno.env.get("KEY"),
  }, () => new Response("ok"))`;
  const fromSecret = (name: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: "backend-key", key } },
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata("web"),
    spec: {
      selector: { matchLabels: LABELS },
      template: {
        metadata: { labels: LABELS },
        spec: {
          automountServiceAccountToken: false,
          containers: [{
            name: "web",
            image: "docker.io/denoland/deno:distroless-2.9.6",
            command: ["/bin/deno", "eval", program],
            env: [fromSecret("CERT", "tls.crt"), fromSecret("KEY", "tls.key")],
            readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
          }],
        },
      },
    },
  };
}
