import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type KeyPair, parseEndpointsFile, parseProxyConfig } from "@pingress/config";
import { expandGlob } from "@std/fs";
import { parseManifests } from "../sources/manifests_source.ts";
import { selfSigned } from "../../tests/certificates.ts";
import { Store } from "../store.ts";
import { translate, type Translation } from "./translate.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

/** Set by `deno task test:update`: expected files are written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

const cases = (await Array.fromAsync(expandGlob("*.in.yaml", { root: TESTDATA }))).map(({ path }) => path)
  .sort();

assert(cases.length > 0, "no test data was found");

for (const input of cases) {
  Deno.test(`translate() ${input.slice(TESTDATA.length, -".in.yaml".length).replaceAll("_", " ")}`, async () => {
    const output = input.replace(/\.in\.yaml$/, ".out.json");
    const translation = translate(snapshotOf(await Deno.readTextFile(input)), { keysDirectory: "/keys" });
    const text = `${JSON.stringify(readable(translation), null, 2)}\n`;
    parseProxyConfig(JSON.parse(JSON.stringify(translation.config)));
    parseEndpointsFile(JSON.parse(JSON.stringify(translation.endpoints)));
    if (isUpdate) await Deno.writeTextFile(output, text);
    assertEquals(text, await Deno.readTextFile(output));
  });
}

Deno.test("translate() keeps the last good certificate of a Secret that is missing or broken", async () => {
  const good = await Deno.readTextFile(`${TESTDATA}simple.in.yaml`);
  const first = translate(snapshotOf(good), { keysDirectory: "/keys" });
  const { cert, key } = first.certificates.get("a.example.com") ?? { cert: "", key: "" };
  assertStringIncludes(cert, "BEGIN CERTIFICATE");
  for (
    const broken of [
      good.replace("name: a-tls", "name: gone"),
      good.replace(/tls.crt: \w{20}/, "tls.crt: AAAA"),
    ]
  ) {
    const lastGood = new Map([["default/a-tls", { cert, key }]]);
    const later = translate(snapshotOf(broken), { keysDirectory: "/keys", lastGood });
    assertEquals(later.config, first.config);
    assertEquals(later.certificates, first.certificates);
    assertEquals(later.problems.map(({ field }) => field), ["spec.tls[0].secretName"]);
  }
});

Deno.test("translate() never uses the last good certificate of another Secret", async () => {
  const yaml = (await Deno.readTextFile(`${TESTDATA}simple.in.yaml`)).replaceAll("a-tls", "other-tls");
  const withoutSecret = yaml.replace("kind: Secret", "kind: Nothing");
  const lastGood = new Map([["default/a-tls", { cert: "cert", key: "key" }], ["z/other-tls", {
    cert: "cert",
    key: "key",
  }]]);
  assertEquals(
    translate(snapshotOf(withoutSecret), { keysDirectory: "/keys", lastGood }).certificates.size,
    0,
  );
});

Deno.test("translate() hands out certificates alone, whatever stands beside them", async () => {
  const { certificates } = translate(snapshotOf(await Deno.readTextFile(`${TESTDATA}tls_owners.in.yaml`)), {
    keysDirectory: "/keys",
  });
  const { cert = "", secret } = certificates.get("a.example.com") ?? {};
  assertEquals(secret, "a/bundle");
  assertEquals(cert.match(/-----BEGIN [A-Z ]+-----/g), ["-----BEGIN CERTIFICATE-----"]);
});

Deno.test("translate() tells of a certificate that is too old, and has it served", async () => {
  const { cert, key } = await selfSigned(["a.example.com"], { days: 1 });
  const yaml = `
apiVersion: v1
kind: Secret
metadata: { name: tls, namespace: default }
type: kubernetes.io/tls
stringData: ${JSON.stringify({ "tls.crt": cert, "tls.key": key })}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: default }
spec: { ingressClassName: pingress, tls: [{ hosts: [a.example.com], secretName: tls }] }
`;
  const told = (now: number | undefined) => {
    const { problems, certificates } = translate(snapshotOf(yaml), {
      keysDirectory: "/keys",
      ...now !== undefined && { now },
    });
    return [problems.map(({ reason }) => reason).filter((reason) => reason !== "NoPaths"), certificates.size];
  };
  const day = 24 * 3600 * 1000;
  assertEquals(told(undefined), [[], 1]);
  assertEquals(told(Date.now()), [[], 1]);
  assertEquals(told(Date.now() + 2 * day), [["CertificateExpired"], 1]);
});

Deno.test("translate() has the default certificate for names that have none", async () => {
  const [own, wildcard] = await Promise.all([selfSigned(["own.example.com"]), selfSigned(["*.example.com"])]);
  const secret = (name: string, { cert, key }: KeyPair) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: name === "own" ? "default" : "tls" },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": cert, "tls.key": key },
    });
  const ingress = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: default, annotations: { pingress.dev/ssl-redirect: "true" } }
spec:
  ingressClassName: pingress
  tls: [{ hosts: [a.example.com, own.example.com, a.example.org] }, { hosts: [own.example.com], secretName: own }]
  rules:
    - host: a.example.com
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
    - host: b.example.com
      http: { paths: [{ path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }] }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { ports: [{ port: 80 }] }
---
${secret("own", own)}
---
`;
  const options = { keysDirectory: "/keys", defaultCertificate: "tls/wild", isSharded: true };
  const { config, certificates, problems, defaultFault } = translate(
    snapshotOf(ingress + secret("wild", wildcard)),
    options,
  );
  assertEquals(config.certificates, [
    { host: "*", key: "/keys/_.key", cert: "/keys/_.cert" },
    { host: "own.example.com", key: "/keys/own.example.com.key", cert: "/keys/own.example.com.cert" },
  ]);
  assertEquals([...certificates].map(([host, { secret }]) => [host, secret]), [
    ["*", "tls/wild"],
    ["own.example.com", "default/own"],
  ]);
  // only who is named under tls is sent there
  assertEquals(
    config.rules.map(({ host, tls, options }) => [host, tls, options?.httpsRedirect !== undefined]),
    [
      ["a.example.com", undefined, true],
      ["b.example.com", undefined, false],
    ],
  );
  assertEquals(problems.map(({ reason, message }) => [reason, message]), [[
    "CertificateNameMismatch",
    "The certificate in Secret tls/wild is for *.example.com, not for a.example.org: clients will not trust it",
  ]]);
  assertEquals(defaultFault, undefined);

  const missing = translate(snapshotOf(ingress), options);
  assertEquals([...missing.certificates.keys()], ["own.example.com"]);
  assertEquals(missing.defaultFault, "There is no Secret tls/wild of type kubernetes.io/tls");
  assertEquals(missing.problems.map(({ reason, message }) => [reason, message]), [[
    "NoSecretName",
    "No Secret is named, and the default certificate cannot be used: " +
    "There is no Secret tls/wild of type kubernetes.io/tls",
  ]]);

  const broken = translate(snapshotOf(ingress + secret("wild", { ...wildcard, key: own.key })), {
    ...options,
    lastGood: new Map([["tls/wild", wildcard]]),
  });
  assertEquals(broken.config, config);
  assertStringIncludes(broken.defaultFault ?? "", "Secret tls/wild is not usable: ");
});

/** Of hosts that want the default certificate: which of them are sent to HTTPS, and what is told. */
async function withDefault(
  ingresses: [namespace: string, host: string, tls: boolean | string, alias?: string][],
  days = 1,
) {
  const { cert, key } = await selfSigned(["*.example.com"], { days });
  const objects = ingresses.map(([namespace, host, tls, alias], index) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "web",
      namespace,
      creationTimestamp: new Date(index * 1000).toISOString(),
      annotations: {
        "pingress.dev/ssl-redirect": "true",
        ...alias !== undefined && { "pingress.dev/server-alias": alias },
      },
    },
    spec: {
      ingressClassName: "pingress",
      ...tls !== false && { tls: [{ hosts: [host], ...tls !== true && { secretName: tls } }] },
      rules: [{
        host,
        http: {
          paths: [{
            path: `/${namespace}`,
            pathType: "Prefix",
            backend: { service: { name: "web", port: { number: 80 } } },
          }],
        },
      }],
    },
  }));
  const services = ingresses.map(([namespace]) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", namespace },
    spec: { ports: [{ port: 80 }] },
  }));
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "wild", namespace: "tls" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": cert, "tls.key": key },
  };
  const yaml = [...objects, ...services].map((object) => JSON.stringify(object)).join("\n---\n");
  const options = { keysDirectory: "/keys", defaultCertificate: "tls/wild", now: Date.now() };
  const tell = ({ config, problems }: ReturnType<typeof translate>) => ({
    redirected: config.rules.flatMap(({ host, options }) => options?.httpsRedirect ? [host] : []),
    told: problems.map(({ ingress, reason, message }) => `${ingress} ${reason}: ${message}`),
  });
  const present = tell(translate(snapshotOf(`${yaml}\n---\n${JSON.stringify(secret)}`), options));
  const lastGood = new Map([["tls/wild", { cert, key }]]);
  assertEquals(tell(translate(snapshotOf(yaml), { ...options, lastGood })).redirected, present.redirected);
  return present;
}

