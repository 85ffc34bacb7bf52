/**
 * The results as Markdown that `deno fmt` leaves as it is. Pure.
 *
 * @module
 */
import { spread } from "./measure.ts";
import type { Run, Scenario } from "./scenarios.ts";

/** The proxy that the others are compared with. */
const REFERENCE = "nginx";

/** A section with a scenario's table: medians, and the ratio of CPU time to nginx in the same round. */
export function section({ name, title, command, bytes }: Scenario, runs: Map<string, Run[]>): string {
  const rows = Array.from(runs, ([proxy, own]) => {
    const median = (value: (run: Run) => number) => spread(own.map(value)).median;
    const ratio = spread(own.map(({ cpu }, round) => cpu / (runs.get(REFERENCE)?.[round]?.cpu ?? NaN)));
    const failed = own.filter((run) => run.failed > 0);
    return [
      proxy,
      number(median(({ cpu }) => cpu), 1),
      `${number(ratio.median, 2)} (${number(ratio.min, 2)}–${number(ratio.max, 2)})`,
      // bytes per microsecond are megabytes per second
      ...bytes === undefined ? [] : [number(median(({ cpu }) => bytes / cpu), 0)],
      number(median(({ rate }) => rate), 0),
      number(median(({ p99 }) => p99), 2),
      failed.length === 0
        ? "0"
        : `**${failed.reduce((sum, run) => sum + run.failed, 0)} in ${failed.length} of ${own.length} runs**`,
    ];
  });
  const throughput = bytes === undefined ? [] : ["MB/CPU second"];
  const head = ["proxy", "CPU µs/request", "× nginx", ...throughput, "requests/s", "p99 ms", "failed"];
  const note = `\`${name}\`, by \`${command.join(" ")}\`:`;
  return `## ${title}\n\n${note}\n\n${table([head, ...rows])}`;
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

function number(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "?";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
