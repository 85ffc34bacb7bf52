import { assertEquals } from "@std/assert";
import { anchors, codeBlocks, relativeLinks } from "./markdown.ts";

Deno.test("codeBlocks() reads fences with their tags, in lists too, and of more backticks", () => {
  const page = [
    "Text",
    "```sh runnable needs=curl",
    "curl a",
    "",
    "```",
    "- item",
    "  ```yaml",
    "  a:",
    "    b: 1",
    "  ```",
    "````md",
    "```sh",
    "```",
    "````",
  ].join("\n");
  assertEquals(codeBlocks(page), [
    { language: "sh", tags: ["runnable", "needs=curl"], text: "curl a\n\n", line: 2 },
    { language: "yaml", tags: [], text: "a:\n  b: 1\n", line: 7 },
    { language: "md", tags: [], text: "```sh\n```\n", line: 11 },
  ]);
});

Deno.test("relativeLinks() finds links into the repository, and none in code", () => {
  const page = "[a](b.md) and [c](d/e.md#f)\n[g](https://h/) `[i](j)`\n```\n[k](l)\n```\n[m](#n)";
  assertEquals(relativeLinks(page), [
    { target: "b.md", line: 1 },
    { target: "d/e.md#f", line: 1 },
    { target: "#n", line: 6 },
  ]);
});

Deno.test("anchors() are those of GitHub", () => {
  assertEquals(anchors("# A `b` c, d!\n## `--flag` of 404\n```\n# no\n```\n## A b c d\n## Größe_1"), [
    "a-b-c-d",
    "--flag-of-404",
    "a-b-c-d-1",
    "größe_1",
  ]);
});