Deno.test("translate() lets no other namespace say that a host has the default certificate", async () => {
  const { redirected, told } = await withDefault([["a", "a.example.com", false], [
    "b",
    "a.example.com",
    true,
  ]]);
  assertEquals(redirected, []);
  assertEquals(told, [
    "b/web TlsConflict: a.example.com belongs to the namespace of the older Ingress a/web: this entry does nothing",
  ]);
});

Deno.test("translate() has the default certificate for hosts whose Secret is not there", async () => {
  const { redirected, told } = await withDefault([
    ["a", "a.example.com", "gone"],
    ["b", "b.example.com", false],
    ["c", "b.example.com", "gone"],
  ]);
  assertEquals(redirected, ["a.example.com"]);
  assertEquals(told.map((problem) => problem.split(":")[0]), [
    "a/web SecretNotFound",
    "c/web SecretNotFound",
  ]);
});

Deno.test("translate() has the default certificate for aliases of the hosts that it is meant for", async () => {
  const { redirected } = await withDefault([
    ["a", "a.example.com", true, "b.example.com,a.example.org"],
    ["c", "c.example.com", false, "d.example.com"],
  ]);
  assertEquals(redirected, ["a.example.com", "b.example.com"]);
});

Deno.test("translate() tells those who want the default certificate when it is too old", async () => {
  const { redirected, told } = await withDefault([["a", "a.example.com", true], [
    "b",
    "b.example.com",
    false,
  ]], -1);
  assertEquals(redirected, ["a.example.com"]);
  assertEquals(told.length, 1);
  assertStringIncludes(
    told[0] ?? "",
    "a/web CertificateExpired: The certificate in Secret tls/wild is valid until ",
  );
});

