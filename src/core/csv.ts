import Papa from 'papaparse';
import { didYouMean } from './did-you-mean.ts';
import type { Problem } from './problem.ts';

/** What a command expects of its file. */
export interface TableSpec {
  readonly columns: readonly string[];
  readonly required: readonly string[];
  /** The header that messages show; `columns` where it is missing. */
  readonly shown?: readonly string[];
  /** Columns that another command reads, and what to tell somebody who writes one here. */
  readonly elsewhere?: ReadonlyMap<string, string>;
  /** Headers of other files that are read as well, whole; of their further columns, those `kept` are looked at. */
  readonly alsoRead?: readonly { readonly header: readonly string[]; readonly kept: readonly string[] }[];
  /** The column that a file without a header has, and how its first cell tells that it is one. */
  readonly bare?: { readonly column: string; readonly is: (cell: string) => boolean };
}

export interface Cell {
  readonly text: string;
  /** 1-based number of the cell in its row. */
  readonly column: number;
}

export interface TableRow {
  /** 1-based line where the row begins. */
  readonly line: number;
  /** The cell of a column, blank where the row or the file has none. */
  cell(column: string): Cell;
}

export interface CsvTable {
  /** The header's cells as written. */
  readonly header: readonly string[];
  readonly rows: readonly TableRow[];
  readonly problems: readonly Problem[];
  /** False where the header is unusable: rows were not read. */
  readonly readable: boolean;
  /** Our names of the columns that the file has. */
  readonly columns: ReadonlySet<string>;
}

interface RawRow {
  readonly line: number;
  readonly cells: readonly string[];
  /** Its quotes are not to be trusted: where its cells end is a guess. */
  readonly broken: boolean;
}

/** What other tools and people call our columns. Source for `user_email`, `user_role`, `teams`: LiteLLM's bulk-invite template. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['user_email', 'email'],
  ['e_mail', 'email'],
  ['email_address', 'email'],
  ['mail', 'email'],
  ['user_role', 'role'],
  ['team', 'team_name'],
  ['teams', 'team_name'],
  ['team_alias', 'team_name'],
  ['team_id', 'team_name'],
  ['key_alias', 'key_name'],
]);

const BLANK: Cell = { text: '', column: 1 };

function unreadable(problems: readonly Problem[], header: readonly string[] = []): CsvTable {
  return { header, rows: [], problems, readable: false, columns: new Set() };
}

function wholeFile(message: string, line: number | null = null): CsvTable {
  return unreadable([{ line, column: null, message }]);
}

function expected(spec: TableSpec): string {
  return `Expected header: ${(spec.shown ?? spec.columns).join(',')}`;
}

/**
 * Reads a CSV file: UTF-8 with or without BOM, CRLF or LF, quoted cells, blank lines, `#` comment lines, header in any
 * case and order, cells trimmed, comma only. Everything wrong is reported at once; good rows are returned beside it.
 */
export function readTable(bytes: Uint8Array, spec: TableSpec): CsvTable {
  const text = decode(bytes);
  if (typeof text !== 'string') return wholeFile(`${text.problem} ${expected(spec)}`, text.line);
  const { separator, body } = separatorLine(text);
  if (separator !== ',') return wholeFile(separatedBy(separator, spec), 1);
  const { rows, problems } = splitRows(body);
  const header = bareHeader(rows[0], spec) ?? rows.shift();
  const wrong = header === undefined ? null : wrongSeparator(header);
  if (wrong !== null) return wholeFile(separatedBy(wrong, spec));
  if (header === undefined || header.broken) {
    return problems.length > 0 ? unreadable(problems) : wholeFile(`The file is empty. ${expected(spec)}`);
  }
  const { index, problems: headerProblems } = readHeader(header, rows, spec);
  const found = [...headerProblems, ...problems];
  if (!spec.required.every((column) => index.has(column))) return unreadable(found, header.cells);
  const whole = rows.filter((row) => !row.broken);
  return {
    header: header.cells,
    rows: whole.map((row) => new IndexedRow(row, index)),
    problems: [...found, ...whole.flatMap((row) => surplusCells(row, header))],
    readable: true,
    columns: new Set(index.keys()),
  };
}

