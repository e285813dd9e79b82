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
  const seen = skeleton(value);
  const wanted = value.toLowerCase().slice(0, LONGEST);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 2)) + 1;
  for (const candidate of candidates) {
    if (seen !== '' && skeleton(candidate) === seen) return candidate;
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const edits = distance(wanted, candidate.toLowerCase().slice(0, LONGEST));
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}

/**
 * ` Did you mean \`x\`?` or nothing: the tail of a message about an unknown value. Where the two look the same, it says
 * which code points differ.
 */
export function didYouMean(value: string, candidates: Iterable<string>): string {
  const found = nearest(value, candidates);
  if (found === null) return '';
  const difference = isLookAlike(value, found)
    ? ` They look alike: yours has ${codePointsOf(value.toLowerCase(), found.toLowerCase())}.`
    : '';
  return ` Did you mean \`${found}\`?${difference}`;
}

/**
 * Characters that look like another one: letters of other scripts beside the Latin letter, dashes, quotes and dots.
 * Source: Unicode's list of confusables, cut down to what keyboards and word processors really produce.
 */
const LOOKS_LIKE = new Map(
  [
    ['a', 'аαɑ'],
    ['A', 'АΑ'],
    ['B', 'ВΒ'],
    ['c', 'сϲ'],
    ['C', 'СϹ'],
    ['d', 'ԁ'],
    ['e', 'е'],
    ['E', 'ЕΕ'],
    ['g', 'ɡ'],
    ['h', 'һհ'],
    ['H', 'НΗ'],
    ['i', 'іιı'],
    ['I', 'ІΙӀ'],
    ['j', 'јϳ'],
    ['J', 'Ј'],
    ['k', 'кκ'],
    ['K', 'КΚ'],
    ['M', 'МΜ'],
    ['n', 'ո'],
    ['N', 'Ν'],
    ['o', 'оοօ'],
    ['O', 'ОΟՕ'],
    ['p', 'рρ'],
    ['P', 'РΡ'],
    ['q', 'ԛ'],
    ['s', 'ѕ'],
    ['S', 'ЅՏ'],
    ['T', 'ТΤ'],
    ['u', 'υս'],
    ['v', 'ѵν'],
    ['w', 'ԝ'],
    ['x', 'хχ'],
    ['X', 'ХΧ'],
    ['y', 'уγ'],
    ['Y', 'ҮΥ'],
    ['Z', 'Ζ'],
    ['-', '‐‑‒–—―−'],
    ["'", '‘’‚‛′´`ʼ'],
    ['"', '“”„‟″«»'],
    ['.', '。·‧∙'],
  ].flatMap(([plain = '', others = '']) => [...others].map((other): [string, string] => [other, plain])),
);

const ASCII = /^[ -~]*$/;
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu;

/** What a text looks like: two texts of one skeleton cannot be told apart by eye (letter case is ignored). */
export function skeleton(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const seen = [...text.normalize('NFKC').replace(UNSEEN, '')].map((char) => LOOKS_LIKE.get(char) ?? char);
  // A dotted capital I becomes an i with a dot of its own above it.
  return seen.join('').toLowerCase().replaceAll('i\u0307', 'i').normalize('NFC');
}

/** Whether two texts that are not the same (letter case apart) look the same. */
export function isLookAlike(a: string, b: string): boolean {
  return skeleton(a) === skeleton(b) && a.toLowerCase() !== b.toLowerCase();
}

const MOST_SHOWN = 8;

/** `U+0430 in place of U+0061`: where the code points of a text differ from those of another one. */
export function codePointsOf(value: string, other: string): string {
  const [ours, theirs] = [[...value], [...other]];
  const shorter = Math.min(ours.length, theirs.length);
  let start = 0;
  while (start < shorter && ours[start] === theirs[start]) start++;
  let end = 0;
  while (end < shorter - start && ours.at(-1 - end) === theirs.at(-1 - end)) end++;
  const [extra, missing] = [ours, theirs].map((chars) => shown(chars.slice(start, chars.length - end)));
  if (missing === '') return `${extra} too many`;
  return extra === '' ? `no ${missing}` : `${extra} in place of ${missing}`;
}

/** `U+200B U+00AD`, the first few of them. */
export function shown(chars: readonly string[]): string {
  const codes = chars
    .slice(0, MOST_SHOWN)
    .map((char) => `U+${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`);
  return [...codes, ...(chars.length > MOST_SHOWN ? ['…'] : [])].join(' ');
}

/** A word processor turns a hyphen into a dash, and nobody sees it. */
export function dashNote(text: string): string {
  return /^\p{Pd}$/u.test(text) && text !== '-' ? ` (a dash, ${shown([text])}, and no plain \`-\`)` : '';
}
