import { assert, assertEquals, assertLess } from "@std/assert";
import { expandGlob } from "@std/fs";
import type { Rule } from "@pingress/config";
import { selfSigned } from "../../tests/certificates.ts";
import { ConfigurationView } from "./configuration_view.ts";
import { EndpointHealth } from "./endpoint_health.ts";
import { explain } from "./explain.ts";
import { outcomeOf, webYaml } from "./testing.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

/** Set by `deno task test:update`: expected files are written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

const cases = (await Array.fromAsync(expandGlob("*.in.yaml", { root: TESTDATA }))).map(({ path }) => path)
  .sort();

assert(cases.length > 0, "no test data was found");

const ALL = { offset: 0, limit: 1000 };

for (const input of cases) {
  Deno.test(`ConfigurationView and explain() show ${input.slice(TESTDATA.length, -".in.yaml".length)}`, async () => {
    const yaml = await Deno.readTextFile(input);
    const outcome = outcomeOf(yaml);
    const view = new ConfigurationView(outcome);
    const { translation } = outcome;
    const routeView = (rule: Rule | undefined) => view.routeView(rule);
    const urls = [...yaml.matchAll(/^# explain (.*)$/gm)].map(([, url = ""]) => url);
    const shown = {
      counts: view.counts(Date.parse("2026-06-01")),
      endpoints: view.endpoints(),
      filters: view.filters,
      problems: view.problems,
      routes: view.routes(ALL),
      ingresses: view.ingresses(ALL),
      details: translation.ingresses.map((ingress) => {
        const { routes, ...details } = view.ingress(ingress);
        return {
          ...details,
          routes: routes.map(({ host = "*", path = "*", type }) => `${type} ${host} ${path}`),
        };
      }),
      certificates: view.certificates,
      explanations: Object.fromEntries(
        urls.map((url) => [url, explain(url, { translation, routeView })]),
      ),
    };
    const text = `${JSON.stringify(shown, null, 2)}\n`;
    const output = input.replace(/\.in\.yaml$/, ".out.json");
    if (isUpdate) await Deno.writeTextFile(output, text);
    assertEquals(text, await Deno.readTextFile(output));
    for (const secret of ["PRIVATE KEY", "tls.key", "BEGIN "]) assert(!text.includes(secret), secret);
  });
}

const shop = () =>
  Deno.readTextFile(`${TESTDATA}shop.in.yaml`).then((yaml) => new ConfigurationView(outcomeOf(yaml)));

Deno.test("ConfigurationView.routes() finds what is in host, path, Service or Ingress, in any letters", async () => {
  const view = await shop();
  const cases: [query: Partial<Parameters<typeof view.routes>[0]>, found: string[]][] = [
    [{ search: "A.EXAMPLE.com/cart" }, ["/cart", "/cart"]],
    [{ search: " shop/gone:80 " }, ["/gone"]],
    [{ search: "shop/closed" }, ["/secret"]],
    [{ search: "nothing like it" }, []],
    [{ namespace: "other" }, ["/", "/old", "/", "/", "-"]],
    [{ namespace: "sho" }, []],
    [{ host: "*.example.com" }, ["/"]],
    [{ host: "" }, ["-"]],
    [{ problems: true, search: "/cart" }, ["/cart", "/cart"]],
    [{ problems: true, namespace: "other" }, ["/"]],
    [{ host: "a.example.com", search: "api" }, ["/api/v[0-9]+/(.*)"]],
  ];
  for (const [query, found] of cases) {
    const { rows, total } = view.routes({ ...ALL, ...query });
    assertEquals(rows.map(({ path = "-" }) => path), found, JSON.stringify(query));
    assertEquals(total, found.length);
  }
});

/** Both of two proxies pass over one of the endpoints of shop/web, and one of them the endpoint of shop/api. */
const HEALTH = new EndpointHealth([
  { addresses: new Set(["10.0.0.2:8080", "10.9.9.9:80"]), hasMore: false },
  { addresses: new Set(["10.0.0.2:8080", "10.0.0.3:8080"]), hasMore: false },
]);

