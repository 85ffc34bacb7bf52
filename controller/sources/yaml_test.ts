import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fieldKeys, readYaml } from "./yaml.ts";

function read(text: string) {
  return [...readYaml(text)].map((document) =>
    "fault" in document ? `${document.line}: ${document.fault}` : document.value
  );
}

const texts: [what: string, text: string, documents: unknown[]][] = [
  ["nothing", "", []],
  ["comments", "# nothing\n", []],
  ["a document of nothing", "---\n", [null]],
  ["several documents", "a: 1\n---\nb: 2\n--- # c\n- 3\n--- {d: 4}\n", [{ a: 1 }, { b: 2 }, [3], { d: 4 }]],
  ["ends of documents", "a: 1\n...\n---\nb: 2\n...\n", [{ a: 1 }, { b: 2 }]],
  ["Windows' line ends", "a: 1\r\n---\r\nb: 2\r\n", [{ a: 1 }, { b: 2 }]],
  ["a byte order mark", "\uFEFFa: 1", [{ a: 1 }]],
  ["directives", "%YAML 1.2\n---\na: 1\n...\n%YAML 1.2\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
  ["markers that are none", "a: |\n  ---\n  x\nb: '---'\nc: ---x\n", [{
    a: "---\nx\n",
    b: "---",
    c: "---x",
  }]],
  ["a line separator, which is no line end", 'a: "x\u2028--- y"', [{ a: "x\u2028--- y" }]],
  ["JSON", '{\n\t"a": [1, "\\u00e4\\/"],\n\t"b": null\n}', [{ a: [1, "ä/"], b: null }]],
  ["anchors", "a: &x { b: 1 }\nc: *x\n", [{ a: { b: 1 }, c: { b: 1 } }]],
  ["merge keys", "a: &x { b: 1 }\nc: { <<: [*x], d: 2 }\n", [{ a: { b: 1 }, c: { b: 1, d: 2 } }]],
  ["what kubectl takes for true", "[yes, on, Y, true, 'no', no]", [[true, true, true, true, "no", false]]],
  ["times, which stay text", "a: 2026-01-31T12:00:00Z", [{ a: "2026-01-31T12:00:00Z" }]],
];

for (const [what, text, documents] of texts) {
  Deno.test(`readYaml() reads ${what}`, () => {
    assertEquals(read(text), documents);
  });
}

const broken: [text: string, documents: unknown[]][] = [
  ["a: 1\n---\nb: [\n---\nc: 3\n", [
    { a: 1 },
    "3: deficient indentation",
    { c: 3 },
  ]],
  ["a: [\n\n  b", ["3: unexpected end of the stream within a flow collection"]],
  ["a: 1\na: 2\n", ["2: duplicated mapping key"]],
  ["a:\n  b: 1\n c: 2\n", ["3: bad indentation of a mapping entry"]],
  ["a: *x", ['1: unidentified alias "x"']],
  ["a: 1\n---\nb: &x [*x, *y]", [{ a: 1 }, '3: unidentified alias "y"']],
];

for (const [text, documents] of broken) {
  Deno.test(`readYaml() says what is wrong with ${JSON.stringify(text)}`, () => {
    assertEquals(read(text), documents);
  });
}

Deno.test("readYaml() refuses a document with too many aliases, and one that is too deep", () => {
  const aliases = `a: &x 1\nb: [${"*x,".repeat(1001)}]`;
  assertStringIncludes(String(read(aliases)[0]), "alias");
  assertStringIncludes(String(read("[".repeat(101) + "]".repeat(101))[0]), "maxDepth");
});

const YAML = `# a comment
a:
  b:
    - one
    - c: &c # another
        d: 1

        "e": 2
      f/g: 3
  empty:
h: { i: *c, j: [1,
  2] }
k:
  <<: *c
  d: 5
? o
: value
l: { <<: [{ m: 1 },
  { n: 2 }] }
`;

const fields: [field: string, line: number][] = [
  ["", 2],
  ["a", 2],
  ["a.b", 3],
  ["a.b[0]", 4],
  ["a.b[1]", 5],
  ["a.b[1].c", 5],
  ["a.b[1].c.d", 6],
  ["a.b[1].c.e", 8],
  ['a.b[1]["f/g"]', 9],
  ["a.empty", 10],
  ["h.i", 11],
  ["h.j[0]", 11],
  ["h.j[1]", 12],
  // where the alias leads to
  ["h.i.d", 6],
  ["k.d", 15],
  ["k.e", 8],
  ["l.m", 18],
  ["l.n", 19],
  // what is not there is looked for in what should hold it
  ["a.b[2]", 3],
  ["a.b[0].c", 4],
  ["a.empty.x.y", 10],
  ["k.x", 13],
  ["x", 2],
];

for (const [shift, before] of [[0, ""], [3, "x: 1\ny: |\n  2\n---\n"]] as const) {
  const [place, lines] = [shift === 0 ? "a" : "a later", before === "" ? 0 : shift + 1];
  Deno.test(`readYaml() finds the lines of fields in ${place} document`, () => {
    const document = [...readYaml(before + YAML)].at(-1);
    assert(document !== undefined && "lineOf" in document);
    for (const [field, line] of fields) assertEquals(document.lineOf(field), line + lines, field);
  });
}

Deno.test("readYaml() finds lines where documents share a marker's part, and in what holds itself", () => {
  const lines = [...readYaml("a: 1\n...\n# x\nb:\n  c: 2\n")].map((document) =>
    "lineOf" in document && document.lineOf("b.c")
  );
  assertEquals(lines, [1, 5]);
  const [round] = readYaml("a: &x\n  b: *x\n  <<: { c: 1 }\n");
  assert(round !== undefined && "lineOf" in round);
  assertEquals(round.lineOf("a.b.b.b.b.d"), 2);
});

Deno.test("fieldKeys() reads the names of fields", () => {
  assertEquals(fieldKeys("spec.rules[0].http"), ["spec", "rules", "0", "http"]);
  assertEquals(fieldKeys('metadata.annotations["a.b/c[\\"]"].x'), [
    "metadata",
    "annotations",
    'a.b/c["]',
    "x",
  ]);
  assertEquals(fieldKeys(""), []);
});

const PLACES = `first: document
---
spec: &all
  class: nginx
meta:
  "a/b": 'x' # comment
  flow: { "k": v, n: w }
  empty: {}
  text: |
    lines
  named: &name y
  other: *name
  merged: { <<: *all, more: 1 }
  list:
    - { in: 1 }
`;

const places: [
  field: string,
  key: string | undefined,
  value: string | undefined,
  first: string | undefined,
][] = [
  ["meta", "meta", undefined, '"a/b": '],
  ['meta["a/b"]', "a/b", "x", undefined],
  ["meta.flow", "flow", undefined, '"k": v'],
  ["meta.flow.k", "k", "v", undefined],
  ["meta.flow.n", "n", "w", undefined],
  ["meta.empty", "empty", undefined, "}"],
  ["meta.text", "text", undefined, undefined],
  ["meta.named", "named", undefined, undefined],
  ["meta.other", "other", undefined, undefined],
  ["meta.merged.more", "more", "1", undefined],
  ["meta.list[0]", undefined, undefined, "in: 1"],
  ["meta.list[0].in", "in", "1", undefined],
  ["spec", "spec", undefined, undefined],
];

Deno.test("readYaml() finds how fields are written, where nothing else is written with them", () => {
  const [, document] = readYaml(PLACES);
  assert(document !== undefined && "placeOf" in document);
  const textAt = (span: readonly [number, number] | undefined) => span && PLACES.slice(...span);
  for (const [field, key, value, first] of places) {
    const place = document.placeOf(field);
    assert(place !== undefined, field);
    assertEquals([textAt(place.key), textAt(place.value)], [key, value], field);
    if (first === undefined) assertEquals(place.inside, undefined, field);
    else assert(PLACES.startsWith(first, place.inside?.position), field);
  }
  for (const field of ["spec.class", "meta.merged.class", "meta.missing", "meta.flow.k.more"]) {
    assertEquals(document.placeOf(field), undefined, field);
  }
});