/** The header that a file without one stands for; `null` where the first row is a header of its own. */
function bareHeader(first: RawRow | undefined, { bare }: TableSpec): RawRow | null {
  if (first === undefined || bare === undefined) return null;
  const [only = '', ...others] = first.cells;
  const isBare = bare.is(only) && others.every((cell) => cell === '');
  return isBare ? { line: first.line, cells: [bare.column], broken: false } : null;
}

function decode(bytes: Uint8Array): string | { problem: string; line: number | null } {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || bytes.includes(0)) {
    return { problem: 'The file is UTF-16 or binary, not UTF-8: save it as "CSV UTF-8".', line: null };
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    const [before = ''] = new TextDecoder().decode(bytes).split('\ufffd', 1);
    const problem = 'The file is not UTF-8 (Latin-1 or Windows-1252 perhaps): save it as "CSV UTF-8".';
    return { problem, line: before.split(/\r\n?|\n/).length };
  }
}

/** Spreadsheets read, and some write, a first line that names the separator. It is no row; its line counts. */
function separatorLine(text: string): { separator: string; body: string } {
  const found = /^"?sep=([^"]?)"?[, \t]*(?=\n|$)/i.exec(text);
  return found === null
    ? { separator: ',', body: text }
    : { separator: found[1] || ',', body: text.slice(found[0].length) };
}

/** Rows with content and the line where each begins; a row may span lines, comments and blank lines have none. */
function splitRows(text: string): { rows: RawRow[]; problems: Problem[] } {
  const rows: RawRow[] = [];
  const problems: Problem[] = [];
  let offset = 0;
  let line = 1;
  const skipTo = (end: number): void => {
    for (let at = text.indexOf('\n', offset); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) line++;
    offset = end;
  };
  // Comments above a row that was found: each of them has a line below it.
  const skipComments = (): void => {
    while (text[offset] === '#') skipTo(text.indexOf('\n', offset) + 1);
  };
  Papa.parse<string[]>(text, {
    delimiter: ',',
    comments: '#',
    newline: '\n',
    step: ({ data, errors, meta }) => {
      skipComments();
      const found = brokenCells(data, line, errors[0]?.message);
      const conflict = found === null && CONFLICT.test(data[0] as string);
      if (found !== null) problems.push(found);
      if (conflict) problems.push({ line, column: null, message: CONFLICT_MESSAGE });
      const cells = data.map((cell) => cell.trim());
      const hasContent = found !== null || cells.some((cell) => cell !== '');
      if (hasContent && !conflict && !isIndentedComment(text, offset)) {
        rows.push({ line, cells, broken: found !== null });
      }
      skipTo(meta.cursor);
    },
  });
  return { rows, problems };
}

/** Lines that git leaves in a file whose two versions it could not merge. */
const CONFLICT = /^(<{7}|\|{7}|={7}|>{7})( |$)/;
const CONFLICT_MESSAGE =
  'A mark of a merge conflict: the file holds two versions. Keep the rows that are right, and remove the lines of `<<<<<<<`, `=======` and `>>>>>>>`.';

/** What is wrong with a row's quotes. No cell of ours holds a line break: a stray quote swallows the rows below it. */
function brokenCells(cells: readonly string[], line: number, reason: string | undefined): Problem | null {
  let opens = line;
  for (const [position, cell] of cells.entries()) {
    const breaks = cell.split('\n').length - 1;
    if (breaks > 0 && reason === undefined) {
      const to = opens + breaks;
      const message = `A line break inside a cell: its quote opens on line ${opens} and closes on line ${to} only, and all between is one cell. Close it on its own line, or double a quote that is meant ("").`;
      return { line: opens, column: position + 1, message };
    }
    if (breaks > 0) break;
    if (/^[^\S\n]+"/.test(cell)) {
      const message = 'A blank before a quote: the quote then counts as a letter. Remove the blank.';
      return { line: opens, column: position + 1, message };
    }
    opens += breaks;
  }
  return reason === undefined ? null : { line: opens, column: null, message: quoteMessage(reason) };
}

/** The library knows comments at the very beginning of a line only. */
function isIndentedComment(text: string, offset: number): boolean {
  const indented = /[ \t]+#/y;
  indented.lastIndex = offset;
  return indented.test(text);
}

function quoteMessage(reason: string): string {
  return `Misplaced or unclosed quotes (${reason}): a cell is quoted as a whole, a quote inside it is doubled ("").`;
}

