import type { Ingress } from "../objects.ts";
import type { ProblemList } from "./problem.ts";

/** What all annotations of Pingress begin with. */
const PREFIX = "pingress.dev/";

/** The annotations that an Ingress may have. */
export const KNOWN_ANNOTATIONS: readonly string[] = [];

/** Options of {@linkcode checkAnnotations}. */
export interface CheckAnnotationsOptions {
  /** Takes what is wrong. */
  problems: ProblemList;
  /** The annotations that there are. */
  known?: readonly string[];
}

/** Finds annotations that look like ours and would do nothing. */
export function checkAnnotations(
  { metadata: { annotations = {} } }: Ingress,
  { problems, known = KNOWN_ANNOTATIONS }: CheckAnnotationsOptions,
): void {
  for (const name of Object.keys(annotations)) {
    if (!name.startsWith(PREFIX) || known.includes(name)) continue;
    const meant = nearest(name, known);
    const advice = meant === undefined ? "remove it" : `did you mean ${meant}?`;
    problems.add(
      "UnknownAnnotation",
      `metadata.annotations[${JSON.stringify(name)}]`,
      `There is no such annotation, so it does nothing: ${advice}`,
    );
  }
}

/** The one of `words` that a word is most likely a misspelling of. */
function nearest(word: string, words: readonly string[]): string | undefined {
  const [first] = words.map((other) => ({ other, distance: editDistance(word, other) }))
    .filter(({ other, distance }) => distance <= Math.max(2, (other.length - PREFIX.length) / 3))
    .sort((one, other) => one.distance - other.distance);
  return first?.other;
}

/**
 * How many letters must be added, removed, replaced or swapped with their neighbour to make one word of another
 * (https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance, the optimal string alignment).
 */
export function editDistance(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= one.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      rows[row]?.push(Math.min(
        at(row - 1, column) + 1,
        at(row, column - 1) + 1,
        at(row - 1, column - 1) + (isSame ? 0 : 1),
        isSwapped ? at(row - 2, column - 2) + 1 : Infinity,
      ));
    }
  }
  return at(one.length, other.length);
}
