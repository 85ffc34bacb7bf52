import { assert, assertEquals } from "@std/assert";
import { parseFlags, parseProxyConfig, SILENT_LOG } from "@pingress/config";
import { runCheck } from "../../controller/check/run.ts";
import { PROGRAM as PROXY_PROGRAM, proxyFlags } from "../../proxy/flags.ts";
import { anchors, codeBlocks, type Page, pagesBelow, relativeLinks, ROOT } from "./markdown.ts";

/** What shell blocks of guides are: run by tests without a cluster, with one, or where neither can be. */
const SHELL_TAGS = ["runnable", "cluster", "elsewhere"];

Deno.test("every link into the repository leads somewhere", async (t) => {
  const pages = await pagesBelow();
  const texts = new Map(pages.map(({ path, text }) => [new URL(path, ROOT).href, text]));
  for (const { path, text } of pages) {
    await t.step(path, () => {
      for (const { target, line } of relativeLinks(text)) {
        const url = new URL(target, new URL(path, ROOT));
        const anchor = decodeURIComponent(url.hash.slice(1));
        url.hash = "";
        assert(exists(url), `${path}:${line}: there is no ${target}`);
        const linked = texts.get(url.href);
        if (anchor === "" || linked === undefined) continue;
        assert(anchors(linked).includes(anchor), `${path}:${line}: ${target} has no such heading`);
      }
    });
  }
});

Deno.test("every page of docs/ is in its index", async () => {
  const index = await Deno.readTextFile(new URL("docs/README.md", ROOT));
  const listed = new Set(
    relativeLinks(index).map(({ target }) => new URL(target.replace(/#.*/, ""), new URL("docs/", ROOT)).href),
  );
  for (const { path } of await pagesBelow("docs/")) {
    if (path === "docs/README.md" || path.startsWith("docs/decisions/")) continue;
    assert(listed.has(new URL(path, ROOT).href), `docs/README.md does not name ${path}`);
  }
});

Deno.test("the README is short", async () => {
  assert((await Deno.readTextFile(new URL("README.md", ROOT))).split("\n").length <= 250);
});

Deno.test("every Ingress in docs/ is one that Pingress serves as it is written", async (t) => {
  for (const page of await pagesBelow("docs/")) {
    for (const { text, line } of ingressBlocks(page)) {
      await t.step(`${page.path}:${line}`, async () => {
        const report = await runCheck(
          { paths: ["-"], usesCluster: false, namespace: "default", isStrict: false, output: "json" },
          {
            connect: () => Promise.reject(new Error("not reached")),
            stdin: ReadableStream.from([new TextEncoder().encode(text)]),
            log: SILENT_LOG,
          },
        );
        const { problems, summary } = JSON.parse(report.text);
        assertEquals(problems.filter(isNotOfOtherFiles), []);
        assert(summary.ingresses > 0);
      });
    }
  }
});

Deno.test("every proxy.json in docs/ is one that the proxy takes", async () => {
  for (const { path, text } of await pagesBelow("docs/")) {
    for (const { language, text: json, line } of codeBlocks(text)) {
      if (language !== "json") continue;
      const value = JSON.parse(json);
      assert("rules" in value, `${path}:${line} is no proxy.json`);
      parseProxyConfig(value);
    }
  }
});

Deno.test("every --proxy-arg in docs/ is a flag of the proxy, with a value that it takes", async () => {
  for (const { path, text } of [...await pagesBelow("docs/"), ...await pagesBelow("manifests/")]) {
    for (const [, argument = ""] of text.matchAll(/--proxy-arg=(--[^\s`"']+)/g)) {
      // what stands for something else
      if (/…|[A-Z]{2}/.test(argument)) continue;
      const commandLine = parseFlags(PROXY_PROGRAM, [argument, "--config=a", "--watch=b"], {
        readEnv: () => undefined,
      });
      assert(commandLine.action === "run", `${path}: ${argument}`);
      proxyFlags(commandLine.values, { cores: 1 });
    }
  }
});

Deno.test("every shell block of a guide says where it is run", async () => {
  const guides = /^docs\/(?:getting_started\/|how_to\/|troubleshooting)/;
  for (const { path, text } of (await pagesBelow("docs/")).filter(({ path }) => guides.test(path))) {
    for (const { language, tags: [tag = ""], line } of codeBlocks(text)) {
      if (language === "sh") assert(SHELL_TAGS.includes(tag), `${path}:${line} is none of ${SHELL_TAGS}`);
    }
  }
});

function exists(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch {
    return false;
  }
}

/** The whole Ingresses of a page, in blocks of their own and in what shell blocks write into files. */
function ingressBlocks({ text }: Page) {
  return codeBlocks(text).flatMap(({ language, text, line }) => {
    if (language === "yaml") return [{ text, line }];
    if (language !== "sh") return [];
    return [...text.matchAll(/<<'END'\n([^]*?)^END$/gm)].map(([, written = ""]) => ({ text: written, line }));
  }).filter(({ text }) => /^kind: Ingress$/m.test(text));
}

/** Services, Secrets and Ingresses that a page leaves out are not wrong. */
function isNotOfOtherFiles({ message, reason }: { message: string; reason: string }): boolean {
  return !message.includes("is not among the files") && reason !== "CanaryWithoutPrimary";
}
