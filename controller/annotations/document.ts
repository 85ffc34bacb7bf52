import type { Inert, Row } from "./feature.ts";
import { PREFIXES } from "./known.ts";

/** What is known of annotations. */
export interface KnownAnnotations {
  /** Those that do something. */
  rows: ReadonlyMap<string, Pick<Row<unknown>, "help" | "differs" | "isGuard">>;
  /** Those that do nothing. */
  inert: Readonly<Record<string, Inert>>;
}

/** The page on all annotations, in Markdown. */
export function documentAnnotations({ rows: active, inert }: KnownAnnotations): string {
  const rows = new Map<string, readonly [state: string, text: string]>([
    ...[...active].map(([name, row]) => [name, describeRow(row)] as const),
    ...Object.entries(inert).map(([name, inert]) => [name, describeInert(inert)] as const),
  ]);
  const names = [...rows.keys()].sort();
  const counts = Map.groupBy(rows.values(), ([state]) => state);
  const lines = STATES.map(([state, meaning]) =>
    `- **${state}** (${counts.get(state)?.length ?? 0}): ${meaning}`
  );
  const [own, other] = PREFIXES;
  return `# Annotations

<!-- Written by \`deno task test:update\` from controller/annotations/: change it there. -->

Each of them is read as \`${own}NAME\` and as \`${other}NAME\`, with the values that
ingress-nginx takes; where an Ingress has both, \`${own}NAME\` counts. One that is unknown, has a bad value, or
does nothing for want of another one is a problem in the log, in Events and in \`pingress-controller check\`, and
does nothing else.

${lines.join("\n")}

| annotation | | |
| --- | --- | --- |
${names.map((name) => `| \`${name}\` | ${rows.get(name)?.map(cell).join(" | ")} |`).join("\n")}
`;
}

function describeRow(
  { help, differs, isGuard }: Pick<Row<unknown>, "help" | "differs" | "isGuard">,
): [state: string, text: string] {
  const difference = differs === undefined ? "" : ` **Differs:** ${differs}`;
  const guard = isGuard ? " With a bad value every request is answered with 503." : "";
  return [differs === undefined ? "supported" : "differs", `${help}${guard}${difference}`];
}

function describeInert({ kind, why, isGuard, closes }: Inert): [state: string, text: string] {
  const sentence = `${why.charAt(0).toUpperCase()}${why.slice(1)}${why.endsWith(".") ? "" : "."}`;
  const guard = isGuard === "hosts"
    ? " All hosts of the Ingress answer 503."
    : isGuard
    ? " The Ingress answers 503."
    : closes
    ? " The Ingress answers 503 where the value could say who may come in."
    : "";
  return [kind, sentence + guard];
}

const STATES: [state: string, meaning: string][] = [
  ["supported", "it does what it does with ingress-nginx."],
  ["differs", "it does nearly that."],
  ["accepted", "there is nothing to do here, or it is so anyway."],
  ["unsupported", "it does nothing, and a problem says so; where it says who may come in, nobody may."],
  ["refused", "the same, and that will not change."],
];

/** Text in a table: only what is between backticks and asterisks that come in pairs is no plain text. */
function cell(text: string): string {
  return text.split(/(`[^`]*`)/).map((part) =>
    part.startsWith("`") ? part : part.replaceAll("<", "&lt;").replaceAll(/(?<!\*)\*(?!\*)/g, "\\*")
  ).join("").replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}
