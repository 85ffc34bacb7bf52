import type { Sample } from "@pingress/config";

/** Adds up what several workers have counted. */
export function addUp(samples: Iterable<Sample>): Sample[] {
  const sums = new Map<string, Sample>();
  for (const [name, labels, value] of samples) {
    const key = `${name}{${labels}}`;
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, [name, labels, value]);
    else sum[2] += value;
  }
  return [...sums.values()];
}
