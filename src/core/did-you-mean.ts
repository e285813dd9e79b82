/** Number of single-character edits between two strings (Levenshtein). */
export function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(at(previous, j) + 1, at(current, j - 1) + 1, substitution));
    }
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] as number;
}

const LONGEST = 100;

/** The candidate that was probably meant: the closest one, at most half of it different; `null` if none is close. */
function nearest(value: string, candidates: Iterable<string>): string | null {
  const wanted = value.toLowerCase().slice(0, LONGEST);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 2)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const edits = distance(wanted, candidate.toLowerCase().slice(0, LONGEST));
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

/** ` Did you mean \`x\`?` or nothing: the tail of a message about an unknown value. */
export function didYouMean(value: string, candidates: Iterable<string>): string {
  const found = nearest(value, candidates);
  return found === null ? '' : ` Did you mean \`${found}\`?`;
}
