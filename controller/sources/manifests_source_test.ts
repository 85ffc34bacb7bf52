import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { createLog, SILENT_LOG } from "@pingress/config";
import { ManifestsSource, parseManifests } from "./manifests_source.ts";

const INGRESS = `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { rules: [{ host: a.example.com }] }
`;

Deno.test("parseManifests() reads several documents and Lists, and passes over other kinds", () => {
  const list = `---\n${
    JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [{ apiVersion: "v1", kind: "Service", metadata: { name: "s" } }],
    })
  }\n`;
  const other = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\n---\n# nothing here\n";
  const objects = parseManifests(INGRESS + list + other, "a.yaml");
  assertEquals(objects.map(({ kind, object }) => [kind, object.metadata.namespace, object.metadata.name]), [
    ["Ingress", "default", "web"],
    ["Service", "default", "s"],
  ]);
});

const broken: [text: string, message: string][] = [
  [`${INGRESS}---\na: [`, "a.yaml:6: "],
  [
    INGRESS.replace("networking.k8s.io/v1", "extensions/v1beta1"),
    "a.yaml:1: Ingress default/web: apiVersion: Ingress is read as networking.k8s.io/v1, not extensions/v1beta1",
  ],
  ["hello", "a.yaml:1: This is no Kubernetes object"],
  [
    INGRESS.replace("[{ host: a.example.com }]", "hello"),
    'a.yaml:4: Ingress default/web: spec.rules: found "hello", expected a list',
  ],
  [
    INGRESS.replace("a.example.com", "5"),
    "a.yaml:4: Ingress default/web: spec.rules[0].host: found 5, expected a string",
  ],
  [
    INGRESS.replace("{ name: web }", "{ name: web, creationTimestamp: soon }"),
    'metadata.creationTimestamp: found "soon"',
  ],
];

for (const [text, message] of broken) {
  Deno.test(`parseManifests() says: ${message}`, () => {
    assertStringIncludes(assertThrows(() => parseManifests(text, "a.yaml"), Error).message, message);
  });
}

Deno.test("ManifestsSource follows its directory, and keeps what a broken file held", async () => {
  const directory = await Deno.makeTempDir();
  const lines: string[] = [];
  let waiting = Promise.withResolvers<void>();
  const next = async () => {
    await waiting.promise;
    waiting = Promise.withResolvers<void>();
  };
  const log = createLog("test", {
    write: (line) => {
      lines.push(line);
      waiting.resolve();
    },
  });
  const source = new ManifestsSource({ directory, log });
  try {
    const names = () => source.snapshot().Ingress.map(({ metadata }) => metadata.name);
    await Deno.writeTextFile(`${directory}/a.yaml`, INGRESS);
    await source.start(() => waiting.resolve());
    await next();
    assertEquals(names(), ["web"]);
    await Deno.mkdir(`${directory}/below`);
    await Deno.writeTextFile(`${directory}/below/b.yml`, INGRESS.replace("name: web", "name: other"));
    await next();
    assertEquals(names(), ["other", "web"]);
    await Deno.writeTextFile(`${directory}/a.yaml`, "a: [");
    await next();
    assertEquals(names(), ["other", "web"]);
    assertEquals(lines.length, 1);
    assertStringIncludes(lines[0] ?? "", "what it held last stays");
    await Deno.remove(`${directory}/a.yaml`);
    await next();
    assertEquals(names(), ["other"]);
  } finally {
    await source.close();
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("ManifestsSource says that its directory is not there", async () => {
  const source = new ManifestsSource({ directory: "/nowhere/at/all", log: SILENT_LOG });
  await assertRejects(() => source.start(() => {}), Error, "/nowhere/at/all");
});