Deno.test("translate() keeps the last good certificate of an alias, too", async () => {
  const { cert, key } = await selfSigned(["*.example.com"]);
  const yaml = (await Deno.readTextFile(`${TESTDATA}simple.in.yaml`)).replace(
    "metadata: { name: web, namespace: default }",
    'metadata: { name: web, namespace: default, annotations: { pingress.dev/server-alias: "b.example.com" } }',
  ).replace("name: a-tls", "name: gone");
  const lastGood = new Map([["default/a-tls", { cert, key }]]);
  const { certificates } = translate(snapshotOf(yaml), { keysDirectory: "/keys", lastGood });
  assertEquals([...certificates.keys()], ["a.example.com", "b.example.com"]);
});

Deno.test("translate() says nothing of what a key holds", async () => {
  const yaml = await Deno.readTextFile(`${TESTDATA}certificates.in.yaml`);
  const keys = [...yaml.matchAll(/tls\.key: (\S{20,})/g)].map(([, data = ""]) =>
    atob(data).split("\n")[1] ?? ""
  );
  assert(keys.length > 0);
  const { problems } = translate(snapshotOf(yaml), { keysDirectory: "/keys" });
  for (const key of keys) assert(!JSON.stringify(problems).includes(key));
});

Deno.test("translate() serves guests after our own, and sends them to HTTPS unless told", async () => {
  const { cert, key } = await selfSigned(["*.example.com"]);
  const ingress = (name: string, { className, path, annotations = {}, year = 2020 }: {
    className?: string;
    path: string;
    annotations?: Record<string, string>;
    year?: number;
  }) =>
    JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name, annotations, creationTimestamp: `${year}-01-01T00:00:00Z` },
      spec: {
        ingressClassName: className,
        tls: [{ hosts: ["a.example.com"], secretName: "tls" }],
        rules: [{
          host: "a.example.com",
          http: {
            paths: [{
              path,
              pathType: "Prefix",
              backend: { service: { name, port: { number: 80 } } },
            }],
          },
        }],
      },
    });
  const yaml = [
    ingress("ours", { className: "pingress", path: "/", year: 2024 }),
    ingress("guest", { className: "nginx", path: "/" }),
    ingress("told", {
      className: "nginx",
      path: "/told",
      annotations: { "nginx.ingress.kubernetes.io/ssl-redirect": "false" },
    }),
    ingress("untold", { path: "/untold" }),
    ingress("stranger", { className: "traefik", path: "/stranger" }),
    JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "IngressClass",
      metadata: { name: "nginx", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
      spec: { controller: "k8s.io/ingress-nginx" },
    }),
    JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "tls" },
      stringData: { "tls.crt": cert, "tls.key": key },
    }),
  ].join("\n---\n");
  const routes = (guestClasses?: string[]) =>
    translate(snapshotOf(yaml), { keysDirectory: "/keys", ...guestClasses && { guestClasses } }).config.rules
      .map(({ path, backend, options }) => [path.path, backend.name, options?.httpsRedirect?.code]);
  assertEquals(routes(), [["/", "ours", undefined]]);
  assertEquals(routes(["nginx"]), [
    ["/", "ours", undefined],
    ["/told", "told", undefined],
    ["/untold", "untold", 308],
  ]);
});

function snapshotOf(yaml: string) {
  const store = new Store();
  for (const { kind, object } of parseManifests(yaml, "test.yaml")) store.set(kind, object);
  return store.snapshot();
}

/** Certificates are shown by their Secrets: their texts would only be noise. */
function readable(
  { certificates, files, namedSecrets, ingresses: _, claims: __, ...others }: Translation,
): object {
  return {
    ...others,
    ...files.size > 0 && { files: Object.fromEntries(files) },
    ...namedSecrets.size > 0 && { namedSecrets: [...namedSecrets] },
    certificates: Object.fromEntries([...certificates].map(([host, { secret }]) => [host, secret])),
  };
}
