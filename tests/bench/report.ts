/**
 * The results as Markdown that `deno fmt` leaves as it is. Pure.
 *
 * @module
 */
import { spread } from "./measure.ts";
import type { Column, Run, Scenario } from "./scenario.ts";

/** A section with a scenario's table. */
export function section(
  { name, title, how, columns }: Pick<Scenario, "name" | "title" | "how" | "columns">,
  runs: Map<string, Run[]>,
): string {
  const rows = Array.from(runs.keys(), (row) => [row, ...columns.map((column) => cell(column, row, runs))]);
  return `## ${title}\n\n\`${name}\`: ${how}\n\n${
    table([["proxy", ...columns.map(({ head }) => head)], ...rows])
  }`;
}

/** The median of all rounds; where it is a ratio the least and the greatest, too. */
function cell({ figure, show, to }: Column, row: string, runs: Map<string, Run[]>): string {
  const values = (row: string) => runs.get(row)?.map((run) => run[figure] ?? NaN) ?? [];
  const own = values(row);
  if (figure === "failed") return failures(own);
  if (to === undefined) return show(spread(own).median);
  const others = values(to(row));
  const { median, min, max } = spread(own.map((value, round) => value / (others[round] ?? NaN)));
  return `${show(median)} (${show(min)}–${show(max)})`;
}

/** A median would hide them. */
function failures(counts: number[]): string {
  const failed = counts.filter((count) => count > 0);
  if (failed.length === 0) return "0";
  return `**${failed.reduce((sum, count) => sum + count)} in ${failed.length} of ${counts.length} runs**`;
}

/** A table whose columns are as wide as they must be; all but the first are numbers. */
export function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    widths.map((width, column) =>
      column === 0 ? (row[0] ?? "").padEnd(width) : (row[column] ?? "").padStart(width)
    )
  );
  lines.splice(
    1,
    0,
    widths.map((width, column) => column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`),
  );
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** Writes numbers with so many digits behind the point. */
export function digits(count: number): (value: number) => string {
  const options = { minimumFractionDigits: count, maximumFractionDigits: count };
  return (value) => Number.isFinite(value) ? value.toLocaleString("en", options) : "?";
}

/** Writes a part of 1 in percent. */
export function percent(value: number): string {
  return `${digits(0)(100 * value)} %`;
}
