import { assert, assertEquals } from "@std/assert";
import { expandGlob } from "@std/fs";
import type { Kind } from "../objects.ts";
import { readManifests } from "../sources/manifests.ts";
import { Store } from "../store.ts";
import { buildReport, type CheckInput } from "./report.ts";
import { formatReport } from "./text_report.ts";

const TESTDATA = new URL("./testdata/", import.meta.url).pathname;

/** Set by `deno task test:update`: expected files are written anew, to be read in the diff. */
const isUpdate = Deno.env.get("PINGRESS_UPDATE") === "1";

const cases = (await Array.fromAsync(expandGlob("*.in.*", { root: TESTDATA }))).map(({ path }) => path)
  .sort();

assert(cases.length > 0, "no test data was found");

for (const input of cases) {
  const [name = ""] = input.slice(TESTDATA.length).split(".");
  Deno.test(`buildReport() ${name.replaceAll("_", " ")}`, async () => {
    const report = buildReport({
      files: [{ name: input.slice(TESTDATA.length), ...readManifests(await Deno.readTextFile(input)) }],
      ...await clusterOf(`${TESTDATA}${name}.cluster.yaml`),
    });
    await assertFile(`${TESTDATA}${name}.out.txt`, `${formatReport(report)}\n`);
    await assertFile(`${TESTDATA}${name}.out.json`, `${JSON.stringify(report, null, 2)}\n`);
  });
}

async function assertFile(path: string, text: string): Promise<void> {
  if (isUpdate) await Deno.writeTextFile(path, text);
  assertEquals(text, await Deno.readTextFile(path));
}

/** What the cluster has, in the cases that have one. */
async function clusterOf(path: string): Promise<Pick<CheckInput, "cluster">> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  return text === undefined ? {} : { cluster: { snapshot: snapshotOf(text), refused: [] } };
}

function snapshotOf(text: string) {
  const store = new Store();
  for (const { kind, object } of readManifests(text).objects) store.set(kind, object);
  return store.snapshot();
}

const WEB = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: default }
spec: { ingressClassName: pingress, defaultBackend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { ports: [{ port: 80 }] }
`;
const BROKEN = `
apiVersion: v1
kind: Secret
type: kubernetes.io/tls
metadata: { name: wild, namespace: tls }
stringData: { tls.crt: none }
`;
const MISSING = "There is no Secret tls/wild of type kubernetes.io/tls";
const NO_KEY = "Secret tls/wild is not usable: it has no tls.key";

const defaults: [
  name: string,
  input: { file?: string; cluster?: string; refused?: Kind[] },
  fault?: string,
][] = [
  ["is not among the files", { file: WEB }],
  ["is broken in a file", { file: `${WEB}---${BROKEN}` }, NO_KEY],
  ["is broken in a file, where Secrets may not be listed", {
    file: BROKEN,
    cluster: WEB,
    refused: ["Secret"],
  }, NO_KEY],
  ["is broken in a file and the cluster", { file: BROKEN, cluster: `${WEB}---${BROKEN}` }, NO_KEY],
  ["is missing in the cluster, and nothing is laid over it", { cluster: WEB }, MISSING],
  ["is missing in the cluster, with the files and without", { cluster: WEB, file: WEB }],
  ["may not be looked for", { cluster: WEB, refused: ["Secret"] }],
];

for (const [name, { file, cluster, refused = [] }, fault] of defaults) {
  Deno.test(`buildReport() ${fault === undefined ? "says nothing of" : "tells of"} a default certificate that ${name}`, () => {
    const { problems } = buildReport({
      files: file === undefined ? [] : [{ name: "a.yaml", ...readManifests(file) }],
      ...cluster !== undefined && { cluster: { snapshot: snapshotOf(cluster), refused } },
      defaultCertificate: "tls/wild",
    });
    const told = problems.filter(({ reason }) => reason === "DefaultCertificate");
    assertEquals(
      told.map(({ message, severity }) => [severity, message]),
      fault === undefined ? [] : [["error", `The default certificate cannot be used: ${fault}`]],
    );
    assertEquals(told[0]?.file, file === undefined || fault === undefined ? undefined : "a.yaml");
  });
}