function separatedBy(separator: string, spec: TableSpec): string {
  if (separator === ',') return `Each line is quoted as a whole: remove the outer quotes. ${expected(spec)}`;
  return `The file is separated by ${separator === '\t' ? 'tabs' : `\`${separator}\``}, not by commas. ${expected(spec)}`;
}

/** The character between the column names of a header that has no commas; `null` where it is none. */
function wrongSeparator(header: RawRow): string | null {
  const [only = '', ...others] = header.cells;
  if (others.some((cell) => cell !== '')) return null;
  const known = new Set([...ALIASES.keys(), ...ALIASES.values()]);
  const looksSplit = (separator: string): boolean => {
    const parts = only.split(separator);
    return parts.length > 1 && parts.some((part) => known.has(columnKey(part.trim().replace(/^"|"$/g, ''))));
  };
  return [';', '\t', '|', '，', '、', ','].find(looksSplit) ?? null;
}

/** What column names are compared by: `E-Mail` and `e_mail`, `Team Name` and `team_name` are one. */
function columnKey(cell: string): string {
  // Turkish spreadsheets write a dotted capital I, whose dot becomes a mark of its own in lower case.
  const lower = cell.normalize('NFC').toLowerCase().replaceAll('i\u0307', 'i');
  return lower.replace(/[\s-]+/g, '_');
}

interface HeaderCell {
  /** As written. */
  readonly cell: string;
  readonly position: number;
  /** Our name for the column, or the cell's own in lower case. */
  readonly name: string;
  readonly foreign: boolean;
}

function readHeader(
  header: RawRow,
  body: readonly RawRow[],
  spec: TableSpec,
): { index: Map<string, number>; problems: Problem[] } {
  const problems: Problem[] = [];
  const report = (column: number | null, message: string): void => {
    problems.push({ line: header.line, column, message: `${message} ${expected(spec)}` });
  };
  const index = new Map<string, number>();
  const first = header.cells.find((cell) => LOOKS_LIKE_EMAIL.test(cell));
  if (first !== undefined) {
    report(null, `The file has no header: its first row holds the email \`${first}\`.`);
    return { index, problems };
  }
  const foreign: HeaderCell[] = [];
  for (const one of headerCells(header, spec)) {
    const { cell, position, name } = one;
    const before = index.get(name);
    const elsewhere = spec.elsewhere?.get(name);
    if (elsewhere !== undefined) report(position + 1, `Column \`${cell}\` ${elsewhere}`);
    else if (one.foreign) foreign.push(one);
    else if (before !== undefined) report(position + 1, twice(header.cells[before] as string, cell, name));
    else index.set(name, position);
  }
  const blank = blankEmails(index.get('email'), foreign, body);
  if (blank !== null) index.delete('email');
  for (const { column, message } of foreignColumns(foreign, { index, header, body, spec, blank }))
    report(column, message);
  return { index, problems };
}

function headerCells(row: RawRow, { columns, alsoRead }: TableSpec): HeaderCell[] {
  const cells = row.cells.flatMap((cell, position) => (cell === '' ? [] : { cell, position, key: columnKey(cell) }));
  const other = (alsoRead ?? []).find(
    ({ header }) => header.length === cells.length && cells.every(({ key }) => header.includes(key)),
  );
  const ours = other === undefined ? columns : [...columns, ...other.kept];
  return cells.flatMap(({ cell, position, key }) => {
    const name = ours.includes(key) ? key : (ALIASES.get(key) ?? key);
    const foreign = !ours.includes(name);
    return foreign && other !== undefined ? [] : { cell, position, name, foreign };
  });
}

function twice(first: string, second: string, name: string): string {
  return columnKey(first) === columnKey(second)
    ? `Column \`${name}\` stands twice.`
    : `Columns \`${first}\` and \`${second}\` both mean \`${name}\`: keep one of them.`;
}

