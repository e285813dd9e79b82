import { csvText } from './csv.ts';
import { plain } from './plain.ts';

/** A user's fields by column, as the proxy gave them. */
export type ListedUser = Readonly<Record<string, unknown>>;

export type ListFormat = 'tsv' | 'csv' | 'json';

/**
 * A list of users as TSV or CSV with a header, or as JSON (an array of objects, arrays and numbers as they are). Lists
 * within a cell are JSON. What is not seen or would act in a terminal, a log or a spreadsheet is shown, not done.
 */
export function listText(users: readonly ListedUser[], columns: readonly string[], format: ListFormat): string {
  if (format === 'json') return `${harmlessJson(JSON.stringify(users, null, 2))}\n`;
  const cells = users.map((user) => listCells(user, columns));
  return format === 'csv' ? csvText(columns, cells) : tsvText([columns, ...cells]);
}

/** The cells of one user as text. */
export function listCells(user: ListedUser, columns: readonly string[]): string[] {
  return columns.map((column) => cellOf(user[column]));
}

function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return plain(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A spreadsheet reads pasted TSV as it reads CSV. */
function tsvText(rows: readonly (readonly string[])[]): string {
  return `${rows.map((cells) => cells.map((cell) => cell.replace(/^'*[=+\-@]/, "'$&")).join('\t')).join('\n')}\n`;
}

/** Still the same JSON: what a reader would not see, and GitHub's `##[` commands, are escaped. */
function harmlessJson(text: string): string {
  return text.replace(/[^\n\P{C}]|[\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|#(?=#\[)/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
