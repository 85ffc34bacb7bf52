/** One number with its name and labels, such as `code="200",method="GET"`. */
export type Sample = [name: string, labels: string, value: number];

/** A metric as it is described to Prometheus. */
export interface MetricFamily {
  /** What kind of number it is (https://prometheus.io/docs/concepts/metric_types/). */
  type: "counter" | "gauge" | "histogram";
  /** A sentence for people. */
  help: string;
  /** The names of its labels; `le`, which every histogram has, is not among them. */
  labels?: readonly string[];
}

/**
 * Writes samples of some families, in their order, as Prometheus reads them
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
 */
export function exposition(
  families: Readonly<Record<string, MetricFamily>>,
  samples: readonly Sample[],
): string {
  const byFamily = new Map<string, Sample[]>();
  for (const sample of samples) {
    const family = sample[0] in families ? sample[0] : sample[0].replace(/_(?:bucket|sum|count)$/, "");
    const list = byFamily.get(family);
    if (list === undefined) byFamily.set(family, [sample]);
    else list.push(sample);
  }
  let text = "";
  for (const [name, { type, help }] of Object.entries(families)) {
    const list = byFamily.get(name);
    if (list === undefined) continue;
    text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const [sample, labels, value] of list) {
      text += labels === "" ? `${sample} ${value}\n` : `${sample}{${labels}} ${value}\n`;
    }
  }
  return text;
}

/** Writes a label's value (https://prometheus.io/docs/instrumenting/exposition_formats/#comments-help-text-and-type-information). */
export function labelValue(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/** Counts values by how large they are. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #buckets: number[];
  #count = 0;
  #sum = 0;

  /** `bounds` are the upper bounds of the buckets, in ascending order. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#buckets = bounds.map(() => 0);
  }

  /** Counts a value. */
  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket++;
    if (bucket < this.#bounds.length) this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count++;
    this.#sum += value;
  }

  /** What was counted, under a name, and labels if there are any. */
  samples(name: string, labels = ""): Sample[] {
    const upTo = (bound: string) => `${labels === "" ? "" : `${labels},`}le="${bound}"`;
    let below = 0;
    return [
      ...this.#bounds.map((bound, bucket): Sample => [
        `${name}_bucket`,
        upTo(`${bound}`),
        below += this.#buckets[bucket] ?? 0,
      ]),
      [`${name}_bucket`, upTo("+Inf"), this.#count],
      [`${name}_sum`, labels, this.#sum],
      [`${name}_count`, labels, this.#count],
    ];
  }
}
