import { csvLines, csvText } from './csv.ts';
import { plain } from './escape.ts';

/** A user's fields in the order of the columns, as the proxy gave them. */
export type ListedUser = readonly unknown[];

export type ListFormat = 'table' | 'tsv' | 'csv' | 'json';

/**
 * A list of users as a table for readers, as TSV or CSV with a header, or as JSON (an array of objects, arrays and
 * numbers as they are). Lists within a cell are JSON, in a table names joined by `;`. What is not seen or would act in a terminal, a log or a spreadsheet is shown, not done.
 */
export function listText(users: readonly ListedUser[], columns: readonly string[], format: ListFormat): string {
  if (format === 'json') return jsonText(users, columns);
  if (format === 'table') return tableText([columns, ...users.map(tableCells)]);
  const header = format === 'csv' ? csvText(columns, []) : `${columns.join('\t')}\n`;
  return header + users.map((user) => line(listCells(user), format)).join('');
}

/** The cells of one user as text. */
export function listCells(user: ListedUser): string[] {
  return user.map((value) => {
    if (value === null || value === undefined) return '';
    return plain(typeof value === 'string' ? value : JSON.stringify(value));
  });
}

/** As people write lists, and not as programs read them. */
function tableCells(user: ListedUser): string[] {
  return listCells(user.map((value) => (Array.isArray(value) ? value.join(';') : value)));
}

/** Two blanks between columns, each as wide as its widest cell. */
function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, width(cell));
  return rows
    .map((row) => row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - width(cell))).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function width(cell: string): number {
  return [...cell].length;
}

/** A spreadsheet reads pasted TSV as it reads CSV. */
function line(cells: readonly string[], format: 'tsv' | 'csv'): string {
  if (format === 'csv') return csvLines([cells]);
  return `${cells.map((cell) => cell.replace(/^'*[=+\-@]/, "'$&")).join('\t')}\n`;
}

function jsonText(users: readonly ListedUser[], columns: readonly string[]): string {
  if (users.length === 0) return '[]\n';
  const items = users.map((user) => {
    const object = Object.fromEntries(columns.map((column, at) => [column, user[at]]));
    return harmlessJson(JSON.stringify(object, null, 2).replace(/^/gm, '  '));
  });
  return `[\n${items.join(',\n')}\n]\n`;
}

/** Still the same JSON: what a reader would not see, and GitHub's `##[` commands, are escaped. */
function harmlessJson(text: string): string {
  return text.replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|#(?=#\[)/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
