/**
 * Pingress on a real cluster, the one of `KUBECONFIG`: deployed by `deno task deploy`, without any other Ingress
 * of class pingress. Everything that the tests make is removed in the end.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { selfSigned } from "../certificates.ts";
import {
  type Answer,
  ask,
  eventually,
  exists,
  Figures,
  fingerprintOf,
  kubectl,
  nodeAddress,
  POD_PATIENCE,
  read,
} from "./cluster.ts";

const SYSTEM = "pingress-system";
const SUFFIX = crypto.randomUUID().slice(0, 8);
const NAMESPACE = `pingress-test-${SUFFIX}`;
const FOREIGN_CLASS = `foreign-${SUFFIX}`;
const NEIGHBOUR = `neighbour-${SUFFIX}`;
const MADE = [["daemonset", "pingress-proxy-server"], ["configmap", "pingress-config"], [
  "secret",
  "pingress-tls-secret",
]] as const;

/** What is tried more than once, and how often. */
const TRIES = 5;

Deno.test("a cluster is served", async (t) => {
  const others = (await read("ingress", "-A")).items.filter(isOurs);
  assertEquals(others.length, 0, "There are Ingresses of class pingress: these tests need a cluster without");
  const node = await nodeAddress();
  const inNamespace = (...args: string[]) => kubectl(["-n", NAMESPACE, ...args]);
  const figures = new Figures();
  const measure = async (what: string, change: () => Promise<unknown>, isSeen: () => Promise<boolean>) => {
    await change();
    await figures.measure(what, isSeen);
  };
  const answers = async (url: string, is: (answer: Answer) => boolean) => is(await ask(node, url));
  const patchPath = (index: number, path: string) =>
    inNamespace(
      "patch",
      "ingress",
      "echo",
      "--type=json",
      "-p",
      JSON.stringify([
        { op: "replace", path: `/spec/rules/${index}/http/paths/0/path`, value: path },
      ]),
    );
  const patchSecret = (cert: string, key: string) =>
    inNamespace(
      "patch",
      "secret",
      "hello-example-com",
      "-p",
      JSON.stringify({
        data: { "tls.crt": btoa(cert), "tls.key": btoa(key) },
      }),
    );

  try {
    await kubectl(["create", "namespace", NAMESPACE]);
    await kubectl(["-n", SYSTEM, "create", "configmap", NEIGHBOUR, "--from-literal=whose=somebody-else"]);

    await t.step("the sample answers over HTTP and HTTPS", async () => {
      await inNamespace("apply", "-k", "manifests/sample");
      await inNamespace("rollout", "status", "deployment/echo", "--timeout=90s");
      const sample = fingerprintOf(await Deno.readTextFile("manifests/sample/hello.example.com.crt"));
      await eventually(
        "the proxy serves",
        () =>
          answers(
            "https://hello.example.com/some/path",
            ({ status, fingerprint, echo }) =>
              status === 200 && fingerprint === sample && echo.path === "/some/path",
          ),
        POD_PATIENCE,
      );
      const plain = await ask(node, "http://hello.example.com/");
      assertEquals([plain.status, plain.echo.host], [200, "hello.example.com"]);
      assertStringIncludes(plain.echo.pod ?? "", "echo-");
      assertEquals((await ask(node, "http://plain.example.com/echo/1")).echo.path, "/echo/1");
      assertEquals((await ask(node, "http://plain.example.com/echoes")).status, 404);
      assertEquals((await ask(node, "http://unknown.example.com/")).status, 404);
    });

    await t.step("the Ingress says where it is served, and what is wrong with it", async () => {
      await eventually("the status has the node's address", async () => {
        const { status } = await read("ingress", "echo", "-n", NAMESPACE);
        return status.loadBalancer.ingress?.some(({ ip }: { ip?: string }) => ip === node);
      });
      await inNamespace("annotate", "ingress", "echo", "pingress.dev/no-such-thing=1");
      const events = async () =>
        await inNamespace("get", "events", "--field-selector", "involvedObject.name=echo");
      await eventually(
        "an Event warns of the annotation",
        async () => (await events()).includes("UnknownAnnotation"),
      );
      await inNamespace("annotate", "ingress", "echo", "pingress.dev/no-such-thing-");
      await eventually(
        "another Event says that it is solved",
        async () => (await events()).includes("Resolved"),
      );
    });

    await t.step("the proxy can do nothing but serve", async () => {
      const { items: [pod] } = await read("pods", "-n", SYSTEM, "-l", "app.kubernetes.io/component=proxy");
      const { spec } = pod;
      const [container] = spec.containers;
      assertEquals(spec.automountServiceAccountToken, false);
      const mounts = container.volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath).sort();
      assertEquals(mounts, ["/etc/pingress/config", "/etc/pingress/keys"], "there is no token among them");
      assertEquals(spec.securityContext.runAsNonRoot, true);
      assertEquals(container.securityContext, {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        readOnlyRootFilesystem: true,
      });
    });

    await t.step("changes show soon", async () => {
      for (let count = 1; count <= TRIES; count++) {
        const path = `/changed-${count}`;
        await measure(
          "Ingress changed",
          () => patchPath(1, path),
          () => answers(`http://plain.example.com${path}`, ({ status }) => status === 200),
        );
        const { cert, key } = await selfSigned(["hello.example.com"]);
        const wanted = fingerprintOf(cert);
        await measure(
          "TLS Secret changed",
          () => patchSecret(cert, key),
          () => answers("https://hello.example.com/", ({ fingerprint }) => fingerprint === wanted),
        );
      }
      for (let count = 1; count <= TRIES; count++) {
        const before = await podName();
        await inNamespace("scale", "deployment/echo", "--replicas=2");
        await inNamespace("rollout", "status", "deployment/echo", "--timeout=60s");
        await measure(
          "Pod added",
          () => Promise.resolve(),
          () =>
            answers("http://hello.example.com/", ({ echo }) => echo.pod !== undefined && echo.pod !== before),
        );
        await inNamespace("scale", "deployment/echo", "--replicas=1");
        await eventually(
          "one Pod is left",
          async () => (await read("endpoints", "echo", "-n", NAMESPACE)).subsets[0].addresses.length === 1,
          60_000,
        );
        const left = await podName();
        await measure("Pod removed", () => Promise.resolve(), async () => {
          const pods = await Promise.all(
            Array.from({ length: 8 }, () => ask(node, "http://hello.example.com/")),
          );
          return pods.every(({ status, echo }) => status === 200 && echo.pod === left);
        });
      }
    });

    await t.step("a broken TLS Secret leaves the last good certificate", async () => {
      const { fingerprint: before } = await ask(node, "https://hello.example.com/");
      const other = await selfSigned(["hello.example.com"]);
      const stranger = await selfSigned(["hello.example.com"]);
      await patchSecret(other.cert, stranger.key);
      // a later change that is seen proves that the broken one has been passed by
      await patchPath(1, "/after-the-broken-secret");
      await eventually(
        "a later change is seen",
        () => answers("http://plain.example.com/after-the-broken-secret", ({ status }) => status === 200),
      );
      assertEquals((await ask(node, "https://hello.example.com/")).fingerprint, before);
      // the same after the controller's memory is gone
      await kubectl(["-n", SYSTEM, "rollout", "restart", "deployment/pingress-controller"]);
      await kubectl(["-n", SYSTEM, "rollout", "status", "deployment/pingress-controller", "--timeout=90s"]);
      await patchPath(1, "/after-the-restart");
      await eventually(
        "a change after the restart is seen",
        () => answers("http://plain.example.com/after-the-restart", ({ status }) => status === 200),
      );
      assertEquals((await ask(node, "https://hello.example.com/")).fingerprint, before);
      await patchSecret(other.cert, other.key);
      const wanted = fingerprintOf(other.cert);
      await eventually(
        "the mended Secret is seen",
        () => answers("https://hello.example.com/", ({ fingerprint }) => fingerprint === wanted),
      );
    });

    await t.step("what somebody else did to its objects is put right", async () => {
      for (const [kind, name] of MADE) {
        const { metadata: { uid } } = await read(kind, name, "-n", SYSTEM);
        await measure(
          `${kind} deleted`,
          () => kubectl(["-n", SYSTEM, "delete", kind, name, "--wait=false"]),
          async () => (await read(kind, name, "-n", SYSTEM)).metadata.uid !== uid,
        );
      }
      await kubectl([
        "-n",
        SYSTEM,
        "patch",
        "configmap",
        "pingress-config",
        "-p",
        '{"data":{"proxy.json":"{}"}}',
      ]);
      await eventually("the ConfigMap's text is put right", async () => {
        const { data } = await read("configmap", "pingress-config", "-n", SYSTEM);
        return data["proxy.json"].includes("hello.example.com");
      });
      await eventually(
        "the proxy serves again",
        () => answers("https://hello.example.com/", ({ status }) => status === 200),
        POD_PATIENCE,
      );
    });

    await t.step("Ingresses of another class are none of its business", async () => {
      await kubectl(["create", "-f", "-"], {
        apiVersion: "networking.k8s.io/v1",
        kind: "IngressClass",
        metadata: { name: FOREIGN_CLASS },
        spec: { controller: "example.com/somebody-else" },
      });
      const { spec } = await read("ingress", "echo", "-n", NAMESPACE);
      await kubectl(["create", "-f", "-"], {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "foreign", namespace: NAMESPACE },
        spec: { ingressClassName: FOREIGN_CLASS, rules: [{ ...spec.rules[0], host: "foreign.example.com" }] },
      });
      await patchPath(1, "/after-the-foreign-one");
      await eventually(
        "a later change is seen",
        () => answers("http://plain.example.com/after-the-foreign-one", ({ status }) => status === 200),
      );
      assertEquals((await ask(node, "http://foreign.example.com/")).status, 404);
    });

    await t.step("without an Ingress all that it made goes, and nothing else", async () => {
      await measure(
        "last Ingress deleted, objects gone",
        () => inNamespace("delete", "ingress", "echo"),
        async () => {
          const found = await Promise.all(MADE.map(([kind, name]) => exists(SYSTEM, kind, name)));
          return !found.includes(true);
        },
      );
      assert(await exists(SYSTEM, "configmap", NEIGHBOUR));
      assert(await exists(SYSTEM, "deployment", "pingress-controller"));
      const foreign = await read("ingress", "foreign", "-n", NAMESPACE);
      assertEquals([foreign.metadata.finalizers, foreign.status.loadBalancer], [undefined, {}]);
    });

    await t.step("the controller may do what it needs and no more", async () => {
      const account = `system:serviceaccount:${SYSTEM}:pingress-controller`;
      const mayDo = async (...what: string[]) =>
        await kubectl(["auth", "can-i", `--as=${account}`, ...what]).then(() => true, () => false);
      const refused = [
        ["get", "secrets", "-A"],
        ["patch", "secrets", "-n", NAMESPACE],
        ["delete", `configmaps/${NEIGHBOUR}`, "-n", SYSTEM],
        ["create", "configmaps", "-n", SYSTEM],
        ["create", "leases.coordination.k8s.io", "-n", SYSTEM],
        ["update", "leases.coordination.k8s.io/somebody-elses", "-n", SYSTEM],
        ["update", "ingresses.networking.k8s.io", "-A"],
        ["create", "pods", "-n", SYSTEM],
        ["patch", "ingresses.networking.k8s.io", "-A"],
        ["patch", "nodes"],
        ["delete", "events", "-A"],
      ];
      for (const what of refused) assertEquals(await mayDo(...what), false, what.join(" "));
      const allowed = [
        ["patch", "configmaps/pingress-config", "-n", SYSTEM],
        ["patch", "ingresses.networking.k8s.io", "--subresource=status", "-A"],
        ["create", "events", "-A"],
      ];
      for (const what of allowed) assertEquals(await mayDo(...what), true, what.join(" "));
      let log: string;
      try {
        const controllers = ["-l", "app.kubernetes.io/component=controller", "--tail=-1"];
        log = await kubectl(["-n", SYSTEM, "logs", ...controllers]);
      } catch (error) {
        // deno-lint-ignore no-console -- a check that was not made must not look like one that passed
        return console.log(`The controller's log cannot be read, so it was not checked: ${error}`);
      }
      assertStringIncludes(log, "Applied");
      assertEquals(log.split("\n").filter((line) => /forbidden/i.test(line)), []);
    });
  } finally {
    figures.print();
    await cleanUp();
  }

  async function podName(): Promise<string> {
    const { subsets } = await read("endpoints", "echo", "-n", NAMESPACE);
    return subsets[0].addresses[0].targetRef.name;
  }
});

function isOurs({ spec }: { spec?: { ingressClassName?: string } }): boolean {
  return spec?.ingressClassName === "pingress";
}

async function cleanUp(): Promise<void> {
  await Promise.all([
    kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]),
    kubectl(["delete", "ingressclass", FOREIGN_CLASS, "--ignore-not-found"]),
    kubectl(["-n", SYSTEM, "delete", "configmap", NEIGHBOUR, "--ignore-not-found"]),
  ]);
}
