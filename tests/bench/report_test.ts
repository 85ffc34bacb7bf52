import { assertEquals } from "@std/assert";
import { digits, percent, section, table } from "./report.ts";
import type { Run } from "./scenario.ts";

Deno.test("table() pads columns as deno fmt does", () => {
  const expected = `
| proxy | failed |
| ----- | -----: |
| a     |     10 |
`;
  assertEquals(table([["proxy", "failed"], ["a", "10"]]), expected.trimStart());
});

Deno.test("digits() and percent() write numbers", () => {
  for (
    const [written, expected] of [
      [digits(0)(1234.5678), "1,235"],
      [digits(2)(1234.5678), "1,234.57"],
      [digits(1)(NaN), "?"],
      [percent(0.5), "50 %"],
    ]
  ) {
    assertEquals(written, expected);
  }
});

Deno.test("section() shows medians, the ratio of each round, and runs that failed", () => {
  const columns = [
    { head: "ms", figure: "p99", show: digits(1) },
    { head: "× b", figure: "p99", show: digits(2), to: () => "b" },
    { head: "× nothing", figure: "p99", show: digits(2), to: () => "c" },
    { head: "req/s", figure: "rate", show: digits(0) },
    { head: "failed", figure: "failed", show: digits(0) },
  ] as const;
  const runs: [string, Run[]][] = [
    ["a", [{ p99: 300, failed: 2, rate: 1 }, { p99: 800, failed: 0 }, { p99: 500, failed: 0 }]],
    ["b", [{ p99: 200, failed: 0 }, { p99: 200, failed: 0 }, { p99: 250, failed: 0 }]],
  ];
  const text = section({ name: "some", title: "Some", how: "by `x`", columns }, new Map(runs));
  const [title, , note, , ...rows] = text.split("\n");
  assertEquals([title, note], ["## Some", "`some`: by `x`"]);
  assertEquals(rows.map((row) => row.split(/\s*\|\s*/).slice(1, -1)).toSpliced(1, 1), [
    ["proxy", "ms", "× b", "× nothing", "req/s", "failed"],
    ["a", "500.0", "2.00 (1.50–4.00)", "? (?–?)", "?", "**2 in 1 of 3 runs**"],
    ["b", "200.0", "1.00 (1.00–1.00)", "? (?–?)", "?", "0"],
    [],
  ]);
});
