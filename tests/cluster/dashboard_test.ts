/**
 * The dashboard on a real cluster, the one of `KUBECONFIG`, where Pingress is deployed: through
 * `kubectl port-forward` as people reach it, in a browser where there is one.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Explanation, IngressView, Overview, ProxyView } from "../../controller/dashboard/api.ts";
import { browserTest, Visit } from "../browser/browser.ts";
import { create, eventually, kubectl, POD_PATIENCE, read, removeNamespace } from "./cluster.ts";

const NAMESPACE = `pingress-dashboard-${crypto.randomUUID().slice(0, 8)}`;
const HOST = `${NAMESPACE}.example.com`;

Deno.test("the dashboard shows what a cluster has, and to nobody from outside", async (t) => {
  await using dashboard = await Forwarded.start();
  try {
    await createIngress();

    await t.step("an Ingress with what is wrong with it, its Event and its YAML", async () => {
      await eventually("the Ingress to be shown with its Event", async () => {
        const { problems, events, yaml } = await dashboard.get<IngressView>(`ingresses/${NAMESPACE}/web`);
        assertEquals(problems.map(({ reason }) => reason), ["ServiceNotFound"]);
        assertStringIncludes(yaml, `host: ${HOST}`);
        return events.some(({ type, reason }) => type === "Warning" && reason === "ServiceNotFound");
      }, 30_000);
    });

    await t.step("where a URL goes", async () => {
      const { outcome } = await dashboard.get<Explanation>(`explain?url=http://${HOST}/a`);
      assertStringIncludes(outcome, "503");
    });

    await t.step("the proxies, which serve the newest configuration", async () => {
      // they are asked while somebody watches
      const watching = new AbortController();
      const live = await fetch(`${dashboard.url}api/live`, { signal: watching.signal });
      await eventually("all proxies to be ready and to serve the same", async () => {
        const { counts, revision } = await dashboard.get<Overview>("overview");
        const proxies = await dashboard.get<ProxyView[]>("proxies");
        return counts.readyProxies === counts.proxies && proxies.length > 0 &&
          proxies.every((proxy) => proxy.revision === revision && proxy.lag === 0);
      }, POD_PATIENCE);
      watching.abort();
      await live.body?.cancel().catch(() => {});
    });

    await t.step("nobody else, whoever reaches the Pod", async () => {
      const answer = await fetch(`http://${dashboard.podAddress}:10254/api/overview`).catch(() => undefined);
      await answer?.body?.cancel();
      // from here Pods may not be reached at all
      assert(answer === undefined || answer.status === 403, `${answer?.status}`);
    });
  } finally {
    await removeNamespace(NAMESPACE);
  }
});

browserTest("the dashboard of a cluster works in a browser", async (browser) => {
  await using dashboard = await Forwarded.start();
  try {
    await createIngress();
    await using visit = await Visit.to(browser, `${dashboard.url}#/ingresses/${NAMESPACE}/web`);
    await visit.until("document.body.innerText.includes('ServiceNotFound')");
    // within the page: only the fragment is another
    const go = (place: string) => visit.page.evaluate(`location.hash = ${JSON.stringify(place)}`);
    for (const place of ["#/", "#/routes", "#/ingresses", "#/certificates", "#/proxies"]) {
      await go(place);
      await visit.page.waitForSelector("h1");
      assertEquals(await visit.barriers(), []);
    }
    await go(`#/routes?url=${encodeURIComponent(`http://${HOST}/a`)}`);
    await visit.until("document.querySelector('.outcome')?.innerText.includes('503')");
    assertEquals(visit.complaints, []);
    assertEquals(visit.foreignRequests(), []);
  } finally {
    await removeNamespace(NAMESPACE);
  }
});

/** An Ingress whose Service is missing. */
async function createIngress(): Promise<void> {
  await kubectl(["create", "namespace", NAMESPACE]).catch(async () => {
    // the test before has left it, and it is going
    await kubectl(["wait", "--for=delete", `namespace/${NAMESPACE}`, "--timeout=60s"]);
    await kubectl(["create", "namespace", NAMESPACE]);
  });
  await create({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name: "web", namespace: NAMESPACE },
    spec: {
      ingressClassName: "pingress",
      rules: [{
        host: HOST,
        http: {
          paths: [{
            path: "/",
            pathType: "Prefix",
            backend: { service: { name: "missing", port: { number: 80 } } },
          }],
        },
      }],
    },
  });
}

/** The dashboard, through `kubectl port-forward`. */
class Forwarded implements AsyncDisposable {
  /** Where it is reached, with a slash at its end. */
  readonly url: string;
  /** Where the controller's Pod is. */
  readonly podAddress: string;
  readonly #process: Deno.ChildProcess;

  private constructor(url: string, podAddress: string, process: Deno.ChildProcess) {
    this.url = url;
    this.podAddress = podAddress;
    this.#process = process;
  }

  static async start(): Promise<Forwarded> {
    const selector = "app.kubernetes.io/component=controller";
    const { items: [pod] } = await read("-n", "pingress-system", "pods", "-l", selector);
    const process = new Deno.Command("kubectl", {
      args: ["-n", "pingress-system", "port-forward", `pod/${pod.metadata.name}`, ":10254"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const port = Promise.withResolvers<string>();
    // to its end: it speaks of every connection, and would end if nobody listened
    (async () => {
      let said = "";
      for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
        said += text;
        const [, found] = /127\.0\.0\.1:(\d+)/.exec(said) ?? [];
        if (found !== undefined) port.resolve(found);
      }
      port.reject(new Error(`kubectl port-forward ended: ${said}`));
    })();
    return new Forwarded(`http://127.0.0.1:${await port.promise}/`, pod.status.podIP, process);
  }

  /** Asks its API. */
  async get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${this.url}api/${path}`);
    assertEquals(response.status, 200, path);
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#process.status;
  }
}