Deno.test("ConfigurationView counts endpoints that are passed over, once for all routes to a backend", async () => {
  const view = await shop();
  const counts = view.routes(ALL, HEALTH).rows.map(({ backend, endpoints: { total, passedOver, unknown } }) =>
    `${backend.namespace}/${backend.name}: ${passedOver} of ${total}, ${unknown} unknown`
  );
  assertEquals([...new Set(counts)].sort(), [
    "other/web: 0 of 0, 0 unknown",
    "shop/api: 1 of 1, 0 unknown",
    "shop/cart: 0 of 0, 0 unknown",
    "shop/gone: 0 of 0, 0 unknown",
    "shop/web: 1 of 2, 0 unknown",
  ]);
  assertEquals(view.endpoints(HEALTH), { total: 3, passedOver: 2, unknown: 0 });
  assertEquals(view.endpoints(), { total: 3, passedOver: 0, unknown: 3 });
});

Deno.test("ConfigurationView.endpoints() counts an address once, of however many Services it is", async () => {
  const yaml = await Deno.readTextFile(`${TESTDATA}shop.in.yaml`);
  const view = new ConfigurationView(outcomeOf(yaml.replace("{ ip: 10.0.0.3 }", "{ ip: 10.0.0.2 }")));
  assertEquals(view.backend("shop/api:80")?.endpoints, [{ address: "10.0.0.2:8080" }]);
  assertEquals(view.endpoints(HEALTH), { total: 2, passedOver: 1, unknown: 0 });
});

Deno.test("ConfigurationView.routes() finds those of which an endpoint is passed over", async () => {
  const view = await shop();
  const paths = (query: object, health?: EndpointHealth) =>
    view.routes({ ...ALL, passedOver: true, ...query }, health).rows.map(({ host, path }) =>
      `${host} ${path}`
    );
  assertEquals(paths({ search: "shop/api" }, HEALTH), ["a.example.com /api/v[0-9]+/(.*)"]);
  assertEquals(paths({}, HEALTH).length, 5);
  assertEquals(paths({ namespace: "other" }, HEALTH), []);
  assertEquals(paths({}), []);
});

Deno.test("ConfigurationView.backend() has each endpoint of a backend, those first that are passed over", async () => {
  const view = await shop();
  const name = { namespace: "shop", name: "web", port: 80 };
  assertEquals(view.backend("shop/web:80", HEALTH), {
    ...name,
    proxies: 2,
    endpoints: [{ address: "10.0.0.2:8080", passedOver: 2 }, { address: "10.0.0.1:8080", passedOver: 0 }],
  });
  assertEquals(view.backend("shop/web:80"), {
    ...name,
    proxies: 0,
    endpoints: [{ address: "10.0.0.1:8080" }, { address: "10.0.0.2:8080" }],
  });
  assertEquals(view.backend("shop/cart:80")?.endpoints, []);
  assertEquals(view.backend("shop/web:8080"), undefined);
});

Deno.test("ConfigurationView.ingress() has each backend once", async () => {
  const view = await shop();
  const { routes, backends } = view.ingress(view.ingressObject("shop", "shop")!, HEALTH);
  assertEquals(routes.length, 5);
  assertEquals(backends.map(({ name, endpoints }) => [name, endpoints[0]?.passedOver]), [
    ["web", 2],
    ["cart", undefined],
    ["gone", undefined],
  ]);
});

Deno.test("ConfigurationView.ingresses() finds them by name, namespace, host and problems", async () => {
  const view = await shop();
  const cases: [query: Partial<Parameters<typeof view.ingresses>[0]>, found: string[]][] = [
    [{}, ["barred", "moved", "api", "closed", "shop"]],
    [{ search: "B.example" }, ["moved"]],
    [{ search: "shop/" }, ["api", "closed", "shop"]],
    [{ problems: true }, ["barred", "api", "closed", "shop"]],
    [{ namespace: "other" }, ["barred", "moved"]],
  ];
  for (const [query, found] of cases) {
    assertEquals(
      view.ingresses({ ...ALL, ...query }).rows.map(({ name }) => name),
      found,
      JSON.stringify(query),
    );
  }
});

