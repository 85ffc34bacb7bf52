/**
 * The pages of `docs/reference/` that are made of the code itself.
 *
 * @module
 */
import type { MetricFamily, Program } from "@pingress/config";

/** The text of a cell of a table. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll(/\s+/g, " ");
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`);
  return lines.join("\n");
}

function writtenFrom(where: string): string {
  return `<!-- Written by \`deno task test:update\` from ${where}: change it there. -->`;
}

/** The page on the flags of all programs. */
export function documentFlags(programs: readonly Program[]): string {
  const sections = programs.map(({ name, summary, flags, operands, ignoresEnvironment, commands = [] }) => {
    const usages = [`${name} [flags]${operands === undefined ? "" : ` ${operands}`}`];
    for (const command of commands) usages.push(`${command.name} [flags] ${command.operands ?? ""}`.trim());
    const rows = flags.map(({ name, value, required, default: preset, repeats, help }) => [
      `\`--${name}${value === undefined ? "" : ` ${cell(value)}`}\``,
      required ? "required" : preset === undefined ? "" : `\`${preset}\``,
      `${cell(help)}${repeats && !help.includes("more than once") ? "; may be given more than once" : ""}`,
    ]);
    return [
      `## ${name}`,
      cell(summary),
      `\`\`\`\n${usages.join("\n")}\n\`\`\``,
      ...ignoresEnvironment ? ["Nothing is read from the environment."] : [],
      table(["flag", "default", ""], rows),
    ].join("\n\n");
  });
  return `# Flags

${writtenFrom("the programs' own tables")}

Each flag is an environment variable, too: \`--listen-http\` is \`PINGRESS_LISTEN_HTTP\`. Of a flag that may be
given more than once each value has a line of its own there. The command line comes first. All programs know
\`--help\` and \`--version\`; an unknown flag is an error, and so is one that would do nothing.

The proxies of a cluster get their flags from the controller, one \`--proxy-arg\` for each:
\`--proxy-arg=--workers=2\`. Those that their Pods depend on, \`--config\`, \`--watch\` and \`--listen-…\`, are refused
there. A Pod has 60 seconds to end: \`--shutdown-delay\` and \`--drain-timeout\` together must be less. The limits
on clients' connections are shared out evenly among the workers, as the system shares out the connections.

${sections.join("\n\n")}
`;
}

/** Metrics of one program. */
export interface ProgramMetrics {
  /** The program, for the heading. */
  program: string;
  /** What it measures. */
  families: Readonly<Record<string, MetricFamily>>;
}

/** The page on the metrics of both programs. */
export function documentMetrics(programs: readonly ProgramMetrics[]): string {
  const sections = programs.map(({ program, families }) => {
    const rows = Object.entries(families).map(([name, { type, help, labels = [] }]) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(", "),
      cell(help),
    ]);
    return `## ${program}\n\n${table(["metric", "type", "labels", ""], rows)}`;
  });
  return `# Metrics

${writtenFrom("the families of metrics")}

Both programs serve them at \`/metrics\` of their admin port, \`--listen-admin\`, in the text format of Prometheus.
The dashboard in \`manifests/monitoring/\` shows all of them: [how to scrape them](../how_to/monitoring.md).

The label \`host\` is there only with the proxy's \`--metrics-hosts\`. \`host_class\` is \`exact\`, \`wildcard\`, \`any\` (a
rule without a host), \`default\` (the default backend) or \`none\` (no rule). A \`method\` that is none of the common
ones is \`other\`. What workers count is added up; what one that died had counted stays. An \`address\` is that of an
endpoint, as \`10.0.0.1:8080\`.

${sections.join("\n\n")}
`;
}

/** A type of the contract, as its source tells of it. */
interface TypeSource {
  name: string;
  doc: string;
  fields: { name: string; isOptional: boolean; type: string; doc: string }[];
}

/** The page on \`proxy.json\`, from the TypeScript of its types. */
export function documentContract(introduction: string, sources: readonly string[]): string {
  const types = sources.flatMap(readInterfaces);
  const names = types.map(({ name }) => name);
  const sections = types.map(({ name, doc, fields }) => {
    const rows = fields.map(({ name, isOptional, type, doc }) => [
      `\`${name}\`${isOptional ? "" : " *"}`,
      typeText(type, names),
      cell(doc),
    ]);
    return `### ${name}\n\n${cell(doc)}\n\n${table(["field", "type", ""], rows)}`;
  });
  return `${introduction}
## All fields

${writtenFrom("config/proxy_config.ts and config/rule_options.ts")}

\`*\`: required. A field that is not known is left out, so that an older proxy reads what a newer controller writes.

${sections.join("\n\n")}
`;
}

/** A type with links to those that the page tells of. */
function typeText(type: string, names: readonly string[]): string {
  const parts = cell(type).split(/(\b[A-Z]\w+\b)/);
  if (!parts.some((part) => names.includes(part))) return `\`${cell(type)}\``;
  return parts.map((part) => names.includes(part) ? `[${part}](#${part.toLowerCase()})` : part).join("");
}

/**
 * Reads the interfaces of a TypeScript source that `deno fmt` has formatted.
 *
 * @throws {Error} for a line in one of them that is neither a comment nor a field.
 */
export function readInterfaces(source: string): TypeSource[] {
  const pattern =
    /\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport interface (\w+)(?: extends (\w+))? \{\n([^]*?)\n\}\n/g;
  const types: TypeSource[] = [];
  const aliases = new Map(
    [...source.matchAll(/^export type (\w+) = (.*);$/gm)].map(([, name = "", type = ""]) => [name, type]),
  );
  const known = (type: string) => type.replaceAll(/\b[A-Z]\w*\b/g, (name) => aliases.get(name) ?? name);
  for (const [, doc = "", name = "", base, body = ""] of source.matchAll(pattern)) {
    const fields = [...types.find((type) => type.name === base)?.fields ?? []];
    const rest = body.replaceAll(
      / {2}\/\*\*((?:(?!\*\/)[^])*)\*\/\n {2}(\w+)(\??): ([^]*?);(?:\n|$)/g,
      (_, doc, name, mark, type) => {
        fields.push({ name, isOptional: mark === "?", type: known(type), doc: sentence(doc) });
        return "";
      },
    );
    if (rest.trim() !== "") throw new Error(`${name}: cannot read ${JSON.stringify(rest)}`);
    types.push({ name, doc: sentence(doc), fields });
  }
  return types;
}

/** The text of a JSDoc comment. */
function sentence(comment: string): string {
  return comment.replaceAll(/^\s*\* ?/gm, "").replaceAll(/\{@linkcode (\w+)\}/g, "`$1`").replaceAll(
    /\s+/g,
    " ",
  )
    .trim();
}
