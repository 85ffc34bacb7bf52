/** One number of a program's metrics. */
export interface MetricSample {
  /** Its name. */
  name: string;
  /** Its labels. */
  labels: Readonly<Record<string, string>>;
  /** The number itself; counters are finite, others may be none. */
  value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?[0-9]+)?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/**
 * Reads the samples with some names of what a program says of itself in Prometheus' format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). What is no sample is passed over.
 */
export function parseExposition(text: string, names: ReadonlySet<string>): MetricSample[] {
  const samples: MetricSample[] = [];
  for (const line of text.split("\n")) {
    // looked at first: with many hosts nearly all lines are of other metrics
    if (!names.has(/^[^\s{#]*/.exec(line)?.[0] ?? "")) continue;
    const [, name = "", labels = "", value = ""] = LINE.exec(line.trimEnd()) ?? [];
    if (name === "") continue;
    samples.push({ name, labels: parseLabels(labels), value: parseValue(value) });
  }
  return samples;
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(LABEL)) {
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped) => escaped === "n" ? "\n" : escaped);
  }
  return labels;
}

function parseValue(text: string): number {
  if (/^[-+]?Inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^NaN$/i.test(text) ? NaN : Number(text);
}
