/** The one of `words` that a word is most likely a misspelling of. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const [first] = words.filter((other) => Math.abs(other.length - word.length) <= mostBetween(other))
    .map((other) => ({ other, distance: editDistance(word, other) }))
    .filter(({ other, distance }) => distance <= mostBetween(other))
    .sort((one, other) => one.distance - other.distance);
  return first?.other;
}

/** So many letters may be wrong. */
function mostBetween(word: string): number {
  return Math.max(2, word.length / 3);
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