/** With more foreign columns than this the file is another tool's: one message says so instead of one for each. */
const MOST_SLIPS = 3;
const LOOKS_LIKE_EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** What is wrong with columns that are not ours, and with those of ours that are missing. */
function foreignColumns(
  foreign: readonly HeaderCell[],
  file: {
    index: ReadonlyMap<string, number>;
    header: RawRow;
    body: readonly RawRow[];
    spec: TableSpec;
    blank: number | null;
  },
): { column: number | null; message: string }[] {
  const { index, header, body, spec, blank } = file;
  const missing = spec.required
    .filter((column) => !index.has(column))
    .map((column) =>
      blank === null ? `No \`${column}\` column.` : `Column \`${header.cells[blank]}\` is blank in every row.`,
    );
  const byContent = missing.length === 0 ? '' : headerBelow(body) + columnOfEmails(foreign, body);
  if (foreign.length <= MOST_SLIPS) {
    const slips = foreign.map(({ cell, position }) => ({
      column: position + 1,
      message: `Unknown column \`${cell}\`.${didYouMean(cell, spec.columns)}`,
    }));
    return [...slips, ...missing.map((message) => ({ column: null, message: message + byContent }))];
  }
  const position = index.get('email');
  const emails = position === undefined ? '' : ` The emails are those of column \`${header.cells[position]}\`.`;
  const names = foreign.map(({ cell }) => `\`${cell}\``).join(', ');
  const message = `${foreign.length} columns are unknown here: ${names}.${missing.map((text) => ` ${text}`).join('')}${emails}${byContent} Remove what is not in the header that is expected.`;
  return [{ column: null, message }];
}

/** Titles and the like above the header: the next rows tell. */
function headerBelow(body: readonly RawRow[]): string {
  const names = (row: RawRow): string[] => row.cells.map((cell) => ALIASES.get(columnKey(cell)) ?? columnKey(cell));
  const found = body.slice(0, 5).find((row) => names(row).includes('email'));
  return found === undefined ? '' : ` Line ${found.line} looks like the header: remove what stands above it.`;
}

/** Rows that are looked at to tell what a column holds. */
const SAMPLE = 50;

function withEmails(foreign: readonly HeaderCell[], body: readonly RawRow[]): HeaderCell | undefined {
  const rows = body.slice(0, SAMPLE);
  return foreign.find(({ position }) => {
    const cells = rows.flatMap((row) => row.cells[position] || []);
    return cells.length > 0 && cells.every((cell) => LOOKS_LIKE_EMAIL.test(cell));
  });
}

/** The column named as that of the emails, where it is blank and a foreign one holds them: Entra's `mail` may be so. */
function blankEmails(
  position: number | undefined,
  foreign: readonly HeaderCell[],
  body: readonly RawRow[],
): number | null {
  if (position === undefined || withEmails(foreign, body) === undefined) return null;
  return body.every((row) => !row.cells[position]) ? position : null;
}

function columnOfEmails(foreign: readonly HeaderCell[], body: readonly RawRow[]): string {
  const found = withEmails(foreign, body);
  return found === undefined ? '' : ` Column \`${found.cell}\` holds what looks like emails: name it \`email\`.`;
}

function surplusCells(row: RawRow, header: RawRow): Problem[] {
  const at = row.cells.findIndex((cell, position) => cell !== '' && (header.cells[position] ?? '') === '');
  if (at === -1) return [];
  const message =
    at < header.cells.length
      ? `Cell ${at + 1} stands under a blank cell of the header, which names no column: name it, or empty the cell. A cell with a comma in it needs quotes ("a, b").`
      : `The row has ${row.cells.length} cells, the header ${header.cells.length}: a cell with a comma in it needs quotes ("a, b").`;
  return [{ line: row.line, column: at + 1, message }];
}

/** A class, as 100,000 functions of their own would take 15 MB. */
class IndexedRow implements TableRow {
  readonly line: number;
  readonly #cells: readonly string[];
  readonly #index: ReadonlyMap<string, number>;

  constructor({ line, cells }: RawRow, index: ReadonlyMap<string, number>) {
    this.line = line;
    this.#cells = cells;
    this.#index = index;
  }

  cell(column: string): Cell {
    const position = this.#index.get(column);
    if (position === undefined) return BLANK;
    return { text: withoutGuard(this.#cells[position] ?? ''), column: position + 1 };
  }
}

/** Takes off the `'` that our writers put before `=`, `+`, `-` and `@` so that a spreadsheet runs no formula. */
function withoutGuard(cell: string): string {
  return /^'+[=+\-@]/.test(cell) ? cell.slice(1) : cell;
}
