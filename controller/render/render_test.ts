import { assert, assertEquals } from "@std/assert";
import { fromDaemonSet, fromDeployment } from "@cloudydeno/kubernetes-apis/apps/v1";
import { expandGlob } from "@std/fs";
import { parseAllDocuments, stringify } from "yaml";
import { shardNames } from "../shards.ts";
import { COMMON_LABELS, CONFIG_MAP_NAME, SOURCES_ANNOTATION, TLS_SECRET_NAME } from "./names.ts";
import type { HostCertificate } from "../translate/collect_certificates.ts";
import type { Translation } from "../translate/translate.ts";
import { renderConfigMaps } from "./config_map.ts";
import { renderDaemonSet } from "./host_port.ts";
import {
  type LoadBalancerOptions,
  renderDeployment,
  renderPodDisruptionBudget,
  renderService,
} from "./load_balancer.ts";
import type { ProxyPodOptions } from "./proxy_pod.ts";
import { readTlsSecret, renderTlsSecrets } from "./tls_secret.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

/** Set by `deno task test:update`: expected files are written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

/** What a file of test data says: what is rendered follows from what is there. */
interface Case {
  namespace: string;
  daemonSet?: ProxyPodOptions;
  loadBalancer?: LoadBalancerOptions;
  /** How many ConfigMaps and Secrets there are; one of each unless told. */
  shards?: number;
  translation?: Pick<Translation, "config" | "endpoints"> & { certificates: Record<string, HostCertificate> };
}

const cases = (await Array.fromAsync(expandGlob("*.in.json", { root: TESTDATA }))).map(({ path }) => path)
  .sort();

assert(cases.length > 0, "no test data was found");

for (const input of cases) {
  Deno.test(`render ${input.slice(TESTDATA.length, -".in.json".length).replaceAll("_", " ")}`, async () => {
    const output = input.replace(/\.in\.json$/, ".out.yaml");
    const text = render(JSON.parse(await Deno.readTextFile(input)))
      // the package writes maps as they are: one that stands in several places would become an alias
      .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
    if (isUpdate) await Deno.writeTextFile(output, text);
    assertEquals(text, await Deno.readTextFile(output));
  });
}

Deno.test("renderTlsSecret() does not depend on the order of hosts", () => {
  const one = { secret: "default/one", cert: "1", key: "1" };
  const other = { secret: "default/other", cert: "2", key: "2" };
  const forwards = new Map([["a.example.com", one], ["b.example.com", other]]);
  const backwards = new Map([...forwards].reverse());
  const [first, second] = [forwards, backwards].map((certificates) =>
    JSON.stringify(renderTlsSecrets(translation(certificates), { namespace: "test", choose: () => 2 }))
  );
  assertEquals(first, second);
});

Deno.test("renderTlsSecrets() has other files beside certificates, each in one shard", () => {
  const files = new Map([["a_users_auth-file.users", "a:hash\n"], ["b_users_auth-map.users", "b:hash\n"]]);
  const certificates = new Map([["a.example.com", { secret: "default/one", cert: "1", key: "1" }]]);
  const secrets = renderTlsSecrets({ certificates, files }, { namespace: "test", choose: () => 16 });
  const data = Object.assign({}, ...secrets.map(({ data }) => data));
  assertEquals(data, {
    "a.example.com.cert": btoa("1"),
    "a.example.com.key": btoa("1"),
    "a_users_auth-file.users": btoa("a:hash\n"),
    "b_users_auth-map.users": btoa("b:hash\n"),
  });
  assertEquals(new Map(secrets.flatMap((secret) => [...readTlsSecret(secret)])).size, 1);
});

Deno.test("readTlsSecret() reads back what renderTlsSecrets() wrote", () => {
  const certificates = new Map([
    ["a.example.com", { secret: "default/a", cert: "certificate ä", key: "key" }],
    ["*.example.com", { secret: "default/wild", cert: "other certificate", key: "other key" }],
  ]);
  const secrets = renderTlsSecrets(translation(certificates), { namespace: "test", choose: () => 16 });
  assertEquals(
    new Map(secrets.flatMap((secret) => [...readTlsSecret(secret)])),
    new Map([
      ["default/wild", { cert: "other certificate", key: "other key" }],
      ["default/a", { cert: "certificate ä", key: "key" }],
    ]),
  );
});

for (
  const [what, annotation] of [
    ["no annotation", undefined],
    ["an annotation that is not JSON", "{"],
    ["an annotation that is null", "null"],
    ["an annotation of something else", '{"a.example.com":{"b":1},"gone.example.com":"default/gone"}'],
  ]
) {
  Deno.test(`readTlsSecret() reads nothing from ${what}`, () => {
    const annotations = annotation === undefined ? {} : { [SOURCES_ANNOTATION]: annotation };
    const metadata = { name: TLS_SECRET_NAME, labels: COMMON_LABELS, annotations };
    const data = { "a.example.com.cert": "QQ==", "a.example.com.key": "QQ==" };
    assertEquals(readTlsSecret({ metadata, data }), new Map());
  });
}

Deno.test("the Role of the manifests allows to write all shards, and nothing else of their kinds", async () => {
  const manifest = await Deno.readTextFile(new URL("../../manifests/2_rbac.yaml", import.meta.url));
  const roles = parseAllDocuments(manifest).map((document) => document.toJS())
    .filter(({ kind }) => kind === "Role");
  for (const [resource, name] of [["configmaps", CONFIG_MAP_NAME], ["secrets", TLS_SECRET_NAME]] as const) {
    const rules = roles.flatMap(({ rules }) => rules)
      .filter(({ resources, verbs }) => resources.includes(resource) && verbs.includes("patch"));
    assertEquals(rules.map(({ resourceNames }) => resourceNames), [shardNames(name)]);
  }
});

function render({ namespace, daemonSet, loadBalancer, shards = 1, translation: given }: Case): unknown[] {
  const objects: unknown[] = [];
  if (daemonSet !== undefined) objects.push(fromDaemonSet(renderDaemonSet(daemonSet, namespace)));
  if (loadBalancer !== undefined) {
    objects.push(
      fromDeployment(renderDeployment(loadBalancer, namespace)),
      renderService(loadBalancer, namespace),
      renderPodDisruptionBudget(namespace),
    );
  }
  if (given !== undefined) {
    const certificates = new Map(Object.entries(given.certificates));
    const whole = { ...translation(certificates), ...given, certificates };
    const options = { namespace, choose: () => shards };
    objects.push(...renderConfigMaps(whole, options), ...renderTlsSecrets(whole, options));
  }
  return objects;
}

function translation(certificates: Map<string, HostCertificate>): Translation {
  return {
    isEmpty: false,
    ingresses: [],
    claims: [],
    config: { rules: [] },
    endpoints: {},
    certificates,
    files: new Map(),
    namedSecrets: new Set(),
    problems: [],
  };
}
