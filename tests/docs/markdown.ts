/**
 * What the tests of the documentation read in Markdown: blocks of code, links and headings.
 *
 * @module
 */

/** The top of the repository. */
export const ROOT = new URL("../../", import.meta.url);

/** A fenced block of code. */
export interface CodeBlock {
  /** What GitHub takes for its language. */
  language: string;
  /** What stands behind the language, for tests: GitHub shows nothing of it. */
  tags: string[];
  /** Its text, without the indentation of a list that it is in. */
  text: string;
  /** The line of its fence, from 1. */
  line: number;
}

/** A link of a page to somewhere in the repository. */
export interface Link {
  /** The path and the anchor, as written. */
  target: string;
  /** The line that it is in, from 1. */
  line: number;
}

/** All blocks of a page, in their order. */
export function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: CodeBlock & { indent: string; fence: string } | undefined;
  for (const [index, line] of page.split("\n").entries()) {
    const [, indent = "", fence = "", info = ""] = /^(\s*)(`{3,})(.*)$/.exec(line) ?? [];
    if (open === undefined && fence !== "") {
      const [language = "", ...tags] = info.trim().split(/\s+/);
      open = { language, tags, text: "", line: index + 1, indent, fence };
    } else if (open !== undefined && fence === open.fence && info === "") {
      const { indent: _, fence: __, ...block } = open;
      blocks.push(block);
      open = undefined;
    } else if (open !== undefined) {
      open.text += `${line.startsWith(open.indent) ? line.slice(open.indent.length) : line}\n`;
    }
  }
  return blocks;
}

/** The same page with its blocks of code left empty: what is in them is no Markdown. */
export function withoutCode(page: string): string {
  let fence = "";
  return page.split("\n").map((line) => {
    const [, mark = ""] = /^\s*(`{3,})/.exec(line) ?? [];
    if (fence === "" && mark !== "") fence = mark;
    else if (fence !== "") {
      if (mark === fence) fence = "";
    } else return line;
    return "";
  }).join("\n");
}

/** The links of a page that do not lead out of the repository. */
export function relativeLinks(page: string): Link[] {
  const lines = withoutCode(page).split("\n");
  return lines.flatMap((text, index) =>
    [...text.replaceAll(/`[^`]*`/g, (code) => " ".repeat(code.length)).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => ({ target, line: index + 1 }))
      .filter(({ target }) => !/^[a-z]+:/.test(target))
  );
}

/** The anchors of a page, as GitHub makes them of its headings. */
export function anchors(page: string): string[] {
  const counts = new Map<string, number>();
  return [...withoutCode(page).matchAll(/^#{1,6}\s+(.*)$/gm)].map(([, heading = ""]) => {
    const anchor = heading.trim().toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    const count = counts.get(anchor) ?? 0;
    counts.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** A page of Markdown. */
export interface Page {
  /** Its path from the top of the repository. */
  path: string;
  /** Its text. */
  text: string;
}

/** All pages of the repository below a directory, by path. */
export async function pagesBelow(directory = ""): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(directory, ROOT))) {
    if (name.startsWith(".") || name === "node_modules") continue;
    if (isDirectory) pages.push(...await pagesBelow(`${directory}${name}/`));
    else if (name.endsWith(".md")) {
      const path = `${directory}${name}`;
      pages.push({ path, text: await Deno.readTextFile(new URL(path, ROOT)) });
    }
  }
  return pages.sort((one, other) => one.path < other.path ? -1 : 1);
}
