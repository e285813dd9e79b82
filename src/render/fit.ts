import { noteBlock, prose, tableRow } from './escape.ts';
import { plural } from './labels.ts';

/** From how many rows on a table can be folded. */
const LONG = 25;

/** What every document is told. */
export interface DocumentOptions {
  readonly title: string;
  /** Name of the proxy where there are several. */
  readonly target: string | null;
  readonly csvFile: string;
  /** Bytes of UTF-8, at least 5,000; a hidden marker that is put before the text is the caller's to subtract. */
  readonly limit: number;
  /** Where rows can be seen that were cut: `the job summary`, `the artifact user-sync-results`. */
  readonly rest: string;
}

/** A table that may be cut: rows are made one by one, as long as there is room. */
export interface Table {
  readonly heading: string;
  /** Markdown between heading and table; may be empty. */
  readonly intro: string;
  readonly header: readonly string[];
  readonly count: number;
  readonly row: (index: number) => readonly string[];
  /**
   * A long table is folded away, or can be folded by the reader, or stands as it is; `always`: also a short one, below
   * its heading.
   */
  readonly fold: 'closed' | 'open' | 'never' | 'always';
}

export interface MarkdownDocument {
  /** Blocks that are never left out: heading, counts, breaches. */
  readonly head: readonly string[];
  /** Messages to the reader; together they give way where they would leave no room for tables. */
  readonly notes: readonly string[];
  /** The most important first: cutting begins with the last row of the last table. */
  readonly tables: readonly Table[];
  readonly foot: readonly string[];
  /** Where cut rows can be seen, for "see …". */
  readonly rest: string;
}

/**
 * The document, cut on whole rows so that it takes at most `limit` bytes of UTF-8: below GitHub's limits however those
 * count (comments: 65,536 characters at least, in practice 262,144 bytes; job summary: 1 MiB). `limit` must be
 * at least 5,000.
 */
export function fitDocument(document: MarkdownDocument, limit: number): string {
  for (const notes of [noteBlock(document.notes), notesElsewhere(document)]) {
    const text = fill(document, notes, limit);
    if (text !== null) return text;
  }
  const rows = document.tables.reduce((sum, table) => sum + table.count, 0);
  const whole = [...document.head, more(rows, document.rest)].join('\n\n');
  return bytes(whole) < limit ? `${whole}\n` : `${document.head.slice(0, 2).join('\n\n')}\n`;
}

function notesElsewhere({ notes, rest }: MarkdownDocument): string[] {
  return notes.length === 0 ? [] : [`${plural(notes.length, 'note')}, see ${prose(rest)}.`];
}

function fill(document: MarkdownDocument, notes: readonly string[], limit: number): string | null {
  const { head, tables, foot, rest } = document;
  const fixed = [...head, ...notes, ...foot];
  const frames = tables.map((table) => bytes(renderTable(table, [''], table.count, rest)) + DIGITS);
  let room = limit - sum(fixed.map(blockBytes)) - sum(frames.map((size) => size + SEPARATOR));
  if (room < 0) return null;
  let full = false;
  const rendered = tables.map((table) => {
    const rows: string[] = [];
    while (!full && rows.length < table.count) {
      const row = tableRow(table.row(rows.length));
      full = bytes(row) + 1 > room;
      if (full) break;
      room -= bytes(row) + 1;
      rows.push(row);
    }
    return renderTable(table, rows, table.count - rows.length, rest);
  });
  return `${[...head, ...notes, ...rendered, ...foot].join('\n\n')}\n`;
}

/** Bytes between two blocks. */
const SEPARATOR = 2;
/** Bytes that the number of shown rows may take. */
const DIGITS = 12;
const blockBytes = (block: string) => bytes(block) + SEPARATOR;

function renderTable(table: Table, rows: readonly string[], cut: number, rest: string): string {
  const text = rows.length === 0 ? '' : `${tableTop(table)}${rows.join('\n')}`;
  const cutNote = cut === 0 ? '' : more(cut, rest);
  if (table.fold === 'always') return underHeading(table, blocks(table.intro, text, cutNote));
  return blocks(table.heading, table.intro, text === '' ? '' : fold(table, text, rows.length), cutNote);
}

function blocks(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

function underHeading({ heading }: Table, text: string): string {
  return `<details><summary><strong>${heading.replace(/^#+ /, '')}</strong></summary>\n\n${text}\n\n</details>`;
}

function tableTop({ header }: Table): string {
  return `${tableRow(header)}\n${tableRow(header.map(() => '---'))}\n`;
}

function fold({ fold: how, count }: Table, text: string, shown: number): string {
  if (how === 'never' || count <= LONG) return text;
  const tag = how === 'open' ? '<details open>' : '<details>';
  return `${tag}<summary>${plural(shown, 'user')}</summary>\n\n${text}\n\n</details>`;
}

function more(count: number, rest: string): string {
  return `… ${count} more, see ${prose(rest)}.`;
}

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
