/** Longest value shown whole, in code points. */
const LONGEST_VALUE = 200;
/** Longest message shown whole, in UTF-16 units. */
const LONGEST_PROSE = 2_000;

/**
 * What {@link plain} leaves and a code span cannot hold:
 * - `<!--` would be found by whoever looks for the hidden marker of a comment;
 * - a `|` after a backslash is read differently by GitHub, Gitea and marked;
 * - blanks at the ends, or several in a row, get lost;
 * - cmark gives up on fences of more than 80 backticks (MAXBACKTICKS in inlines.c).
 */
const NOT_FOR_CODE = /<(?=!--)|(?<=\\)\||^ | $|(?<= ) |`{9,}/g;

/**
 * A value in Markdown: a code span, the one place where neither Markdown nor HTML, mentions, references, autolinks,
 * emoji and formulas take effect, on GitHub and Gitea alike. Reads as the value itself; what cannot be seen or shown
 * reads `<U+XXXX>`. In a table, {@link tableRow} takes care of `|`.
 */
export function code(value: string, longest = LONGEST_VALUE): string {
  if (value === '') return '(empty)';
  const { kept, cut } = shorten(value, longest);
  const text = plain(kept).replace(NOT_FOR_CODE, (match) => [...match].map(visible).join(''));
  const fence = '`'.repeat(longestRun(text) + 1);
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${text}${pad}${fence}${cut === 0 ? '' : `… (${cut} more characters)`}`;
}

function shorten(value: string, longest: number): { kept: string; cut: number } {
  if (value.length <= longest) return { kept: value, cut: 0 };
  const points = [...value];
  return { kept: points.slice(0, longest).join(''), cut: Math.max(0, points.length - longest) };
}

function longestRun(text: string): number {
  return (text.match(/`+/g) ?? []).reduce((longest, run) => Math.max(longest, run.length), 0);
}

const LETTERS = String.raw`[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*`;
const NUMBER = String.raw`\d{1,6}(?:\.\d{1,6})?%?`;
/** Words that can't be anything but words, whatever stands around them: no `@`, `#`, `/`, `_`, `<`, `$`, brackets. */
const WORD = new RegExp(String.raw`^\(?(?:${LETTERS}|${NUMBER})?[.,;:!?)]*$|^[–—…→=]$`, 'u');
/** GitHub links to a commit by any seven hexadecimal digits of its hash. */
const HASH = /^\(?[0-9a-f]{7,}[.,;:!?)]*$/i;
/** A list item or an underlined heading, at the beginning of a line. */
const NOT_FIRST = /^(?:\d+[.)]|=)/;

/** Punctuation around a plain name belongs to the sentence: `(user_list.csv).` */
const PUNCTUATED = /^(\(?)([\w@.+/#:%=&?~-]*\w)([.,;:!?)]*)$/;

/** What a message quotes in single quotes is taken by its quotes: `'api-keys: false',` is no run of words. */
const PIECES = /`([^`]+)`|(?<![^\s(])'([^'`\s](?:[^'`\n]{0,78}[^'`\s])?)'(?![^\s.,;:!?)])|\((?=')|[^\s`]+|`+/g;

/** A part of a message: Markdown already, or a value that is to become a code span. */
type Part = { readonly gap: boolean; readonly markdown: string } | { readonly gap: boolean; readonly value: string };

/**
 * A message in Markdown. Messages hold values of unknown make: words that can't be anything else stay, all other runs
 * become code spans. A part between backticks, or between single quotes, is one code span. White space becomes single blanks.
 */
export function prose(message: string): string {
  const text = message.length > LONGEST_PROSE ? `${message.slice(0, LONGEST_PROSE)} …` : message;
  let result = '';
  for (const part of joinValues(parts(text.trim()))) {
    const shown = 'markdown' in part ? part.markdown : code(part.value, LONGEST_PROSE);
    const apart = part.gap || (shown.startsWith('`') && result.endsWith('`'));
    result += (apart ? ' ' : '') + shown;
  }
  return result;
}

function parts(text: string): Part[] {
  let end = 0;
  return [...text.matchAll(PIECES)].flatMap((match): Part[] => {
    const [piece, ticked, quoted = ticked] = match;
    const gap = match.index > end;
    end = match.index + piece.length;
    if (quoted !== undefined) return [{ gap, markdown: code(quoted) }];
    if (isWord(piece, match.index === 0)) return [{ gap, markdown: piece }];
    const [, before = '', name, after = ''] = PUNCTUATED.exec(piece) ?? [];
    if (name === undefined) return [{ gap, value: piece }];
    return [{ gap, markdown: before + code(name, LONGEST_PROSE) + after }];
  });
}

/** Values with nothing but a blank between them become one. */
function joinValues(all: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of all) {
    const last = joined.at(-1);
    if (last && 'value' in last && 'value' in part) {
      joined[joined.length - 1] = { gap: last.gap, value: last.value + (part.gap ? ' ' : '') + part.value };
    } else joined.push(part);
  }
  return joined;
}

function isWord(piece: string, first: boolean): boolean {
  return WORD.test(piece) && !HASH.test(piece) && !(first && NOT_FIRST.test(piece));
}

/** Messages as a block of their own; none for none. */
export function noteBlock(notes: readonly string[]): string[] {
  return notes.length === 0 ? [] : [`> [!NOTE]\n${notes.map((note) => `> ${prose(note)}`).join('\n>\n')}`];
}

/** A row of a table; the cells are Markdown already. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** A link; what is no http(s) address is shown as a value. */
export function link(label: string, url: string): string {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return `${prose(label)}: ${code(url)}`;
  const href = new URL(url).href.replace(/[()<>|\\`[\]]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `[${prose(label)}](${href})`;
}

/** Characters that are not seen, or that move what is seen: controls, bidi overrides, zero-width, odd blanks. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/u.source;

/**
 * What a log could take for something else than a value:
 * - `##[` anywhere in a line and `::` at its start are commands to GitHub's runner (ActionCommand.cs of actions/runner);
 * - `<U+` would read as one of our own escapes.
 */
const MEANINGFUL = '#(?=#\\[)|^:(?=:)|<(?=U\\+)';

const SPECIAL = new RegExp(`${UNSEEN}|${MEANINGFUL}`, 'gu');

/** `<U+001B>` for the escape character. */
function visible(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/**
 * A value as one harmless run of text for a log or a terminal: what is not seen, or would act (ANSI escapes, line
 * breaks, bidi overrides, workflow commands), is shown as `<U+XXXX>`. Different values stay different.
 */
export function plain(value: string): string {
  return value.replace(SPECIAL, visible);
}
