import { printable } from "@pingress/config";
import type { CheckProblem, CheckReport } from "./report.ts";
import { formatRoutes } from "./route_table.ts";

/** The report for people: problems, a line each, then the routes, then the counts. */
export function formatReport({ problems, routes, summary }: CheckReport): string {
  const paragraphs = [problems.map(formatProblem), routes.length > 0 ? formatRoutes(routes) : [], [
    formatSummary(summary),
  ]];
  return paragraphs.filter((lines) => lines.length > 0).map((lines) => lines.map(printable).join("\n")).join(
    "\n\n",
  );
}

function formatProblem({ severity, file, line, object, field, message }: CheckProblem): string {
  const place = file === undefined
    ? object && `cluster: ${object}`
    : line === undefined
    ? file
    : `${file}:${line}`;
  return [place, severity === "warning" && "warning", field, message].filter(Boolean).join(": ");
}

function formatSummary(summary: CheckReport["summary"]): string {
  const { ingresses, otherIngresses, otherClasses, routes, errors, warnings, earlierProblems } = summary;
  const classes = otherClasses.length > 0 ? ` (${otherClasses.join(", ")})` : "";
  return [
    `${count(ingresses, "Ingress", "es")} for Pingress`,
    otherIngresses > 0 && `${otherIngresses} of other classes${classes}`,
    count(routes, "route"),
    count(errors, "error"),
    count(warnings, "warning"),
    earlierProblems > 0 && `${count(earlierProblems, "problem")} that the cluster has anyway`,
  ].filter(Boolean).join(", ");
}

function count(number: number, word: string, plural = "s"): string {
  return `${number} ${word}${number === 1 ? "" : plural}`;
}
