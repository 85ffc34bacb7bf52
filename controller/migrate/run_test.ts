import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SILENT_LOG, UsageError } from "@pingress/config";
import type { CheckWorld } from "../check/run.ts";
import { clusterOf } from "../../tests/fake_cluster.ts";
import type { MigrateFlags } from "./flags.ts";
import type { MigrationReport } from "./migration.ts";
import { runMigrate } from "./run.ts";

const FLAGS: MigrateFlags = { paths: [], classes: [], namespace: "default", output: "json" };

/** A world without a cluster and with nothing on the standard input. */
const WORLD: CheckWorld = {
  connect: () => Promise.reject(new Error("not reached")),
  stdin: ReadableStream.from([]),
  log: SILENT_LOG,
};

async function migrate(flags: Partial<MigrateFlags>, world: Partial<CheckWorld> = {}) {
  const { text, passed } = await runMigrate({ ...FLAGS, ...flags }, { ...WORLD, ...world });
  const report: MigrationReport = JSON.parse(text);
  assertEquals(report.passed, passed);
  return report;
}

function ingress(name: string, { className = "nginx", annotations = {} }: {
  className?: string;
  annotations?: Record<string, string>;
} = {}): string {
  const backend = { service: { name: "web", port: { number: 80 } } };
  return JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, annotations },
    spec: {
      ingressClassName: className,
      rules: [{ host: `${name}.example.com`, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
    },
  });
}

const UNKNOWN = { "nginx.ingress.kubernetes.io/no-such-thing": "x" };

async function withFiles(files: Record<string, string>, run: (directory: string) => Promise<void>) {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${directory}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${directory}/${name}`, text);
    }
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("runMigrate() passes where all Ingresses of the class move as they are", async () => {
  const files = {
    "moves.json": ingress("a"),
    "look.json": ingress("b", { annotations: UNKNOWN }),
    "bad.yaml": "a: [",
  };
  await withFiles(files, async (directory) => {
    const passes = async (name: string, flags: Partial<MigrateFlags> = {}) =>
      (await migrate({ paths: [`${directory}/${name}`], ...flags })).passed;
    assertEquals(await passes("moves.json"), true);
    assertEquals(await passes("look.json"), false);
    assertEquals(await passes("look.json", { classes: ["internal"] }), true);
    assertEquals(await passes("bad.yaml"), false);
    assertEquals(await passes("missing.yaml"), false);
  });
});

Deno.test("runMigrate() writes the files with changed Ingresses, at their places below the directory", async () => {
  const files = {
    "in/a.json": ingress("a"),
    "in/deep/b.json": ingress("b", { className: "internal" }),
    "in/other.json": ingress("other", { className: "traefik" }),
  };
  await withFiles(files, async (directory) => {
    const report = await migrate({
      paths: [`${directory}/in/`, "-"],
      classes: ["nginx", "internal"],
      directory: `${directory}/out`,
    }, { stdin: ReadableStream.from([new TextEncoder().encode(ingress("c"))]) });
    const names = ["a.json", "deep/b.json", "stdin.yaml"];
    assertEquals(report.written, names.map((name) => `${directory}/out/${name}`));
    for (const [index, name] of names.entries()) {
      const written = await Deno.readTextFile(`${directory}/out/${name}`);
      const [before] = [files["in/a.json"], files["in/deep/b.json"], ingress("c")].slice(index);
      assertEquals(written, before?.replace(/"ingressClassName":"\w+"/, `"ingressClassName":"pingress"`));
    }
    assertEquals(await Deno.readTextFile(`${directory}/in/a.json`), files["in/a.json"]);
  });
});

Deno.test("runMigrate() writes nothing into a directory with something in it, and no file twice", async () => {
  await withFiles({ "a.json": ingress("a"), "deep/a.json": ingress("b") }, async (directory) => {
    const flags = { paths: [`${directory}/a.json`], directory };
    await assertRejects(() => migrate(flags), UsageError, "already");
    assertEquals(await Deno.readTextFile(`${directory}/a.json`), ingress("a"));
    const both = {
      paths: [`${directory}/a.json`, `${directory}/deep/a.json`],
      directory: `${directory}/out`,
    };
    await assertRejects(() => migrate(both), UsageError, "a.json");
    await assertRejects(() => Deno.stat(`${directory}/out`), Deno.errors.NotFound);
  });
});

Deno.test("runMigrate() reads the cluster where no files are named", async () => {
  const objects = [
    ingress("a"),
    ingress("b", { annotations: UNKNOWN }),
    ingress("c", { className: "pingress" }),
  ];
  const report = await migrate({}, { connect: () => Promise.resolve(clusterOf(objects)) });
  assertEquals(report.ingresses.map(({ ingress, verdict, file }) => [ingress, verdict, file]), [
    ["default/a", "look", undefined],
    ["default/b", "look", undefined],
  ]);
  // of a cluster it is known which Services there are
  assertEquals(report.ingresses[0]?.findings.map(({ kind }) => kind), ["ServiceNotFound"]);
  assertEquals(report.summary.ours, 1);
});

Deno.test("runMigrate() says it in HTML, of which nothing in a file becomes a part", async () => {
  const annotations = { "nginx.ingress.kubernetes.io/<script>alert(1)</script>": `"'\x60&` };
  await withFiles({ "a.json": ingress("a", { annotations, className: "<b>" }) }, async (directory) => {
    await Deno.rename(`${directory}/a.json`, `${directory}/<i>.json`);
    const { text } = await runMigrate(
      { ...FLAGS, paths: [directory], classes: ["<b>"], output: "html" },
      WORLD,
    );
    assert(text.startsWith("<!doctype html>\n"));
    assertStringIncludes(text, "nginx.ingress.kubernetes.io/&#60;script&#62;alert(1)&#60;/script&#62;");
    const tags = new Set([...text.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name]) => name));
    assertEquals([...tags].filter((tag) => ["script", "b", "i", "img", "link"].includes(tag ?? "")), ["b"]);
    assert(!/<b>[^<]*<\/b>/.test(text.replace(/<b>(\d+|default\/a)<\/b>/g, "")));
    assert(!/https?:|url\(|@import|src=/.test(text), "it would load something from elsewhere");
  });
});

Deno.test("runMigrate() links to the parts of the HTML that there are", async () => {
  await withFiles({ "a.json": ingress("a") }, async (directory) => {
    const { text } = await runMigrate({ ...FLAGS, paths: [directory], output: "html" }, WORLD);
    assertEquals([...text.matchAll(/href="#(\w+)"/g)].map(([, id]) => id), ["moves"]);
    assertStringIncludes(text, `<section id="moves">`);
  });
});

Deno.test("runMigrate() says it in text, on which nothing in a file has a hold", async () => {
  const annotations = { "nginx.ingress.kubernetes.io/\u001b[2K\n::error::x": "1" };
  await withFiles({ "a.json": ingress("a", { annotations }) }, async (directory) => {
    const { text } = await runMigrate({ ...FLAGS, paths: [directory], output: "text" }, WORLD);
    // deno-lint-ignore no-control-regex -- that is what must not be there
    assert(!/\x1b|^::/m.test(text));
  });
});