Deno.test("ConfigurationView has pages: windows of what is found", async () => {
  const view = await shop();
  const { rows, total } = view.routes(ALL);
  assertEquals(view.routes({ offset: 2, limit: 3 }), { total, offset: 2, rows: rows.slice(2, 5) });
  assertEquals(view.routes({ offset: 1000, limit: 3 }), { total, offset: 1000, rows: [] });
});

Deno.test("ConfigurationView tells first that nothing could be written", async () => {
  const outcome = outcomeOf(await Deno.readTextFile(`${TESTDATA}shop.in.yaml`));
  const [first] = new ConfigurationView({ ...outcome, failure: "the disk is full" }).worstProblems();
  assertEquals(first?.reason, "ApplyFailed");
  assert(first?.message.endsWith("the disk is full"));
});

Deno.test("ConfigurationView tells that the default certificate cannot be used", () => {
  const outcome = outcomeOf(webYaml());
  const translation = { ...outcome.translation, defaultFault: "There is no Secret a/b" };
  const [first] = new ConfigurationView({ ...outcome, translation }).worstProblems();
  assertEquals([first?.reason, first?.severity], ["DefaultCertificate", "error"]);
  assert(first?.message.endsWith("There is no Secret a/b"));
});

Deno.test("ConfigurationView knows who uses the default certificate", async () => {
  const pair = await selfSigned(["*.example.com"]);
  const yaml = webYaml().replace("spec:", "spec:\n  tls: [{ hosts: [a.test] }]");
  const outcome = outcomeOf(yaml);
  const certificates = new Map([["*", { ...pair, secret: "tls/wild" }]]);
  const view = new ConfigurationView({ ...outcome, translation: { ...outcome.translation, certificates } });
  assertEquals(view.certificates.map(({ secret, hosts, ingresses }) => [secret, hosts, ingresses]), [
    ["tls/wild", ["*"], [{ namespace: "default", name: "web" }]],
  ]);
  assertEquals(view.routes(ALL).rows.map(({ certificate }) => certificate), ["tls/wild"]);
});

Deno.test("ConfigurationView takes an annotation for an error where it is what closes the Ingress", () => {
  const annotations = '{ pingress.dev/enable-modsecurity: "true", pingress.dev/enable-opentracing: "true" }';
  const yaml = webYaml().replace("uid:", `annotations: ${annotations}, uid:`);
  const { problems } = new ConfigurationView(outcomeOf(yaml));
  assertEquals(problems.map(({ reason, severity, field }) => [reason, severity, field]), [
    ["UnsupportedAnnotation", "error", 'metadata.annotations["pingress.dev/enable-modsecurity"]'],
    ["UnsupportedAnnotation", "warning", 'metadata.annotations["pingress.dev/enable-opentracing"]'],
  ]);
});

Deno.test("ConfigurationView shows 20 problems and counts the others", () => {
  const paths = Array.from(
    { length: 50 },
    (_, index) =>
      `{ path: /${index}, pathType: Prefix, backend: { service: { name: none, port: { number: 80 } } } }`,
  );
  const view = new ConfigurationView(outcomeOf(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: default }
spec: { ingressClassName: pingress, rules: [{ http: { paths: [${paths.join(", ")}] } }] }
`));
  assertEquals([view.worstProblems().length, view.problems.length], [20, 50]);
});

Deno.test("ConfigurationView counts certificates that end soon, and those that have ended", async () => {
  const view = await shop();
  const [certificate] = view.certificates;
  assert(certificate !== undefined);
  const day = 24 * 60 * 60 * 1000;
  const soon = (days: number) => view.counts(certificate.notAfter - days * day).expiringCertificates;
  assertEquals([soon(31), soon(29), soon(-1)], [0, 1, 1]);
  assertLess(certificate.notBefore, certificate.notAfter);
});
