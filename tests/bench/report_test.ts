import { assertEquals } from "@std/assert";
import { section, table } from "./report.ts";
import { SCENARIOS } from "./scenarios.ts";

Deno.test("table() pads columns as deno fmt does", () => {
  const expected = `
| proxy | failed |
| ----- | -----: |
| a     |     10 |
`;
  assertEquals(table([["proxy", "failed"], ["a", "10"]]), expected.trimStart());
});

Deno.test("section() shows medians, the ratio of each round, and runs that failed", () => {
  const scenario = SCENARIOS.find(({ name }) => name === "http-large")!;
  const run = { requests: 10, failed: 0, rate: 1000, p99: 1.5 };
  const text = section(
    scenario,
    new Map([
      ["Pingress", [{ ...run, cpu: 300, failed: 2 }, { ...run, cpu: 800 }, { ...run, cpu: 500, rate: 1234 }]],
      ["nginx", [{ ...run, cpu: 200 }, { ...run, cpu: 200 }, { ...run, cpu: 250 }]],
    ]),
  );
  const rows = text.split("\n").filter((line) => line.startsWith("|")).map((line) =>
    line.split(/\s*\|\s*/).slice(1, -1)
  );
  assertEquals(rows.toSpliced(1, 1), [
    ["proxy", "CPU µs/request", "× nginx", "MB/CPU second", "requests/s", "p99 ms", "failed"],
    ["Pingress", "500.0", "2.00 (1.50–4.00)", "2,097", "1,000", "1.50", "**2 in 1 of 3 runs**"],
    ["nginx", "200.0", "1.00 (1.00–1.00)", "5,243", "1,000", "1.50", "0"],
  ]);
});
